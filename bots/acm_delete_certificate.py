"""Delete a certificate that nothing uses.

After: the certificate and its private key no longer exist; names, validation records, tags and the public
certificate stay in the journal.
Caution: nobody gets the private key back. A certificate requested anew has another ARN, and an imported one
needs its key from elsewhere. Users AWS does not know of, such as a server that was given an exported
private certificate, are not seen.
"""

from typing import Any

from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity, on
from bots._certificates import CERTIFICATE, GONE, certificate_home, kept, public_text, refuse_needed

RENEWAL_SECONDS = 300


class Certificate(Before):
    detail: dict[str, Any] | None  # None: there is no such certificate
    tags: dict[str, str]
    body: str
    chain: str


bot = Bot(
    name="acm_delete_certificate",
    acts_on="AWS::CertificateManager::Certificate",
    target=entity("certificateArn", "id"),
    params=NoParams,
    before=Certificate,
    reads=on(CERTIFICATE, "acm:DescribeCertificate", "acm:GetCertificate", "acm:ListTagsForCertificate"),
    writes=on(CERTIFICATE, "acm:DeleteCertificate"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("the private key is destroyed with the certificate; request or import a new one"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Certificate]:
    home = certificate_home(aws, target.id)
    named = {"CertificateArn": target.id}
    answer = await home.find("acm", "DescribeCertificate", absent=GONE, **named)
    if answer is None:
        gone = Certificate(detail=None, tags={}, body="", chain="")
        return Check(
            compliant=True, before=gone, why=f"certificate {target.id} does not exist", region=home.region
        )
    found = answer["Certificate"]
    refuse_needed(target.id, found)
    tags, text = await together(
        home.call("acm", "ListTagsForCertificate", **named), public_text(home, target.id, found["Status"])
    )
    return Check(
        compliant=False,
        before=Certificate(
            detail=kept(found),
            tags={tag["Key"]: tag.get("Value", "") for tag in tags["Tags"]},
            body=text.get("Certificate", ""),
            chain=text.get("CertificateChain", ""),
        ),
        why=f"certificate {target.id} for {found.get('DomainName', 'no domain')} exists ({found['Status']}) "
        "and nothing uses it",
        region=home.region,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Certificate) -> None:
    try:
        await certificate_home(aws, target.id).call("acm", "DeleteCertificate", CertificateArn=target.id)
    except AwsError as error:
        if error.code == "ResourceInUseException":
            raise CannotFix(f"something has begun to use certificate {target.id}: {error.message}") from error
        if error.code == "ConflictException":
            raise TryLater(f"ACM is renewing certificate {target.id}", seconds=RENEWAL_SECONDS) from error
        if error.code not in GONE:
            raise

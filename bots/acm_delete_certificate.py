"""Delete a certificate that nothing uses.

After: the certificate and its private key no longer exist; names, validation records, tags and the public
certificate stay in the journal.
Caution: nobody gets the private key back. A certificate requested anew has another ARN, and an imported one
needs its key from elsewhere. Users AWS does not know of, such as a server that was given an exported
private certificate, are not seen.
"""

import re
from typing import Any

from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity, on

CERTIFICATE = ("arn:{partition}:acm:*:{account}:certificate/*",)
GONE = ("ResourceNotFoundException",)
_ARN = re.compile(r"arn:[\w-]+:acm:(?P<region>[a-z0-9-]+):(?P<owner>\d{12}):certificate/[\w-]+", re.ASCII)
# Of what ACM tells, the part a person needs to request the like again.
_KEPT = (
    "DomainName", "SubjectAlternativeNames", "DomainValidationOptions", "Subject", "Issuer", "Serial", "Status",
    "Type", "KeyAlgorithm", "Options", "CertificateAuthorityArn",
)  # fmt: skip
_HAVE_A_BODY = ("ISSUED", "EXPIRED", "INACTIVE", "REVOKED")
NAMED_AT_MOST = 5
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
    home = _home(aws, target)
    named = {"CertificateArn": target.id}
    answer = await home.find("acm", "DescribeCertificate", absent=GONE, **named)
    if answer is None:
        gone = Certificate(detail=None, tags={}, body="", chain="")
        return Check(
            compliant=True, before=gone, why=f"certificate {target.id} does not exist", region=home.region
        )
    found = answer["Certificate"]
    _refuse_needed(target, found)
    tags, text = await together(
        home.call("acm", "ListTagsForCertificate", **named), _text(home, target, found["Status"])
    )
    return Check(
        compliant=False,
        before=Certificate(
            detail={key: found[key] for key in _KEPT if key in found},
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
        await _home(aws, target).call("acm", "DeleteCertificate", CertificateArn=target.id)
    except AwsError as error:
        if error.code == "ResourceInUseException":
            raise CannotFix(f"something has begun to use certificate {target.id}: {error.message}") from error
        if error.code == "ConflictException":
            raise TryLater(f"ACM is renewing certificate {target.id}", seconds=RENEWAL_SECONDS) from error
        if error.code not in GONE:
            raise


def _home(aws: Aws, target: Target) -> Aws:
    """The account in the certificate's region, which its ARN says.

    Raises:
        CannotFix: it is no certificate's ARN, or one of another account.
    """
    found = _ARN.fullmatch(target.id)
    if found is None:
        raise CannotFix(
            f"{target.id[:80]!r} is not the ARN of an ACM certificate, by which the finding must name it"
        )
    if found["owner"] != aws.account_id:
        raise CannotFix(
            f"certificate {target.id} belongs to account {found['owner']}, not to {aws.account_id}"
        )
    return aws.at(found["region"])


def _refuse_needed(target: Target, found: dict[str, Any]) -> None:
    if manager := found.get("ManagedBy"):
        raise CannotFix(
            f"certificate {target.id} is managed by {manager}: delete what it was made for and it goes by itself"
        )
    # Users may be in accounts of AWS itself, as the load balancers behind API Gateway are.
    if users := found.get("InUseBy"):
        some = ", ".join(sorted(users)[:NAMED_AT_MOST])
        raise CannotFix(
            f"certificate {target.id} is in use by {len(users)} resources ({some}): give them another one first. "
            "If that was done just now, send the finding again in some minutes: ACM is slow to notice"
        )


async def _text(home: Aws, target: Target, status: str) -> dict[str, Any]:
    """Certificate and chain; {} of one that was never issued."""
    if status not in _HAVE_A_BODY:
        return {}
    return await home.call("acm", "GetCertificate", CertificateArn=target.id)

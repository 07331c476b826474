"""S3."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from moto.s3.models import s3_backends
from moto.s3control.models import s3control_backends

from tests.fake_aws.wire import Answer, Call, refusal, with_body, xml_of

# Of the regions launched after March 20, 2019 those that tests use.
_NEW = frozenset({"af-south-1", "eu-south-1", "me-south-1"})


def bucket(name: str) -> Any:
    """moto's bucket of that name, whosever it is; None if there is none."""
    home = s3_backends.bucket_accounts.get(name)
    return s3_backends[home[1]][home[0]].get_bucket(name) if home else None


def allowed(found: Any, service: str) -> set[str]:
    """What the policy of a `bucket` lets a service do, for services that refuse to deliver without it."""
    actions: set[str] = set()
    for each in json.loads(found.policy or '{"Statement": []}')["Statement"]:
        principal = each.get("Principal")
        if each["Effect"] == "Allow" and isinstance(principal, dict) and principal.get("Service") == service:
            actions |= {each["Action"]} if isinstance(each["Action"], str) else set(each["Action"])
    return actions


def lets_in(name: str, service: str) -> bool:
    """Whether there is a bucket of that name, and a service may put objects into it."""
    found = bucket(name)
    return found is not None and "s3:PutObject" in allowed(found, service)


def before(call: Call) -> Answer | None:
    name = call.params.get("Bucket")
    home = s3_backends.bucket_accounts.get(name) if name else None
    if home is not None and call.operation != "CreateBucket":
        region = str(bucket(str(name)).region_name)
        if region != call.region:
            return _elsewhere(call, str(name), region)
    expected = call.params.get("ExpectedBucketOwner")
    if home is not None and expected is not None and expected != home[1]:
        # AWS compares the expected owner with the real one; moto ignores it.
        return refusal(call, "AccessDenied", "Access Denied")
    if call.operation == "DeleteBucket" and home is not None and _access_points(home[1], home[0], str(name)):
        # moto deletes the bucket under its access points.
        text = "Bucket has access points attached and cannot be deleted."
        return refusal(call, "BucketHasAccessPointsAttached", text, status=400)
    if call.operation == "PutBucketAcl" and "BucketOwnerEnforced" in str(bucket(str(name)).ownership_rule):
        # moto stores Object Ownership and sets ACLs all the same.
        return refusal(call, "AccessControlListNotSupported", "The bucket does not allow ACLs", status=400)
    if home is not None and call.operation in ("PutBucketRequestPayment", "GetBucketRequestPayment"):
        return _payment(call, bucket(str(name)))
    if call.operation == "PutBucketVersioning" and has_mfa_delete(name) and not call.params.get("MFA"):
        return refusal(call, "AccessDenied", "Mfa Authentication must be used for this request")
    return None


def _elsewhere(call: Call, name: str, region: str) -> Answer:
    """S3 answers for a bucket in its own region alone, whoever asks; moto does everywhere.

    What it says instead depends on both regions. Of the answer about constraints nobody has shown a header
    that names the region, so here it has none. HEAD has the header and the status only.
    """
    header: tuple[tuple[str, str], ...] = (("x-amz-bucket-region", region),)
    if not _NEW.isdisjoint((region, call.region)):
        named = "unspecified" if region == "us-east-1" else region
        text = (
            f"The {named} location constraint is incompatible for the region specific endpoint this request was "
            "sent to."
        )
        code, status, more = "IllegalLocationConstraintException", 400, ""
        header = header if call.method == "HEAD" else ()
    elif call.region == "us-east-1":
        # The endpoint of this region is the global one: names lead from it to the right place, and there
        # only the signature is wrong.
        text = f"The authorization header is malformed; the region 'us-east-1' is wrong; expecting '{region}'"
        code, status, more = "AuthorizationHeaderMalformed", 400, f"<Region>{region}</Region>"
    else:
        text = (
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
            "future requests to this endpoint."
        )
        code, status = "PermanentRedirect", 301
        more = f"<Endpoint>{name}.s3.{region}.amazonaws.com</Endpoint><Bucket>{name}</Bucket>"
    said = refusal(call, code, text, status=status)
    body = said.body.replace(b"</Message>", b"</Message>" + more.encode())
    return Answer(status, (*said.headers, *header), body)


def _access_points(account_id: str, partition: str, name: str) -> list[Any]:
    found = s3control_backends[account_id][partition].access_points[account_id].values()
    return [point for point in found if point.bucket == name]


def _nothing(*_: Any) -> None:
    """In place of a method of moto's that does what AWS does not."""


def _payment(call: Call, found: Any) -> Answer:
    """moto stores nobody who pays and answers with nothing; on AWS it is the bucket's owner unless told."""
    if call.operation == "PutBucketRequestPayment":
        found.payer = call.params["RequestPaymentConfiguration"]["Payer"]
        return Answer(200, (), b"")
    payer = getattr(found, "payer", "BucketOwner")
    body = f"<RequestPaymentConfiguration><Payer>{payer}</Payer></RequestPaymentConfiguration>"
    return Answer(200, (("Content-Type", "application/xml"),), body.encode())


def has_mfa_delete(name: str | None) -> bool:
    """moto knows no MFA Delete; a test sets ``mfa_delete`` of a `bucket`, as only root with its device can."""
    return bool(name) and getattr(bucket(str(name)), "mfa_delete", False)


def after(call: Call, answer: Answer) -> Answer:
    if call.operation in ("CreateBucket", "DeleteBucketEncryption"):
        # Since January 2023 every bucket has default encryption, and deleting it only resets it to SSE-S3.
        bucket(call.params["Bucket"]).encryption = {
            "Rule": {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                "BucketKeyEnabled": "false",
            }
        }
    if call.operation == "ListBuckets" and call.params.get("Prefix"):
        return _with_regions(answer)
    if call.operation == "PutBucketLogging":
        # moto writes a log for every single request at once; AWS delivers them hours later, longer than a test.
        _, owner = s3_backends.bucket_accounts[call.params["Bucket"]]
        for backend in s3_backends[owner].values():
            backend.log_incoming_request = _nothing
    if call.operation == "GetBucketVersioning" and has_mfa_delete(call.params["Bucket"]):
        root, space = xml_of(answer)
        ET.SubElement(root, f"{space}MfaDelete").text = "Enabled"
        return with_body(answer, root)
    return answer


def _with_regions(answer: Answer) -> Answer:
    """A list of buckets that was asked for with any parameter says where each of them lives."""
    root, space = xml_of(answer)
    for listed in root.iter(f"{space}Bucket"):
        ET.SubElement(listed, f"{space}BucketRegion").text = bucket(
            str(listed.findtext(f"{space}Name"))
        ).region_name
    return with_body(answer, root)

"""Certificates of ACM: where one is, whether it is needed, and what can be kept of it."""

from __future__ import annotations

import re
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix

CERTIFICATE = ("arn:{partition}:acm:*:{account}:certificate/*",)
GONE = ("ResourceNotFoundException",)
_ARN = re.compile(r"arn:[\w-]+:acm:(?P<region>[a-z0-9-]+):(?P<owner>\d{12}):certificate/[\w-]+", re.ASCII)
# Of what ACM tells, the part a person needs to request the like again.
_KEPT = (
    "DomainName", "SubjectAlternativeNames", "DomainValidationOptions", "Subject", "Issuer", "Serial", "Status",
    "Type", "KeyAlgorithm", "Options", "CertificateAuthorityArn",
)  # fmt: skip
_HAVE_A_BODY = ("ISSUED", "EXPIRED", "INACTIVE", "REVOKED")
_NAMED_AT_MOST = 5


def certificate_home(aws: Aws, arn: str) -> Aws:
    """The account in the certificate's region, which its ARN says.

    Raises:
        CannotFix: it is no certificate's ARN, or one of another account.
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        raise CannotFix(
            f"{arn[:80]!r} is not the ARN of an ACM certificate, by which the finding must name it"
        )
    if found["owner"] != aws.account_id:
        raise CannotFix(f"certificate {arn} belongs to account {found['owner']}, not to {aws.account_id}")
    return aws.at(found["region"])


def refuse_needed(arn: str, found: dict[str, Any]) -> None:
    """
    Raises:
        CannotFix: something uses the certificate, or it is not for the account to delete.
    """
    if manager := found.get("ManagedBy"):
        raise CannotFix(
            f"certificate {arn} is managed by {manager}: delete what it was made for and it goes by itself"
        )
    # Users may be in accounts of AWS itself, as the load balancers behind API Gateway are.
    if users := found.get("InUseBy"):
        some = ", ".join(sorted(users)[:_NAMED_AT_MOST])
        raise CannotFix(
            f"certificate {arn} is in use by {len(users)} resources ({some}): give them another one first. "
            "If that was done just now, send the finding again in some minutes: ACM is slow to notice"
        )


async def public_text(home: Aws, arn: str, status: str) -> dict[str, Any]:
    """Certificate and chain; {} of one that was never issued."""
    if status not in _HAVE_A_BODY:
        return {}
    return await home.call("acm", "GetCertificate", CertificateArn=arn)


def kept(found: dict[str, Any]) -> dict[str, Any]:
    """What it takes to request the like again."""
    return {key: found[key] for key in _KEPT if key in found}

"""Certificate Manager."""

from __future__ import annotations

from typing import Any

from moto.acm.models import acm_backends

from tests.fake_aws.wire import Answer, Call, refusal


def certificate(account_id: str, region: str, arn: str) -> Any:
    """moto's certificate of that ARN, None if there is none."""
    return acm_backends[account_id][region]._certificates.get(arn)


def before(call: Call) -> Answer | None:
    found = certificate(call.account_id, call.region, str(call.params.get("CertificateArn")))
    if found is None:
        return None
    if call.operation == "DeleteCertificate" and found.in_use_by:
        # moto deletes it under its users.
        return refusal(call, "ResourceInUseException", f"Certificate {found.arn} is in use.")
    if call.operation == "GetCertificate" and found.status in ("PENDING_VALIDATION", "FAILED"):
        # moto has made a certificate before anybody validated the domain.
        text = f"Certificate request in progress for {found.arn}."
        return refusal(call, "RequestInProgressException", text)
    return None

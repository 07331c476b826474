"""AWS Config."""

from __future__ import annotations

from moto.iam.models import SERVICE_NAME_CONVERSION

from tests.fake_aws.moto_gaps import s3
from tests.fake_aws.wire import Answer, Call, refusal

# moto spells Config's service-linked role with a small c.
SERVICE_NAME_CONVERSION["config"] = "Config"


def before(call: Call) -> Answer | None:
    return _cannot_deliver(call) if call.operation == "PutDeliveryChannel" else None


def _cannot_deliver(call: Call) -> Answer | None:
    """moto looks for no bucket and into no policy; AWS writes a test object first."""
    name = call.params["DeliveryChannel"]["s3BucketName"]
    found = s3.bucket(name)
    if found is None:
        return refusal(call, "NoSuchBucketException", f"Cannot find a S3 bucket with {name}", status=400)
    if not {"s3:GetBucketAcl", "s3:PutObject"} <= s3.allowed(found, "config.amazonaws.com"):
        text = f"Insufficient delivery policy to s3 bucket: {name}"
        return refusal(call, "InsufficientDeliveryPolicyException", text, status=400)
    return None

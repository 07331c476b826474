"""Images. Called by `ec2`."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal


def cannot_share(call: Call) -> Answer | None:
    """moto has no block of public images. Tests set ``public_images_are_blocked`` on its backend."""
    backend = ec2_backends[call.account_id][call.region]
    added = call.params.get("LaunchPermission", {}).get("Add", ())
    blocked = getattr(backend, "public_images_are_blocked", False)
    if blocked and any(share.get("Group") == "all" for share in added):
        text = "You can’t publicly share this image because block public access for AMIs is enabled."
        return refusal(call, "OperationNotPermitted", text, status=400)
    return None

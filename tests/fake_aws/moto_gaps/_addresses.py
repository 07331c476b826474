"""Elastic IPs. Called by `ec2`."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal


def before(call: Call) -> Answer | None:
    return _cannot_get(call) if call.operation == "AllocateAddress" else _cannot_release(call)


def _cannot_get(call: Call) -> Answer | None:
    """moto gives away every address that is asked for, even when an account has it."""
    wanted = call.params.get("Address")
    regions = [backends[call.region] for backends in ec2_backends.values() if call.region in backends]
    if wanted and any(each.public_ip == wanted for backend in regions for each in backend.addresses):
        return refusal(call, "InvalidAddress.NotFound", f"Address '{wanted}' not found.", status=400)
    return None


def _cannot_release(call: Call) -> Answer | None:
    """moto releases everything. Tests set ``ptr_record`` on its addresses, for which it has no call."""
    named = call.params.get("AllocationId")
    for each in ec2_backends[call.account_id][call.region].addresses:
        if each.allocation_id == named and each.association_id:
            text = f"Address '{each.public_ip}' is in use."
            return refusal(call, "InvalidIPAddress.InUse", text, status=400)
        if each.allocation_id == named and getattr(each, "ptr_record", None):
            text = f"The address with allocation id [{named}] cannot be released because it has a PTR record set."
            return refusal(call, "InvalidAddress.PtrSet", text, status=400)
    return None

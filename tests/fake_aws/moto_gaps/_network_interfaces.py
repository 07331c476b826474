"""Groups of network interfaces: AWS knows them of interfaces, moto of instances as well. Called by `ec2`."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal


def before(call: Call) -> Answer | None:
    """moto takes groups that do not exist or are of another VPC, and interfaces of AWS's services."""
    backend = ec2_backends[call.account_id][call.region]
    interface = backend.enis.get(call.params["NetworkInterfaceId"])
    if interface is None:
        return None
    if interface.requester_managed:
        text = "You do not have permission to access the specified resource."
        return refusal(call, "OperationNotPermitted", text, status=400)
    for group_id in call.params.get("Groups", ()):
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            text = f"The security group '{group_id}' does not exist"
            return refusal(call, "InvalidGroup.NotFound", text, status=400)
        if interface.vpc_id not in (group.vpc_id, *getattr(group, "vpc_associations", ())):
            text = "You have specified two resources that belong to different networks."
            return refusal(call, "InvalidGroup.NotFound", text, status=400)
    return None


def after(call: Call, answer: Answer) -> Answer:
    """moto adds the groups of the instance to those of each of its interfaces."""
    interface = ec2_backends[call.account_id][call.region].enis[call.params["NetworkInterfaceId"]]
    instance = interface.instance
    if instance is not None and call.params.get("Groups"):
        groups = interface._group_set if interface.device_index == 0 else instance.security_groups
        instance.security_groups = _Shown(groups)
    return answer


class _Shown(list[Any]):
    """Groups an instance is described with and its interfaces do not get: moto asks whether there are any."""

    def __bool__(self) -> bool:
        return False

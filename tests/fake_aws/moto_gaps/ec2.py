"""EC2."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from tests.fake_aws.moto_gaps import (
    _addresses,
    _flow_logs,
    _images,
    _instance_profiles,
    _network_acls,
    _network_interfaces,
    _regions,
    _security_groups,
    _snapshots,
    _vpcs,
)
from tests.fake_aws.wire import Answer, Call, refusal


def _instance(call: Call, instance_id: str) -> Any:
    instances = ec2_backends[call.account_id][call.region].all_instances()
    return next((found for found in instances if found.id == instance_id), None)


def before(call: Call) -> Answer | None:
    if call.params.get("DryRun"):
        # Reached only by calls that IAM allows; nothing is done.
        text = "Request would have succeeded, but DryRun flag is set."
        return refusal(call, "DryRunOperation", text, status=412)
    if call.operation == "StopInstances":
        return _cannot_stop(call)
    if call.operation in ("AllocateAddress", "ReleaseAddress"):
        return _addresses.before(call)
    if call.operation in ("CreateSnapshots", "DeleteSnapshot"):
        return _snapshots.before(call)
    if call.operation == "ModifyImageAttribute":
        return _images.cannot_share(call)
    if call.operation == "CreateTags":
        return _nothing_to_tag(call)
    if "NetworkAcl" in call.operation:
        return _network_acls.before(call)
    if call.operation == "DeleteVpc":
        return _vpcs.cannot_delete(call)
    if call.operation == "DetachInternetGateway":
        return _vpcs.cannot_detach(call)
    if call.operation == "AssociateAddress":
        return _vpcs.cannot_associate(call)
    if call.operation == "CreateFlowLogs":
        return _flow_logs.create(call)
    if call.operation == "DescribeRegions":
        return _regions.describe(call)
    if call.operation == "AssociateIamInstanceProfile":
        return _instance_profiles.before(call)
    if call.operation == "ModifyNetworkInterfaceAttribute":
        return _network_interfaces.before(call)
    return _security_groups.before(call)


def _nothing_to_tag(call: Call) -> Answer | None:
    """moto tags instances, interfaces and network ACLs that do not exist; AWS says that they do not."""
    backend = ec2_backends[call.account_id][call.region]
    known = {
        "i": ({found.id for found in backend.all_instances()}, "InvalidInstanceID.NotFound"),
        "eni": (set(backend.enis), "InvalidNetworkInterfaceID.NotFound"),
        "acl": (set(backend.network_acls), "InvalidNetworkAclID.NotFound"),
    }
    for resource in call.params["Resources"]:
        ids, code = known.get(resource.partition("-")[0], ({resource}, ""))
        if resource not in ids:
            return refusal(call, code, f"The ID '{resource}' does not exist", status=400)
    return None


def _cannot_stop(call: Call) -> Answer | None:
    """AWS stops only running instances with an EBS root, and of Spot instances only persistent ones."""
    for instance_id in call.params["InstanceIds"]:
        instance = _instance(call, instance_id)
        if instance is None:
            continue
        if instance._state.name == "pending":
            # moto stops what has not started yet.
            text = f"The instance '{instance_id}' is not in a state from which it can be stopped."
            return refusal(call, "IncorrectInstanceState", text, status=400)
        if instance.root_device_type == "instance-store":
            text = (
                f"The instance '{instance_id}' does not have an 'ebs' root device type and cannot be stopped"
            )
            return refusal(call, "UnsupportedOperation", text, status=400)
        if instance.lifecycle == "spot" and not getattr(instance, "spot_is_persistent", False):
            text = f"You can't stop the Spot Instance '{instance_id}' because its request is one-time."
            return refusal(call, "UnsupportedOperation", text, status=400)
    return None


def after(call: Call, answer: Answer) -> Answer:
    if "NetworkAcl" in call.operation:
        return _network_acls.after(call, answer)
    if call.operation == "DescribeVpcPeeringConnections":
        return _vpcs.filtered_peerings(call, answer)
    if call.operation == "DescribeNetworkInterfaces":
        return _vpcs.addresses_in_full(answer)
    if call.operation == "ModifyNetworkInterfaceAttribute":
        return _network_interfaces.after(call, answer)
    return _security_groups.after(call, answer)

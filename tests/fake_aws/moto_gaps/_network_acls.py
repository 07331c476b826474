"""Network ACLs. Called by `ec2`."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.network_acls import NetworkAclEntry

from tests.fake_aws.wire import Answer, Call, refusal

LAST = 32767  # the number of AWS's own entry in each direction, which denies the rest


def _acls(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = ec2_backends[call.account_id][call.region].network_acls
    return found


def before(call: Call) -> Answer | None:
    """moto has the wrong code for a missing ACL, breaks over a missing entry and deletes default ACLs."""
    one = call.params.get("NetworkAclId")
    for acl_id in [one] if one else call.params.get("NetworkAclIds", ()):
        acl = _acls(call).get(acl_id)
        if acl is None:
            text = f"The networkAcl ID '{acl_id}' does not exist"
            return refusal(call, "InvalidNetworkAclID.NotFound", text, status=400)
        if call.operation == "DeleteNetworkAcl" and acl.default:
            text = f"cannot delete default network ACL {acl_id}"
            return refusal(call, "InvalidParameterValue", text, status=400)
        if (
            call.operation in ("DeleteNetworkAclEntry", "ReplaceNetworkAclEntry")
            and _entry(call, acl) is None
        ):
            text = "The specified network acl entry does not exist"
            return refusal(call, "InvalidNetworkAclEntry.NotFound", text, status=400)
    return None


def _entry(call: Call, acl: Any) -> Any:
    key = (call.params["Egress"], call.params["RuleNumber"])
    return next((each for each in acl.entries if (each.egress, each.rule_number) == key), None)


def after(call: Call, answer: Answer) -> Answer:
    """moto gives a new ACL no entries that deny the rest, and forgets what kind of ICMP an entry is about."""
    if call.operation == "CreateNetworkAcl":
        for acl in _acls(call).values():
            if not acl.entries:
                acl.network_acl_entries += [_rest(acl, egress=egress) for egress in (True, False)]
    if call.operation in ("CreateNetworkAclEntry", "ReplaceNetworkAclEntry"):
        entry, kind = _entry(call, _acls(call)[call.params["NetworkAclId"]]), call.params.get("IcmpTypeCode")
        if kind:
            entry.icmp_type, entry.icmp_code = kind["Type"], kind["Code"]
    return answer


def _rest(acl: Any, *, egress: bool) -> NetworkAclEntry:
    return NetworkAclEntry(
        acl.ec2_backend,
        network_acl_id=acl.id,
        rule_number=LAST,
        protocol="-1",
        rule_action="deny",
        egress=egress,
        cidr_block="0.0.0.0/0",
        icmp_code=None,
        icmp_type=None,
        port_range_from=None,
        port_range_to=None,
        ipv6_cidr_block=None,
    )

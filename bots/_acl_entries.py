"""Network ACLs and their entries, as EC2, CloudTrail and AWS Config write them down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from bots._aws import Aws
from bots._bot import CannotFix
from bots._rules import cidr

ACL = ("arn:{partition}:ec2:*:{account}:network-acl/*",)
GONE = ("InvalidNetworkAclID.NotFound",)
LAST_OF_A_PERSON = 32766  # AWS's own entries, which deny what is left, come after
_ID = re.compile(r"acl-([0-9a-f]{8}|[0-9a-f]{17})")
# The API knows numbers; who uses it may have written names.
_NUMBERS = {"all": "-1", "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
_NAMES = {"-1": "all traffic", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_PORTED = ("6", "17")
_ICMP = ("1", "58")


class Entry(BaseModel):
    """One entry. ``low`` and ``high`` are ports, or type and code of ICMP; -1 where there are none."""

    model_config = ConfigDict(frozen=True)

    egress: bool
    number: int
    action: str
    protocol: str
    source: str
    low: int = -1
    high: int = -1

    @property
    def key(self) -> tuple[bool, int]:
        """What AWS allows once per ACL."""
        return self.egress, self.number

    def __str__(self) -> str:
        protocol = _NAMES.get(self.protocol, f"protocol {self.protocol}")
        ends = f" {self.low}-{self.high}" if self.protocol in (*_PORTED, *_ICMP) else ""
        return f"{self.action} {protocol}{ends}, {self.source}"


def is_acl(named: str) -> bool:
    """Whether the text is the id of a network ACL."""
    return _ID.fullmatch(named) is not None


async def find_acl(aws: Aws, acl_id: str) -> dict[str, Any] | None:
    """The ACL, None if it does not exist.

    Raises:
        CannotFix: it is shared by another account.
    """
    answer = await aws.find("ec2", "DescribeNetworkAcls", absent=GONE, NetworkAclIds=[acl_id])
    if answer is None or not answer["NetworkAcls"]:
        return None
    found: dict[str, Any] = answer["NetworkAcls"][0]
    if found["OwnerId"] != aws.account_id:
        raise CannotFix(
            f"network ACL {acl_id} belongs to account {found['OwnerId']}: only its owner can change it"
        )
    return found


def refuse_used(acl_id: str, found: Mapping[str, Any]) -> None:
    """
    Raises:
        CannotFix: subnets are on the ACL, or it is the one of its VPC that subnets get by themselves.
    """
    if found["IsDefault"]:
        raise CannotFix(
            f"{acl_id} is the default ACL of {found['VpcId']}, which AWS deletes with the VPC only"
        )
    if subnets := sorted(each["SubnetId"] for each in found["Associations"]):
        raise CannotFix(
            f"network ACL {acl_id} guards {', '.join(subnets)}: put these subnets on another ACL first, one that "
            "is as strict, and send the finding again"
        )


def entries_of(acl: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The entries people made, in a fixed order."""
    found = (_read({_small(key): value for key, value in entry.items()}) for entry in acl["Entries"])
    return tuple(sorted((entry for entry in found if entry.number <= LAST_OF_A_PERSON), key=lambda e: e.key))


def entry_logged(request: Mapping[str, Any]) -> Entry:
    """The entry a logged call wrote."""
    return _read({**request, "protocol": request.get("aclProtocol")})


def entry_recorded(recorded: Iterable[Mapping[str, Any]], key: tuple[bool, int]) -> Entry | None:
    """The entry of that key in what AWS Config has written down of an ACL."""
    return next((entry for each in recorded if (entry := _read(each)).key == key), None)


def as_request(entry: Entry) -> dict[str, Any]:
    """The entry as arguments of CreateNetworkAclEntry and ReplaceNetworkAclEntry."""
    made: dict[str, Any] = {
        "Egress": entry.egress,
        "RuleNumber": entry.number,
        "RuleAction": entry.action,
        "Protocol": entry.protocol,
        "Ipv6CidrBlock" if ":" in entry.source else "CidrBlock": entry.source,
    }
    if entry.protocol in _PORTED:
        made["PortRange"] = {"From": entry.low, "To": entry.high}
    if entry.protocol in _ICMP:
        made["IcmpTypeCode"] = {"Type": entry.low, "Code": entry.high}
    return made


async def turn(aws: Aws, acl_id: str, key: tuple[bool, int], now: Entry | None, wanted: Entry | None) -> None:
    """Make the entry at that place the wanted one, by one call, so that there is no moment without an entry."""
    if wanted is None:
        egress, number = key
        await aws.call("ec2", "DeleteNetworkAclEntry", NetworkAclId=acl_id, Egress=egress, RuleNumber=number)
    else:
        operation = "CreateNetworkAclEntry" if now is None else "ReplaceNetworkAclEntry"
        await aws.call("ec2", operation, NetworkAclId=acl_id, **as_request(wanted))


def _read(found: Mapping[str, Any]) -> Entry:
    """From the spelling of CloudTrail and Config, which leave things out by null or {}."""
    named = str(found["protocol"]).lower()
    protocol = _NUMBERS.get(named, named)
    low = high = -1
    if protocol in _PORTED:
        ports = _inside(found, "portRange")
        low, high = int(ports.get("from", 0)), int(ports.get("to", 65535))
    elif protocol in _ICMP:
        kind = _inside(found, "icmpTypeCode")
        low, high = int(kind.get("type", -1)), int(kind.get("code", -1))
    return Entry(
        egress=found["egress"],
        number=int(found["ruleNumber"]),
        action=found["ruleAction"],
        protocol=protocol,
        source=cidr(found.get("cidrBlock") or found["ipv6CidrBlock"]),
        low=low,
        high=high,
    )


def _inside(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {_small(key): value for key, value in (found.get(name) or {}).items()}


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]

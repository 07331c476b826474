"""Elastic IPs of an instance: find them, give them back to AWS, get them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from bots._aws import Aws
from bots._bot import CannotFix, on
from bots._instances import INSTANCE
from bots._tags import own_tags

INTERFACE = ("arn:{partition}:ec2:*:{account}:network-interface/*",)
ADDRESS = ("arn:{partition}:ec2:*:{account}:elastic-ip/*",)
POOL = ("arn:{partition}:ec2:*:{account}:ipv4pool-ec2/*",)
WRITES = (
    *on(ADDRESS, "ec2:CreateTags", "ec2:ReleaseAddress"),
    *on(ADDRESS + INTERFACE, "ec2:DisassociateAddress"),
    *on(ADDRESS + POOL, "ec2:AllocateAddress"),
    *on(ADDRESS + INTERFACE + INSTANCE, "ec2:AssociateAddress"),
)
# On an address from before it leaves the instance until AWS has it back, with the instance's id for a value.
LEAVING = "remediation_releases_from"
AMAZONS_POOL = "amazon"
# AWS's words for an address that is not to be had.
_TAKEN = ("InvalidAddress.NotFound", "InvalidAddressID.NotFound", "AuthFailure")
_KEPT_BY_AWS = ("InvalidAddress.Locked", "InvalidAddress.PtrSet")

Found = Mapping[str, Any]


class Address(BaseModel):
    """An Elastic IP and what it stood for. Ids that it gets anew (allocation, association) are left out."""

    model_config = ConfigDict(frozen=True)

    public: str
    interface: str  # "" once it has left the instance
    private: str
    pool: str
    border_group: str
    tags: tuple[tuple[str, str], ...]


async def addresses_of(aws: Aws, instance: Found) -> list[dict[str, Any]]:
    """Elastic IPs on any interface of the instance, and those that are just leaving it."""
    interfaces = [each["NetworkInterfaceId"] for each in instance.get("NetworkInterfaces", ())]
    found = await _where(aws, f"tag:{LEAVING}", instance["InstanceId"])
    if interfaces:
        found += await _where(aws, "network-interface-id", *interfaces)
    here = {each["AllocationId"]: each for each in found if _belongs(each, interfaces)}
    return [here[allocation] for allocation in sorted(here, key=lambda each: here[each]["PublicIp"])]


async def _where(aws: Aws, name: str, *values: str) -> list[dict[str, Any]]:
    answer = await aws.call("ec2", "DescribeAddresses", Filters=[{"Name": name, "Values": list(values)}])
    found: list[dict[str, Any]] = answer["Addresses"]
    return found


def _belongs(found: Found, interfaces: list[str]) -> bool:
    # Somebody may have given an address that was about to go to another interface.
    return found.get("NetworkInterfaceId", "") in ("", *interfaces)


def as_kept(found: Found) -> Address:
    return Address(
        public=found["PublicIp"],
        interface=found.get("NetworkInterfaceId", ""),
        private=found.get("PrivateIpAddress", ""),
        pool=found.get("PublicIpv4Pool", AMAZONS_POOL),
        border_group=found.get("NetworkBorderGroup", ""),
        tags=own_tags(found, without=LEAVING),
    )


async def refuse_kept(aws: Aws, addresses: list[dict[str, Any]]) -> None:
    """
    Raises:
        CannotFix: AWS would not take one of them back, so none may leave the instance.
    """
    for each in addresses:
        if manager := each.get("ServiceManaged"):
            raise CannotFix(
                f"Elastic IP {each['PublicIp']} is managed by {manager}, which releases it by itself"
            )
    allocations = [each["AllocationId"] for each in addresses]
    named = aws.pages(
        "ec2",
        "DescribeAddressesAttribute",
        items="Addresses",
        AllocationIds=allocations,
        Attribute="domain-name",
    )
    reverse = [f"{each['PublicIp']} ({each['PtrRecord']})" async for each in named if each.get("PtrRecord")]
    if reverse:
        raise CannotFix(
            f"AWS keeps Elastic IPs with a reverse DNS record: remove that of {', '.join(sorted(reverse))} first"
        )


async def release(aws: Aws, instance_id: str, addresses: list[dict[str, Any]]) -> None:
    """Take the addresses off the instance and give them back. Can go on where an earlier attempt ended.

    Raises:
        CannotFix: AWS keeps one.
    """
    associated = [each["AssociationId"] for each in addresses if each.get("AssociationId")]
    # Would AWS allow all of it? A role that may disassociate but not release must not get half way.
    for association in associated:
        await _ask(aws, "DisassociateAddress", AssociationId=association)
    for each in addresses:
        await _ask(aws, "ReleaseAddress", **_named(each))
    mark = [{"Key": LEAVING, "Value": instance_id}]
    await aws.call("ec2", "CreateTags", Resources=[each["AllocationId"] for each in addresses], Tags=mark)
    for association in associated:
        gone = ("InvalidAssociationID.NotFound",)
        await aws.find("ec2", "DisassociateAddress", absent=gone, AssociationId=association)
    for each in addresses:
        if await aws.find("ec2", "ReleaseAddress", absent=_KEPT_BY_AWS, **_named(each)) is None:
            raise CannotFix(
                f"Elastic IP {each['PublicIp']} is off {instance_id}, but AWS keeps it for the account: a reverse DNS "
                "record or a lock that only AWS Support can take off"
            )


async def recover(aws: Aws, addresses: Iterable[Address]) -> None:
    """Get the very same addresses again, and give them to the interfaces they were on.

    Raises:
        CannotFix: an address is another account's by now.
    """
    wanted = list(addresses)
    for each in wanted:
        # Whether the right to associate is there can be asked before the address is.
        nowhere = {"AllocationId": "eipalloc-00000000000000000", **_place(each)}
        await _ask(aws, "AssociateAddress", **nowhere)
    for each in wanted:
        allocation = await _allocation(aws, each)
        await aws.call("ec2", "AssociateAddress", AllocationId=allocation, **_place(each))


async def _allocation(aws: Aws, wanted: Address) -> str:
    # AWS may have kept it for the account, or an earlier attempt may have got it already.
    if found := await _where(aws, "public-ip", wanted.public):
        allocation = str(found[0]["AllocationId"])
        if any(tag["Key"] == LEAVING for tag in found[0].get("Tags", ())):
            await aws.call("ec2", "CreateTags", Resources=[allocation], Tags=[{"Key": LEAVING, "Value": ""}])
        return allocation
    more: dict[str, Any] = {}
    if wanted.pool != AMAZONS_POOL:
        more["PublicIpv4Pool"] = wanted.pool
    if wanted.border_group:
        more["NetworkBorderGroup"] = wanted.border_group
    if tags := [{"Key": key, "Value": value} for key, value in wanted.tags]:
        more["TagSpecifications"] = [{"ResourceType": "elastic-ip", "Tags": tags}]
    made = await aws.find(
        "ec2", "AllocateAddress", absent=_TAKEN, Domain="vpc", Address=wanted.public, **more
    )
    if made is None:
        raise CannotFix(f"AWS does not give {wanted.public} back: it may be another account's by now")
    return str(made["AllocationId"])


def _place(address: Address) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": address.interface,
        "PrivateIpAddress": address.private,
        "AllowReassociation": False,
    }


def _named(found: Found) -> dict[str, str]:
    # AWS finds an address outside the region's own border group only with the group.
    group = found.get("NetworkBorderGroup")
    return {"AllocationId": found["AllocationId"], **({"NetworkBorderGroup": group} if group else {})}


async def _ask(aws: Aws, operation: str, **params: Any) -> None:
    fine = (
        "DryRunOperation", "InvalidAssociationID.NotFound", "InvalidIPAddress.InUse", "InvalidAllocationID.NotFound",
        *_KEPT_BY_AWS,
    )  # fmt: skip
    await aws.find("ec2", operation, absent=fine, DryRun=True, **params)

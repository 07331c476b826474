"""A VPC, and everything that is in it or attached to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, together
from bots._bot import CannotFix, Target
from bots._sentences import some

VPC = ("arn:{partition}:ec2:*:{account}:vpc/*",)
GONE = ("InvalidVpcID.NotFound",)
# AWS still shows these for a while.
_OVER = ("deleted", "failed", "rejected", "expired")

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing in a VPC, and how EC2 lists it.

    Attributes:
        name: for people, in the plural.
        key: of an element's id.
        where: the filter by the VPC's id, "" if the API has none.
        filters: how the API calls its filters.
        is_own: whether an element came with the VPC and goes with it.
    """

    name: str
    operation: str
    items: str
    key: str
    where: str = "vpc-id"
    filters: str = "Filters"
    is_own: Callable[[Found], bool] = lambda _found: False

    @property
    def action(self) -> str:
        """The right to list them."""
        return f"ec2:{self.operation}"


def _is_main(table: Found) -> bool:
    return any(each.get("Main") for each in table["Associations"])


KINDS = (
    Kind(
        name="network interfaces",
        operation="DescribeNetworkInterfaces",
        items="NetworkInterfaces",
        key="NetworkInterfaceId",
    ),
    Kind(name="subnets", operation="DescribeSubnets", items="Subnets", key="SubnetId"),
    Kind(
        name="internet gateways",
        operation="DescribeInternetGateways",
        items="InternetGateways",
        key="InternetGatewayId",
        where="attachment.vpc-id",
    ),
    Kind(
        name="egress-only internet gateways",
        operation="DescribeEgressOnlyInternetGateways",
        items="EgressOnlyInternetGateways",
        key="EgressOnlyInternetGatewayId",
        where="",
    ),
    Kind(
        name="NAT gateways",
        operation="DescribeNatGateways",
        items="NatGateways",
        key="NatGatewayId",
        filters="Filter",
    ),
    Kind(name="endpoints", operation="DescribeVpcEndpoints", items="VpcEndpoints", key="VpcEndpointId"),
    Kind(
        name="peerings it asked for",
        operation="DescribeVpcPeeringConnections",
        items="VpcPeeringConnections",
        key="VpcPeeringConnectionId",
        where="requester-vpc-info.vpc-id",
    ),
    Kind(
        name="peerings it was asked for",
        operation="DescribeVpcPeeringConnections",
        items="VpcPeeringConnections",
        key="VpcPeeringConnectionId",
        where="accepter-vpc-info.vpc-id",
    ),
    Kind(
        name="VPN gateways",
        operation="DescribeVpnGateways",
        items="VpnGateways",
        key="VpnGatewayId",
        where="attachment.vpc-id",
    ),
    Kind(
        name="transit gateway attachments",
        operation="DescribeTransitGatewayVpcAttachments",
        items="TransitGatewayVpcAttachments",
        key="TransitGatewayAttachmentId",
    ),
    Kind(
        name="route tables",
        operation="DescribeRouteTables",
        items="RouteTables",
        key="RouteTableId",
        is_own=_is_main,
    ),
    Kind(
        name="network ACLs",
        operation="DescribeNetworkAcls",
        items="NetworkAcls",
        key="NetworkAclId",
        is_own=lambda acl: acl["IsDefault"],
    ),
    Kind(
        name="security groups",
        operation="DescribeSecurityGroups",
        items="SecurityGroups",
        key="GroupId",
        is_own=lambda group: group["GroupName"] == "default",
    ),
    Kind(
        name="flow logs",
        operation="DescribeFlowLogs",
        items="FlowLogs",
        key="FlowLogId",
        where="resource-id",
        filters="Filter",
        is_own=lambda _log: True,
    ),
)
UNPAGED = ("DescribeVpnGateways",)


async def find_vpc(aws: Aws, target: Target) -> dict[str, Any] | None:
    """The VPC of the target, None if it does not exist.

    Raises:
        CannotFix: it is shared by another account.
    """
    answer = await aws.find("ec2", "DescribeVpcs", absent=GONE, VpcIds=[target.id])
    if answer is None or not answer["Vpcs"]:
        return None
    found: dict[str, Any] = answer["Vpcs"][0]
    if found["OwnerId"] != aws.account_id:
        raise CannotFix(f"{target.id} is shared by account {found['OwnerId']}: only its owner can change it")
    return found


async def contents(aws: Aws, vpc_id: str) -> dict[str, list[dict[str, Any]]]:
    """All there is in a VPC, by the kind's name."""
    found = await together(*(_listed(aws, kind, vpc_id) for kind in KINDS))
    return {kind.name: elements for kind, elements in zip(KINDS, found, strict=True)}


def in_the_way(found: Mapping[str, list[dict[str, Any]]]) -> str:
    """What a VPC cannot be deleted with, in words; "" for nothing."""
    told = []
    for kind in KINDS:
        ids = sorted(element[kind.key] for element in found[kind.name] if not kind.is_own(element))
        if ids:
            told.append(f"{kind.name} {some(ids)}")
    return "; ".join(told)


async def _listed(aws: Aws, kind: Kind, vpc_id: str) -> list[dict[str, Any]]:
    asked: dict[str, Any] = {}
    if kind.where:
        asked[kind.filters] = [{"Name": kind.where, "Values": [vpc_id]}]
    if kind.operation in UNPAGED:
        found = (await aws.call("ec2", kind.operation, **asked))[kind.items]
    else:
        found = [each async for each in aws.pages("ec2", kind.operation, items=kind.items, **asked)]
    return [element for element in found if _is_there(element, vpc_id)]


def _is_there(element: Found, vpc_id: str) -> bool:
    state = element.get("State") or element.get("Status") or ""
    if isinstance(state, Mapping):  # of a peering
        state = state["Code"]
    # Gateways say per VPC how they are attached.
    attached = element.get("Attachments") or element.get("VpcAttachments")
    if attached is not None and not any(
        each["VpcId"] == vpc_id and each["State"] not in ("detached", "detaching") for each in attached
    ):
        return False
    return state.lower() not in _OVER

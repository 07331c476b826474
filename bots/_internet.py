"""The internet side of a VPC: its gateway, the routes over it, and who has a public address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from bots._aws import Aws, together
from bots._bot import Before, CannotFix, on
from bots._instances import INSTANCE, is_protected, tags_of
from bots._sentences import some
from bots._tags import own_tags
from bots._vpcs import VPC

GATEWAY = ("arn:{partition}:ec2:*:{account}:internet-gateway/*",)
TABLE = ("arn:{partition}:ec2:*:{account}:route-table/*",)
ADDRESS = (
    "arn:{partition}:ec2:*:{account}:elastic-ip/*",
    "arn:{partition}:ec2:*:{account}:network-interface/*",
    *INSTANCE,
)
READS = (
    "ec2:DescribeVpcs",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeRouteTables",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceAttribute",
)
WRITES = (
    *on(INSTANCE, "ec2:StopInstances", "ec2:StartInstances"),
    *on(ADDRESS, "ec2:DisassociateAddress", "ec2:AssociateAddress"),
    *on(TABLE + GATEWAY, "ec2:DisassociateRouteTable", "ec2:ReplaceRoute", "ec2:AssociateRouteTable"),
    *on(GATEWAY + VPC, "ec2:DetachInternetGateway", "ec2:AttachInternetGateway"),
    *on(GATEWAY, "ec2:DeleteInternetGateway", "ec2:CreateInternetGateway", "ec2:CreateTags"),
)
_ON = ("pending", "running")
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


class Route(BaseModel):
    """A route over an internet gateway, be it there or not. ``kind`` is how EC2 calls the destination."""

    model_config = ConfigDict(frozen=True)

    table: str
    kind: str
    destination: str


class Address(BaseModel):
    """An Elastic IP and the private address it stands for."""

    model_config = ConfigDict(frozen=True)

    allocation: str
    interface: str
    private: str


class Internet(Before):
    """How a VPC is connected. Ids that AWS gives anew (of gateways, of associations) are left out."""

    connected: bool
    tags: tuple[tuple[str, str], ...]
    routes: tuple[Route, ...]
    edge_tables: tuple[str, ...]  # route tables for what comes in over the gateway
    addresses: tuple[Address, ...]
    running: tuple[str, ...]  # instances with a public address


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is there now.

    Attributes:
        gateway: id of the attached gateway, "" for none.
        associations: ids of the associations of Elastic IPs.
        edges: ids of the associations of route tables with the gateway.
        instances: those with a public address, by id.
        others: interfaces with a public address that are no instance's, in words.
        dead: routes whose gateway is not attached.
    """

    state: Internet
    gateway: str
    associations: tuple[str, ...]
    edges: tuple[str, ...]
    instances: Mapping[str, dict[str, Any]]
    others: tuple[str, ...]
    dead: frozenset[Route]

    def in_state(self, *names: str) -> list[str]:
        """Instances that are in one of these states."""
        return sorted(found for found, each in self.instances.items() if each["State"]["Name"] in names)


async def look(aws: Aws, vpc_id: str) -> Side:
    """The internet side of the VPC as it is now."""
    gateways, tables, interfaces = await together(
        _listed(aws, "DescribeInternetGateways", "InternetGateways", "attachment.vpc-id", vpc_id),
        _listed(aws, "DescribeRouteTables", "RouteTables", "vpc-id", vpc_id),
        _listed(aws, "DescribeNetworkInterfaces", "NetworkInterfaces", "vpc-id", vpc_id),
    )
    gateway = gateways[0] if gateways else {}
    gateway_id = gateway.get("InternetGatewayId", "")
    routes = {route: via for table in tables for route, via in _routes(table)}
    edges = {
        each["RouteTableAssociationId"]: each["RouteTableId"]
        for table in tables
        for each in table["Associations"]
        if each.get("GatewayId") and each["GatewayId"] == gateway_id
    }
    public = [(each, address) for each in interfaces for address in _public(each)]
    elastic = [(each, address) for each, address in public if address["Association"].get("AllocationId")]
    instances = await described(aws, {id_ for each, _ in public if (id_ := instance_of(aws, each))})
    state = Internet(
        connected=bool(gateways),
        tags=own_tags(gateway),
        routes=tuple(sorted(routes, key=lambda route: (route.table, route.destination))),
        edge_tables=tuple(sorted(edges.values())),
        addresses=tuple(
            sorted((_address(each, address) for each, address in elastic), key=lambda a: a.allocation)
        ),
        running=tuple(sorted(id_ for id_, each in instances.items() if each["State"]["Name"] in _ON)),
    )
    return Side(
        state=state,
        gateway=gateway_id,
        associations=tuple(sorted(address["Association"]["AssociationId"] for _, address in elastic)),
        edges=tuple(sorted(edges)),
        instances=instances,
        others=tuple(sorted({_told(each) for each, _ in public if not instance_of(aws, each)})),
        dead=frozenset(route for route, via in routes.items() if via != gateway_id),
    )


async def refuse_unclosable(aws: Aws, vpc_id: str, side: Side) -> None:
    """
    Raises:
        CannotFix: something would keep the gateway from being detached, so nothing may be stopped for it.
    """
    if side.others:
        raise CannotFix(
            f"{vpc_id} has public addresses that are no instance's: {some(side.others)}. Delete what they belong "
            "to (NAT gateways, load balancers, databases, tasks) or make it private; nothing was stopped"
        )
    running = side.in_state(*_ON)
    stored = [each for each in running if side.instances[each]["RootDeviceType"] == "instance-store"]
    if stored:
        raise CannotFix(
            f"{some(stored)} boot from instance store: AWS can only terminate them, so nothing was stopped"
        )
    protected = await together(*(is_protected(aws, each, "disableApiStop") for each in running))
    if any(protected):
        those = some(each for each, is_on in zip(running, protected, strict=True) if is_on)
        raise CannotFix(
            f"stop protection of {those} is on: somebody must switch it off first; nothing was stopped"
        )


def notes_on(vpc: Mapping[str, Any], side: Side) -> tuple[str, ...]:
    """What a person should know before the VPC loses its gateway."""
    notes = []
    if vpc["IsDefault"]:
        notes.append("a default VPC: launches that count on its internet access will fail")
    tags = [tags_of(side.instances[each]) for each in side.in_state(*_ON)]
    groups = {each["aws:autoscaling:groupName"] for each in tags if "aws:autoscaling:groupName" in each}
    if groups:
        notes.append(f"{some(sorted(groups))} will terminate the stopped instances and start others")
    if side.state.addresses:
        notes.append(f"{len(side.state.addresses)} Elastic IPs stay and cost as before")
    return tuple(notes)


async def described(aws: Aws, instance_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Instances by id; terminated ones are forgotten."""
    wanted = sorted(instance_ids)
    if not wanted:
        return {}
    mine = [{"Name": "instance-id", "Values": wanted}]
    found = aws.pages("ec2", "DescribeInstances", items="Reservations", Filters=mine)
    instances = [each async for group in found for each in group["Instances"]]
    return {each["InstanceId"]: each for each in instances if each["State"]["Name"] != "terminated"}


def instance_of(aws: Aws, interface: Mapping[str, Any]) -> str:
    """The instance of this account that has the interface, "" for none."""
    attachment = interface.get("Attachment") or {}
    # Load balancers and the like run on instances of AWS.
    mine = attachment.get("InstanceOwnerId", aws.account_id) == aws.account_id
    return str(attachment.get("InstanceId") or "") if mine else ""


async def _listed(aws: Aws, operation: str, items: str, where: str, vpc_id: str) -> list[dict[str, Any]]:
    mine = [{"Name": where, "Values": [vpc_id]}]
    return [each async for each in aws.pages("ec2", operation, items=items, Filters=mine)]


def _routes(table: Mapping[str, Any]) -> Iterable[tuple[Route, str]]:
    for route in table["Routes"]:
        via = route.get("GatewayId") or ""
        kind = next((each for each in _DESTINATIONS if route.get(each)), None)
        if via.startswith("igw-") and kind is not None:
            yield Route(table=table["RouteTableId"], kind=kind, destination=route[kind]), via


def _public(interface: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The interface's private addresses that a public one is mapped to."""
    return [
        address
        for address in interface.get("PrivateIpAddresses", ())
        if (address.get("Association") or {}).get("PublicIp")
    ]


def _address(interface: Mapping[str, Any], address: Mapping[str, Any]) -> Address:
    return Address(
        allocation=address["Association"]["AllocationId"],
        interface=interface["NetworkInterfaceId"],
        private=address["PrivateIpAddress"],
    )


def _told(interface: Mapping[str, Any]) -> str:
    what = interface.get("Description") or interface.get("InterfaceType") or "interface"
    return f"{interface['NetworkInterfaceId']} ({what[:60]})"

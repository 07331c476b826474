"""The calls that take a VPC off the internet, and those that put it back on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix
from bots._internet import Internet, Side

# What became of an address or its interface since is somebody else's doing.
TAKEN = ("InvalidAllocationID.NotFound", "InvalidNetworkInterfaceID.NotFound", "Resource.AlreadyAssociated")

Call = tuple[str, dict[str, Any]]


async def ask(aws: Aws, calls: Iterable[Call]) -> None:
    """Would AWS allow them all? A role that may stop instances but not detach must not get half way."""
    for operation, params in calls:
        fine = ("DryRunOperation", "DependencyViolation", *TAKEN)
        await aws.find("ec2", operation, absent=fine, DryRun=True, **params)


def closing(side: Side, vpc_id: str) -> Iterator[Call]:
    """What is to be called once the instances are stopped."""
    for association in side.associations:
        yield "DisassociateAddress", {"AssociationId": association}
    for association in side.edges:
        yield "DisassociateRouteTable", {"AssociationId": association}
    yield "DetachInternetGateway", {"InternetGatewayId": side.gateway, "VpcId": vpc_id}
    yield "DeleteInternetGateway", {"InternetGatewayId": side.gateway}


async def stop(aws: Aws, instances: list[str]) -> None:
    """Stop them, all or none.

    Raises:
        CannotFix: one is of a one-time Spot request, of which AWS stops no instance.
    """
    stopped = await aws.find("ec2", "StopInstances", absent=("UnsupportedOperation",), InstanceIds=instances)
    if stopped is None:
        raise CannotFix(f"AWS cannot stop all of {', '.join(instances)}: Spot instances are only terminated")


async def reopen(aws: Aws, vpc_id: str, side: Side, saved: Internet, stopped: list[str]) -> None:
    """Connect the VPC as it was, with a new gateway if there is none, and start the instances."""
    gateway = side.gateway or await _make_gateway(aws, saved)
    calls = list(_opening(side, vpc_id, gateway, saved, stopped))
    try:
        await ask(aws, calls)
    except AwsError:
        if not side.gateway:
            with contextlib.suppress(AwsError):
                await aws.call("ec2", "DeleteInternetGateway", InternetGatewayId=gateway)
        raise
    for operation, params in calls:
        await aws.find("ec2", operation, absent=TAKEN, **params)


def _opening(side: Side, vpc_id: str, gateway: str, saved: Internet, stopped: list[str]) -> Iterator[Call]:
    if not side.gateway:
        yield "AttachInternetGateway", {"InternetGatewayId": gateway, "VpcId": vpc_id}
    for route in saved.routes:
        if route in side.dead:
            yield (
                "ReplaceRoute",
                {"RouteTableId": route.table, route.kind: route.destination, "GatewayId": gateway},
            )
    for table in sorted(set(saved.edge_tables) - set(side.state.edge_tables)):
        yield "AssociateRouteTable", {"RouteTableId": table, "GatewayId": gateway}
    for address in saved.addresses:
        if address not in side.state.addresses:
            yield (
                "AssociateAddress",
                {
                    "AllocationId": address.allocation,
                    "NetworkInterfaceId": address.interface,
                    "PrivateIpAddress": address.private,
                    "AllowReassociation": False,
                },
            )
    if stopped:
        yield "StartInstances", {"InstanceIds": stopped}


async def _make_gateway(aws: Aws, saved: Internet) -> str:
    tags = [{"Key": key, "Value": value} for key, value in saved.tags]
    tagged = {"TagSpecifications": [{"ResourceType": "internet-gateway", "Tags": tags}]} if tags else {}
    made = await aws.call("ec2", "CreateInternetGateway", **tagged)
    return str(made["InternetGateway"]["InternetGatewayId"])

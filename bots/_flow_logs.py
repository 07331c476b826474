"""Flow logs of a VPC: which there are, how one is made and deleted, and the role that delivers them."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from bots._all_or_none import Change
from bots._aws import Aws, AwsError
from bots._bot import Before, CannotFix, TargetGone, TryLater, on
from bots._log_groups import GROUPS, group_of
from bots._policies import Statement
from bots._service_roles import RoleState, ServiceRole

GROUP = "vpcFlowLogs"
ROLE = ServiceRole(
    name="vpcFlowLogDelivery",
    policy_name="vpcFlowLogDelivery",
    service="vpc-flow-logs.amazonaws.com",
    sources="arn:{partition}:ec2:*:{account}:vpc-flow-log/*",
    says_for_whom=True,
)
_FLOW_LOG = ("arn:{partition}:ec2:*:{account}:vpc-flow-log/*",)
READS = ("ec2:DescribeVpcs", "ec2:DescribeFlowLogs", *ROLE.reads, *on(GROUPS, "logs:DescribeLogGroups"))
WRITES = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    *ROLE.writes,
    *on((*_FLOW_LOG, "arn:{partition}:ec2:*:{account}:vpc/*"), "ec2:CreateFlowLogs"),
    *on(_FLOW_LOG, "ec2:DeleteFlowLogs"),
    *on((f"arn:{{partition}}:logs:*:{{account}}:log-group:{GROUP}*",), "logs:CreateLogGroup"),
)
_ROLE_NOT_SPREAD = "assume given IAM role"  # AWS has no error code of its own for it


class FlowLog(Before):
    """What a flow log does; it can never be changed. ``destination``: a log group's name or an S3 ARN."""

    traffic: str
    kind: Literal["cloud-watch-logs", "s3", "kinesis-data-firehose"]
    destination: str

    def serves(self, wanted: FlowLog) -> bool:
        """Whether nothing is missing of what is wanted. Any log group will do."""
        return (
            self.traffic in (wanted.traffic, "ALL")
            and self.kind == wanted.kind
            and (self.kind == "cloud-watch-logs" or self.destination == wanted.destination)
        )


def read(found: dict[str, Any]) -> FlowLog:
    arn = str(found.get("LogDestination") or "")
    name = found.get("LogGroupName") or (group_of(arn)[2] if ":log-group:" in arn else "")
    return FlowLog(
        traffic=found["TrafficType"],
        kind=found.get("LogDestinationType", "cloud-watch-logs"),
        destination=name or in_bucket(arn),
    )


def in_bucket(arn: str) -> str:
    """One spelling for a bucket and for a folder, which AWS documents with a slash at its end."""
    arn = arn.rstrip("/")
    return f"{arn}/" if "/" in arn else arn


def works(found: dict[str, Any]) -> bool:
    """Whether it is on and its last delivery, if there was one, went well."""
    return found["FlowLogStatus"] == "ACTIVE" and found.get("DeliverLogsStatus") != "FAILED"


def failing(wanted: FlowLog) -> CannotFix | TryLater:
    """What to raise when there is such a flow log but its delivery fails: AWS makes no second one like it."""
    if wanted.kind == "s3":
        return CannotFix(
            f"there is such a flow log, but its delivery fails: let delivery.logs.amazonaws.com write to "
            f"{wanted.destination}, in the bucket's policy and its key's"
        )
    return TryLater("the next delivery of the flow log, whose role and log group are right now", seconds=600)


async def own_vpc(aws: Aws, vpc_id: str) -> None:
    """
    Raises:
        TargetGone: there is no such VPC.
        CannotFix: it is shared by another account.
    """
    answer = await aws.find("ec2", "DescribeVpcs", absent=("InvalidVpcID.NotFound",), VpcIds=[vpc_id])
    if answer is None:
        raise TargetGone(f"VPC {vpc_id} does not exist in {aws.region}")
    owner = answer["Vpcs"][0]["OwnerId"]
    if owner != aws.account_id:
        raise CannotFix(f"VPC {vpc_id} is shared by account {owner}: only its owner can log its traffic")


async def flow_logs(aws: Aws, filtered_by: str, value: str) -> list[dict[str, Any]]:
    """Flow logs of the region that a filter of AWS's lets through."""
    filters = [{"Name": filtered_by, "Values": [value]}]
    return [found async for found in aws.pages("ec2", "DescribeFlowLogs", items="FlowLogs", Filter=filters)]


def delivery(aws: Aws) -> tuple[Statement, Statement]:
    """What the role needs in this region: to write its log group and to find it."""
    start = f"arn:{aws.partition}:logs:{aws.region}:{aws.account_id}:log-group:"
    writes = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    looks = ["logs:DescribeLogGroups", "logs:DescribeLogStreams"]
    return (
        {"Effect": "Allow", "Action": writes, "Resource": [f"{start}{GROUP}", f"{start}{GROUP}:*"]},
        {"Effect": "Allow", "Action": looks, "Resource": f"{start}*"},
    )


def turned_on(aws: Aws, vpc_id: str, wanted: FlowLog, role: RoleState) -> Change:
    """The flow log as a change."""
    return Change(partial(_create, aws, vpc_id, wanted, role), partial(_delete, aws, vpc_id, wanted))


async def _create(aws: Aws, vpc_id: str, wanted: FlowLog, role: RoleState) -> None:
    where: dict[str, Any] = {"LogDestination": wanted.destination}  # AWS takes no role for S3
    if wanted.kind == "cloud-watch-logs":
        where = {"LogGroupName": wanted.destination, "DeliverLogsPermissionArn": ROLE.arn(aws, role)}
    try:
        answer = await aws.call(
            "ec2",
            "CreateFlowLogs",
            ResourceIds=[vpc_id],
            ResourceType="VPC",
            TrafficType=wanted.traffic,
            LogDestinationType=wanted.kind,
            **where,
        )
    except AwsError as error:
        if _ROLE_NOT_SPREAD not in error.message:
            raise
        raise _not_yet() from error
    _raise_unsuccessful(answer, wanted)


async def _delete(aws: Aws, vpc_id: str, wanted: FlowLog) -> None:
    ids = [
        found["FlowLogId"] for found in await flow_logs(aws, "resource-id", vpc_id) if read(found) == wanted
    ]
    if ids:
        _raise_unsuccessful(await aws.call("ec2", "DeleteFlowLogs", FlowLogIds=ids), wanted)


def _raise_unsuccessful(answer: dict[str, Any], wanted: FlowLog) -> None:
    """AWS answers a refused flow log with a success that names it."""
    for refused in answer.get("Unsuccessful", ()):
        code, text = refused["Error"].get("Code"), refused["Error"].get("Message", "")
        if _ROLE_NOT_SPREAD in text:
            raise _not_yet()
        advice = (
            "; the bucket must be there and its policy must let delivery.logs.amazonaws.com read its ACL and write"
            if wanted.kind == "s3"
            else ""
        )
        raise CannotFix(f"AWS refused the flow log to {wanted.destination} ({code}: {text}){advice}")


def _not_yet() -> TryLater:
    return TryLater(f"IAM has not spread the role {ROLE.name} yet", seconds=15)


async def refuse_while_others_deliver(aws: Aws, vpc_id: str) -> None:
    """
    Raises:
        CannotFix: flow logs of something else in the region have come to need the role.
    """
    found = await flow_logs(aws, "log-group-name", GROUP)
    others = sorted({log["ResourceId"] for log in found if _by_role(log) and log["ResourceId"] != vpc_id})
    if others:
        raise CannotFix(f"flow logs of {', '.join(others)} use the role {ROLE.name} by now: undo those first")


def _by_role(found: dict[str, Any]) -> bool:
    return str(found.get("DeliverLogsPermissionArn")).rpartition("/")[2] == ROLE.name

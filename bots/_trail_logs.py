"""How CloudTrail delivers to CloudWatch Logs: the role it takes, what that may do, and what goes wrong."""

from __future__ import annotations

from functools import partial

from bots._all_or_none import Change
from bots._aws import Aws
from bots._bot import CannotFix, on
from bots._log_groups import GROUPS, group_of, log_group
from bots._policies import Statement
from bots._service_roles import ServiceRole
from bots._trails import TRAIL, Trail, trails_seen, update_trail

ROLE = ServiceRole(
    name="CloudTrail_CloudWatchLogs_Role",
    policy_name="CloudWatchLogsAllowDelivery",
    service="cloudtrail.amazonaws.com",
    sources="arn:{partition}:cloudtrail:*:{account}:trail/*",
    says_for_whom=False,
)
READS = (*on(TRAIL, "cloudtrail:GetTrailStatus"), *on(GROUPS, "logs:DescribeLogGroups"))
# What CloudTrail answers while IAM has not spread the role.
_NOT_YET = {
    "InvalidCloudWatchLogsRoleArnException": f"IAM has not spread the role {ROLE.name} yet",
    "InvalidCloudWatchLogsLogGroupArnException": "CloudTrail cannot write to the log group yet",
}


def is_ours(trail: Trail) -> bool:
    """Whether the trail delivers through the hub's role, or through none so far."""
    if trail.role is None:
        return True
    _, _, _, _, owner, role = trail.role.split(":", 5)
    return owner == trail.home.account_id and role.rpartition("/")[2] == ROLE.name


def _group_arn(home: Aws, group: str) -> str:
    return f"arn:{home.partition}:logs:{home.region}:{home.account_id}:log-group:{group}"


def delivery(home: Aws, group: str, *, of_organization: bool) -> Statement:
    """What the role needs. CloudTrail names log streams after the account, or the organization, and the region."""
    streams = [f"{_group_arn(home, group)}:log-stream:{home.account_id}_CloudTrail_{home.region}*"]
    streams += [f"{_group_arn(home, group)}:log-stream:o-*"] if of_organization else []
    return {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": streams}


def connection(home: Aws, trail_arn: str, group: str, role: str) -> Change:
    """The trail delivers to the log group through the role, or to none."""
    update = partial(update_trail, home, trail_arn)
    return Change(
        partial(
            update,
            later=_NOT_YET,
            CloudWatchLogsLogGroupArn=f"{_group_arn(home, group)}:*",
            CloudWatchLogsRoleArn=role,
        ),
        # Empty texts take the settings away.
        partial(update, CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""),
    )


async def delivery_error(trail: Trail) -> str:
    """What CloudTrail says of its last delivery to the trail's log group, "" if it is content."""
    # Asked of trails without one too: a missing right must show before anything is changed.
    status = await trail.home.call("cloudtrail", "GetTrailStatus", Name=trail.arn)
    return str(status.get("LatestCloudWatchLogsDeliveryError") or "")


async def refuse_while_others_deliver(home: Aws, trail_arn: str, group: str) -> None:
    """
    Raises:
        CannotFix: another trail has come to need what the role may do for the log group.
    """
    for trail in await trails_seen(home):
        role = str(trail.role).rpartition("/")[2]
        same = trail.log_group == f"{_group_arn(home, group)}:*" and role == ROLE.name
        if same and trail.arn != trail_arn:
            raise CannotFix(f"{trail.arn} delivers through the same role by now: undo that first")


async def filtered_group(trail: Trail) -> str:
    """Name of the trail's log group, whose events can be filtered.

    Raises:
        CannotFix: there is none, or it cannot have filters.
    """
    if trail.log_group is None:
        raise CannotFix(
            f"trail {trail.name} delivers to no log group: cloudtrail_send_to_cloudwatch comes first"
        )
    _, owner, name = group_of(trail.log_group)
    if owner != trail.home.account_id:
        raise CannotFix(f"log group {trail.log_group} belongs to account {owner}: its filters are made there")
    group = await log_group(trail.home, name)
    if group is None:
        raise CannotFix(
            f"log group {name} of trail {trail.name} is gone: cloudtrail_send_to_cloudwatch comes first"
        )
    kind = group.get("logGroupClass", "STANDARD")
    if kind != "STANDARD":
        raise CannotFix(f"log group {name} is of class {kind}, which knows no metric filters")
    return name


async def unseen(trail: Trail) -> tuple[str, ...]:
    """What filters of the trail's log group will not see, for people."""
    status = await trail.home.call("cloudtrail", "GetTrailStatus", Name=trail.arn)
    found: tuple[str, ...] = ()
    if not trail.all_regions:
        found += (f"trail {trail.name} records one region only",)
    if not status["IsLogging"]:
        found += (f"trail {trail.name} is switched off: nothing can be seen",)
    return found

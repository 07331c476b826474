"""Send what a trail records to a log group of CloudWatch Logs as well.

After: CloudTrail delivers to the log group within a quarter of an hour, through a role that may write
the trail's own log streams and nothing else.
Caution: CloudWatch Logs charges for what comes in, and a new log group keeps it for ever until somebody
sets a retention. A trail that delivers to a log group already keeps it, whatever the finding names.
Finding: cloudtrail_send_to_cloudwatch
Finding: cloudtrail_send_to_cloudwatch CloudTrail/SecurityLogs
"""

from functools import partial
from typing import Annotated

from pydantic import Field

from bots import _trail_logs
from bots._all_or_none import Change, kept, make, unmake
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._log_groups import GROUPS, NAME_PATTERN, group_of, log_group
from bots._policies import Statement, statements
from bots._service_roles import RoleState
from bots._trail_logs import ROLE
from bots._trails import LOOK_UP, TRAIL, trail_of


class Wish(Params):
    log_group_name: Annotated[
        str, Field(pattern=NAME_PATTERN, description="log group to use, made if it is missing")
    ] = "CloudTrail/DefaultLogGroup"


class Delivery(Before):
    trail_arn: str
    region: str
    connected: bool
    of_organization: bool
    log_group: str
    group_exists: bool
    role: RoleState


bot = Bot(
    name="cloudtrail_send_to_cloudwatch",
    acts_on="AWS::CloudTrail::Trail",
    target=entity("id", "name"),
    params=Wish,
    before=Delivery,
    reads=(LOOK_UP, *ROLE.reads, *_trail_logs.READS),
    writes=(*ROLE.writes, *on(TRAIL, "cloudtrail:UpdateTrail"), *on(GROUPS, "logs:CreateLogGroup")),
    passes={ROLE.service: ROLE.arns},
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.nearest(
        "a log group that was made stays, with the events in it",
        expects=lambda was: was.model_copy(update={"group_exists": True}),
    ),
    creates=(
        "the log group, CloudTrail/DefaultLogGroup unless the finding names another",
        f"the role {ROLE.name} with the inline policy {ROLE.policy_name}",
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Delivery]:
    trail = await trail_of(aws, target)
    name = group_of(trail.log_group)[2] if trail.log_group else params.log_group_name
    error, ours = await _trail_logs.delivery_error(trail), _trail_logs.is_ours(trail)
    if error and not ours:
        raise CannotFix(
            f"trail {trail.name} is set to deliver to log group {name} through {trail.role}, which fails: {error}. "
            "Mend that role or the log group; the hub leaves other people's roles alone"
        )
    before = Delivery(
        trail_arn=trail.arn,
        region=trail.home.region,
        connected=trail.log_group is not None,
        of_organization=trail.of_organization,
        log_group=name,
        group_exists=not ours or await log_group(trail.home, name) is not None,
        role=await ROLE.state(aws) if ours else RoleState(arn=trail.role, policy=None),
    )
    granted = not ours or _needed(aws, before) in statements(before.role.policy)
    return Check(
        compliant=before.connected and before.group_exists and granted,
        before=before,
        why=f"trail {trail.name} "
        + (f"delivers to log group {name}" if before.connected else "delivers to no log group")
        + ("" if before.group_exists else f", and there is no log group {name}")
        + ("" if granted else f", and role {ROLE.name} has no right to write there"),
        region=trail.home.region,
        notes=(f"CloudTrail said of its last delivery: {error}",) if error else (),
        target_id=trail.arn,
        touches=(("AWS::IAM::Role", ROLE.name), ("AWS::Logs::LogGroup", name)) if ours else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Delivery) -> None:
    role = ROLE.changes(aws, before.role, _needed(aws, before))
    home = aws.at(before.region)
    create = partial(home.call, "logs", "CreateLogGroup", logGroupName=before.log_group)
    group = [] if before.group_exists else [Change(create, kept)]
    await make([*role, *group, *_connection(aws, before)])


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Delivery) -> None:
    role = ROLE.changes(aws, before.role, _needed(aws, before))
    if role:
        home = aws.at(before.region)
        await _trail_logs.refuse_while_others_deliver(home, before.trail_arn, before.log_group)
    await unmake([*role, *_connection(aws, before)])


def _needed(aws: Aws, before: Delivery) -> Statement:
    home = aws.at(before.region)
    return _trail_logs.delivery(home, before.log_group, of_organization=before.of_organization)


def _connection(aws: Aws, before: Delivery) -> list[Change]:
    if before.connected:
        return []
    home, role = aws.at(before.region), ROLE.arn(aws, before.role)
    return [_trail_logs.connection(home, before.trail_arn, before.log_group, role)]

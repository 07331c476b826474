"""Turn on flow logs of a VPC, to CloudWatch Logs or to S3.

After: a flow log of the VPC delivers the wanted traffic to the log group vpcFlowLogs, or to the given
bucket or folder. Flow logs that were there stay.
Caution: CloudWatch Logs or S3 charge for what is delivered. For S3 the bucket's policy must let
delivery.logs.amazonaws.com in already; it is not changed.
Finding: vpc_turn_on_flow_logs traffic_type=reject destination=logs
Finding: vpc_turn_on_flow_logs traffic_type=all destination=s3 s3_arn=arn:aws:s3:::central-flow-logs/prod/
"""

import contextlib
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bots import _flow_logs
from bots._all_or_none import Change, kept, make, unmake
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity
from bots._flow_logs import GROUP, ROLE, FlowLog, read
from bots._log_groups import log_group
from bots._service_roles import RoleState

BUCKET_PATTERN = r"^arn:[a-z-]+:s3:::([a-z0-9.-]|\$ACCOUNT_ID){3,63}(/.*)?$"


class Wish(Params):
    traffic_type: Annotated[Literal["ALL", "ACCEPT", "REJECT"], Field(description="traffic to log")] = "ALL"
    destination: Annotated[Literal["logs", "s3"], Field(description="CloudWatch Logs or S3")] = "logs"
    s3_arn: Annotated[
        str | None, Field(pattern=BUCKET_PATTERN, description="bucket or folder, for destination=s3")
    ] = None

    @model_validator(mode="after")
    def _bucket_goes_with_s3(self) -> Self:
        if (self.destination == "s3") != (self.s3_arn is not None):
            raise ValueError("destination=s3 needs an s3_arn, destination=logs takes none")
        return self


class Logged(Before):
    wanted: FlowLog
    flow_logs: tuple[FlowLog, ...]
    group_exists: bool
    role: RoleState


bot = Bot(
    name="vpc_turn_on_flow_logs",
    acts_on="AWS::EC2::VPC",
    target=entity("id"),
    params=Wish,
    before=Logged,
    reads=_flow_logs.READS,
    writes=_flow_logs.WRITES,
    passes={ROLE.service: ROLE.arns},
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(
        f"a log group {GROUP} that was made stays, with what was delivered",
        expects=lambda was: was.model_copy(update={"group_exists": True}),
    ),
    creates=(f"a flow log, the log group {GROUP} and the role {ROLE.name} with an inline policy",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Logged]:
    await _flow_logs.own_vpc(aws, target.id)
    wanted = _wanted(aws, params)
    found = await _flow_logs.flow_logs(aws, "resource-id", target.id)
    serving = [log for log in found if read(log).serves(wanted)]
    failing = [log["FlowLogId"] for log in serving if not _flow_logs.works(log)]
    compliant = len(serving) > len(failing)
    group_exists, role = True, RoleState(arn=None, policy=None)
    if params.destination == "logs":
        group_exists = await log_group(aws, GROUP) is not None
        with contextlib.suppress(*((CannotFix,) if compliant else ())):
            role = await ROLE.state(aws)
    logs = tuple(sorted((read(log) for log in found), key=str))
    return Check(
        compliant=compliant,
        before=Logged(wanted=wanted, flow_logs=logs, group_exists=group_exists, role=role),
        why=f"{target.id} has {'a' if compliant else 'no working'} flow log of {wanted.traffic} traffic to "
        f"{params.s3_arn or 'CloudWatch Logs'}",
        notes=(f"delivery of {', '.join(failing)} fails",) if failing else (),
        touches=(("AWS::IAM::Role", ROLE.name),) if params.destination == "logs" else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Logged) -> None:
    create = partial(aws.call, "logs", "CreateLogGroup", logGroupName=GROUP)
    group = [] if before.group_exists else [Change(create, kept)]
    await make([*_role_changes(aws, before), *group, *_flow_log_changes(aws, target, before)])
    if before.wanted in before.flow_logs:
        raise _flow_logs.failing(before.wanted)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Logged) -> None:
    role = _role_changes(aws, before)
    if role:
        await _flow_logs.refuse_while_others_deliver(aws, target.id)
    # The flow log goes last: made again after a refusal, it would be another one.
    await unmake([*_flow_log_changes(aws, target, before), *role])


def _role_changes(aws: Aws, before: Logged) -> list[Change]:
    return [] if before.wanted.kind == "s3" else ROLE.changes(aws, before.role, *_flow_logs.delivery(aws))


def _flow_log_changes(aws: Aws, target: Target, before: Logged) -> list[Change]:
    if before.wanted in before.flow_logs:
        return []
    return [_flow_logs.turned_on(aws, target.id, before.wanted, before.role)]


def _wanted(aws: Aws, params: Wish) -> FlowLog:
    if params.s3_arn is None:
        return FlowLog(traffic=params.traffic_type, kind="cloud-watch-logs", destination=GROUP)
    place = _flow_logs.in_bucket(params.s3_arn.replace("$ACCOUNT_ID", aws.account_id))
    return FlowLog(traffic=params.traffic_type, kind="s3", destination=place)

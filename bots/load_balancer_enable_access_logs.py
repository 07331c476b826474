"""Write the access logs of a load balancer (classic, application or network) to a bucket of the account.

After: logs go to <account>-<region>-elb-access-logs, which is made if it is missing, or to the bucket
named. A load balancer that logs elsewhere already is left alone unless a bucket is named.
Caution: logs are stored until a lifecycle rule expires them. A network load balancer logs only its TLS
listeners. What manages a load balancer (Kubernetes, Elastic Beanstalk) may switch the logs off again.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from bots import _load_balancers, _log_bucket
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._load_balancers import AccessLogs, Balancer
from bots._log_bucket import LogBucket
from bots._s3 import BUCKET
from bots._words import Word

MINUTES = 60  # between two log files of a classic load balancer


def _free_of_awslogs(prefix: str) -> str:
    if "awslogs" in prefix.lower():
        raise ValueError("must not contain AWSLogs, which AWS adds itself")
    return prefix


class Wish(Params):
    bucket: Annotated[
        str | None,
        Field(
            pattern=_log_bucket.NAME_PATTERN,
            description="bucket of the account in the load balancer's region",
        ),
        Word(positional=False),
    ] = None
    prefix: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$", description="what the keys begin with"
        ),
        AfterValidator(_free_of_awslogs),
        Word(positional=False),
    ] = ""


class Logging(Before):
    balancer: Balancer
    logs: AccessLogs
    log_bucket: LogBucket | None  # None: not looked for, the logs are on already


bot = Bot(
    name="load_balancer_enable_access_logs",
    acts_on="AWS::ElasticLoadBalancingV2::LoadBalancer",
    target=entity("id", "name"),
    params=Wish,
    before=Logging,
    reads=(*_load_balancers.READS, *on(BUCKET, *_log_bucket.READS)),
    writes=(*_load_balancers.WRITES, *on(BUCKET, *_log_bucket.WRITES)),
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(
        f"logs are off again or go where they went; {_log_bucket.KEPT}", expects=lambda was: was
    ),
    entity_keys=("type",),
    creates=("the private bucket <account>-<region>-elb-access-logs, with leave to write logs into it",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Logging]:
    balancer = await _load_balancers.find_balancer(aws, target)
    home = aws.at(balancer.region)
    logs = await _load_balancers.access_logs(home, balancer, target)
    compliant = bool(logs.bucket) and params.bucket in (None, logs.bucket)
    if params.bucket and params.prefix:
        compliant = compliant and logs.prefix == params.prefix
    log_bucket, notes = (
        (None, ()) if compliant else await _load_balancers.look_at_bucket(home, balancer, params.bucket)
    )
    return Check(
        compliant=compliant,
        before=Logging(balancer=balancer, logs=logs, log_bucket=log_bucket),
        why=f"the access logs of {balancer.kind} load balancer {target.id} go to {logs.bucket or 'no bucket'}",
        region=balancer.region,
        notes=notes,
        target_id=balancer.id,
        touches=(("AWS::S3::Bucket", log_bucket.name),) if log_bucket else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Logging) -> None:
    home, balancer, bucket = aws.at(before.balancer.region), before.balancer, before.log_bucket
    assert bucket is not None
    minutes = (before.logs.minutes or MINUTES) if balancer.kind == "classic" else None
    logs = AccessLogs(bucket=bucket.name, prefix=params.prefix, minutes=minutes)
    async with _log_bucket.ready(home, bucket, *_load_balancers.leave_for(home, balancer, logs)):
        await _load_balancers.turn_on(home, balancer, logs)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Logging) -> None:
    home = aws.at(before.balancer.region)
    if before.log_bucket is not None:
        await _log_bucket.discard(home, before.log_bucket)
    await _load_balancers.set_access_logs(home, before.balancer, before.logs)

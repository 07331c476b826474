"""Log the requests to a bucket in the account's own log bucket of the region.

After: S3 writes server access logs under the bucket's name into <account>s3accesslogs<region>, which is
made if it is missing. A bucket that logs elsewhere already is left alone.
Caution: logs arrive hours later, not every request is in them, and they are stored until a lifecycle
rule expires them. A log bucket itself is refused: its logs would log themselves without end.
"""

from typing import Any

from bots import _access_logs, _log_bucket
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._s3 import (
    BUCKET,
    LOGGING_SERVICE,
    OwnBucket,
    bucket_home,
    bucket_name,
    delivering_services,
    own_bucket,
)


class Logging(Before):
    region: str
    logging: dict[str, Any] | None  # None: off
    log_bucket: _log_bucket.LogBucket | None  # None: not looked for, the bucket logs already


bot = Bot(
    name="s3_enable_logging",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Logging,
    reads=(
        *on(BUCKET, "s3:ListBucket", "s3:GetBucketLogging", "s3:GetBucketAcl", "s3:GetBucketPolicy"),
        *_access_logs.READS,
    ),
    writes=(*_access_logs.WRITES, *on(BUCKET, "s3:PutBucketLogging")),
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(
        f"logging is off again, also where it went to a bucket that is gone; {_log_bucket.KEPT}",
        expects=lambda was: was.model_copy(update={"logging": None}),
    ),
    creates=("the private bucket <account>s3accesslogs<region>, with leave for S3 to write logs into it",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Logging]:
    name = bucket_name(target)
    home, now = await bucket_home(aws, target, _read)
    if now and await _access_logs.is_there(home, now["TargetBucket"]):
        return Check(
            compliant=True,
            before=Logging(region=home.region, logging=now, log_bucket=None),
            why=f"bucket {name} logs to {now['TargetBucket']} already",
            region=home.region,
        )
    log_name = _access_logs.bucket_for(home)
    if name == log_name or LOGGING_SERVICE in await delivering_services(home, name):
        raise CannotFix(
            f"bucket {name} receives access logs: logging it too would log those logs without end"
        )
    log_bucket = await _access_logs.usable(home, log_name)
    return Check(
        compliant=False,
        before=Logging(region=home.region, logging=now, log_bucket=log_bucket),
        why=f"bucket {name} logs to {now['TargetBucket']}, which is gone"
        if now
        else f"bucket {name} logs nowhere",
        region=home.region,
        notes=await _log_bucket.remarks(home, log_bucket),
        touches=(("AWS::S3::Bucket", log_name),),
    )


async def _read(home: Aws, bucket: OwnBucket) -> dict[str, Any] | None:
    return (await home.call("s3", "GetBucketLogging", **bucket)).get("LoggingEnabled")


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Logging) -> None:
    home, log_bucket = aws.at(before.region), before.log_bucket
    assert log_bucket is not None
    to = {"TargetBucket": log_bucket.name, "TargetPrefix": f"{bucket_name(target)}/"}
    async with _log_bucket.ready(home, log_bucket, _access_logs.leave_for(home, log_bucket)):
        await _put(home, target, {"LoggingEnabled": to})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Logging) -> None:
    home = aws.at(before.region)
    if before.log_bucket is not None:
        await _log_bucket.discard(home, before.log_bucket)
    await _put(home, target, {})


async def _put(home: Aws, target: Target, status: dict[str, Any]) -> None:
    await home.call("s3", "PutBucketLogging", BucketLoggingStatus=status, **own_bucket(home, target))

"""Log the requests to a bucket in the account's own log bucket of the region.

After: S3 writes server access logs under the bucket's name into <account>s3accesslogs<region>, which is
made if it is missing. A bucket that logs elsewhere already is left alone.
Caution: logs arrive hours later, not every request is in them, and they are stored until a lifecycle
rule expires them. A log bucket itself is refused: its logs would log themselves without end.
"""

from typing import Any

from bots import _log_bucket
from bots._aws import Aws, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._log_bucket import LogBucket
from bots._s3 import BUCKET, LOGGING_SERVICE, bucket_home, bucket_name, delivering_services, own_bucket

LOG_BUCKET = ("arn:{partition}:s3:::{account}s3accesslogs*",)
NO_LOCK = ("ObjectLockConfigurationNotFoundError",)


class Logging(Before):
    region: str
    logging: dict[str, Any] | None  # None: off
    log_bucket: LogBucket | None  # None: not looked for, the bucket logs already


bot = Bot(
    name="s3_enable_logging",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Logging,
    reads=(
        *on(BUCKET, "s3:ListBucket", "s3:GetBucketLogging", "s3:GetBucketAcl", "s3:GetBucketPolicy"),
        *on(LOG_BUCKET, "s3:GetEncryptionConfiguration", "s3:GetBucketObjectLockConfiguration"),
        *on(LOG_BUCKET, "s3:GetBucketRequestPayment"),
    ),
    writes=(*on(LOG_BUCKET, *_log_bucket.WRITES), *on(BUCKET, "s3:PutBucketLogging")),
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(
        f"logging is off again, also where it went to a bucket that is gone; {_log_bucket.KEPT}",
        expects=lambda was: was.model_copy(update={"logging": None}),
    ),
    creates=("the private bucket <account>s3accesslogs<region>, with leave for S3 to write logs into it",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Logging]:
    home = await bucket_home(aws, target)
    name = bucket_name(target)
    answer = await home.call("s3", "GetBucketLogging", **own_bucket(aws, target))
    now = answer.get("LoggingEnabled")
    if now and await _is_there(home, now["TargetBucket"]):
        return Check(
            compliant=True,
            before=Logging(region=home.region, logging=now, log_bucket=None),
            why=f"bucket {name} logs to {now['TargetBucket']} already",
            region=home.region,
        )
    log_name = f"{aws.account_id}s3accesslogs{home.region}"
    if name == log_name or LOGGING_SERVICE in await delivering_services(home, name):
        raise CannotFix(
            f"bucket {name} receives access logs: logging it too would log those logs without end"
        )
    log_bucket = await _log_bucket.look(home, log_name, region=home.region)
    if log_bucket.existed:
        await _refuse_unfit(home, log_bucket)
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


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Logging) -> None:
    home, log_bucket = aws.at(before.region), before.log_bucket
    assert log_bucket is not None
    # One statement for all buckets of the account: one for each would outgrow the policy.
    statement = _log_bucket.leave(
        "S3ServerAccessLogs",
        LOGGING_SERVICE,
        "s3:PutObject",
        _log_bucket.arn_of(aws, log_bucket.name, ""),
        {
            "ArnLike": {"aws:SourceArn": f"arn:{aws.partition}:s3:::*"},
            "StringEquals": {"aws:SourceAccount": aws.account_id},
        },
    )
    to = {"TargetBucket": log_bucket.name, "TargetPrefix": f"{bucket_name(target)}/"}
    async with _log_bucket.ready(home, log_bucket, statement):
        await _put(home, target, {"LoggingEnabled": to})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Logging) -> None:
    home = aws.at(before.region)
    if before.log_bucket is not None:
        await _log_bucket.discard(home, before.log_bucket)
    await _put(home, target, {})


async def _put(home: Aws, target: Target, status: dict[str, Any]) -> None:
    await home.call("s3", "PutBucketLogging", BucketLoggingStatus=status, **own_bucket(home, target))


async def _is_there(home: Aws, name: str) -> bool:
    """Whether the bucket that logs go to still is there; S3 does not notice when it is deleted."""
    try:
        return (await _log_bucket.look(home, name)).existed
    except CannotFix:
        return True  # it keeps this role out, as a good archive does


async def _refuse_unfit(home: Aws, bucket: LogBucket) -> None:
    """Raises CannotFix where S3 would lose the logs on their way into the bucket, without a word."""
    own = {"Bucket": bucket.name, "ExpectedBucketOwner": home.account_id}
    lock, payment, _ = await together(
        home.find("s3", "GetObjectLockConfiguration", absent=NO_LOCK, **own),
        home.call("s3", "GetBucketRequestPayment", **own),
        _log_bucket.refuse_kms(home, bucket, "server access"),
    )
    if lock and "Rule" in lock.get("ObjectLockConfiguration", {}):
        raise CannotFix(
            f"log bucket {bucket.name} locks every object by default: S3 delivers no logs into it"
        )
    if payment.get("Payer") == "Requester":
        raise CannotFix(f"log bucket {bucket.name} makes requesters pay: S3 delivers no logs into it")

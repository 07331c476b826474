"""Have one trail record the management events of all regions, with validated log files.

After: the trail of the given name, an existing one widened and started or a new one, delivers to its
bucket. Any other trail that does already, also the organization's, is enough: then nothing is changed.
Caution: the second copy of management events an account keeps is billed per event. An existing trail
keeps its bucket, prefix, key and log group.
Finding: cloudtrail_enable trail_name=allRegionTrail bucket_name=my-trail-logs
"""

from typing import Annotated

from pydantic import Field

from bots import _account_trails as _trails
from bots import _log_bucket
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, TryLater, Undo, account, on
from bots._log_bucket import LogBucket
from bots._s3 import BUCKET


class Wish(Params):
    trail_name: Annotated[str, Field(pattern=_trails.NAME, description="trail to widen or make")] = (
        "allRegionTrail"
    )
    bucket_name: Annotated[
        str | None,
        Field(
            pattern=_log_bucket.NAME_PATTERN,
            description="bucket of a new trail; else acct<account>cloudtraillogs",
        ),
    ] = None


class Recording(Before):
    name: str
    region: str
    flags: dict[str, bool] | None  # as UpdateTrail takes them; None: no trail of that name
    logging: bool
    log_bucket: LogBucket | None  # None: no new trail is needed


bot = Bot(
    name="cloudtrail_enable",
    acts_on="AWS::::Account",
    target=account(),
    params=Wish,
    before=Recording,
    reads=(
        "cloudtrail:DescribeTrails",
        *on(_trails.ANY_TRAIL, "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"),
        *on(BUCKET, "s3:ListBucket", "s3:GetBucketPolicy"),
    ),
    writes=(*on(BUCKET, *_log_bucket.WRITES), *on(_trails.TRAIL, *_trails.CHANGES)),
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(f"the trail is as before or gone; {_log_bucket.KEPT}", expects=lambda was: was),
    creates=("the trail", "its private bucket, with leave for CloudTrail to write that trail's logs into it"),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Recording]:
    trails = await _trails.visible_trails(aws)
    name = params.trail_name
    enough = next((trail for trail in trails if trail.suffices), None)
    own = next((trail for trail in trails if (trail.name, trail.owner) == (name, aws.account_id)), None)
    log_bucket = None
    if enough is None and own is None:
        _trails.refuse_another(trails, name)
        bucket_name = params.bucket_name or f"acct{aws.account_id}cloudtraillogs"
        log_bucket = await _log_bucket.look(aws, bucket_name)
    elif enough is None and own is not None and not own.complete:
        raise CannotFix(
            f"trail {name} selects only some management events: name another, or widen its selectors"
        )
    before = Recording(
        name=name,
        region=own.region if own else aws.region,
        flags=own.flags if own else None,
        logging=bool(own and own.logging),
        log_bucket=log_bucket,
    )
    notes = await _log_bucket.remarks(aws, log_bucket) if log_bucket else ()
    if enough is not None and not enough.flags["EnableLogFileValidation"]:
        notes = (f"log files of trail {enough.name} are not validated",)
    return Check(
        compliant=enough is not None,
        before=before,
        why=f"trail {enough.name} of {enough.owner} records all management events of all regions"
        if enough
        else f"none of {len(trails)} trails records all management events of all regions; trail {name} "
        + ("is stopped or narrower" if own else "does not exist"),
        region=before.region,
        notes=notes,
        touches=(("AWS::S3::Bucket", log_bucket.name),) if log_bucket else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Recording) -> None:
    home, bucket = aws.at(before.region), before.log_bucket
    if bucket is None:
        await home.call("cloudtrail", "UpdateTrail", Name=before.name, **_trails.GOAL)
        await _trails.start(home, before.name, "UpdateTrail", **(before.flags or {}))
        return
    async with _log_bucket.ready(home, bucket, *_trails.leave_for(home, before.name, bucket.name)):
        trail = {"Name": before.name, "S3BucketName": bucket.name, **_trails.GOAL}
        if await home.find("cloudtrail", "CreateTrail", absent=_trails.NOT_YET, **trail) is None:
            raise TryLater(f"CloudTrail does not see yet that it may write into {bucket.name}", seconds=20)
        await _trails.start(home, before.name, "DeleteTrail")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Recording) -> None:
    home = aws.at(before.region)
    if before.flags is not None:
        if not before.logging:
            await home.call("cloudtrail", "StopLogging", Name=before.name)
        await home.call("cloudtrail", "UpdateTrail", Name=before.name, **before.flags)
        return
    if before.log_bucket is not None:
        await _log_bucket.discard(home, before.log_bucket)
    await home.find("cloudtrail", "DeleteTrail", absent=("TrailNotFoundException",), Name=before.name)

"""Have one trail record the management events of all regions, with validated log files.

After: the trail of the given name, an existing one widened and started or a new one, delivers to its
bucket. Any other trail that does already, also the organization's, is enough: then nothing is changed.
Caution: the second copy of management events an account keeps is billed per event. An existing trail
keeps its bucket, prefix, key and log group.
Finding: cloudtrail_enable trail_name=allRegionTrail bucket_name=my-trail-logs
"""

from typing import Annotated

from pydantic import Field

from bots import _log_bucket
from bots import _trail_coverage as coverage
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, account, on
from bots._s3 import BUCKET


class Wish(Params):
    trail_name: Annotated[coverage.TrailName, Field(description="trail to widen or make")] = "allRegionTrail"
    bucket_name: Annotated[
        _log_bucket.BucketName | None,
        Field(description="bucket of a new trail; else acct<account>cloudtraillogs"),
    ] = None


class Recording(Before):
    name: str
    region: str
    flags: dict[str, bool] | None  # as UpdateTrail takes them; None: no trail of that name
    logging: bool
    log_bucket: _log_bucket.LogBucket | None  # None: no new trail is needed


bot = Bot(
    name="cloudtrail_enable",
    acts_on="AWS::::Account",
    target=account(),
    params=Wish,
    before=Recording,
    reads=(*coverage.READS, *on(BUCKET, "s3:ListBucket", "s3:GetBucketPolicy")),
    writes=(*on(BUCKET, *_log_bucket.WRITES), *coverage.WRITES),
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(f"the trail is as before or gone; {_log_bucket.KEPT}", expects=lambda was: was),
    creates=("the trail", "its private bucket, with leave for CloudTrail to write that trail's logs into it"),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Recording]:
    found = await coverage.survey(aws, params.trail_name)
    own, log_bucket, notes = found.own, None, found.notes
    if found.enough is None and own is None:
        log_bucket = await _log_bucket.look(aws, params.bucket_name or f"acct{aws.account_id}cloudtraillogs")
        notes = await _log_bucket.remarks(aws, log_bucket)
    before = Recording(
        name=params.trail_name,
        region=own.trail.home.region if own else aws.region,
        flags=own.flags if own else None,
        logging=bool(own and own.logging),
        log_bucket=log_bucket,
    )
    return Check(
        compliant=found.enough is not None,
        before=before,
        why=found.why,
        region=before.region,
        notes=notes,
        touches=(("AWS::S3::Bucket", log_bucket.name),) if log_bucket else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Recording) -> None:
    home, bucket = aws.at(before.region), before.log_bucket
    if bucket is None:
        await coverage.widen(home, before.name, before.flags or {})
        return
    async with _log_bucket.ready(home, bucket, *coverage.leave_for(home, before.name, bucket.name)):
        await coverage.make(home, before.name, bucket.name)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Recording) -> None:
    home = aws.at(before.region)
    if before.flags is not None:
        await coverage.narrow(home, before.name, before.flags, logging=before.logging)
    elif before.log_bucket is not None:
        await _log_bucket.discard(home, before.log_bucket)
        await coverage.delete(home, before.name)

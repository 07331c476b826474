"""Record all supported resources of the region with AWS Config and deliver the records to a bucket.

After: the account's recorder takes in every resource type and runs; an existing recorder and delivery
channel keep their names, role, bucket, prefix, topic and key. No rules are made.
Caution: Config bills every configuration item. Types a recorder was told to leave out are recorded too.
Only one region records the global types (IAM), the partition's main one unless told otherwise.
Finding: config_enable bucket_name=mybucketlogs bucket_region=us-west-1
"""

from typing import Annotated

from pydantic import Field

from bots import _config_channel, _log_bucket
from bots import _config_recorder as config
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, account, on
from bots._config_recorder import Region, Setup
from bots._log_bucket import LogBucket
from bots._s3 import BUCKET


class Wish(Params):
    bucket_name: Annotated[
        _log_bucket.BucketName | None,
        Field(description="bucket of a new channel; else <account>awsconfiglogs"),
    ] = None
    bucket_region: Annotated[
        Region | None, Field(description="where a missing bucket is made; else here")
    ] = None
    include_global_resource_types_region: Annotated[
        Region | None, Field(description="the region that records IAM; else the partition's main region")
    ] = None


class Recording(Before):
    setup: Setup
    log_bucket: LogBucket | None  # None: no bucket is needed


bot = Bot(
    name="config_enable",
    acts_on="AWS::::Account",
    target=account(),
    params=Wish,
    before=Recording,
    reads=(*config.READS, *on(BUCKET, *_log_bucket.READS)),
    writes=(*config.WRITES, *on(BUCKET, *_log_bucket.WRITES)),
    passes={config.SERVICE: config.ROLES},
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(
        f"recorder and channel are as before or gone; Config's service-linked role stays; {_log_bucket.KEPT}",
        expects=lambda was: was,
    ),
    creates=("recorder, delivery channel, AWSServiceRoleForConfig and a private bucket, as far as missing",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Recording]:
    setup, failure = await config.live_setup(aws)
    bucket, notes = await _config_channel.bucket_for(
        aws, setup.channel, params.bucket_name, params.bucket_region
    )
    lacking = await config.lacking(aws, setup)
    if setup.channel is not None and bucket is not None:
        lacking += ("the channel's bucket is gone",)
    if failure and not lacking:
        raise CannotFix(
            f"Config is set up but fails ({failure}): look at its role and at its bucket's policy"
        )
    return Check(
        compliant=not lacking,
        before=Recording(setup=setup, log_bucket=bucket),
        why=f"Config in {aws.region}: {', '.join(lacking) or 'all resources are recorded'}",
        notes=notes,
        touches=(("AWS::S3::Bucket", bucket.name),) if bucket else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Recording) -> None:
    setup, bucket = before.setup, before.log_bucket
    channel = setup.channel or _config_channel.new(bucket)
    async with _config_channel.ready(aws, channel, bucket):
        recorder = await config.wanted_recorder(aws, setup, params.include_global_resource_types_region)
        async with config.changed(aws, setup, Setup(recorder, channel, recording=True)):
            pass


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Recording) -> None:
    now, _ = await config.live_setup(aws)
    async with config.changed(aws, now, before.setup):
        if before.log_bucket is not None:
            await _log_bucket.discard(aws, before.log_bucket)

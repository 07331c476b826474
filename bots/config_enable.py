"""Record all supported resources of the region with AWS Config and deliver the records to a bucket.

After: the account's recorder takes in every resource type and runs; an existing recorder and delivery
channel keep their names, role, bucket, prefix, topic and key. No rules are made.
Caution: Config bills every configuration item. Types a recorder was told to leave out are recorded too.
Only one region records the global types (IAM), the partition's main one unless told otherwise.
Finding: config_enable bucket_name=mybucketlogs bucket_region=us-west-1
"""

import contextlib
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bots import _config_recorder as config
from bots import _log_bucket
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, account, on
from bots._config_recorder import Setup
from bots._log_bucket import LogBucket
from bots._s3 import BUCKET

ROLES = ("arn:{partition}:iam::{account}:role/*",)
MAIN_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
Region = Annotated[
    str,
    BeforeValidator(lambda word: word.replace("_", "-") if isinstance(word, str) else word),
    Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$"),
]


class Wish(Params):
    bucket_name: Annotated[
        str | None,
        Field(
            pattern=_log_bucket.NAME_PATTERN,
            description="bucket of a new channel; else <account>awsconfiglogs",
        ),
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
    reads=(*config.READS, *on(ROLES, "iam:GetRole"), *on(BUCKET, *_log_bucket.READS)),
    writes=(
        *config.WRITES,
        "iam:PassRole",
        *on((config.SERVICE_ROLE,), "iam:CreateServiceLinkedRole"),
        *on(BUCKET, *_log_bucket.WRITES),
    ),
    passes={config.SERVICE: ROLES},
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
    role_gone = setup.recorder is not None and not await config.role_exists(aws, setup.recorder["roleARN"])
    bucket, notes = await _bucket(aws, setup, params)
    lacking = setup.lacking
    if role_gone:
        lacking += ("the recorder's role is gone",)
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
    channel = setup.channel or {
        "name": "default",
        "s3BucketName": bucket and bucket.name,
        "configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"},
    }
    there = (
        _log_bucket.ready(aws, bucket, *config.leave_for(aws, channel))
        if bucket
        else contextlib.nullcontext()
    )
    async with there:
        wanted = Setup(await _recorder(aws, setup, params), channel, recording=True)
        async with config.changed(aws, setup, wanted):
            pass


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Recording) -> None:
    now, _ = await config.live_setup(aws)
    async with config.changed(aws, now, before.setup):
        if before.log_bucket is not None:
            await _log_bucket.discard(aws, before.log_bucket)


async def _bucket(aws: Aws, setup: Setup, params: Wish) -> tuple[LogBucket | None, tuple[str, ...]]:
    """The bucket that must be made or opened to Config, if any, and remarks about it."""
    if setup.channel is not None:
        try:
            found = await _log_bucket.look(aws, setup.channel["s3BucketName"])
        except CannotFix:
            return None, ()  # the central bucket of another account, which AWS accepted
        return (None, ()) if found.existed else (found, await _log_bucket.remarks(aws, found))
    name = params.bucket_name or f"{aws.account_id}awsconfiglogs"
    found = await _log_bucket.look(aws.at(params.bucket_region or aws.region), name)
    notes = await _log_bucket.remarks(aws, found)
    if await _log_bucket.default_encryption(aws, found) != "AES256":
        notes += (f"{name} encrypts with KMS: the key's policy must let {config.SERVICE} use the key",)
    return found, notes


async def _recorder(aws: Aws, setup: Setup, params: Wish) -> dict[str, Any]:
    """The recorder to have: the present one if it will do, else widened, else a new one."""
    old = setup.recorder or {}
    main = params.include_global_resource_types_region or MAIN_REGIONS.get(aws.partition)
    everything = {"allSupported": True, "includeGlobalResourceTypes": aws.region == main}
    group = old["recordingGroup"] if setup.complete else everything
    return {"name": "default", **old, "roleARN": await config.usable_role(aws, old), "recordingGroup": group}

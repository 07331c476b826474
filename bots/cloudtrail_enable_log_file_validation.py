"""Let a trail sign what it delivers, so that a changed or deleted log file can be told.

After: CloudTrail writes a signed digest of the trail's log files every hour; older files have none.
Caution: where the bucket keeps objects locked by default, the digests cannot be delivered.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._trails import LOOK_UP, TRAIL, trail_of, update_trail


class Validation(Before):
    trail_arn: str
    region: str
    on: bool


bot = Bot(
    name="cloudtrail_enable_log_file_validation",
    acts_on="AWS::CloudTrail::Trail",
    target=entity("id", "name"),
    params=NoParams,
    before=Validation,
    reads=(LOOK_UP,),
    writes=on(TRAIL, "cloudtrail:UpdateTrail"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Validation]:
    trail = await trail_of(aws, target)
    return Check(
        compliant=trail.validates,
        before=Validation(trail_arn=trail.arn, region=trail.home.region, on=trail.validates),
        why=f"log file validation of trail {trail.name} is {'on' if trail.validates else 'off'}",
        region=trail.home.region,
        target_id=trail.arn,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Validation) -> None:
    home = aws.at(before.region)
    await update_trail(home, before.trail_arn, later={}, EnableLogFileValidation=True)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Validation) -> None:
    await update_trail(aws.at(before.region), before.trail_arn, EnableLogFileValidation=before.on)

"""Tag an EC2 resource with the time from which a stricter remediation may stop it.

After: the tag marked_for_stop holds that time in seconds since 1970, UTC. Nothing is stopped by it.
Caution: a time that is there already stays, be it past or to come, so that repeated findings never put it
off. Anything else in the tag is replaced. EC2 does not tell a resource without tags from one that does not
exist; except for instances, a dry run cannot either.
Finding: mark_for_stop_ec2_resource 12h
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from bots._aws import Aws
from bots._bot import Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._tags import TAGGABLE, Tag, look_for, put, put_back, tags_on

KEY = "marked_for_stop"
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_DELAY = re.compile(r"(?P<number>0*[1-9][0-9]{0,4})(?P<unit>[mhd])", re.IGNORECASE)
_SECONDS_SINCE_1970 = re.compile(r"[0-9]{1,11}")


def _delay(text: str) -> str:
    if not _DELAY.fullmatch(text):
        raise ValueError("must be a number from 1 to 99999 and m, h or d for minutes, hours or days, as 12h")
    return text


class Wish(Params):
    delay: Annotated[str, Field(description="time to leave, as 90m, 12h or 7d"), AfterValidator(_delay)]

    @property
    def seconds(self) -> int:
        found = _DELAY.fullmatch(self.delay)
        assert found is not None
        return int(found["number"]) * _UNITS[found["unit"].lower()]


bot = Bot(
    name="mark_for_stop_ec2_resource",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Tag,
    reads=("ec2:DescribeTags", "ec2:DescribeInstances"),
    writes=on(TAGGABLE, "ec2:CreateTags", "ec2:DeleteTags"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tag]:
    await look_for(aws, target)
    found = (await tags_on(aws, target.id)).get(KEY)
    marked = found is not None and _SECONDS_SINCE_1970.fullmatch(found) is not None
    return Check(
        compliant=marked, before=Tag(key=KEY, value=found), why=f"{target.id} {_told(found, marked=marked)}"
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tag) -> None:
    await put(aws, target, KEY, str(int(aws.now.timestamp()) + params.seconds))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Tag) -> None:
    await put_back(aws, target, before)


def _told(found: str | None, *, marked: bool) -> str:
    if found is None:
        return "is not marked for a stop"
    if not marked:
        return f"has {found!r} in the tag {KEY}, which is no time"
    return (
        f"is marked for a stop from {datetime.fromtimestamp(int(found), UTC):%Y-%m-%d %H:%M:%S} UTC ({found})"
    )

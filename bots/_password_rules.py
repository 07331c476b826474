"""The nine values of an account's password policy, and which of two values is the stricter one."""

from __future__ import annotations

from typing import Any

from pydantic.alias_generators import to_pascal

from bots._aws import Aws
from bots._bot import Before
from bots._identities import NO_SUCH

CAN_BE_OFF = ("max_password_age", "password_reuse_prevention")
KINDS = ("require_symbols", "require_numbers", "require_uppercase_characters", "require_lowercase_characters")


class Rules(Before):
    """A password policy; ages are days, 0 stands for what AWS leaves out."""

    minimum_password_length: int = 6
    require_symbols: bool = False
    require_numbers: bool = False
    require_uppercase_characters: bool = False
    require_lowercase_characters: bool = False
    allow_users_to_change_password: bool = False
    max_password_age: int = 0
    password_reuse_prevention: int = 0
    hard_expiry: bool = False


# What AWS demands as long as no policy is set, besides three of the four kinds of characters.
UNSET = Rules(minimum_password_length=8)


def from_aws(policy: dict[str, Any]) -> Rules:
    """The policy as GetAccountPasswordPolicy tells it."""
    told = {name: policy.get(to_pascal(name)) for name in Rules.model_fields}
    return Rules(**{name: value for name, value in told.items() if value is not None})


def to_aws(rules: Rules) -> dict[str, Any]:
    """All fields for UpdateAccountPasswordPolicy, which resets to its default what it is not given."""
    return {to_pascal(name): value for name, value in rules if value != 0 or name not in CAN_BE_OFF}


async def live_rules(aws: Aws) -> Rules | None:
    """The account's policy now; None if it was never set, so that AWS's own default applies."""
    found = await aws.find("iam", "GetAccountPasswordPolicy", absent=NO_SUCH)
    return None if found is None else from_aws(found["PasswordPolicy"])


async def set_rules(aws: Aws, rules: Rules | None) -> None:
    """Set the account's policy; None: have none."""
    if rules is None:
        await aws.find("iam", "DeleteAccountPasswordPolicy", absent=NO_SUCH)
    else:
        await aws.call("iam", "UpdateAccountPasswordPolicy", **to_aws(rules))


def stricter(name: str, wished: int, present: int) -> int:
    """The stricter of two values of a field; the wished one where neither is."""
    if name == "allow_users_to_change_password":
        return wished
    if name == "max_password_age":
        return min(wished or present, present or wished)
    return max(wished, present)


def tightened(wished: Rules, now: Rules | None) -> Rules:
    """The wish, with the stricter present value kept in each field."""
    present = now or UNSET
    return Rules(**{name: stricter(name, value, getattr(present, name)) for name, value in wished})


def remarks(wished: Rules, was: Rules | None, goal: Rules) -> tuple[str, ...]:
    """What a person should know when a policy ``was`` becomes ``goal``, though ``wished`` was asked for."""
    present = was or UNSET
    said = []
    for name, wish in wished:
        has, gets = getattr(present, name), getattr(goal, name)
        if gets != wish:
            said.append(f"{name} stays at {has}: the wished {wish} would be weaker")
        elif stricter(name, gets, has) != gets:
            said.append(f"{name} gets weaker: {has} becomes {gets}")
    if was is None and sum(getattr(goal, kind) for kind in KINDS) < 3:
        said.append("AWS's own default asks for three kinds of characters, this policy for fewer")
    age = goal.max_password_age
    sooner = age and not 0 < present.max_password_age <= age
    if age and goal.hard_expiry and (sooner or not present.hard_expiry):
        said.append(f"users with passwords older than {age} days are shut out until an administrator helps")
    elif sooner:
        said.append(f"users with passwords older than {age} days must change them at the next sign-in")
    return tuple(said)

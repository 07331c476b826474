"""Set the account's password policy for IAM users.

After: the policy holds the nine given values. Where the present policy is stricter its value stays,
unless the finding says ``allowWeaker``.
Caution: a shorter password age makes users change their password at the next sign-in; with hard
expiry they are shut out until an administrator helps.
Finding: iam_turn_on_password_policy 14 True True True True True 90 24 False
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, account
from bots._password_rules import Rules, live_rules, remarks, set_rules, tightened
from bots._words import Word


class Wish(Params):
    minimum_password_length: Annotated[int, Field(ge=6, le=128, description="shortest password")]
    require_symbols: bool
    require_numbers: bool
    require_uppercase_characters: bool
    require_lowercase_characters: bool
    allow_users_to_change_password: bool
    max_password_age: Annotated[int, Field(ge=0, le=1095, description="days; 0: never expires")]
    password_reuse_prevention: Annotated[int, Field(ge=0, le=24, description="passwords remembered; 0: none")]
    hard_expiry: Annotated[bool, Field(description="expired passwords need an administrator")]
    allow_weaker: Annotated[
        bool, Field(description="weaken what is stricter now"), Word(flag="allowWeaker")
    ] = False

    @property
    def wished(self) -> Rules:
        return Rules(**self.model_dump(exclude={"allow_weaker"}))

    def goal(self, now: Rules | None) -> Rules:
        return self.wished if self.allow_weaker else tightened(self.wished, now)


class PasswordPolicy(Before):
    rules: Rules | None  # None: never set, AWS's own default applies


bot = Bot(
    name="iam_turn_on_password_policy",
    acts_on="AWS::::Account",
    target=account(),
    params=Wish,
    before=PasswordPolicy,
    reads=("iam:GetAccountPasswordPolicy",),
    writes=("iam:UpdateAccountPasswordPolicy", "iam:DeleteAccountPasswordPolicy"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[PasswordPolicy]:
    now = await live_rules(aws)
    goal = params.goal(now)
    differing = [name for name, value in goal if value != getattr(now, name, None)]
    return Check(
        compliant=goal == now,
        before=PasswordPolicy(rules=now),
        why="no password policy is set"
        if now is None
        else f"the password policy differs in {', '.join(differing)}"
        if differing
        else "the password policy is as strict as wished",
        notes=remarks(params.wished, now, goal),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: PasswordPolicy) -> None:
    await set_rules(aws, params.goal(before.rules))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: PasswordPolicy) -> None:
    await set_rules(aws, before.rules)

"""Take from a topic's policy what lets everybody in, or set a given policy.

After: no statement without a restricting condition lets the whole world publish, subscribe or manage.
Caution: publishers and subscribers that came in by a wildcard are shut out. Subscriptions strangers have
made already stay; they are named. Statements with NotPrincipal or NotAction are left to a person.
"""

import json
from typing import Annotated

from pydantic import AfterValidator, Field

from bots import _policies
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._policies import covers, is_open, listed, statements
from bots._topics import (
    TOPIC,
    foreign_subscribers,
    owners_statement,
    set_attribute,
    topic_attributes,
    topic_home,
)
from bots._words import Word

LARGEST = 30 * 1024  # bytes


def _private(text: str) -> str:
    if len(text.encode()) > LARGEST:
        raise ValueError(f"must have at most {LARGEST} bytes")
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    found = statements(text) if isinstance(whole, dict) else []
    if not found or not all(isinstance(each, dict) for each in found):
        raise ValueError("must be a policy document in JSON with at least one statement")
    if any(is_open(each) for each in found):
        raise ValueError("must not allow anything to everybody without a condition on who that can be")
    return text


class Wish(Params):
    policy: Annotated[
        Annotated[str, AfterValidator(_private)] | None,
        Field(description="new policy in JSON; left out: the current one without what is open"),
        Word(rest=True),
    ] = None


class Policy(Before):
    topic_arn: str
    document: str  # as SNS keeps it


bot = Bot(
    name="sns_set_topic_private",
    acts_on="AWS::SNS::Topic",
    target=entity("topicArn", "id"),
    params=Wish,
    before=Policy,
    reads=on(TOPIC, "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"),
    writes=on(TOPIC, "sns:SetTopicAttributes"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Policy]:
    home, arn = topic_home(aws, target)
    document = (await topic_attributes(home, arn))["Policy"]
    open_ones = [statement for statement in statements(document) if is_open(statement)]
    wanted = _wanted(aws, arn, params, document)
    compliant = not open_ones and _policies.same(document, wanted)
    return Check(
        compliant=compliant,
        before=Policy(topic_arn=arn, document=document),
        why=f"the policy of topic {arn} lets everybody in by {len(open_ones)} of its statements"
        if open_ones
        else f"the policy of topic {arn} lets nobody in unnamed"
        + ("" if compliant else ", but is not the one asked for"),
        region=home.region,
        notes=tuple(f"a subscription that stays: {each}" for each in await foreign_subscribers(home, arn))
        if open_ones
        else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Policy) -> None:
    home, arn = topic_home(aws, target)
    await set_attribute(home, arn, "Policy", _wanted(aws, arn, params, before.document))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Policy) -> None:
    home, _ = topic_home(aws, target)
    await set_attribute(home, before.topic_arn, "Policy", before.document)


def _wanted(aws: Aws, arn: str, params: Wish, document: str) -> str:
    """
    Raises:
        CannotFix: the given policy is about another topic, or the current one needs a person's eyes.
    """
    if params.policy is None:
        left = closed(document)
        return _policies.with_statements(document, left or [owners_statement(arn, aws.account_id)])
    given = params.policy.replace("$ACCOUNT_ID", aws.account_id)
    for statement in statements(given):
        for pattern in listed(statement.get("Resource", [])):
            if not covers(str(pattern), arn):
                raise CannotFix(f"the given policy is about {pattern}, not about topic {arn}")
    return given


def closed(document: str) -> list[_policies.Statement]:
    """The statements without what lets everybody in."""
    left = []
    for statement in statements(document):
        if not is_open(statement):
            left.append(statement)
            continue
        if roundabout := {"NotPrincipal", "NotAction"} & set(statement):
            raise CannotFix(
                f"a statement that allows by {min(roundabout)} lets everybody in, and may mean more than it says: "
                "rewrite it by hand, or give the whole policy with policy=…"
            )
        if (named := _policies.without_everyone(statement)) is not None:
            left.append(named)
    return left

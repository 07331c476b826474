"""The tag that keeps the role off a resource, as the policies of the deployed role say it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._bot import AnyBot
from bots._catalogue import names
from bots._grants import PASS_ROLE
from spoke_role.opt_out import UNTAGGED, opted_out
from spoke_role.policy import policies, select
from tests.fake_aws.strict_iam import Context, Request, Word, spoken
from tests.policy_lint.rules import reference
from tests.spoke_role.reading import filled
from tests.spoke_role.synthetic import made_up

EVERY = select(names())
GROUP = "arn:aws:ec2:us-east-1:222233334444:security-group/sg-0123456789abcdef0"
REVOKE = "ec2:RevokeSecurityGroupIngress"
TAG = "aws:ResourceTag/remediation-hub:opt-out"


def says(action: str, context: Context, *, resource: str = GROUP) -> Word:
    """What all policies of the role say together."""
    texts = [json.dumps(_deployed(policy)) for policy in policies(select()).values()]
    return spoken(texts, Request(action=action, resource=resource, context=context))


def _deployed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _deployed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_deployed(item) for item in value]
    return filled({"Fn::Sub": value}) if isinstance(value, str) and "${" in value else value


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_a_resource_with_the_tag_cannot_be_changed_and_can_be_read(value: str) -> None:
    assert says(REVOKE, {TAG: value}) is Word.DENY
    assert says("ec2:DescribeSecurityGroups", {TAG: value}, resource="*") is Word.ALLOW


@pytest.mark.parametrize("context", [{}, {TAG: "false"}, {TAG: ""}, {"aws:ResourceTag/opt-out": "true"}])
def test_any_other_resource_can(context: Context) -> None:
    assert says(REVOKE, context) is Word.ALLOW


@pytest.mark.parametrize("action", ["ec2:CreateTags", "ec2:DeleteTags", "lambda:TagResource", "iam:TagRole"])
def test_the_tag_itself_can_neither_be_set_nor_taken_away(action: str) -> None:
    wherever = {
        "lambda:TagResource": "arn:aws:lambda:us-east-1:222233334444:function:f",
        "iam:TagRole": "arn:aws:iam::222233334444:role/app",
    }.get(action, GROUP)
    keys: Context = {"aws:TagKeys": ("owner", "Remediation-Hub:Opt-Out")}
    assert says(action, {"aws:TagKeys": ("owner",)}, resource=wherever) is Word.ALLOW
    assert says(action, keys, resource=wherever) is Word.DENY


@pytest.mark.parametrize("bot", [pytest.param(bot, id=bot.name) for bot in EVERY])
def test_every_write_of_a_bot_that_iam_can_tell_by_tags_is_denied_and_no_read(bot: AnyBot) -> None:
    [policy] = opted_out([bot])
    denied = {
        action
        for statement in policy["Statement"]
        if statement["Sid"] == "NotWhatIsOptedOut"
        for action in statement["Action"]
    }
    assert denied == {action for action in bot.writes if by_tag(action) and action != PASS_ROLE}


def test_what_is_said_to_have_no_tags_is_what_awss_reference_says_has_none() -> None:
    writes = {action for bot in EVERY for action in bot.writes}
    assert {action for action in writes if not by_tag(action)} | {PASS_ROLE} == UNTAGGED


def test_more_actions_than_one_policy_holds_get_another() -> None:
    many = made_up("many", writes=tuple(f"service:PutSomethingLong{n}" for n in range(400)))
    found = opted_out([many])
    assert len(found) > 1
    request = Request(action="service:PutSomethingLong399", resource="arn", context={TAG: "true"})
    assert spoken(map(json.dumps, found), request) is Word.DENY


def by_tag(action: str) -> bool:
    """Whether some kind of resource of the action is compared by its tags."""
    prefix, _, name = action.partition(":")
    service = reference()[prefix]
    kinds = service["Actions"][name.lower()].get("Resources", [])
    keys = [service["Resources"].get(kind.lower(), {}).get("ConditionKeys", []) for kind in kinds]
    return any("aws:ResourceTag/${TagKey}" in each for each in keys)

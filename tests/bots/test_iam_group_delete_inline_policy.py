"""Scenes of `bots.iam_group_delete_inline_policy`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import TargetGone
from bots._catalogue import bot_named
from bots.iam_group_delete_inline_policy import bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _group(admin: Admin, *listed: str, **policies: dict[str, Any]) -> Planted:
    iam = admin.client("iam")
    iam.create_group(GroupName="crew", Path="/team/")
    for name, statement in (policies or {"one": plants.BUCKET, "two": plants.ALL}).items():
        iam.put_group_policy(GroupName="crew", PolicyName=name, PolicyDocument=plants.document(statement))
    inline = [{"name": name, "policyDocument": None} for name in listed]
    return Planted(entity={"name": "crew", "id": "AGPAEXAMPLE", "inlinePolicies": inline})


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "never-made", "inlinePolicies": [{"name": "one"}]})


def scenes() -> list[Scene]:
    return [
        Scene(
            name="two inline policies",
            plant=lambda admin: _group(admin, "one", "two"),
            observe=_observe,
            missing=_missing,
        )
    ]


def _left(admin: Admin) -> list[str]:
    found: list[str] = admin.client("iam").list_group_policies(GroupName="crew")["PolicyNames"]
    return sorted(found)


async def test_only_what_the_finding_lists_is_deleted_and_the_rest_reported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _group(admin, "two", "renamed since")) as one:
        after = await one.fix()
    assert after.compliant
    assert after.notes == ("the group keeps inline policies that the finding does not list: one",)
    assert _left(admin) == ["one"]


@pytest.mark.parametrize("lists", [None, "one", {}])
async def test_a_finding_without_a_list_means_all_of_them(aws: FakeAws, lists: object) -> None:
    admin = aws.fresh_account()
    planted = _group(admin)
    planted.entity["inlinePolicies"] = lists
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).why == "group crew has no inline policies"
    assert _left(admin) == []


async def test_an_empty_list_deletes_nothing(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _group(admin)) as one:
        assert (await one.check()).compliant
    assert _left(admin) == ["one", "two"]


async def test_a_policy_that_denies_is_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _group(admin, "guard", guard=plants.NOTHING)) as one:
        assert "what guard denied" in (await one.check()).notes[0]


async def test_a_policy_deleted_meanwhile_is_no_failure(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _group(admin, "one", "two")) as one:
        was = (await one.check()).before
        admin.client("iam").delete_group_policy(GroupName="crew", PolicyName="one")
        await one.bot.run_fix(one.account, one.target, one.params, was)
        assert (await one.check()).compliant


async def test_one_that_disappears_while_it_is_read_does_not_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _group(admin, "one", "two")) as one:
        aws.fail(admin.account_id, "iam:GetGroupPolicy", "NoSuchEntity", status=404)
        assert len((await one.check()).before.model_dump()["policies"]) == 1


async def test_an_error_of_aws_is_not_taken_for_a_missing_group(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _group(admin, "one")) as one:
        aws.fail(admin.account_id, "iam:ListGroupPolicies", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.check()


async def test_a_group_deleted_meanwhile_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="group never-made does not exist"):
            await one.check()


def test_the_name_in_the_former_documentation_leads_here() -> None:
    assert bot_named("iam_group_delete_inline_group") is bot

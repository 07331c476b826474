"""Scenes of `bots.ecs_service_role_detach_inline_policy`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._aws import AwsError
from bots.ecs_service_role_detach_inline_policy import bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _entity(role: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": "arn:aws:ecs:us-east-1:222233334444:service/shop/web", "type": "EcsService", "role": role}


def _role(admin: Admin, **policies: dict[str, Any]) -> Planted:
    arn = plants.policy(admin, "managed")
    plants.role(
        admin, "shop-balancing", Path="/team/", AssumeRolePolicyDocument=plants.trusting("ecs.amazonaws.com")
    )
    iam = admin.client("iam")
    iam.attach_role_policy(RoleName="shop-balancing", PolicyArn=arn)
    for name, statement in (policies or {"one": plants.BUCKET, "two": plants.ALL}).items():
        text = plants.document(statement)
        iam.put_role_policy(RoleName="shop-balancing", PolicyName=name, PolicyDocument=text)
    return Planted(entity=_entity({"name": "shop-balancing"}))


def _service_linked(admin: Admin) -> Planted:
    plants.role(admin, "AWSServiceRoleForECS", Path=plants.SERVICE_LINKED)
    plants.backend(admin).get_role("AWSServiceRoleForECS").put_policy("inline", plants.document(plants.ALL))
    return Planted(entity=_entity({"name": "AWSServiceRoleForECS"}))


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity=_entity({"name": "never-made"}))


def scenes() -> list[Scene]:
    return [
        Scene(name="two inline policies", plant=_role, observe=_observe, missing=_missing),
        Scene(
            name="the service linked role",
            plant=_service_linked,
            observe=_observe,
            refusal="AWSServiceRoleForECS is kept by AWS",
        ),
        Scene(
            name="a service without a role",
            plant=lambda _admin: Planted(entity=_entity(None)),
            observe=_observe,
            refusal="names no role",
        ),
    ]


async def test_a_role_without_inline_policies_is_right_and_says_so(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    plants.role(admin, "shop-balancing")
    async with alone(bot, aws, admin, Planted(entity=_entity({"name": "shop-balancing"}))) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.why == "role shop-balancing has no inline policies"


async def test_a_policy_that_denies_is_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin, guard=plants.NOTHING)) as one:
        assert "what guard denied" in (await one.check()).notes[0]


async def test_when_one_cannot_be_deleted_all_are_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _role(admin, one=plants.BUCKET, two=plants.ALL)
    before = _observe(admin, planted)

    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        deny = {"Effect": "Deny", "Action": "iam:DeleteRolePolicy", "Resource": "*"}
        aws.fail(admin.account_id, "iam:DeleteRolePolicy", "NoSuchEntity", status=404)
        admin.client("iam").put_role_policy(
            RoleName="bot-alone", PolicyName="not-this", PolicyDocument=plants.document(deny)
        )
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.bot.run_fix(one.account, one.target, one.params, was)
    assert _observe(admin, planted) == before

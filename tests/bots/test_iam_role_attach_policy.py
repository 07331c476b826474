"""Scenes of `bots.iam_role_attach_policy`. What users and roles share is shown with the bot for users."""

from __future__ import annotations

import pytest

from bots._bot import CannotFix
from bots.iam_role_attach_policy import bot
from tests.bots.alone import alone
from tests.bots.identities import filled_to_the_quota, observe_role, policy, role
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

BASE = "arn:aws:iam::$ACCOUNT_ID:policy/team/base"


def _without(admin: Admin, path: str = "/service-role/", name: str = "worker") -> Planted:
    policy(admin, "base", path="/team/")
    return role(admin, BASE, path=path, name=name)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "nobody"}, words=(BASE,))


def scenes() -> list[Scene]:
    return [
        Scene(name="policy of the account", plant=_without, observe=observe_role, missing=_missing),
        Scene(
            name="service-linked role",
            plant=lambda admin: _without(
                admin, "/aws-service-role/support.amazonaws.com/", "AWSServiceRoleForSupport"
            ),
            observe=observe_role,
            refusal="only its AWS service can change",
        ),
        Scene(
            name="role of IAM Identity Center",
            plant=lambda admin: _without(admin, "/aws-reserved/sso.amazonaws.com/"),
            observe=observe_role,
            refusal="change its permission set",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_full_role_is_told_with_its_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = filled_to_the_quota(admin, _without(admin), "role")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="has 10 managed policies attached"):
            await one.fix()

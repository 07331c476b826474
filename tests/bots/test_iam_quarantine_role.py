"""Scenes of `bots.iam_quarantine_role`. What users and roles share is shown with the bot for users."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bots._deny_all import NAME
from bots.iam_quarantine_role import bot
from tests.bots.alone import alone
from tests.bots.identities import ADMINISTRATOR, filled_to_the_quota, observe_role, policy, role
from tests.bots.scene import Planted, Scene
from tests.bots.test_iam_quarantine_user import DENY_ALL
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.iam import inside
from tests.fake_aws.server import SPOKE_ROLE, FakeAws


def _free(admin: Admin) -> Planted:
    planted = role(admin, path="/service-role/")
    admin.client("iam").put_role_policy(
        RoleName="worker", PolicyName="all", PolicyDocument=json.dumps(ADMINISTRATOR)
    )
    return planted


def _after_another(admin: Admin) -> Planted:
    policy(admin, NAME, DENY_ALL)
    return _free(admin)


def scenes() -> list[Scene]:
    def blocked(name: str, called: str, path: str, refusal: str) -> Scene:
        return Scene(
            name=name,
            plant=lambda admin: role(admin, name=called, path=path),
            observe=observe_role,
            refusal=refusal,
        )

    return [
        Scene(
            name="after another quarantine",
            plant=_after_another,
            observe=observe_role,
            missing=lambda _admin: Planted(entity={"name": "nobody"}),
        ),
        Scene(
            name="first quarantine of the account, no room for it",
            plant=lambda admin: filled_to_the_quota(admin, _free(admin), "role"),
            observe=observe_role,
            region="global",
        ),
        blocked(
            "service-linked role",
            "AWSServiceRoleForSupport",
            "/aws-service-role/support.amazonaws.com/",
            "only its AWS service can change",
        ),
        blocked(
            "role of IAM Identity Center", "AWSReservedSSO_x", "/aws-reserved/x/", "change its permission set"
        ),
        blocked(
            "way in of the organization", "OrganizationAccountAccessRole", "/", "management account enters"
        ),
        Scene(
            name="role of the hub",
            plant=lambda _admin: Planted(entity={"name": SPOKE_ROLE}),
            observe=observe_role,
            refusal="the hub leaves it alone",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_when_the_role_was_last_used_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _after_another(admin)
    moto_role = inside(admin.account_id).get_role("worker")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == ()
        moto_role.last_used, moto_role.last_used_region = datetime(2026, 3, 1, tzinfo=UTC), "eu-west-1"
        assert (await one.check()).notes == ("the role was last used 2026-03-01 in eu-west-1",)

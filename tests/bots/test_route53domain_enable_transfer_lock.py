"""Scenes of `bots.route53domain_enable_transfer_lock`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._words import BadWords, parse
from bots.route53domain_enable_transfer_lock import Lock, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.test_route53domain_enable_auto_renew import missing, observe, register
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import route53domains as inside
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

LOCK = "route53domains:EnableDomainTransferLock"


def _unlocked(admin: Admin, name: str = "example.com") -> Planted:
    planted = register(admin, name)
    admin.client("route53domains").disable_domain_transfer_lock(DomainName=name)
    return planted


def _slow(admin: Admin) -> Planted:
    planted = _unlocked(admin)
    inside.domain(admin.account_id, "example.com").slow = True
    return planted


def _leaving(admin: Admin) -> Planted:
    planted = _unlocked(admin)
    inside.domain(admin.account_id, "example.com").status_list = ["pendingTransfer"]
    return planted


def _submitted(aws: FakeAws, admin: Admin) -> int:
    return sum(call.name == LOCK for call in aws.calls(admin.account_id))


def scenes() -> list[Scene]:
    return [
        Scene(name="unlocked", plant=_unlocked, observe=observe, missing=missing, region=""),
        Scene(name="on its way out", plant=_leaving, observe=observe, refusal="stop the transfer"),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_a_locked_domain_is_right_even_while_something_else_prohibits_more(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = register(admin)
    inside.domain(admin.account_id, "example.com").status_list.append("serverTransferProhibited")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant


async def test_the_registrys_own_lock_is_another_one(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _unlocked(admin)
    inside.domain(admin.account_id, "example.com").status_list = ["serverTransferProhibited"]
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant


async def test_a_slow_registry_is_waited_for_and_asked_only_once(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _slow(admin)) as one:
        for _ in range(2):
            with pytest.raises(TryLater, match="IN_PROGRESS"):
                await one.fix()
        assert "is IN_PROGRESS" in (await one.check()).why
        inside.finish(admin.account_id, "example.com")
        assert (await one.check()).before == Lock(locked=True)
    assert _submitted(aws, admin) == 1


async def test_what_the_registry_is_at_with_another_domain_is_no_reason_to_wait(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _slow(admin)
    admin.client("route53domains").enable_domain_transfer_lock(DomainName="example.com")
    async with alone(bot, aws, admin, _unlocked(admin, "example.org")) as other:
        assert (await other.fix()).compliant
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater):
            await one.fix()


@pytest.mark.parametrize(
    ("status", "message"), [("FAILED", "the registrant did not answer"), ("FAILED", None), ("ERROR", None)]
)
async def test_a_failure_of_the_registry_is_told_and_not_repeated_at_once(
    aws: FakeAws, status: str, message: str | None
) -> None:
    admin = aws.fresh_account()
    planted = _slow(admin)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater):
            await one.fix()
        inside.finish(admin.account_id, "example.com", status, message)
        with pytest.raises(CannotFix, match=message or "gave no reason"):
            await one.fix()
    assert _submitted(aws, admin) == 1
    inside.domain(admin.account_id, "example.com").slow = False
    async with alone(bot, aws, admin, planted, now=datetime.now(UTC) + timedelta(hours=2)) as later:
        assert (await later.fix()).compliant


@pytest.mark.parametrize("code", ["UnsupportedTLD", "TLDRulesViolation"])
async def test_a_registry_without_a_lock_is_named(aws: FakeAws, code: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _unlocked(admin)) as one:
        aws.fail(admin.account_id, LOCK, code)
        with pytest.raises(CannotFix, match=r"registry of \.com offers no transfer lock"):
            await one.fix()


@pytest.mark.parametrize(
    ("code", "raised"),
    [("DuplicateRequest", TryLater), ("OperationLimitExceeded", TryLater), ("SomethingElse", AwsError)],
)
async def test_a_busy_registry_is_asked_again_later(aws: FakeAws, code: str, raised: type[Exception]) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _unlocked(admin)) as one:
        aws.fail(admin.account_id, LOCK, code)
        with pytest.raises(raised):
            await one.fix()

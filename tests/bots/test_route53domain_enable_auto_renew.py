"""Scenes of `bots.route53domain_enable_auto_renew`, and what only this bot does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.route53domain_enable_auto_renew import Renewal, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

CONTACT = {
    "FirstName": "Ana", "LastName": "Silva", "ContactType": "PERSON", "AddressLine1": "Main Street 1",
    "City": "Springfield", "CountryCode": "US", "State": "VA", "ZipCode": "22150",
    "PhoneNumber": "+1.5555550100", "Email": "ana@example.com",
}  # fmt: skip


def register(admin: Admin, name: str = "example.com", *, auto_renew: bool = False) -> Planted:
    """A registered domain; locked, as all are at first."""
    admin.client("route53domains").register_domain(
        DomainName=name,
        DurationInYears=2,
        AutoRenew=auto_renew,
        AdminContact=CONTACT,
        RegistrantContact=CONTACT,
        TechContact=CONTACT,
    )
    return Planted(entity={"id": "domain-1", "name": name, "type": "Route53Domain"})


def observe(admin: Admin, planted: Planted) -> Any:
    """Everything about the domain but its dates."""
    found = admin.client("route53domains").get_domain_detail(DomainName=planted.entity["name"])
    return {
        key: value for key, value in found.items() if not key.endswith("Date") and key != "ResponseMetadata"
    }


def missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "never-registered.com", "type": "Route53Domain"})


def scenes() -> list[Scene]:
    return [
        Scene(
            name="renewed by hand",
            plant=register,
            observe=observe,
            missing=missing,
            region="global",
        )
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_a_domain_that_renews_itself_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, register(admin, auto_renew=True)) as one:
        assert (await one.check()).compliant


@pytest.mark.parametrize("name", ["Example.COM", "example.com.", " example.com "])
async def test_a_domain_is_found_however_its_name_is_written(aws: FakeAws, name: str) -> None:
    admin = aws.fresh_account()
    register(admin)
    async with alone(bot, aws, admin, Planted(entity={"id": name})) as one:
        assert (await one.fix()).before == Renewal(automatic=True)


async def test_an_international_name_is_sent_in_punycode(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    register(admin, "xn--bcher-kva.com")
    async with alone(bot, aws, admin, Planted(entity={"name": "Bücher.com"})) as one:
        assert (await one.fix()).compliant


@pytest.mark.parametrize(
    "name", ["9e1d2f30-0000-4000-8000-000000000000", "example", "a b.com", "ü" * 300 + ".com"]
)
async def test_what_is_no_domain_name_is_refused_unasked(aws: FakeAws, name: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"id": name})) as one:
        with pytest.raises(CannotFix, match="no domain name"):
            await one.check()
    assert aws.calls(admin.account_id) == ()


async def test_a_domain_of_another_account_is_gone(aws: FakeAws) -> None:
    planted = register(aws.fresh_account())
    async with alone(bot, aws, aws.fresh_account(), planted) as one:
        with pytest.raises(TargetGone, match="not registered in account"):
            await one.check()


async def test_there_is_no_registrar_in_other_partitions(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, register(admin)) as one:
        with pytest.raises(CannotFix, match="aws-us-gov"):
            await replace(one, account=replace(one.account, partition="aws-us-gov")).check()


async def test_of_an_expired_domain_it_is_said_that_this_does_not_bring_it_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, register(admin), now=datetime(2090, 1, 1, tzinfo=UTC)) as one:
        assert any("expired on" in note for note in (await one.check()).notes)


@pytest.mark.parametrize("code", ["UnsupportedTLD", "TLDRulesViolation"])
async def test_a_registry_without_automatic_renewal_is_named(aws: FakeAws, code: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, register(admin)) as one:
        aws.fail(admin.account_id, "route53domains:EnableDomainAutoRenew", code)
        with pytest.raises(CannotFix, match=r"registry of \.com offers no automatic renewal"):
            await one.fix()


async def test_any_other_refusal_is_passed_on(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, register(admin)) as one:
        aws.fail(admin.account_id, "route53domains:EnableDomainAutoRenew", "SomethingElse")
        with pytest.raises(AwsError, match="SomethingElse"):
            await one.fix()

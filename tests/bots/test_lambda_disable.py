"""Scenes of `bots.lambda_disable`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._bot import TryLater
from bots._words import BadWords, parse
from bots.lambda_disable import Concurrency, bot
from tests.bots.alone import alone
from tests.bots.functions import NAME, missing, moto_function, observe, plant
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


def _reserved(admin: Admin) -> Planted:
    planted = plant(admin)
    admin.client("lambda").put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=7)
    return planted


def _provisioned(admin: Admin) -> Planted:
    planted = plant(admin)
    moto_function(admin, planted).provisioned = ("live", "3")
    return planted


def _read_queue(admin: Admin, name: str, *, enabled: bool) -> str:
    url = admin.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    named = admin.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = str(named["Attributes"]["QueueArn"])
    admin.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=NAME, Enabled=enabled)
    return arn


def scenes() -> list[Scene]:
    return [
        Scene(name="sharing what the account has", plant=plant, observe=observe, missing=missing),
        Scene(name="with a reservation", plant=_reserved, observe=observe),
        Scene(
            name="provisioned",
            plant=_provisioned,
            observe=observe,
            refusal="provisioned concurrency on 3, live",
        ),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["0"])


@pytest.mark.usefixtures("hub_environment")
async def test_a_version_or_alias_stands_for_the_function_which_the_guards_get_to_see(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin, region="eu-west-1")
    alias = Planted(entity={"id": planted.entity["id"] + ":live"})
    async with alone(bot, aws, admin, alias) as one:
        after = await one.fix()
    assert after.compliant
    assert (after.region, after.target_id) == ("eu-west-1", planted.entity["id"])
    assert after.touches == (("AWS::Lambda::Function", NAME),)
    assert observe(admin, planted)["reserved"] == 0


@pytest.mark.usefixtures("hub_environment")
async def test_what_backs_up_is_told_beforehand(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    read = _read_queue(admin, "uploads", enabled=True)
    idle = _read_queue(admin, "paused", enabled=False)
    async with alone(bot, aws, admin, planted) as one:
        notes = (await one.check()).notes
        assert notes == (f"nothing will be read from {read} any more",)
        assert idle not in str(notes)
        assert (await one.fix()).notes == ()


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_brings_back_the_old_reservation_or_none(aws: FakeAws) -> None:
    for planter, saved in ((plant, None), (_reserved, 7)):
        admin = aws.fresh_account()
        async with alone(bot, aws, admin, planter(admin)) as one:
            was = (await one.check()).before
            assert was == Concurrency(reserved=saved)
            await one.fix()
            assert (await one.undo(was)).before == was


@pytest.mark.usefixtures("hub_environment")
async def test_a_function_that_is_being_changed_is_tried_later(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    aws.fail(admin.account_id, "lambda:PutFunctionConcurrency", "ResourceConflictException", status=409)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater, match="somebody else"):
            await one.fix()
        assert (await one.fix()).compliant

"""Scenes of `bots.sqs_configure_dlq`, and what only this bot does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._words import BadWords, parse
from bots.sqs_configure_dlq import NOWHERE, Redrive, Wish, bot
from tests.bots.alone import alone
from tests.bots.queues import NAME, arn, attributes, missing, observe, plant, url
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

DEAD = f"dlq-for-{NAME}"


def _redrive(target: str, *, count: int = 3) -> str:
    return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": count})


def _point(admin: Admin, target: str, *, source: str = NAME, count: int = 3) -> None:
    policy = {"RedrivePolicy": _redrive(arn(admin, target), count=count)}
    admin.client("sqs").set_queue_attributes(QueueUrl=url(admin, source), Attributes=policy)


def _at_itself(admin: Admin) -> Planted:
    planted = plant(admin)
    _point(admin, NAME)
    return planted


def _at_nothing(admin: Admin) -> Planted:
    planted = plant(admin)
    plant(admin, name="dead")
    _point(admin, "dead")
    admin.client("sqs").delete_queue(QueueUrl=url(admin, "dead"))
    return planted


def _circle(admin: Admin) -> Planted:
    """The would-be dead-letter queue sends its own dead letters here; nobody has used either of them yet."""
    planted = plant(admin)
    plant(admin, name=DEAD)
    _point(admin, NAME, source=DEAD)
    return planted


def _closed(admin: Admin, policy: dict[str, Any]) -> Planted:
    planted = plant(admin)
    plant(admin, name=DEAD, RedriveAllowPolicy=json.dumps(policy))
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="no dead letters", plant=plant, observe=observe, missing=missing),
        Scene(
            name="closed to the queue",
            plant=lambda admin: _closed(admin, {"redrivePermission": "denyAll"}),
            observe=observe,
            refusal="takes no messages from orders",
        ),
    ]


@pytest.mark.parametrize("word", ["max_receive_count=10", "maxReceiveCount:10", "10"])
def test_how_often_a_message_is_received_can_be_said(word: str) -> None:
    assert parse(Wish, [word]).max_receive_count == 10
    assert parse(Wish, []).max_receive_count == 50


@pytest.mark.parametrize("count", ["0", "1001", "-1", "often"])
def test_a_count_aws_would_refuse_is_refused_before_anything_is_asked(count: str) -> None:
    with pytest.raises(BadWords, match="does not fit max_receive_count"):
        parse(Wish, [f"max_receive_count={count}"])


@pytest.mark.usefixtures("hub_environment")
async def test_the_dead_letter_queue_is_made_for_this_queue_alone_and_goes_with_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin, "10", SqsManagedSseEnabled="false")
    was = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        saved = (await one.check()).before
        after = await one.fix()
        assert after.before == Redrive(target_arn=arn(admin, DEAD), max_receive_count=10, target_exists=True)
        made = attributes(admin, DEAD)
        assert made["MessageRetentionPeriod"] == "1209600"
        assert made["SqsManagedSseEnabled"] == "true"
        allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [arn(admin)]}
        assert json.loads(made["RedriveAllowPolicy"]) == allowed
        assert (await one.undo(saved)).before == saved == NOWHERE
    assert observe(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_the_dead_letter_queue_of_a_fifo_queue_under_a_key_is_so_as_well(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = {"KmsMasterKeyId": "alias/orders", "KmsDataKeyReusePeriodSeconds": "600"}
    planted = plant(admin, name=f"{NAME}.fifo", region="eu-west-1", FifoQueue="true", **key)
    async with alone(bot, aws, admin, Planted(entity={"queueUrl": planted.entity["queueUrl"]})) as one:
        after = await one.fix()
    assert (after.region, after.target_id) == ("eu-west-1", planted.entity["id"])
    made = attributes(admin, f"{DEAD}.fifo", "eu-west-1")
    assert made.items() >= {**key, "FifoQueue": "true", "SqsManagedSseEnabled": "false"}.items()


@pytest.mark.usefixtures("hub_environment")
async def test_a_dead_letter_queue_that_exists_is_right_whatever_its_name_and_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    plant(admin, name="dead")
    _point(admin, "dead", count=5)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.before == Redrive(target_arn=arn(admin, "dead"), max_receive_count=5, target_exists=True)


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize(
    ("planter", "why", "back"),
    [(_at_itself, "is the queue itself", True), (_at_nothing, "does not exist", False)],
)
async def test_a_target_that_cannot_help_is_replaced_and_named_again_if_aws_takes_it(
    aws: FakeAws, planter: Callable[[Admin], Planted], why: str, back: bool
) -> None:
    admin = aws.fresh_account()
    planted = planter(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.why.endswith(why)
        assert isinstance(seen.before, Redrive)
        assert (await one.fix()).compliant
        wanted = seen.before if back else NOWHERE
        assert (await one.undo(seen.before)).before == wanted == one.bot.expected_after_undo(seen.before)


@pytest.mark.usefixtures("hub_environment")
async def test_a_dead_letter_queue_needs_none_itself(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    plant(admin, name="invoices")
    _point(admin, NAME, source="invoices")
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.why == "queue orders is the dead-letter queue of invoices"


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("permission", ["allowAll", "byQueue"])
async def test_a_queue_of_that_name_is_used_as_it_is_and_stays_after_an_undo(
    aws: FakeAws, permission: str
) -> None:
    admin = aws.fresh_account()
    allowed = {"redrivePermission": permission, "sourceQueueArns": [arn(admin)]}
    planted = _closed(admin, allowed)
    was = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        saved = (await one.check()).before
        assert (await one.fix()).compliant
        await one.undo(saved)
    assert observe(admin, planted) == was
    assert was["queues"] == [DEAD, NAME]


@pytest.mark.usefixtures("hub_environment")
async def test_queues_that_cannot_take_the_dead_letters_are_not_used(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    other = {"redrivePermission": "byQueue", "sourceQueueArns": [arn(admin, "invoices")]}
    async with alone(bot, aws, admin, _closed(admin, other)) as one:
        with pytest.raises(CannotFix, match="takes no messages from orders"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_dead_letters_never_go_round_in_circles(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _circle(admin)
    async with alone(bot, aws, admin, planted) as one:
        # AWS lists the sources of a dead-letter queue late, so the fix looks for itself.
        assert (await one.check()).compliant
        with pytest.raises(CannotFix, match="round in circles"):
            await one.bot.run_fix(one.account, one.target, one.params, NOWHERE)


@pytest.mark.usefixtures("hub_environment")
async def test_a_dead_letter_queue_with_messages_in_it_survives_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    async with alone(bot, aws, admin, planted) as one:
        saved = (await one.check()).before
        await one.fix()
        admin.client("sqs").send_message(QueueUrl=url(admin, DEAD), MessageBody="poison")
        assert (await one.undo(saved)).before == saved
        # An undo after the undo, as after an interruption, finds nothing more to do.
        admin.client("sqs").delete_queue(QueueUrl=url(admin, DEAD))
        assert (await one.undo(saved)).before == saved


@pytest.mark.usefixtures("hub_environment")
async def test_a_fix_that_broke_off_goes_on_with_the_queue_it_made(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    name = "sqs:SetQueueAttributes"
    for broken in (name, "sqs:DeleteQueue"):
        aws.fail(admin.account_id, broken, "InternalFailure", status=400)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="InternalFailure"):
            await one.fix()
        assert observe(admin, planted)["queues"] == [DEAD, NAME]
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_name_that_was_deleted_a_moment_ago_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin)
    aws.fail(admin.account_id, "sqs:CreateQueue", "QueueDeletedRecently")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater, match="deleted a moment ago"):
            await one.fix()
        assert (await one.fix()).compliant

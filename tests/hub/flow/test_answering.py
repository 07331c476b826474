"""People's answers to steps that wait: whose counts, and that it counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.app import Hub, open_hub
from hub.errors import SpokeError
from hub.flow import waiting
from hub.flow.answering import LONGEST_REASON, NotAnswered, answer, question, reason
from hub.flow.going_on import tell
from hub.flow.resume import body_for
from hub.flow.waiting import Waiting
from hub.model import AccountFacts, Finding, Message, Outcome, Report
from hub.rules.decide import Decider, Due
from hub.rules.model import RuleSet
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws
from tests.hub.flow.approvals import BOT, Closed, arn, asking, later, people
from tests.hub.flow.test_settle import RIGHTS, bucket, only, versioning, writes
from tests.hub.messages import message


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


async def waits_for(hub: Hub, spoke: Admin, name: str = "data") -> tuple[str, str]:
    """A bucket that a bot would change, and the run that waits with it."""
    full = bucket(spoke, name)
    run = only(await hub.settle(message(spoke.account_id, BOT, key=name, id=full)))
    assert run.outcome is Outcome.WAITING
    return full, run.run_id


async def says(hub: Hub, run_id: str, *, approved: bool = True, because: str = "see OPS-17") -> Waiting:
    return await answer(hub.kit, await question(hub.kit, run_id), approved=approved, because=because)


async def go_on(hub: Hub, run_id: str) -> Report | None:
    return await hub.settle(Message(body=body_for(run_id)))


async def standing(hub: Hub, run_id: str) -> Waiting:
    found = await waiting.read(hub.kit.journal, run_id)
    assert found is not None
    return found


async def test_a_yes_is_kept_with_who_said_it_and_why_and_the_step_is_carried_out(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        name, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            kept = await says(ada, run_id, because=" see\n OPS-17\t")
        assert kept.answer is not None
        assert (kept.answer.approved, kept.answer.by, kept.answer.because) == (True, arn("ada"), "see OPS-17")
        assert kept.answer.requested_by == (await hub.kit.identity.caller())["Arn"]
        assert versioning(spoke, name) == "Off", "to answer is not to carry out"
        done = only(await go_on(hub, run_id))
    assert (done.outcome, done.approved_by) == (Outcome.FIXED, arn("ada"))
    assert f"approved by {arn('ada')}: see OPS-17" in done.notes
    assert versioning(spoke, name) == "Enabled"


@pytest.mark.parametrize("approved", [True, False])
async def test_who_asked_for_it_can_say_neither_yes_nor_no_unless_two_eyes_are_enough(
    approved: bool, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        name, run_id = await waits_for(hub, spoke)
        with pytest.raises(NotAnswered, match="asked for it, and four eyes are to see it"):
            await says(hub, run_id, approved=approved)
        assert (await standing(hub, run_id)).answer is None
        assert await go_on(hub, run_id) is None
        assert writes(aws, spoke) == []
        await says(asking(hub, four_eyes=False), run_id, approved=approved)
        # Whoever takes it up asks its own rules.
        done = only(await go_on(asking(hub, four_eyes=False), run_id))
    assert done.outcome is (Outcome.FIXED if approved else Outcome.REFUSED)
    assert versioning(spoke, name) == ("Enabled" if approved else "Off")


@pytest.mark.parametrize("approved", [True, False])
async def test_only_those_whom_the_rules_in_force_name_can_answer(
    approved: bool, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened, approvers=("*:assumed-role/Security/ada",))
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "bob", "ada") as (bob, ada):
            with pytest.raises(NotAnswered, match=r"Security/bob is none of those who may approve"):
                await says(bob, run_id, approved=approved)
            assert (await standing(hub, run_id)).answer is None
            await says(ada, run_id, approved=approved)
        done = only(await go_on(hub, run_id))
    assert done.outcome is (Outcome.FIXED if approved else Outcome.REFUSED)


async def test_a_yes_that_was_slipped_into_the_journal_does_not_count(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened, approvers=("*:assumed-role/Security/ada",))
        name, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "bob") as (bob,):
            # Bob's own hub has no such rule.
            await says(asking(bob), run_id)
        again = only(await go_on(hub, run_id))
    assert again.outcome is Outcome.WAITING
    assert f"{arn('bob')} is none of those who may approve" in again.message
    assert versioning(spoke, name) == "Off"


async def test_the_first_word_counts_and_the_second_person_is_told_who_was_faster(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        name, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada", "bob") as (ada, bob):
            asked = await question(bob.kit, run_id)
            await says(ada, run_id, approved=False, because="still used")
            with pytest.raises(NotAnswered, match=rf"{arn('ada')} was faster and rejected .*: still used"):
                await answer(bob.kit, asked, approved=True, because="go")
            with pytest.raises(NotAnswered, match=r"was faster and rejected"):
                await question(ada.kit, run_id)
            kept = (await standing(hub, run_id)).answer
            assert kept is not None
            assert kept.because == "still used"
            await go_on(hub, run_id)
            with pytest.raises(NotAnswered, match=rf"refused: rejected by {arn('ada')}: still used"):
                await answer(bob.kit, asked, approved=True, because="go")
    assert versioning(spoke, name) == "Off"


async def test_of_two_at_the_same_moment_one_answers(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada", "bob", "eve") as them:
            said = await asyncio.gather(*(says(each, run_id) for each in them), return_exceptions=True)
    assert sorted(type(each).__name__ for each in said) == ["NotAnswered", "NotAnswered", "Waiting"]


async def test_what_went_on_and_ended_tells_on_whose_word(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            await says(ada, run_id)
        done = only(await go_on(hub, run_id))
        with pytest.raises(
            NotAnswered, match=rf"went on as run {done.run_id}, which ended fixed.*{arn('ada')}"
        ):
            await question(hub.kit, run_id)
        with pytest.raises(NotAnswered, match=r"does not wait: it ended fixed"):
            await question(hub.kit, done.run_id)
        with pytest.raises(NotAnswered, match=r"knows no run 'never-heard-of'"):
            await question(hub.kit, "never-heard-of")


async def test_an_answer_is_written_although_the_queue_was_told_meanwhile(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            asked = await question(ada.kit, run_id)
            assert await waiting.write(hub.kit.journal, replace(asked.waits, sent_at=hub.kit.now()))
            kept = await answer(ada.kit, asked, approved=True, because="go")
    assert kept.sent_at is not None
    assert kept.answer is not None


@pytest.mark.parametrize("approved", [True, False])
async def test_an_answer_that_comes_too_late_does_not_count(
    approved: bool, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened, expires=timedelta(hours=2))
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            with pytest.raises(NotAnswered, match="which is over, so nothing will be changed"):
                await says(later(ada, hours=2), run_id, approved=approved)
        assert (await standing(hub, run_id)).answer is None


async def test_what_was_approved_in_time_goes_on_although_it_is_taken_up_late(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened, expires=timedelta(hours=2))
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            await says(ada, run_id)
        done = only(await go_on(later(hub, hours=3), run_id))
    assert done.outcome is Outcome.FIXED


async def test_what_waits_for_a_moment_cannot_be_hurried_but_ended(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        window = Closed(opened.kit.now() + timedelta(hours=1))
        hub = Hub(replace(opened.kit, change_guards=(window, *opened.kit.change_guards)))
        name, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            with pytest.raises(NotAnswered, match=r"waits for no person but until .*: the window is closed"):
                await says(ada, run_id)
            assert (await standing(hub, run_id)).answer is None
            await says(ada, run_id, approved=False, because="not this week")
        done = only(await go_on(hub, run_id))
    assert (done.outcome, done.message) == (Outcome.REFUSED, f"rejected by {arn('ada')}: not this week")
    assert versioning(spoke, name) == "Off"


class NothingAsked(Decider):
    """Rules that ask for nothing, whatever a finding names."""

    def decide(self, finding: Finding, facts: AccountFacts = AccountFacts()) -> tuple[Due, ...]:  # noqa: B008
        return ()


async def test_what_no_rule_asks_for_any_more_cannot_be_approved_and_anybody_can_end_it(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        without = Hub(replace(hub.kit, rules=NothingAsked(RuleSet(file=""), hub.kit.catalogue)))
        with pytest.raises(NotAnswered, match="no rule asks for it any more; `hub reject` ends it"):
            await says(without, run_id)
        await says(without, run_id, approved=False)
        done = only(await go_on(without, run_id))
    assert done.outcome is Outcome.REFUSED


@pytest.fixture
def queue(aws: FakeAws, spoke: Admin) -> str:
    url = aws.admin(HUB_ACCOUNT).client("sqs").create_queue(QueueName=f"findings-{spoke.account_id}")
    return str(url["QueueUrl"])


def bodies(aws: FakeAws, queue: str) -> Sequence[str]:
    sqs: Any = aws.admin(HUB_ACCOUNT).client("sqs")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [each["Body"] for each in found.get("Messages", ())]


async def test_the_queue_is_told_of_nothing_but_the_run(
    aws: FakeAws, spoke: Admin, queue: str, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id, queue_url=queue)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            assert await tell(ada.kit, await says(ada, run_id))
        [body] = bodies(aws, queue)
        done = only(await hub.settle(Message(body=body)))
        assert await hub.settle(Message(body=body, again=True)) is None, "a redelivery goes on with nothing"
    assert "ada" not in body
    assert done.outcome is Outcome.FIXED
    assert writes(aws, spoke) == ["PutBucketVersioning"]


async def test_an_answer_stands_although_the_queue_could_not_be_told_and_it_is_told_later(
    aws: FakeAws, spoke: Admin, queue: str, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id, queue_url=queue)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            kept = await says(ada, run_id)
            gone = Hub(replace(ada.kit, settings=hub_settings(spoke.account_id, queue_url=f"{queue}-gone")))
            with pytest.raises(SpokeError, match=f"could not be told to go on with run {run_id}"):
                await tell(gone.kit, kept)
            left = await standing(hub, run_id)
            assert left.answer is not None
            assert left.sent_at is None, "nobody shall think that the queue knows"
            assert not await tell(ada.kit, kept), "what was read before is older than what is there"
            assert await tell(ada.kit, left)
    assert len(bodies(aws, queue)) == 1


async def test_an_answer_to_what_ran_through_meanwhile_is_not_sent(
    aws: FakeAws, spoke: Admin, queue: str, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id, queue_url=queue)) as opened:
        hub = asking(opened)
        _, run_id = await waits_for(hub, spoke)
        async with people(aws, hub, "ada") as (ada,):
            kept = await says(ada, run_id)
            await go_on(hub, run_id)
            assert not await tell(ada.kit, kept)
    assert bodies(aws, queue) == []


@given(st.text())
def test_a_reason_is_one_line_that_can_be_shown_anywhere(text: str) -> None:
    try:
        said = reason(text)
    except NotAnswered:
        assert len(text) > LONGEST_REASON or not any(each.isprintable() and each != " " for each in text)
        return
    assert said.isprintable()
    assert said == said.strip()
    assert reason(said) == said
    assert [each for each in text if each.isprintable() and each != " "] == [
        each for each in said if each != " "
    ]


@pytest.mark.parametrize("text", ["", " \n\t", "\x1b\x00", "x" * (LONGEST_REASON + 1)])
def test_no_reason_and_an_endless_one_are_refused(text: str) -> None:
    with pytest.raises(NotAnswered, match="reason"):
        reason(text)


def test_a_reason_of_the_greatest_length_is_kept() -> None:
    assert len(reason("x" * LONGEST_REASON)) == LONGEST_REASON

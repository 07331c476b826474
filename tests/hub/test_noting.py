"""What is noted of a step, how much of it at most, and whose it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bots._aws import AwsError
from hub.aws.merging import Merger, question
from hub.flow.guard import judge
from hub.journals.wire import dumps
from hub.model import Call, Decision, Step, Verdict
from hub.noting import LONGEST_WHY, MOST_CALLS, MOST_READS, MOST_WORDS, Notes, current, noting, with_notes
from tests.hub.guards.test_guards import step
from tests.hub.journals.stores import a_run


def a_call(operation: str = "GetBucketVersioning", number: int = 0) -> Call:
    return Call(1764374065.123, "s3", operation, "eu-west-1", f"request-{number}", 200, "", shared=False)


def the_longest_call() -> Call:
    return Call(1764374065.123, "s" * 40, "Put" + "o" * 60, "r" * 20, "i" * 64, 200, "e" * 64, shared=True)


def notes_of(*operations: str) -> Notes:
    notes = Notes("run-1")
    for number, operation in enumerate(operations):
        notes.call(a_call(operation, number))
    return notes


def test_reads_beyond_measure_are_counted_and_leave_room_for_changes() -> None:
    notes = notes_of(*["ListObjects"] * 500, "PutBucketVersioning", *["ListObjects"] * 5)
    assert [call.operation for call in notes.calls] == [*["ListObjects"] * MOST_READS, "PutBucketVersioning"]
    assert notes.left_out == 500 - MOST_READS + 5


def test_changes_beyond_measure_are_counted() -> None:
    notes = notes_of(*["DeleteObject"] * 250)
    assert (len(notes.calls), notes.left_out) == (MOST_CALLS, 150)


def test_an_answer_is_noted_by_its_request_id_and_status_alone() -> None:
    notes = Notes()
    metadata = {"RequestId": "r" * 500, "HTTPStatusCode": 409, "HTTPHeaders": {"x-secret": "s3cr3t"}}
    notes.sent(
        1.23456,
        "s3",
        "PutObject",
        "eu-west-1",
        answer={"ResponseMetadata": metadata, "Body": "b"},
        error="E" * 99,
    )
    assert notes.calls == [Call(1.235, "s3", "PutObject", "eu-west-1", "r" * 64, 409, "E" * 64, shared=False)]


def test_a_call_nobody_answered_is_noted_without_a_request_id() -> None:
    notes = Notes()
    notes.sent(1.0, "s3", "PutObject", "eu-west-1", error="Network")
    assert notes.calls == [Call(1.0, "s3", "PutObject", "eu-west-1", "", 0, "Network", shared=False)]


def test_a_later_attempt_goes_on_with_what_the_earlier_one_noted() -> None:
    word = Verdict(decision=Decision.GO, guard="mode")
    earlier = a_run(calls=(a_call(number=1),), calls_left_out=7, verdicts=(word,))
    with noting("run-1", earlier) as notes:
        notes.call(a_call(number=2))
        notes.word(word)
        run = with_notes(a_run())
        assert with_notes(run) == run, "asked twice, nothing is noted twice"
    assert [call.request_id for call in run.calls or ()] == ["request-1", "request-2"]
    assert (run.calls_left_out, run.verdicts) == (7, (word,))


def test_a_run_never_gets_the_notes_of_another() -> None:
    with noting("run-2") as notes:
        notes.call(a_call())
        assert with_notes(a_run()) == a_run()
    assert with_notes(a_run()) == a_run()
    assert current() is None


class Says:
    def __init__(self, name: str, verdict: Verdict | None) -> None:
        self.name = name
        self.verdict = verdict

    async def judge(self, step: Step) -> Verdict | None:
        return self.verdict


async def test_every_guard_that_was_asked_has_its_word_in_order() -> None:
    dry = Verdict(decision=Decision.DRY_RUN, guard="b", why="as wished")
    no = Verdict(decision=Decision.REFUSE, guard="c", why="n" * 5000)
    guards = (Says("a", None), Says("b", dry), Says("c", no), Says("d", None))
    with noting("run-1") as notes:
        for _ in range(3):
            assert await judge(guards, step("222233334444")) == no
    go = Verdict(decision=Decision.GO, guard="a")
    assert list(notes.words) == [go, dry, replace(no, why="n" * LONGEST_WHY)]


async def test_words_are_bounded() -> None:
    with noting("run-1") as notes:
        for number in range(500):
            await judge((Says(f"guard {number}", None),), step("222233334444"))
    assert len(notes.words) == MOST_WORDS


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "refused as a whole"])
async def test_a_request_that_answers_several_findings_is_in_the_notes_of_each(fails: bool) -> None:
    merger, gate = Merger(), asyncio.Event()
    sent = 0

    async def send(params: Any) -> dict[str, Any]:
        nonlocal sent
        sent += 1
        number, asked = sent, params()["VpcIds"]
        if number == 1:
            await gate.wait()
        notes = current()
        assert notes is not None
        told = {"ResponseMetadata": {"RequestId": f"r{number}", "HTTPStatusCode": 200}}
        notes.sent(1.0, "ec2", "DescribeVpcs", "eu-west-1", answer=told)
        if fails and number == 2:
            raise AwsError(
                service="ec2",
                operation="DescribeVpcs",
                region="eu-west-1",
                code="InvalidVpcID.NotFound",
                message="one of them",
            )
        return {"Vpcs": [{"VpcId": each} for each in asked], **told}

    async def read(run_id: str, vpc: str) -> list[tuple[str, bool]]:
        asked = question("ec2", "DescribeVpcs", {"VpcIds": [vpc]})
        assert asked is not None
        with noting(run_id) as notes:
            await merger.ask("me", asked, send)
        return [(call.request_id, call.shared) for call in notes.calls]

    first = asyncio.create_task(read("run-0", "vpc-0"))
    await asyncio.sleep(0)
    others = [asyncio.create_task(read(f"run-{n}", f"vpc-{n}")) for n in (1, 2)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(first, *others) == [[("r1", False)], [("r2", True)], [("r2", True)]]


def test_the_most_that_is_noted_takes_little_room() -> None:
    notes = Notes("run-1")
    for number in range(1000):
        notes.call(the_longest_call())
        notes.word(Verdict(decision=Decision.REFUSE, guard=f"guard {number}", why="w" * 5000))
    run = a_run(calls=tuple(notes.calls), calls_left_out=notes.left_out, verdicts=tuple(notes.words))
    assert len(dumps(run)) - len(dumps(a_run())) < 50_000

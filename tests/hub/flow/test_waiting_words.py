"""What the published report says about runs that wait, and about those that went on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.flow.waiting_words import waiting_words
from hub.model import Decision, Outcome, Run, Verdict
from tests.hub.journals.stores import NOON, a_run

LATER = NOON + timedelta(days=7)


def ended(outcome: Outcome | None, *verdicts: Verdict, **more: Any) -> Run:
    return a_run("run-1", outcome=outcome, verdicts=verdicts, **more)


def test_a_run_that_waits_for_a_person_says_until_when_and_how_to_answer() -> None:
    go = Verdict(decision=Decision.GO, guard="scope")
    wait = Verdict(decision=Decision.WAIT, guard="approval", expires_at=LATER)
    assert waiting_words(ended(Outcome.WAITING, go, wait)) == {
        "Waits for": "a person",
        "Waits because of": "approval",
        "Expires at": LATER.isoformat(),
        "How": "hub approve run-1 --because ..., or hub reject run-1 --because ...",
    }


def test_a_run_that_waits_for_a_moment_says_which_and_cannot_be_approved() -> None:
    wait = Verdict(decision=Decision.WAIT, guard="window", until=LATER)
    assert waiting_words(ended(Outcome.WAITING, wait)) == {
        "Waits for": "a moment",
        "Waits because of": "window",
        "Until": LATER.isoformat(),
        "How": "hub reject run-1 --because ...",
    }


def test_of_several_attempts_the_last_word_is_told() -> None:
    words = (
        Verdict(decision=Decision.WAIT, guard="window", until=NOON),
        Verdict(decision=Decision.WAIT, guard="approval", expires_at=LATER),
    )
    assert waiting_words(ended(Outcome.WAITING, *words))["Waits because of"] == "approval"


def test_a_run_that_went_on_says_after_which_and_on_whose_word() -> None:
    wait = Verdict(decision=Decision.WAIT, guard="window", until=NOON)
    assert waiting_words(ended(Outcome.FIXED, wait, resumes="run-0", approved_by="ada")) == {
        "Resumes": "run-0",
        "Approved by": "ada",
    }


def test_any_other_run_says_nothing_of_it() -> None:
    assert waiting_words(ended(Outcome.FIXED)) == {}
    assert waiting_words(ended(None)) == {}

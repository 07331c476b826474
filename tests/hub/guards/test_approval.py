"""Who has to say yes, to what, and whose yes counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots._bot import Risk
from hub.guards.approval import BY_DEFAULT, Approval
from hub.model import Answer, Decision, Step
from hub.rules.guard_model import ApprovalEntry, Where
from tests.hub.guards.steps import NOTHING_KNOWN, NOW, a_proposal, a_step, in_force, word

ADA = "arn:aws:sts::111122223333:assumed-role/Security/ada"
BOB = "arn:aws:sts::111122223333:assumed-role/Platform/bob"
WORKER = "arn:aws:sts::111122223333:assumed-role/hub/worker"
DANGEROUS = "sg_delete is destructive"
PROD = Where(ous=("Workloads/Prod",))


def entry(**more: object) -> ApprovalEntry:
    return ApprovalEntry(**{"line": 7, "comment": "people notice", **more})  # type: ignore[arg-type]


def said(by: str = ADA, *, approved: bool = True, requested_by: str = WORKER) -> Answer:
    return Answer(approved=approved, by=by, because="OPS-17", at=NOW, requested_by=requested_by)


async def test_what_no_entry_is_about_and_no_rule_holds_back_needs_nobody() -> None:
    elsewhere = entry(where=Where(accounts=("999900001111",)))
    guard = Approval(in_force(approvals=(elsewhere,)))
    assert await guard.judge_change(a_proposal()) is None
    proposal = a_proposal()
    await guard.ended(proposal.step, proposal.run)


async def test_what_rules_hold_back_waits_a_week_for_whoever_may() -> None:
    step = replace(a_step(), needs_approval=DANGEROUS)
    found = await Approval(in_force()).judge_change(a_proposal(step))
    assert found is not None
    assert (found.decision, found.until) == (Decision.WAIT, None)
    assert found.expires_at == NOW + timedelta(days=7)
    assert found.why == (
        f"waits for a person: {DANGEROUS}; `hub approve r --because ...` or `hub reject`, until 2026-12-06 12:00 UTC"
    )


async def test_an_entry_has_steps_wait_that_rules_let_run() -> None:
    guard = Approval(in_force(approvals=(entry(expires=timedelta(hours=3)),)))
    found = await guard.judge_change(a_proposal())
    assert found is not None
    assert found.expires_at == NOW + timedelta(hours=3)
    assert "waits for a person: approval (rules.yaml line 7): people notice;" in found.why


@pytest.mark.parametrize(
    ("step", "decision"),
    [
        (a_step(), Decision.WAIT),
        (a_step(facts=NOTHING_KNOWN), Decision.WAIT),
        (a_step(facts=replace(NOTHING_KNOWN, ous=("Sandbox",))), None),
    ],
)
async def test_where_it_cannot_be_known_whether_an_entry_fits_a_person_is_asked(
    step: Step, decision: Decision | None
) -> None:
    guard = Approval(in_force(approvals=(entry(where=PROD),)))
    found = await guard.judge_change(a_proposal(step))
    assert word(found) is decision
    if step.facts.ous is None:
        assert found is not None
        assert "the OUs of account 222233334444 could not be looked up" in found.why


@pytest.mark.parametrize(
    ("asked", "answer", "wrong"),
    [
        (entry(), said(), ""),
        (entry(approvers=("arn:aws:sts::*:assumed-role/Security/*",)), said(), ""),
        (
            entry(approvers=("arn:aws:sts::*:assumed-role/Security/*",)),
            said(BOB),
            "none of those who may approve",
        ),
        (entry(), said(requested_by=ADA), "four eyes"),
        (entry(four_eyes=False), said(requested_by=ADA), ""),
        (entry(), said(approved=False), "no"),
        (entry(), None, "no"),
    ],
)
async def test_only_the_yes_of_a_person_who_may_counts(
    asked: ApprovalEntry, answer: Answer | None, wrong: str
) -> None:
    step = replace(a_step(), answer=answer)
    found = await Approval(in_force(approvals=(asked,))).judge_change(a_proposal(step))
    assert found is not None
    if wrong:
        assert found.decision is Decision.WAIT
        assert wrong == "no" or wrong in found.why
    else:
        assert found.decision is Decision.GO
        assert found.why == f"approved by {ADA}: OPS-17"


async def test_the_first_entry_that_may_fit_says_who_may() -> None:
    strict = entry(approvers=("nobody",), where=PROD)
    guard = Approval(in_force(approvals=(strict, entry(line=9))))
    assert guard.entry_for(a_step()) is strict
    assert guard.entry_for(a_step(facts=NOTHING_KNOWN)) is strict
    assert guard.entry_for(a_step(facts=replace(NOTHING_KNOWN, ous=()))).line == 9
    assert Approval(in_force()).entry_for(a_step()) is BY_DEFAULT


async def test_an_entry_can_be_about_risks() -> None:
    risky = entry(where=Where(risks=("disruptive", "destructive")))
    guard = Approval(in_force(approvals=(risky,)))
    assert word(await guard.judge_change(a_proposal(a_step(risk=Risk.DISRUPTIVE)))) is Decision.WAIT
    assert await guard.judge_change(a_proposal(a_step(risk=Risk.ADDITIVE))) is None


async def test_who_only_asks_is_not_told_to_approve_what_does_not_wait() -> None:
    step = replace(a_step(), needs_approval=DANGEROUS)
    found = await Approval(in_force()).judge_change(replace(a_proposal(step), only_asked=True))
    assert found is not None
    assert (found.decision, found.why) == (Decision.WAIT, f"waits for a person: {DANGEROUS}")

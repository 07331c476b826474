"""Of the accounts that are the hub's, the rules file says where it works and where never."""

from __future__ import annotations

from typing import Literal

import pytest

from hub.guards.scope import Scope
from hub.model import AccountFacts, Decision, Step, Verdict
from hub.rules.guard_model import ScopeEntry, Where
from tests.hub.guards.steps import ACCOUNT, KNOWN, NOTHING_KNOWN, a_step, in_force, word
from tests.hub.guards.test_guards import Known, Organization, settings

HERE, ELSEWHERE, IN_PROD = (
    Where(accounts=(ACCOUNT,)),
    Where(accounts=("111122223333",)),
    Where(ous=("Workloads/Prod",)),
)
Said = tuple[Literal["only", "never"], Where]
DEV = AccountFacts(ous=("Workloads/Dev",))


async def judged(step: Step, *entries: Said) -> Verdict | None:
    told = settings(deployment_mode="multi")
    identity = Known(told)
    found = tuple(
        ScopeEntry(line=line, comment=f"reason {line}", where=where, effect=effect)
        for line, (effect, where) in enumerate(entries, 1)
    )
    return await Scope(in_force(scopes=found), told, identity, Organization(told, identity)).judge(step)


@pytest.mark.parametrize(
    ("entries", "facts", "decision"),
    [
        ((), NOTHING_KNOWN, None),
        ((("only", HERE),), NOTHING_KNOWN, None),
        ((("only", ELSEWHERE),), NOTHING_KNOWN, Decision.REFUSE),
        ((("only", ELSEWHERE), ("only", HERE)), NOTHING_KNOWN, None),
        ((("never", ELSEWHERE),), NOTHING_KNOWN, None),
        ((("never", HERE),), NOTHING_KNOWN, Decision.REFUSE),
        ((("only", HERE), ("never", HERE)), NOTHING_KNOWN, Decision.REFUSE),
        ((("only", IN_PROD),), KNOWN, None),
        ((("only", IN_PROD),), DEV, Decision.REFUSE),
        ((("never", IN_PROD),), KNOWN, Decision.REFUSE),
        ((("never", IN_PROD),), DEV, None),
        # What is not known matters only where the rest does not decide.
        ((("only", IN_PROD),), NOTHING_KNOWN, Decision.UNREACHABLE),
        ((("never", IN_PROD),), NOTHING_KNOWN, Decision.UNREACHABLE),
        ((("only", IN_PROD), ("only", HERE)), NOTHING_KNOWN, None),
        ((("never", IN_PROD), ("never", HERE)), NOTHING_KNOWN, Decision.REFUSE),
        ((("never", IN_PROD), ("only", HERE)), NOTHING_KNOWN, Decision.UNREACHABLE),
        ((("never", IN_PROD), ("only", ELSEWHERE)), NOTHING_KNOWN, Decision.REFUSE),
    ],
)
async def test_one_only_must_fit_and_no_never_may(
    entries: tuple[Said, ...], facts: AccountFacts, decision: Decision | None
) -> None:
    assert word(await judged(a_step(facts=facts), *entries)) is decision


async def test_the_word_names_the_entries_and_what_to_do() -> None:
    never = await judged(a_step(), ("only", HERE), ("never", HERE))
    assert never is not None
    assert never.why == (
        "the hub is kept out of here by scope (rules.yaml line 2): reason 2; "
        "have the entry changed to get this fixed"
    )
    only = await judged(a_step(), ("only", ELSEWHERE), ("never", ELSEWHERE), ("only", ELSEWHERE))
    assert only is not None
    assert "and none does (rules.yaml line 1, 3); add one" in only.why
    unknown = await judged(a_step(facts=NOTHING_KNOWN), ("never", IN_PROD))
    assert unknown is not None
    assert unknown.why.startswith(
        "the OUs of account 222233334444 could not be looked up, so nobody can tell"
    )


async def test_an_account_that_is_not_the_hubs_is_refused_whatever_the_rules_say() -> None:
    assert word(await judged(a_step(account="999900001111"), ("only", Where()))) is Decision.INVALID

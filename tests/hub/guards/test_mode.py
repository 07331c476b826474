"""The hub is off, looks only, or fixes: as the first entry says that fits, and never more than anybody else allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bots._bot import Params
from hub.guards.mode import Mode
from hub.model import AccountFacts, Decision, Step, Verdict
from hub.rules.guard_model import ModeEntry, ModeWord, Where
from tests.hub.guards.steps import ACCOUNT, NOTHING_KNOWN, a_step, in_force, word

OFF, DRY_RUN, ON = ModeWord.OFF, ModeWord.DRY_RUN, ModeWord.ON
HERE, ELSEWHERE, IN_PROD = Where(accounts=(ACCOUNT,)), Where(accounts=("111122223333",)), Where(ous=("Prod",))


class DryRunWish(Params):
    dry_run: bool = False


def mode(*entries: tuple[ModeWord, Where], dry_run: bool = False) -> Mode:
    found = tuple(
        ModeEntry(line=line, comment=f"reason {line}", where=where, mode=said)
        for line, (said, where) in enumerate(entries, 1)
    )
    return Mode(in_force(modes=found), dry_run=dry_run)


async def judged(step: Step, *entries: tuple[ModeWord, Where], dry_run: bool = False) -> Verdict | None:
    return await mode(*entries, dry_run=dry_run).judge(step)


@pytest.mark.parametrize(
    ("entries", "decision"),
    [
        ((), None),
        (((OFF, ELSEWHERE),), None),
        (((OFF, HERE),), Decision.REFUSE),
        (((DRY_RUN, HERE),), Decision.DRY_RUN),
        (((ON, HERE),), None),
        (((ON, HERE), (OFF, Where())), None),
        (((OFF, HERE), (ON, Where())), Decision.REFUSE),
        (((ON, ELSEWHERE), (DRY_RUN, Where())), Decision.DRY_RUN),
    ],
)
async def test_the_first_entry_that_fits_decides(
    entries: tuple[tuple[ModeWord, Where], ...], decision: Decision | None
) -> None:
    assert word(await judged(a_step(), *entries)) is decision


@pytest.mark.parametrize(
    ("entries", "decision"),
    [
        (((OFF, IN_PROD), (ON, Where())), Decision.REFUSE),
        (((DRY_RUN, IN_PROD), (ON, Where())), Decision.DRY_RUN),
        (((DRY_RUN, IN_PROD), (OFF, Where())), Decision.REFUSE),
        (((ON, IN_PROD), (OFF, Where())), Decision.REFUSE),
        (((ON, IN_PROD), (DRY_RUN, Where())), Decision.DRY_RUN),
        (((ON, IN_PROD),), None),
        (((ON, HERE), (OFF, IN_PROD)), None),
    ],
)
async def test_of_words_that_may_be_right_the_most_careful_counts(
    entries: tuple[tuple[ModeWord, Where], ...], decision: Decision | None
) -> None:
    assert word(await judged(a_step(facts=NOTHING_KNOWN), *entries)) is decision
    elsewhere = AccountFacts(ous=("Dev",), tags={})
    known = word(await judged(a_step(facts=elsewhere), *entries))
    assert known is word(await judged(a_step(facts=elsewhere), *(e for e in entries if e[1] is not IN_PROD)))


async def test_the_hubs_dry_run_makes_every_on_a_dry_run_and_leaves_off_off() -> None:
    for entries in ((), ((ON, HERE),)):
        found = await judged(a_step(), *entries, dry_run=True)
        assert found is not None
        assert (found.decision, found.why) == (Decision.DRY_RUN, "the hub is in dry run (HUB_DRY_RUN)")
    assert word(await judged(a_step(), (OFF, HERE), dry_run=True)) is Decision.REFUSE


async def test_a_finding_may_ask_for_a_dry_run_itself_where_the_hub_is_not_off() -> None:
    asked = replace(a_step(), params=DryRunWish(dry_run=True))
    found = await judged(asked, (ON, HERE))
    assert found == Verdict(decision=Decision.DRY_RUN, guard="mode", why="the finding asks for a dry run")
    assert word(await judged(asked, (OFF, HERE))) is Decision.REFUSE
    assert await judged(replace(asked, params=DryRunWish())) is None


async def test_the_word_names_the_entry_its_reason_and_what_to_do() -> None:
    off = await judged(a_step(), (ON, ELSEWHERE), (OFF, HERE))
    assert off is not None
    assert off.why == (
        "the hub is off here: mode (rules.yaml line 2): reason 2; have the entry changed to get this fixed, "
        "and send the finding again"
    )
    looks = await judged(a_step(facts=NOTHING_KNOWN), (DRY_RUN, IN_PROD))
    assert looks is not None
    assert looks.why == (
        "the hub only looks here: mode (rules.yaml line 1) says so for some accounts, and the OUs of account "
        "222233334444 could not be looked up, so it counts: reason 1"
    )

"""A resource or an account is left alone until the end of a day, as the rules file or a tag says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._aws import Aws
from bots._bot import Target
from hub.guards.exempt import Exempt, ExemptNow
from hub.guards.tags_now import TagsNow
from hub.model import AccountFacts, Decision, Step, Verdict
from hub.rules.guard_model import Exemption, Where
from spoke_role.tags import EXEMPT_TAG
from tests.hub.guards.steps import (
    ASKING,
    KNOWN,
    NOTHING_KNOWN,
    NOW,
    a_proposal,
    a_step,
    in_force,
    tagged,
    word,
)

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


def exemption(until: date = TODAY, **more: Any) -> Exemption:
    return Exemption(line=4, comment="moves in spring", until=until, **more)


async def judged(
    step: Step, *entries: Exemption, now: datetime = NOW, account_tags: bool = True
) -> Verdict | None:
    guard = Exempt(in_force(exemptions=entries), lambda: now, account_tags=account_tags)
    return await guard.judge(step)


def with_tag(value: str, key: str = EXEMPT_TAG) -> Step:
    return a_step(
        entity={"id": "data", "tags": [{"key": "team", "value": "a"}, {"key": key, "value": value}]}
    )


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ({}, True),
        ({"entity_ids": ("data",)}, True),
        ({"entity_ids": ("DATA",)}, False),
        ({"entity_ids": ("log*",)}, False),
        ({"entity_names": ("D*",)}, True),
        ({"entity_names": ("data",)}, False),
        ({"entity_types": ("s3bucket",)}, True),
        ({"entity_types": ("aws::s3::bucket",)}, True),
        ({"entity_types": ("Role",)}, False),
        ({"entity_tags": (("ENV", ("prod",)),)}, True),
        ({"entity_tags": (("env", ("dev",)),)}, False),
        ({"entity_ids": ("data",), "entity_tags": (("env", ("dev",)),)}, False),
        ({"entity_ids": ("data",), "where": Where(regions=("us-*",))}, False),
    ],
)
async def test_an_exemption_is_about_resources_as_rules_are(asked: dict[str, Any], met: bool) -> None:
    step = a_step(entity={"id": "data", "name": "Data", "type": "S3Bucket", "tags": {"Env": "prod"}})
    assert word(await judged(step, exemption(**asked))) is (Decision.REFUSE if met else None)


@pytest.mark.parametrize("asked", [{"entity_ids": ("arn:role/app",)}, {"entity_names": ("app",)}])
async def test_what_a_look_found_is_exempt_like_what_a_finding_names(asked: dict[str, Any]) -> None:
    step = a_step(entity={"id": None, "type": 7})
    assert step.target is not None
    there = replace(step, target=replace(step.target, id="arn:role/app", name="app"))
    assert word(await judged(there, exemption(**asked))) is Decision.REFUSE
    assert await judged(step, exemption(**asked)) is None


async def test_the_word_names_reason_expiry_and_place() -> None:
    found = await judged(a_step(), exemption(until=date(2026, 12, 31)))
    assert found == Verdict(
        decision=Decision.REFUSE,
        guard="exempt",
        why="data is exempt until the end of 2026-12-31 (UTC) by exemptions (rules.yaml line 4): moves in spring; "
        "take the entry out to have it fixed before",
    )


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (KNOWN, Decision.REFUSE),
        (AccountFacts(ous=("Dev",), tags={}), None),
        (AccountFacts(tags={}), Decision.UNREACHABLE),
    ],
)
async def test_an_exemption_that_cannot_be_judged_holds_the_step(
    facts: AccountFacts, decision: Decision | None
) -> None:
    entry = exemption(where=Where(ous=("Workloads",)))
    assert word(await judged(a_step(facts=facts), entry)) is decision
    assert await judged(a_step(facts=facts), replace(entry, until=YESTERDAY)) is None


async def test_one_that_surely_fits_wins_over_one_nobody_can_judge() -> None:
    maybe = exemption(where=Where(ous=("Workloads",)))
    assert word(await judged(a_step(facts=NOTHING_KNOWN), maybe, exemption())) is Decision.REFUSE


@pytest.mark.parametrize(
    "value", ["2026-11-29", " 2026-11-29 moves", "2026-12-01: moves", "9999-12-31 never"]
)
@pytest.mark.parametrize("key", [EXEMPT_TAG, "Remediation-Hub:Exempt-Until"])
async def test_a_tag_on_the_resource_exempts_it_until_its_day_is_over(key: str, value: str) -> None:
    found = await judged(with_tag(value, key))
    assert found is not None
    assert found.decision is Decision.REFUSE
    assert found.why.startswith(
        f"data carries the tag {key}={value!r}, so the hub leaves it alone until the end"
    )


@pytest.mark.parametrize("value", ["2026-11-28", "2026-11-28 moves", "0001-01-01"])
async def test_a_tag_whose_day_is_over_exempts_no_longer(value: str) -> None:
    assert await judged(with_tag(value)) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "true",
        "31.12.2026",
        "2026-02-30 moves",
        "2026-1-1",
        "until 2026-12-31",
        "2026-12-310",
        "²026-12-31",
    ],
)
async def test_a_tag_that_cannot_be_read_leaves_the_resource_alone_and_says_how_to_write_it(
    value: str,
) -> None:
    found = await judged(with_tag(value))
    assert found is not None
    assert found.decision is Decision.REFUSE
    assert "write it as in '2026-12-31 migration under way'" in found.why


@pytest.mark.parametrize(
    ("tags", "account_tags", "decision"),
    [
        ({EXEMPT_TAG: "2026-12-31 being closed"}, True, Decision.REFUSE),
        ({EXEMPT_TAG: "soon"}, True, Decision.REFUSE),
        ({EXEMPT_TAG: "2026-01-01"}, True, None),
        ({}, True, None),
        # Where nobody looks the tags up, an account has none.
        (None, True, Decision.UNREACHABLE),
        (None, False, None),
    ],
)
async def test_a_tag_on_the_account_exempts_all_that_is_in_it(
    tags: dict[str, str] | None, account_tags: bool, decision: Decision | None
) -> None:
    step = a_step(facts=AccountFacts(ous=(), tags=tags))
    found = await Exempt(ASKING, lambda: NOW, account_tags=account_tags).judge(step)
    assert word(found) is decision
    assert found is None or "account 222233334444" in found.why


async def test_a_file_without_exemptions_asks_for_no_tags_of_accounts() -> None:
    assert await judged(a_step(facts=NOTHING_KNOWN), account_tags=True) is None


async def test_what_is_not_known_of_the_account_does_not_hide_that_the_resource_is_exempt() -> None:
    tagged_resource = replace(with_tag("2026-12-31"), facts=NOTHING_KNOWN)
    assert word(await judged(tagged_resource)) is Decision.REFUSE


DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@given(
    DAYS,
    st.integers(-3 * 86400, 3 * 86400),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
async def test_a_day_ends_at_midnight_utc_whatever_the_clock_of_who_asks(
    until: date, seconds: int, zone: timezone
) -> None:
    over = datetime.combine(until + timedelta(days=1), time(), UTC)
    now = (over + timedelta(seconds=seconds)).astimezone(zone)
    wanted = Decision.REFUSE if now < over else None
    assert word(await judged(a_step(), exemption(until), now=now)) is wanted
    assert word(await judged(with_tag(f"{until} moves"), now=now)) is wanted
    live = ExemptNow(TagsNow(ASKING, tagged({EXEMPT_TAG: f"{until}"})))
    assert word(await live.judge_change(a_proposal(now=now))) is wanted


@given(st.text(max_size=20))
async def test_a_tag_that_names_no_day_always_holds(value: str) -> None:
    try:
        date.fromisoformat(value.strip()[:10])
    except ValueError:
        assert word(await judged(with_tag(value))) is Decision.REFUSE


@pytest.mark.parametrize(
    ("live", "decision"),
    [
        ({EXEMPT_TAG: "2026-12-31 moves"}, Decision.REFUSE),
        ({EXEMPT_TAG: "soon"}, Decision.REFUSE),
        ({EXEMPT_TAG: "2026-11-01 moved"}, None),
        ({"team": "a"}, None),
        ({}, None),
        (None, None),
    ],
)
async def test_the_tag_as_it_is_now_counts_before_a_change(
    live: dict[str, str] | None, decision: Decision | None
) -> None:
    guard = ExemptNow(TagsNow(ASKING, tagged(live)))
    proposal = a_proposal()
    found = await guard.judge_change(proposal)
    assert word(found) is decision
    assert found is None or found.guard == guard.name
    await guard.ended(proposal.step, proposal.run)


async def test_live_tags_are_asked_once_for_a_change_and_anew_for_the_next() -> None:
    asked: list[Target] = []

    async def read(_: Aws, target: Target) -> Mapping[str, str] | None:
        asked.append(target)
        return {"n": str(len(asked))}

    tags_now = TagsNow(ASKING, read)
    first = a_proposal(a_step(region="us-east-1"), region="eu-west-1", target_id="found")
    assert await tags_now.of(first) == await tags_now.of(first) == {"n": "1"}
    assert [(target.id, target.region) for target in asked] == [("found", "eu-west-1")]
    assert await tags_now.of(replace(first)) == {"n": "2"}


async def test_live_tags_of_ever_more_changes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.guards.tags_now.REMEMBERED", 2)
    asked: list[Target] = []

    async def read(_: Aws, target: Target) -> Mapping[str, str] | None:
        asked.append(target)
        return {}

    tags_now = TagsNow(ASKING, read)
    proposals = [a_proposal() for _ in range(3)]
    for proposal in proposals:
        await tags_now.of(proposal)
    await tags_now.of(proposals[2])
    await tags_now.of(proposals[1])
    assert len(asked) == 3
    await tags_now.of(proposals[0])
    assert len(asked) == 4


async def test_no_call_is_spent_on_live_tags_where_the_rules_say_nothing_of_exemptions_or_owners() -> None:
    asked: list[Target] = []

    async def read(_: Aws, target: Target) -> Mapping[str, str] | None:
        asked.append(target)
        return {EXEMPT_TAG: "2999-01-01 for ever"}

    proposal = a_proposal()
    assert await ExemptNow(TagsNow(in_force(), read)).judge_change(proposal) is None
    assert asked == []
    assert word(await ExemptNow(TagsNow(ASKING, read)).judge_change(proposal)) is Decision.REFUSE
    assert len(asked) == 1

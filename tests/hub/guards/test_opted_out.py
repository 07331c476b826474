"""A resource whose owner keeps the hub off by a tag is refused by what the finding says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.app import open_hub
from hub.guards.opted_out import OptedOut, OptedOutNow
from hub.guards.tags_now import TagsNow
from hub.model import Decision, Finding, Outcome, Step
from tests.conftest import MakeSettings
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws
from tests.hub.guards.steps import ASKING, a_proposal, tagged, word
from tests.hub.guards.test_guards import step
from tests.hub.messages import message

KEY = "remediation-hub:opt-out"


def about(**entity: Any) -> Step:
    finding = Finding(
        dialect="cloudguard",
        occurrence="o",
        key="k",
        passed=False,
        account_id="222233334444",
        entity={"id": "data", **entity},
    )
    return replace(step(), finding=finding)


@pytest.mark.parametrize(
    "entity",
    [
        {"tags": [{"key": "owner", "value": "team"}, {"key": KEY, "value": "true"}]},
        {"tags": [{"Key": KEY, "Value": "True"}]},
        {"Tags": [{"Key": "Remediation-Hub:Opt-Out", "Value": "TRUE"}]},
        {"tags": {KEY: "true"}},
        {"tags": {KEY: True}},
    ],
)
async def test_the_tag_is_known_however_the_scanner_writes_it(entity: dict[str, Any]) -> None:
    verdict = await OptedOut().judge(about(**entity))
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE
    assert "take the tag off" in verdict.why


@pytest.mark.parametrize(
    "entity",
    [
        {},
        {"tags": None},
        {"tags": []},
        {"tags": "remediation-hub:opt-out=true"},
        {"tags": [None, "x", {"key": KEY}]},
        {"tags": [{"key": KEY, "value": "false"}]},
        {"tags": [{"key": "opt-out", "value": "true"}]},
        {"tags": {KEY: ""}},
        # The network's tag is not the group's.
        {"tags": [], "vpc": {"tags": [{"key": KEY, "value": "true"}]}},
    ],
)
async def test_everything_else_is_not_the_tag(entity: dict[str, Any]) -> None:
    assert await OptedOut().judge(about(**entity)) is None


async def test_a_finding_about_an_opted_out_resource_is_refused_without_entering_the_account(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = aws.fresh_account()
    before = len(aws.calls(HUB_ACCOUNT))
    tagged = message(
        spoke.account_id, "s3_enable_versioning", id="data", tags=[{"key": KEY, "value": "true"}]
    )
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        report = await hub.settle(tagged)
    assert report is not None
    [run] = report.runs
    assert (run.outcome, run.changed) == (Outcome.REFUSED, False)
    assert f"data carries the tag {KEY}=true" in run.message
    assert aws.calls(spoke.account_id) == ()
    assert {call.name for call in aws.calls(HUB_ACCOUNT)[before:]} <= {"sts:GetCallerIdentity"}


@pytest.mark.parametrize(
    ("live", "decision"),
    [({KEY: "True "}, Decision.REFUSE), ({KEY: "false", "a": "b"}, None), ({}, None), (None, None)],
)
async def test_the_tag_as_it_is_now_counts_before_a_change(
    live: dict[str, str] | None, decision: Decision | None
) -> None:
    guard = OptedOutNow(TagsNow(ASKING, tagged(live)))
    proposal = a_proposal()
    found = await guard.judge_change(proposal)
    assert word(found) is decision
    assert found is None or (found.guard == "opted out now" and found.why.startswith("data carries the tag"))
    await guard.ended(proposal.step, proposal.run)

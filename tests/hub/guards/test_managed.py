"""What a tool owns is fixed, fixed with a warning, or only reported, as the rules file says; tags tell the owner."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from hub.guards.managed import ManagedResources
from hub.guards.tags_now import TagsNow
from hub.model import AccountFacts, Decision, Verdict
from hub.rules.guard_model import Managed, Where
from tests.hub.guards.steps import ACCOUNT, ASKING, NOTHING_KNOWN, a_proposal, a_step, in_force, tagged, word

STACK = {
    "aws:cloudformation:stack-name": "shop",
    "aws:cloudformation:stack-id": "arn:aws:cloudformation:x/shop",
}
TERRAFORM = {"ManagedBy": "Terraform"}
IN_PROD, ELSEWHERE = Where(ous=("Prod",)), Where(accounts=("111122223333",))
Then = Literal["fix", "warn", "report"]


def entry(then: Then = "report", line: int = 3, **more: Any) -> Managed:
    return Managed(line=line, comment="drift hurts", then=then, **more)


async def judged(
    live: dict[str, str] | None,
    *entries: Managed,
    entity: dict[str, Any] | None = None,
    facts: AccountFacts = NOTHING_KNOWN,
) -> Verdict | None:
    guard = ManagedResources(in_force(managed=entries), TagsNow(ASKING, tagged(live)))
    proposal = a_proposal(a_step(facts=facts, entity=entity))
    await guard.ended(proposal.step, proposal.run)
    return await guard.judge_change(proposal)


@pytest.mark.parametrize(
    "tags",
    [
        {"terraform": "true"},
        {"Terraform": "infra/prod"},
        {"terraform_managed": ""},
        {"managed_by": "terraform"},
        {"ManagedBy": " Terraform "},
        {"managed-by": "terraform-cloud"},
        {"Managed By": "OpenTofu 1.8"},
        {"provisioner": "terragrunt"},
        {"tf-workspace": "prod"},
        {"terraform:module": "vpc"},
        {"IaC": "Terraform"},
        {"team": "a", "CreatedBy": "terraform"},
    ],
)
async def test_terraform_is_known_by_what_people_tag(tags: dict[str, str]) -> None:
    assert word(await judged(tags, entry(by="terraform"))) is Decision.REFUSE
    assert await judged(tags, entry(by="cloudformation")) is None


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"terraform": "false"},
        {"Terraform": "No"},
        {"managed_by": "ada"},
        {"managed_by": "not terraform"},
        {"Name": "terraform"},
        {"project": "terraform"},
        {"Name": "terraform-state"},
        STACK,
    ],
)
async def test_other_tags_do_not_tell_of_terraform(tags: dict[str, str]) -> None:
    assert await judged(tags, entry(by="terraform")) is None


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (STACK, "shop"),
        ({"aws:cloudformation:stack-name": "shop"}, "shop"),
        ({"aws:cloudformation:stack-id": "arn:aws:cloudformation:x/shop"}, "arn:aws:cloudformation:x/shop"),
    ],
)
async def test_a_stack_is_named_by_its_own_tags(tags: dict[str, str], name: str) -> None:
    found = await judged(tags, entry(by="cloudformation"))
    assert found is not None
    assert f"data belongs to CloudFormation stack {name}, whose next run" in found.why


@pytest.mark.parametrize(
    ("asked", "tags", "met"),
    [
        ({}, STACK, True),
        ({}, TERRAFORM, True),
        ({}, {"team": "a"}, False),
        ({"tags": (("Pulumi:Project", ("*",)),)}, {"pulumi:project": "shop"}, True),
        ({"tags": (("pulumi", ("x",)), ("team", ("a*",)))}, {"team": "ab"}, True),
        ({"tags": (("pulumi", ("x",)),)}, {"pulumi": "X"}, False),
        # Who names tags only does not mean the tools the hub knows.
        ({"tags": (("pulumi", ("x",)),)}, STACK, False),
        ({"by": "terraform", "tags": (("state", ("*",)),)}, {"state": "s3"}, True),
        ({"by": "terraform", "tags": (("state", ("*",)),)}, TERRAFORM, True),
        ({"by": "terraform", "tags": (("state", ("*",)),)}, STACK, False),
        ({"where": ELSEWHERE}, STACK, False),
    ],
)
async def test_an_entry_is_about_a_tool_or_tags_or_both_or_any_tool(
    asked: dict[str, Any], tags: dict[str, str], met: bool
) -> None:
    assert word(await judged(tags, entry(**asked))) is (Decision.REFUSE if met else None)


async def test_without_an_entry_nothing_is_said_and_nobody_asked() -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    for entries in ((), (entry(where=ELSEWHERE),)):
        guard = ManagedResources(in_force(managed=entries), TagsNow(ASKING, never))
        assert await guard.judge_change(a_proposal()) is None


async def test_the_words_say_whose_it_is_who_decided_and_what_to_do() -> None:
    report = await judged(TERRAFORM, entry("report"))
    assert report == Verdict(
        decision=Decision.REFUSE,
        guard="managed",
        why="data belongs to Terraform (tag ManagedBy='Terraform'), whose next run would take any fix back; "
        "change it in its code; managed (rules.yaml line 3): drift hurts",
    )
    warn = await judged({"pulumi": "x"}, entry("warn", tags=(("pulumi", ("*",)),)))
    assert warn == Verdict(
        decision=Decision.GO,
        guard="managed",
        why="data belongs to whoever set its tag pulumi, whose next run may take the fix back; change it in its "
        "code too; managed (rules.yaml line 3): drift hurts",
    )
    assert await judged(TERRAFORM, entry("fix")) is None


async def test_the_first_entry_about_step_and_owner_decides() -> None:
    stacks, rest = entry("fix", by="cloudformation"), entry("report", line=4)
    assert await judged(STACK, stacks, rest) is None
    assert word(await judged(TERRAFORM, stacks, rest)) is Decision.REFUSE
    assert word(await judged(TERRAFORM, entry("warn", where=Where(accounts=(ACCOUNT,))), rest)) is Decision.GO


@pytest.mark.parametrize(
    ("entries", "decision"),
    [
        ((entry("report", where=IN_PROD),), Decision.UNREACHABLE),
        ((entry("report", where=IN_PROD), entry("fix")), Decision.UNREACHABLE),
        ((entry("fix", where=IN_PROD), entry("report")), Decision.UNREACHABLE),
        ((entry("report", where=IN_PROD), entry("report")), Decision.REFUSE),
        ((entry("warn", where=IN_PROD), entry("fix")), Decision.GO),
        ((entry("fix", where=IN_PROD),), None),
    ],
)
async def test_where_nobody_knows_which_entry_decides_the_most_careful_word_counts(
    entries: tuple[Managed, ...], decision: Decision | None
) -> None:
    found = await judged(STACK, *entries)
    assert word(found) is decision
    if decision is Decision.UNREACHABLE:
        assert found is not None
        assert "the OUs of account 222233334444 could not be looked up" in found.why


async def test_the_findings_copy_of_the_tags_is_asked_only_where_the_live_ones_cannot_be_known() -> None:
    entity = {"id": "data", "tags": [{"key": "ManagedBy", "value": "Terraform"}]}
    assert word(await judged(None, entry(), entity=entity)) is Decision.REFUSE
    assert await judged({}, entry(), entity=entity) is None

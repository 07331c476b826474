"""Steps, proposals and rules as the tests of guards write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

from bots._aws import Aws
from bots._bot import NoParams, Risk, Target
from bots._catalogue import bot_named
from hub.guards import CurrentRules, Proposal
from hub.guards.tags_now import LiveTags
from hub.model import AccountFacts, Action, Decision, Finding, Run, Step, Verdict
from hub.rules.guard_model import Exemption, GuardRules, Where

ACCOUNT = "222233334444"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KNOWN = AccountFacts(ous=("r-ab12", "ou-ab12-work", "Workloads", "ou-ab12-prod", "Workloads/Prod"), tags={})
NOTHING_KNOWN = AccountFacts()


def a_step(
    *,
    account: str = ACCOUNT,
    region: str = "eu-central-1",
    bot: str = "s3_enable_versioning",
    risk: Risk | None = None,
    facts: AccountFacts = KNOWN,
    entity: Mapping[str, Any] | None = None,
) -> Step:
    """A step about the bucket ``data``."""
    found = bot_named(bot)
    finding = Finding(
        dialect="cloudguard",
        occurrence="o",
        key="k",
        passed=False,
        account_id=account,
        entity={"id": "data", "name": "Data", "type": "S3Bucket"} if entity is None else entity,
    )
    return Step(
        run_id="r",
        finding=finding,
        action=Action(bot=bot),
        bot=found if risk is None else replace(found, risk=risk),
        params=NoParams(),
        target=Target(account_id=account, region=region, partition="aws", type=found.acts_on, id="data"),
        facts=facts,
    )


def a_proposal(
    step: Step | None = None, *, now: datetime = NOW, region: str = "", target_id: str = ""
) -> Proposal:
    """A change of a step's resource, by default the one that the finding names and where it says that it is."""
    step = step or a_step()
    assert step.target is not None
    run = Run(
        run_id=step.run_id,
        occurrence="o",
        finding_key="k",
        account_id=step.finding.account_id,
        region=region or step.target.region,
        target_id=target_id,
        bot=step.action.bot,
        opened_at=now,
    )
    # No guard here calls AWS itself.
    return Proposal(step=step, run=run, now=now, account=cast("Aws", None))


def in_force(**sections: Any) -> CurrentRules:
    """Rules that stay."""
    rules = GuardRules(file="rules.yaml", **sections)
    return lambda: rules


ASKING = in_force(
    exemptions=(
        Exemption(
            line=1, comment="of others", until=date(2999, 1, 1), where=Where(accounts=("999900001111",))
        ),
    )
)
"""Rules that make it worth while to look up the tags that resources have now, and say nothing about any here."""


def word(verdict: Verdict | None) -> Decision | None:
    return None if verdict is None else verdict.decision


def tagged(tags: Mapping[str, str] | None) -> LiveTags:
    """Tells these tags of every resource."""

    async def read(_: Aws, __: Target) -> Mapping[str, str] | None:
        return tags

    return read

"""Rules and guards over findings: how many a core decides against 500 rules, guards' entries and 1,000 accounts."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from benchmarks.figure import Figure
from bots._catalogue import Catalogue
from hub.aws.account import utc_now
from hub.aws.accounts import HubIdentity
from hub.aws.directory import Directory
from hub.flow.plan import plan
from hub.guards import Guard
from hub.guards.exempt import Exempt
from hub.guards.mode import Mode
from hub.guards.opted_out import OptedOut
from hub.guards.optional import Optional
from hub.guards.ruled_out import RuledOut
from hub.guards.scope import Scope
from hub.model import AccountFacts, Action, Finding, Step
from hub.rules.decide import Decider
from hub.rules.guard_model import Exemption, GuardRules, ModeEntry, ModeWord, ScopeEntry, Where
from hub.rules.model import RuleSet
from hub.rules.reading import read
from hub.settings import Settings
from tests.emulator.running import Emulator

RULES = 500
MODES, SCOPES, EXEMPTIONS = 24, 12, 48
ACCOUNTS = tuple(f"{number:012d}" for number in range(100_000_000_000, 100_000_001_000))
FINDINGS = 20_000
WANTED = 5_000
ROUNDS = 3
BOTS = ("s3_enable_versioning", "s3_enable_encryption s3", "sqs_enforce_sse", "kms_enable_rotation")
REGIONS = ("us-east-1", "us_west_2", "eu-central-1", "Ireland", "ap-southeast-2")
FACTS = {
    account: AccountFacts(
        ous=("r-ab12", "ou-ab12-w", "Workloads", f"ou-ab12-{number % 40}", f"Workloads/Team{number % 40}"),
        tags={"stage": "prod" if number % 3 else "dev", "team": f"team-{number % 40}"},
    )
    for number, account in enumerate(ACCOUNTS)
}


def figures(emulator: Emulator) -> Iterator[Figure]:  # noqa: ARG001 - pure: nothing is called
    dice = random.Random(7)
    text = json.dumps({"version": 1, "rules": [_rule(dice, number) for number in range(RULES)]})
    started = time.process_time()
    reading = read(text, file="rules.yaml", catalogue=Catalogue())
    read_in = time.process_time() - started
    assert reading.rules is not None, reading.text
    took, due = min(_decided(reading.rules, dice) for _ in range(ROUNDS))
    yield Figure(
        name="Rules over findings",
        value=f"{FINDINGS / took:,.0f} findings a CPU-s against {RULES} rules, {len(ACCOUNTS):,} accounts",
        floor=f"{WANTED:,} a second and core, which is asked for",
        ratio=WANTED * took / FINDINGS,
        target=1.0,
        note=f"{due / FINDINGS:.1f} bots a finding decided; the file is read in {read_in:.2f} s",
    )
    entries = _entries(dice)
    took, steps, kept = min(_judged(reading.rules, entries, dice) for _ in range(ROUNDS))
    yield Figure(
        name="Rules and guards over findings",
        value=f"{FINDINGS / took:,.0f} findings a CPU-s against {RULES} rules, {MODES + SCOPES + EXEMPTIONS} entries "
        f"of guards, {len(ACCOUNTS):,} accounts",
        floor=f"{WANTED:,} a second and core, which is asked for",
        ratio=WANTED * took / FINDINGS,
        target=1.0,
        note=f"{steps:,} steps judged, of which guards held {kept:,} back",
    )


def _decided(rules: RuleSet, dice: random.Random) -> tuple[float, int]:
    """CPU seconds for findings of all accounts in any order, nothing remembered of them before; bots decided."""
    decider = Decider(rules, Catalogue())
    findings = [_finding(dice, number) for number in range(FINDINGS)]
    started = time.process_time()
    due = sum(len(decider.decide(finding, FACTS[finding.account_id])) for finding in findings)
    return time.process_time() - started, due


def _judged(rules: RuleSet, entries: GuardRules, dice: random.Random) -> tuple[float, int, int]:
    """CPU seconds to decide and to judge what is due; how many steps that was, and how many were held back."""
    catalogue, settings = Catalogue(), Settings.load(deployment_mode="multi", accounts=ACCOUNTS)
    decider, identity = Decider(rules, catalogue), HubIdentity(settings)
    guards: Sequence[Guard] = (
        RuledOut(),
        OptedOut(),
        Scope(lambda: entries, settings, identity, Directory(settings, identity)),
        Optional(settings.optional_bots),
        Exempt(lambda: entries, utc_now, account_tags=True),
        Mode(lambda: entries, dry_run=False),
    )
    # Each names a bot, so that there is a step for the guards to judge.
    findings = [_finding(dice, 2 * number + 1) for number in range(FINDINGS)]
    started = time.process_time()
    decided = [decider.decide(finding, FACTS[finding.account_id]) for finding in findings]
    deciding = time.process_time() - started
    steps = [
        replace(step, facts=FACTS[finding.account_id])
        for finding, due in zip(findings, decided, strict=True)
        for step in plan(finding, due, partition="aws", catalogue=catalogue)
    ]

    async def all_of_them() -> tuple[float, int]:
        started = time.process_time()
        held = sum([await _held(guards, step) for step in steps])
        return time.process_time() - started, held

    judging, held = asyncio.run(all_of_them())
    return deciding + judging, len(steps), held


async def _held(guards: Sequence[Guard], step: Step) -> bool:
    for guard in guards:
        if await guard.judge(step) is not None:
            return True
    return False


def _entries(dice: random.Random) -> GuardRules:
    """Entries as people have them: some accounts, an OU, a tag; resources by pattern of name or by tag."""
    return GuardRules(
        file="rules.yaml",
        modes=tuple(
            ModeEntry(
                line=line, comment="as measured", where=_where(dice, line), mode=list(ModeWord)[line % 3]
            )
            for line in range(MODES)
        ),
        scopes=(
            ScopeEntry(line=1, comment="as measured", where=Where(ous=("Workloads",)), effect="only"),
            *(
                ScopeEntry(line=line, comment="as measured", where=_where(dice, line), effect="never")
                for line in range(1, SCOPES)
            ),
        ),
        exemptions=tuple(
            Exemption(
                line=line,
                comment="as measured",
                until=date(2099, 12, 31),
                where=_where(dice, line) if line % 2 else Where(),
                entity_names=(f"*-{line}7", f"legacy-{line}*") if line % 4 else (),
                entity_tags=() if line % 4 else (("keep", (f"{line}*",)),),
            )
            for line in range(EXEMPTIONS)
        ),
    )


def _where(dice: random.Random, number: int) -> Where:
    match number % 4:
        case 0:
            return Where(accounts=tuple(dice.sample(ACCOUNTS, 20)), regions=("us-*",))
        case 1:
            return Where(ous=(f"Workloads/Team{number}",), bots=("s3_*", "kms_*"))
        case 2:
            return Where(account_tags=(("team", (f"team-{number}", "legacy-*")),))
        case _:
            return Where(bots=("sqs_*",), regions=("eu-*",), ous=(f"*/Team1{number}",))


def _rule(dice: random.Random, number: int) -> dict[str, object]:
    """Rules as people have them: most about a rule by name, many about some accounts, some with patterns of names."""
    match: dict[str, object] = {"rule": f"Rule {number % 300}" if number % 5 else f"*{number % 300}"}
    if number % 2:
        match["accounts"] = dice.sample(ACCOUNTS, 40)
    if number % 3 == 0:
        match["regions"] = ["us-*", "eu-central-1"]
    if number % 4 == 0:
        match["entity"] = {"name": [f"*-{number % 10}", "prod-*"], "type": "S3Bucket"}
    if number % 7 == 0:
        match["entity"] = {"tags": {"env": ["prod", "pre*"]}}
    if number % 11 == 0:
        match["ous"] = "Workloads/*"
    if number % 13 == 0:
        match["account_tags"] = {"stage": "prod"}
    rule: dict[str, object] = {"name": f"rule {number}", "comment": "as measured", "match": match}
    if number % 10 == 0:
        # Rules for everybody, with nothing that an index could find.
        rule["match"] = {"entity": {"name": f"*never-{number}*"}}
    if number % 6 == 0:
        return {**rule, "action": "refuse", "bots": [BOTS[number % len(BOTS)]]}
    return {**rule, "bots": [BOTS[number % len(BOTS)]]}


def _finding(dice: random.Random, number: int) -> Finding:
    rule = dice.randrange(400)
    return Finding(
        dialect="cloudguard",
        occurrence=str(number),
        key=str(number),
        passed=False,
        vendor="AWS",
        account_id=dice.choice(ACCOUNTS),
        region=dice.choice(REGIONS),
        rule=f"Rule {rule}",
        rule_id=f"D9.{rule}",
        severity="High",
        entity={
            "id": f"bucket-{number}",
            "name": f"{dice.choice(('prod', 'dev'))}-{number}",
            "type": "S3Bucket",
            "tags": [{"key": "env", "value": dice.choice(("prod", "dev"))}],
        },
        actions=(Action(bot="s3_enable_versioning"),) if number % 2 else (),
    )

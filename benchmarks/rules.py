"""Rules over findings: how many findings a core decides against 500 rules and 1,000 accounts."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

from benchmarks.figure import Figure
from bots._catalogue import Catalogue
from hub.model import AccountFacts, Action, Finding
from hub.rules.decide import Decider
from hub.rules.reading import read
from tests.emulator.running import Emulator

RULES = 500
ACCOUNTS = tuple(f"{number:012d}" for number in range(100_000_000_000, 100_000_001_000))
FINDINGS = 20_000
WANTED = 5_000
ROUNDS = 3
BOTS = ("s3_enable_versioning", "s3_enable_encryption s3", "sqs_enforce_sse", "kms_enable_rotation")
REGIONS = ("us-east-1", "us_west_2", "eu-central-1", "Ireland", "ap-southeast-2")


def figures(emulator: Emulator) -> Iterator[Figure]:  # noqa: ARG001 - pure: nothing is called
    dice = random.Random(7)
    text = json.dumps({"version": 1, "rules": [_rule(dice, number) for number in range(RULES)]})
    started = time.process_time()
    reading = read(text, file="rules.yaml", catalogue=Catalogue())
    read_in = time.process_time() - started
    assert reading.rules is not None, reading.text
    facts = AccountFacts(ous=("Workloads", "Workloads/Prod"), tags={"stage": "prod"})
    took, due = min(_decided(Decider(reading.rules, Catalogue()), dice, facts) for _ in range(ROUNDS))
    yield Figure(
        name="Rules over findings",
        value=f"{FINDINGS / took:,.0f} findings a CPU-s against {RULES} rules, {len(ACCOUNTS):,} accounts",
        floor=f"{WANTED:,} a second and core, which is asked for",
        ratio=WANTED * took / FINDINGS,
        target=1.0,
        note=f"{due / FINDINGS:.1f} bots a finding decided; the file is read in {read_in:.2f} s",
    )


def _decided(decider: Decider, dice: random.Random, facts: AccountFacts) -> tuple[float, int]:
    """CPU seconds for findings of all accounts in any order, nothing remembered of them before; bots decided."""
    findings = [_finding(dice, number) for number in range(FINDINGS)]
    started = time.process_time()
    due = sum(len(decider.decide(finding, facts)) for finding in findings)
    return time.process_time() - started, due


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

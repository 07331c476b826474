"""Plans that are saved, carried out later, and refuse what has changed in between."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.app import Hub, open_hub
from hub.errors import JournalUnwritable
from hub.flow import saved
from hub.flow.normalise import normalise
from hub.flow.saved_plan import GRACE, REMEMBERED, Plan, PlanUnusable, read, save
from hub.journals.memory import MemoryJournal
from hub.model import Message, Outcome, Run
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy
from tests.hub.flow.test_settle import bucket, history, hub_with, versioning, writes
from tests.hub.messages import message

RIGHTS = policy(allow("s3:*", resource="arn:aws:s3:::*"), allow("ec2:*", resource="*"))
VERSIONING = "s3_enable_versioning"


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


async def plan_for(hub: Hub, *messages: Message, **how: Any) -> Plan:
    """A plan that is saved and read again."""
    steps = [(normalise(each), run) for each in messages for run in await hub.preview(each)]
    kept = await save(hub.kit, steps, **how)
    assert await read(hub.kit.journal, kept.plan_id) == kept
    return kept


async def applied(hub: Hub, plan: Plan) -> list[Run]:
    """Carry it out to its end."""
    plan = await saved.begin(hub.kit, await read(hub.kit.journal, plan.plan_id))
    settled = [await saved.carry_out(hub.kit, plan, group) for group in plan.groups]
    await saved.finish(hub.kit, plan)
    return [run for each in settled if each.report for run in each.report.runs]


async def test_a_saved_plan_is_carried_out_as_it_was_made_and_only_once(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        plan = await plan_for(hub, message(spoke.account_id, VERSIONING, id=name))
        assert writes(aws, spoke) == []
        (planned,) = plan.runs
        assert planned.outcome is Outcome.WOULD_FIX
        assert planned.planned is not None
        (done,) = await applied(hub, plan)
        told = await read(hub.kit.journal, plan.plan_id)
        with pytest.raises(PlanUnusable, match=r"was carried out before, 20.* by arn:aws:"):
            await applied(hub, plan)
        assert (await history(hub)) == [done]
    assert done.outcome is Outcome.FIXED
    assert done.run_id != planned.run_id
    assert f"in plan {plan.plan_id} made by {plan.made.by}" in done.decided_by
    assert told.applied is not None
    assert versioning(spoke, name) == "Enabled"
    assert writes(aws, spoke) == [call.operation for call in planned.planned]


async def test_what_has_changed_since_is_refused_and_the_rest_is_done(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    changed, right, same = bucket(spoke, "changed"), bucket(spoke, "right"), bucket(spoke, "same")
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        plan = await plan_for(
            hub,
            *(message(spoke.account_id, VERSIONING, key=name, id=name) for name in (changed, right, same)),
        )
        for name, status in ((changed, "Suspended"), (right, "Enabled")):
            spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
        done = {run.target_id: run for run in await applied(hub, plan)}
    assert {name: run.outcome for name, run in done.items()} == {
        changed: Outcome.REFUSED,
        right: Outcome.COMPLIANT,
        same: Outcome.FIXED,
    }
    assert "not as it was when the plan was made" in done[changed].message
    assert versioning(spoke, changed) == "Suspended"


async def test_what_needed_nothing_or_was_refused_when_planned_is_kept_and_left_alone(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name, elsewhere = bucket(spoke), aws.fresh_account().account_id
    spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        plan = await plan_for(
            hub,
            message(spoke.account_id, VERSIONING, "no_such_bot", id=name),
            message(elsewhere, VERSIONING, id=name),
        )
        spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        assert plan.groups == ()
        assert [run.outcome for run in plan.left_alone] == [
            Outcome.COMPLIANT,
            Outcome.INVALID,
            Outcome.INVALID,
        ]
        assert await applied(hub, plan) == []
    assert versioning(spoke, name) == "Suspended"


async def test_what_nobody_looked_at_when_planned_is_left_alone(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        sent = message(spoke.account_id, VERSIONING, id=name)
        (run,) = await hub.preview(sent)
        unseen = replace(run, outcome=Outcome.WAITING, before=None, planned=None)
        plan = await save(hub.kit, [(normalise(sent), unseen)])
        assert await applied(hub, plan) == []
    assert [run.outcome for run in plan.left_alone] == [Outcome.WAITING]
    assert writes(aws, spoke) == []


async def test_steps_of_one_finding_make_one_report(spoke: Admin, hub_settings: MakeSettings) -> None:
    first, second = bucket(spoke, "one"), bucket(spoke, "two")
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        plan = await plan_for(
            hub,
            message(spoke.account_id, VERSIONING, "s3_block_all_public_access", key="one", id=first),
            message(spoke.account_id, VERSIONING, key="two", id=second),
        )
        plan = await saved.begin(hub.kit, plan)
        reports = [(await saved.carry_out(hub.kit, plan, group)).report for group in plan.groups]
    found = {report.finding.key: [run.bot for run in report.runs] for report in reports if report}
    assert found == {"one": [VERSIONING, "s3_block_all_public_access"], "two": [VERSIONING]}
    assert len({report.report_id for report in reports if report}) == 2


class Failing(MemoryJournal):
    """Fails when it is to write one of these outcomes."""

    outcomes: tuple[Outcome, ...] = ()
    settles = True

    async def close(self, run: Run) -> None:
        if run.outcome in self.outcomes:
            raise JournalUnwritable("the journal is away")
        await super().close(run)

    async def settle(self, occurrence: str, *, report_id: str) -> None:
        if not self.settles:
            raise JournalUnwritable("the journal is away")
        await super().settle(occurrence, report_id=report_id)


@pytest.mark.parametrize("where", ["before the outcome is recorded", "before the report is settled"])
async def test_what_was_cut_off_is_gone_on_with_and_nothing_is_changed_twice(
    where: str, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    names = [bucket(spoke, "one"), bucket(spoke, "two")]
    journal = Failing()
    async with open_hub(hub_settings(spoke.account_id)) as whole:
        kit = replace(whole.kit, journal=journal)
        kit.leases._journal = journal
        hub = Hub(kit)
        plan = await plan_for(
            hub, *(message(spoke.account_id, VERSIONING, key=name, id=name) for name in names)
        )
        begun = await saved.begin(kit, plan)
        first, second = begun.groups
        await saved.carry_out(kit, begun, first)
        if where.endswith("recorded"):
            journal.outcomes = (Outcome.FIXED,)
        else:
            journal.settles = False
        with pytest.raises(JournalUnwritable):
            await saved.carry_out(kit, begun, second)
        journal.outcomes, journal.settles = (), True
        assert (await read(journal, plan.plan_id)).applied is None
        assert [run.outcome for run in await applied(hub, plan)] == [Outcome.FIXED]
        assert {run.outcome for run in await history(hub)} == {Outcome.FIXED}
    assert writes(aws, spoke) == ["PutBucketVersioning", "PutBucketVersioning"]


RULES = """\
version: 1
rules:
  - name: versioned
    comment: production keeps versions
    match: {entity: {type: S3Bucket}}
    bots: [s3_enable_versioning]
"""


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (RULES.replace("S3Bucket", "S3Other"), "no rule asks for it any more"),
        (RULES.replace("    bots:", "    action: refuse\n    bots:"), "refuses s3_enable_versioning"),
    ],
)
async def test_rules_decide_anew(
    rules: str, words: str, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings, tmp_path: Path
) -> None:
    file, name = tmp_path / "rules.yaml", bucket(spoke)
    file.write_text(RULES)
    bots = (VERSIONING,) if "refuse" in rules else ()
    sent = message(spoke.account_id, *bots, id=name)
    async with open_hub(hub_settings(spoke.account_id, rules=str(file))) as hub:
        (run,) = await hub.preview(sent)
    assert run.outcome is Outcome.WOULD_FIX
    file.write_text(rules)
    async with open_hub(hub_settings(spoke.account_id, rules=str(file))) as hub:
        (done,) = await applied(hub, await save(hub.kit, [(normalise(sent), run)]))
        assert await history(hub) == [done]
    assert (done.outcome, done.changed) == (Outcome.REFUSED, False)
    assert words in done.message
    assert writes(aws, spoke) == []


async def test_a_step_that_was_cut_off_and_has_lost_its_rule_is_told_as_interrupted(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings, tmp_path: Path
) -> None:
    file, name = tmp_path / "rules.yaml", bucket(spoke)
    file.write_text(RULES)
    journal = Failing()
    journal.outcomes = (Outcome.FIXED,)
    plan = None
    for text in (RULES, RULES.replace("S3Bucket", "S3Other")):
        file.write_text(text)
        async with open_hub(hub_settings(spoke.account_id, rules=str(file))) as whole:
            whole.kit.leases._journal = journal
            hub = Hub(replace(whole.kit, journal=journal))
            if plan is None:
                plan = await plan_for(hub, message(spoke.account_id, id=name))
                with pytest.raises(JournalUnwritable):
                    await applied(hub, plan)
                continue
            (done,) = await applied(hub, plan)
            assert await history(hub) == [done]
    assert (done.outcome, done.changed) == (Outcome.INTERRUPTED, True)
    assert "may have changed it" in done.message
    assert done.before is not None


async def test_a_plan_whose_time_is_over_is_not_begun_but_one_that_was_begun_may_end(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    names = [bucket(spoke, "one"), bucket(spoke, "two")]
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        sent = [message(spoke.account_id, VERSIONING, key=name, id=name) for name in names]
        late = await plan_for(hub, sent[0], keep=timedelta(hours=1))
        begun = await plan_for(hub, sent[1], keep=timedelta(hours=1))
        begun = await saved.begin(hub.kit, begun)

        async with hub_with(hub, now=lambda: begun.ends_at) as later:
            with pytest.raises(PlanUnusable, match="was good until"):
                await saved.begin(later.kit, late)
            assert await saved.begin(later.kit, begun) == begun
        async with hub_with(hub, now=lambda: begun.ends_at + GRACE) as much_later:
            with pytest.raises(PlanUnusable, match="was good until"):
                await saved.begin(much_later.kit, begun)


async def test_steps_go_with_the_plans_time_and_its_end_is_told_a_while_longer(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    moment = datetime.now().astimezone()
    journal = MemoryJournal(now=lambda: moment)
    async with open_hub(hub_settings(spoke.account_id)) as whole:
        hub = Hub(replace(whole.kit, journal=journal, now=lambda: moment))
        plan = await plan_for(hub, message(spoke.account_id, VERSIONING, id=bucket(spoke)))
        began = moment
        for pause, words in ((GRACE, "its steps are gone"), (REMEMBERED, "knows no plan")):
            moment = began + timedelta(days=7) + pause
            with pytest.raises(PlanUnusable, match=words):
                await read(journal, plan.plan_id)
        for unknown in ("", "../x", "0" * 12):
            with pytest.raises(PlanUnusable, match="knows no plan"):
                await read(journal, unknown)


async def test_a_hub_set_to_dry_run_does_not_use_a_plan_up(spoke: Admin, hub_settings: MakeSettings) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        plan = await plan_for(hub, message(spoke.account_id, VERSIONING, id=name))
        dry = replace(hub.kit, settings=hub_settings(spoke.account_id, dry_run=True))
        with pytest.raises(PlanUnusable, match="HUB_DRY_RUN"):
            await saved.begin(dry, plan)
        assert [run.outcome for run in await applied(hub, plan)] == [Outcome.FIXED]


async def test_a_bot_that_looks_at_other_facts_by_now_is_not_run(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        sent = message(spoke.account_id, VERSIONING, id=name)
        (run,) = await hub.preview(sent)
        older = replace(run, before={"status_of_old": "Off"})
        (done,) = await applied(hub, await save(hub.kit, [(normalise(sent), older)]))
    assert done.outcome is Outcome.REFUSED
    assert "looks at other facts" in done.message
    assert writes(aws, spoke) == []


async def test_two_who_carry_out_one_plan_change_everything_once(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        plan = await plan_for(hub, message(spoke.account_id, VERSIONING, id=name))
        one, two = await saved.begin(hub.kit, plan), await saved.begin(hub.kit, plan)
        assert one == two
        assert (await saved.carry_out(hub.kit, one, one.groups[0])).report is not None
        again = await saved.carry_out(hub.kit, two, two.groups[0])
        assert again.report is None
        assert "settled before" in again.why
        ends = [await saved.finish(hub.kit, one), await saved.finish(hub.kit, two)]
    assert ends[0] == ends[1]
    assert writes(aws, spoke) == ["PutBucketVersioning"]


async def test_what_a_person_has_to_allow_still_waits_for_one(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    ec2 = spoke.client("ec2")
    group = ec2.create_security_group(GroupName="old", Description="unused")["GroupId"]
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        sent = message(spoke.account_id, "sg_delete", id=group, region="us-east-1", type="SG")
        plan = await plan_for(hub, sent)
        assert [run.outcome for run in plan.runs] == [Outcome.WAITING]
        assert [call.operation for call in plan.runs[0].planned or ()] == ["DeleteSecurityGroup"]
        (waits,) = await applied(hub, plan)
    assert waits.outcome is Outcome.WAITING
    assert f"hub approve {waits.run_id}" in waits.message
    assert writes(aws, spoke) == []


async def test_credentials_of_a_finding_are_not_kept_and_damage_is_told(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    document = json.loads(message(spoke.account_id, VERSIONING, id=name).body)
    document |= {
        "logsHttpEndpoint": "https://logs.example.com",
        "logsHttpEndpointKey": "not-to-be-kept-anywhere",
        "logsHttpEndpointStreamName": "s",
        "logsHttpEndpointStreamPartitionKey": "p",
    }
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        journal = hub.kit.journal
        plan = await plan_for(hub, Message(body=json.dumps(document)))
        notes = [await journal.note(f"plan/{plan.plan_id}{end}") for end in ("", "/0")]
        assert "not-to-be-kept-anywhere" not in repr(notes)
        head = notes[0]
        assert head is not None
        assert await journal.keep(replace(head, body={"steps": 1})) is not None
        with pytest.raises(JournalUnwritable, match="damaged"):
            await read(journal, plan.plan_id)

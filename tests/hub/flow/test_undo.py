"""The way back, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.app import Hub, open_hub
from hub.flow.guards_in_order import guards_of
from hub.flow.undo import Wish
from hub.flow.way_back import NothingToUndo
from hub.journals import Query
from hub.model import Outcome
from hub.rules.decide import Decider
from hub.rules.guard_model import (
    ApprovalEntry,
    Budget,
    Exemption,
    Freeze,
    GuardRules,
    ModeEntry,
    ModeWord,
    ScopeEntry,
)
from hub.rules.model import RuleSet
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy
from tests.hub.flow.cutting_off import cut_off
from tests.hub.flow.test_settle import RIGHTS, bucket, only, versioning, writes
from tests.hub.messages import message


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


async def test_an_undo_is_a_run_of_its_own_and_marks_the_one_it_took_back(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
        back = only(await hub.undo(fixed.run_id))
        assert back.outcome is Outcome.RESTORED
        assert back.outcome.status == "passed"
        assert back.undo_of == fixed.run_id
        kept = await hub.kit.journal.get(fixed.run_id)
        assert kept is not None
        assert kept.undone_by == back.run_id
        assert kept.outcome is Outcome.FIXED, "history is never rewritten"
        with pytest.raises(NothingToUndo, match="undone before"):
            await hub.undo(fixed.run_id)
        with pytest.raises(NothingToUndo, match="undo itself"):
            await hub.undo(back.run_id)
    assert versioning(spoke, name) == "Suspended"


async def test_a_run_that_changed_nothing_has_nothing_to_undo(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        gone = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id="never-made")))
        with pytest.raises(NothingToUndo, match="changed nothing"):
            await hub.undo(gone.run_id)
        with pytest.raises(NothingToUndo, match="knows no run"):
            await hub.undo("0123456789")
    assert writes(aws, spoke) == []


async def test_what_somebody_changed_after_the_fix_is_not_overwritten_unless_forced(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    s3 = spoke.client("s3")
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(
            await hub.settle(message(spoke.account_id, "s3_enable_encryption kms " + _key(spoke), id=name))
        )
        assert fixed.outcome is Outcome.FIXED, fixed.message
        other = {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": "aws:kms:dsse",
                "KMSMasterKeyID": _key(spoke),
            }
        }
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [other]})
        refused = only(await hub.undo(fixed.run_id))
        assert refused.outcome is Outcome.REFUSED
        assert "--force" in refused.message
        forced = only(await hub.undo(fixed.run_id, Wish(force=True)))
        assert forced.outcome is Outcome.RESTORED
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def _key(admin: Admin) -> str:
    return str(admin.client("kms").create_key()["KeyMetadata"]["Arn"])


async def test_a_denied_undo_says_so_and_can_be_tried_again(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
        reads = policy(allow("s3:ListBucket", "s3:GetBucketVersioning"))
        spoke.client("iam").put_role_policy(
            RoleName="Dome9CloudBots", PolicyName="remediation", PolicyDocument=reads
        )
        denied = only(await hub.undo(fixed.run_id))
        assert denied.outcome is Outcome.DENIED
        assert not denied.changed
        assert versioning(spoke, name) == "Enabled"
        spoke.client("iam").put_role_policy(
            RoleName="Dome9CloudBots", PolicyName="remediation", PolicyDocument=RIGHTS
        )
        assert only(await hub.undo(fixed.run_id)).outcome is Outcome.RESTORED


async def test_an_undo_never_leaves_the_accounts_the_hub_may_enter(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
        journal = hub.kit.journal
        async with open_hub(hub_settings("999900001111")) as elsewhere:
            await elsewhere.kit.journal.close(fixed)
            before = len(aws.calls(spoke.account_id))
            refused = only(await elsewhere.undo(fixed.run_id))
            assert refused.outcome is Outcome.INVALID
            assert len(aws.calls(spoke.account_id)) == before
        assert await journal.get(fixed.run_id) == fixed


async def test_an_interrupted_fix_can_be_taken_back_and_is_not_resumed_afterwards(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        await cut_off(hub, sent)
        (left,) = [run async for run in hub.kit.journal.runs(Query())]
        assert left.outcome is None
        assert only(await hub.undo(left.run_id)).outcome is Outcome.RESTORED
        assert versioning(spoke, name) == "Suspended"
        again = only(await hub.settle(sent))
        assert again.run_id == left.run_id
        assert again.outcome is Outcome.INTERRUPTED
        assert again.undone_by is not None
    assert versioning(spoke, name) == "Suspended"


async def test_a_forced_undo_says_what_was_lost(spoke: Admin, hub_settings: MakeSettings) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(
            await hub.settle(message(spoke.account_id, "s3_enable_encryption kms " + _key(spoke), id=name))
        )
        other = {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": "aws:kms:dsse",
                "KMSMasterKeyID": _key(spoke),
            }
        }
        spoke.client("s3").put_bucket_encryption(
            Bucket=name, ServerSideEncryptionConfiguration={"Rules": [other]}
        )
        told = await hub.preview_undo(fixed.run_id, Wish(force=True))
        forced = only(await hub.undo(fixed.run_id, Wish(force=True)))
    assert told.outcome is Outcome.WOULD_FIX
    assert forced.outcome is Outcome.RESTORED
    for said in (told.message, forced.message):
        _, _, lost = said.partition("lost is what somebody changed since the fix: ")
        assert '"aws:kms" becomes "aws:kms:dsse"' in lost


PAST, FUTURE = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("guards", "outcome"),
    [
        (GuardRules(modes=(ModeEntry(line=1, comment="off", mode=ModeWord.OFF),)), Outcome.REFUSED),
        (GuardRules(modes=(ModeEntry(line=1, comment="look", mode=ModeWord.DRY_RUN),)), Outcome.WOULD_FIX),
        (GuardRules(scopes=(ScopeEntry(line=1, comment="no", effect="never"),)), Outcome.REFUSED),
        (
            GuardRules(exemptions=(Exemption(line=1, comment="ours", until=date(2999, 1, 1)),)),
            Outcome.RESTORED,
        ),
        (
            GuardRules(freezes=(Freeze(line=1, comment="a feast", starts=PAST, ends=FUTURE),)),
            Outcome.RESTORED,
        ),
        (GuardRules(budgets=(Budget(line=1, comment="none", name="none", changes=0),)), Outcome.RESTORED),
        (GuardRules(approvals=(ApprovalEntry(line=1, comment="seen first"),)), Outcome.RESTORED),
    ],
    ids=["off", "dry run", "scope", "exemption", "freeze", "budget", "approval"],
)
async def test_what_says_where_the_hub_works_holds_an_undo_back_and_what_says_when_it_fixes_does_not(
    guards: GuardRules, outcome: Outcome, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(await hub.settle(sent))
        kit = hub.kit
        rules = Decider(RuleSet(file="rules.yaml", guards=guards), kit.catalogue)
        asked = guards_of(kit.settings, kit.identity, kit.directory, kit.journal, rules)
        ruled = Hub(
            replace(
                kit,
                rules=rules,
                guards=asked.before_look,
                undo_guards=asked.before_undo,
                change_guards=asked.before_change,
            )
        )
        assert only(await ruled.settle(replace(sent, nonce="again"))).outcome is not Outcome.FIXED
        told = await ruled.preview_undo(fixed.run_id)
        back = only(await ruled.undo(fixed.run_id))
        kept = await hub.kit.journal.get(fixed.run_id)
    assert back.outcome is outcome, back.message
    assert told.outcome is (Outcome.WOULD_FIX if outcome is Outcome.RESTORED else outcome)
    assert versioning(spoke, name) == ("Suspended" if outcome is Outcome.RESTORED else "Enabled")
    assert kept is not None
    assert (kept.undone_by is not None) is (outcome is Outcome.RESTORED)


async def test_an_undo_whose_words_the_bot_does_not_take_now_says_so(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        fixed = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
        older = replace(fixed, run_id="1" * 20, args=("once-allowed",))
        await hub.kit.journal.close(older)
        with pytest.raises(
            NothingToUndo, match=r"does not take the parameters of run 1{20} now: .*once-allowed"
        ):
            await hub.undo(older.run_id)
    assert writes(aws, spoke) == ["PutBucketVersioning"]


async def test_a_hub_that_was_never_in_the_account_can_look_at_an_undo(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    settings = hub_settings(spoke.account_id)
    async with open_hub(settings) as hub:
        fixed = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    async with open_hub(settings) as another:
        await another.kit.journal.close(fixed)
        told = await another.preview_undo(fixed.run_id)
    assert told.outcome is Outcome.WOULD_FIX, told.message
    assert told.message == 'would be put back: status: "Enabled" becomes "Suspended"'
    assert versioning(spoke, name) == "Enabled"

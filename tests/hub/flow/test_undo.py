"""The way back, and what it refuses."""

from __future__ import annotations

import pytest

from hub.app import open_hub
from hub.flow.undo import Wish
from hub.flow.way_back import NothingToUndo
from hub.journals import Query
from hub.model import Outcome
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

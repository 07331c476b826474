"""What `bots._log_bucket` does when S3 is not as it was a moment before."""

from __future__ import annotations

import pytest

from bots import _log_bucket
from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater
from bots._log_bucket import LogBucket
from bots.cloudtrail_enable import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
NOBODY = Planted(entity={})

pytestmark = pytest.mark.usefixtures("hub_environment")


async def test_a_bucket_somebody_made_in_between_is_used_and_survives_a_failure(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    name = buckets.make_shared(admin, f"logs-{admin.account_id}", ELSEWHERE)
    before = buckets.seen(name)
    statement = _log_bucket.leave("Ours", "a.amazonaws.com", "s3:PutObject", f"arn:aws:s3:::{name}/*", {})

    async def use(account: Aws, then: Exception | None) -> None:
        async with _log_bucket.ready(account, LogBucket(name, ELSEWHERE, existed=False), statement):
            assert [each["Sid"] for each in buckets.statements(name)] == ["Auditors", "Ours"]
            if then is not None:
                raise then

    async with alone(bot, aws, admin, NOBODY) as there:
        with pytest.raises(CannotFix, match="after all"):
            await use(there.account, CannotFix("not after all"))
        assert buckets.seen(name) == before
        await use(there.account, None)
    assert len(buckets.statements(name)) == 2


async def test_s3_busy_with_the_name_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    aws.fail(admin.account_id, "s3:CreateBucket", "OperationAborted", status=409)
    async with alone(bot, aws, admin, NOBODY) as there:
        with pytest.raises(TryLater):
            await _log_bucket.ready(there.account, LogBucket("mine", ELSEWHERE, existed=False)).__aenter__()


async def test_an_answer_that_says_nothing_of_the_bucket_is_no_answer(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    aws.fail(admin.account_id, "s3:HeadBucket", "BadRequest", status=400)
    async with alone(bot, aws, admin, NOBODY) as there:
        with pytest.raises(AwsError, match="400"):
            await _log_bucket.look(there.account, "logs-of-mine")


def test_snapshots_differ_by_the_bucket_but_not_by_whether_it_was_there() -> None:
    was = LogBucket("logs", "us-east-1", existed=False)
    assert was == LogBucket("logs", "us-east-1", existed=True)
    assert was != LogBucket("other-logs", "us-east-1", existed=False)

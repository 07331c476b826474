"""Scenes of `bots.lambda_enable_active_tracing`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.iam.models import AWSManagedPolicy, iam_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._words import BadWords, parse
from bots.lambda_enable_active_tracing import Tracing, Wish, bot
from tests.bots.alone import alone
from tests.bots.functions import NAME, missing, moto_function, observe, plant
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy

AWS_POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
SINCE = "2018-08-28T00:00:00+00:00"
SENDS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")


def _may_send(admin: Admin) -> None:
    document = policy(allow(*SENDS))
    admin.client("iam").put_role_policy(RoleName="images", PolicyName="traces", PolicyDocument=document)


def _plain(admin: Admin) -> Planted:
    planted = plant(admin)
    _may_send(admin)
    return planted


def _without_right(admin: Admin, *words: str) -> Planted:
    """moto knows AWS's own policies only on request, so here is the one that is needed."""
    document = {"Version": "2012-10-17", "Statement": [allow(*SENDS)]}
    made = AWSManagedPolicy.from_data(
        "AWSXRayDaemonWriteAccess",
        admin.account_id,
        "us-east-1",
        {
            "Path": "/",
            "DefaultVersionId": "v1",
            "Document": document,
            "CreateDate": SINCE,
            "UpdateDate": SINCE,
        },
    )
    iam_backends[admin.account_id]["aws"].managed_policies[AWS_POLICY] = made
    return plant(admin, *words)


def scenes() -> list[Scene]:
    return [
        Scene(name="not traced", plant=_plain, observe=observe, missing=missing),
        Scene(
            name="role without the right",
            plant=lambda admin: _without_right(admin, "attachPolicy"),
            observe=observe,
        ),
    ]


@pytest.mark.parametrize("word", ["attachPolicy", "attach_policy", "attach_policy=true", "AttachPolicy:True"])
def test_attaching_a_policy_must_be_asked_for(word: str) -> None:
    assert parse(Wish, [word]).attach_policy
    assert not parse(Wish, []).attach_policy
    with pytest.raises(BadWords):
        parse(Wish, ["Active"])


@pytest.mark.usefixtures("hub_environment")
async def test_a_role_without_the_right_is_named_and_nothing_changes(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _without_right(admin)
    was = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).touches == (("AWS::Lambda::Function", NAME),)
        with pytest.raises(
            CannotFix, match="role images may not send traces: allow it xray:PutTraceSegments"
        ):
            await one.fix()
    assert observe(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_a_role_with_the_right_gets_no_policy_even_if_asked_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _plain(admin)
    async with alone(bot, aws, admin, planted) as plain:
        one = plain.saying("attachPolicy")
        was = (await one.check()).before
        assert was == Tracing(mode="PassThrough", role="images", has_policy=False)
        after = await one.fix()
        assert after.touches[1:] == (("AWS::IAM::Role", "images"),)
        assert observe(admin, planted)["policies"] == []
        assert (await one.undo(was)).before == was


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_was_there_before_stays_after_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _without_right(admin, "attachPolicy")
    admin.client("iam").attach_role_policy(RoleName="images", PolicyArn=AWS_POLICY)
    was = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        saved = (await one.check()).before
        assert (await one.fix()).compliant
        await one.undo(saved)
    assert observe(admin, planted) == was
    assert was["policies"] == [AWS_POLICY]


@pytest.mark.usefixtures("hub_environment")
async def test_iam_that_has_not_spread_the_right_yet_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _without_right(admin, "attachPolicy")
    # A permissions boundary looks the same as a right that has not arrived.
    denial = {"Version": "2012-10-17", "Statement": [{**allow("xray:*"), "Effect": "Deny"}]}
    iam = admin.client("iam")
    iam.put_role_policy(RoleName="images", PolicyName="no", PolicyDocument=json.dumps(denial))
    async with alone(bot, aws, admin, planted) as one:
        first = (await one.check()).before
        with pytest.raises(TryLater, match="does not see the right yet"):
            await one.fix()
        iam.delete_role_policy(RoleName="images", PolicyName="no")
        assert (await one.fix()).compliant
        assert (await one.undo(first)).before == first
    assert observe(admin, planted)["policies"] == []


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("state", [{"update_status": "InProgress"}, {"state": "Pending"}])
async def test_a_function_that_is_being_updated_is_left_alone_for_now(
    aws: FakeAws, state: dict[str, Any]
) -> None:
    admin = aws.fresh_account()
    planted = _plain(admin)
    vars(moto_function(admin, planted)).update(state)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater, match="being updated"):
            await one.check()
    assert not any(call.is_write for call in aws.calls(admin.account_id))


@pytest.mark.usefixtures("hub_environment")
async def test_an_update_that_failed_is_made_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _plain(admin)
    function = moto_function(admin, planted)
    function.tracing_config, function.update_status = {"Mode": "Active"}, "Failed"
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).why.endswith("is Active, but its last update failed")
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize(
    ("code", "status"), [("PreconditionFailedException", 412), ("ResourceConflictException", 409)]
)
async def test_a_change_somebody_else_makes_meanwhile_is_not_overwritten(
    aws: FakeAws, code: str, status: int
) -> None:
    admin = aws.fresh_account()
    planted = _plain(admin)
    aws.fail(admin.account_id, "lambda:UpdateFunctionConfiguration", code, status=status)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater, match="at the same time"):
            await one.fix()
    assert observe(admin, planted)["tracing"] == "PassThrough"


@pytest.mark.usefixtures("hub_environment")
async def test_other_refusals_of_aws_are_not_taken_for_a_missing_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _without_right(admin, "attachPolicy")
    aws.fail(admin.account_id, "lambda:UpdateFunctionConfiguration", "InvalidParameterValueException")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="InvalidParameterValueException"):
            await one.fix()
    assert observe(admin, planted)["policies"] == []

"""The account as bots see it: errors in one form, absent things as None, all pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bots._aws import AwsError
from hub.aws.account import TRIES, SpokeAccount
from hub.aws.clients import Clients, Keys
from hub.aws.errors import outcome_of
from hub.aws.throttle import Lane, Pacer
from hub.model import Outcome
from hub.noting import noting
from tests.fake_aws.server import FakeAws, allow, deny, policy


@pytest.fixture
async def spoke(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SpokeAccount]:
    """An account entered with all rights but those over roles."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    admin = aws.fresh_account()
    rights = policy(allow("*"), deny("iam:ListRoles", "ec2:DescribeVpcs", "kms:ListKeys"))
    found = aws.role_credentials(admin.account_id, "actor", [rights])
    keys = Keys(admin.account_id, *found.values())
    clients = Clients()
    yield SpokeAccount(keys.account_id, "us-east-1", "aws", keys, "tests", clients, Pacer(1000))
    await clients.close()


async def test_a_call_answers_with_what_aws_answered(spoke: SpokeAccount) -> None:
    answer = await spoke.call("sts", "GetCallerIdentity")
    assert answer["Account"] == spoke.account_id


async def test_an_error_says_what_was_called_where_and_why(spoke: SpokeAccount) -> None:
    with pytest.raises(AwsError) as caught:
        await spoke.call("iam", "GetUser", UserName="nobody")
    error = caught.value
    assert (error.service, error.operation, error.region) == ("iam", "GetUser", "us-east-1")
    assert (error.code, error.status) == ("NoSuchEntity", 404)
    assert "nobody" in error.message
    assert outcome_of(error) is Outcome.FAILED


@pytest.mark.parametrize(
    ("service", "operation"), [("iam", "ListRoles"), ("ec2", "DescribeVpcs"), ("kms", "ListKeys")]
)
async def test_a_refusal_in_any_services_words_is_denied(
    spoke: SpokeAccount, service: str, operation: str
) -> None:
    with pytest.raises(AwsError) as caught:
        await spoke.call(service, operation)
    assert outcome_of(caught.value) is Outcome.DENIED


async def test_find_gives_none_for_the_named_absence_only(spoke: SpokeAccount) -> None:
    assert await spoke.find("iam", "GetUser", absent=("NoSuchEntity",), UserName="nobody") is None
    with pytest.raises(AwsError, match="NoSuchEntity"):
        await spoke.find("iam", "GetUser", absent=("NoSuchBucket",), UserName="nobody")


async def test_find_gives_what_is_there(spoke: SpokeAccount, aws: FakeAws) -> None:
    aws.admin(spoke.account_id).client("iam").create_user(UserName="erin")
    found = await spoke.find("iam", "GetUser", absent=("NoSuchEntity",), UserName="erin")
    assert found is not None
    assert found["User"]["UserName"] == "erin"


async def test_a_wrong_parameter_is_an_aws_error_and_nothing_is_sent(
    spoke: SpokeAccount, aws: FakeAws
) -> None:
    with pytest.raises(AwsError) as caught:
        await spoke.call("iam", "GetUser", UserNam="typo")
    assert caught.value.code == "ParamValidationError"
    assert aws.calls(spoke.account_id) == ()


async def test_a_dead_network_is_unreachable(spoke: SpokeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("hub.aws.clients.client_config", lambda **_: _impatient())
    with pytest.raises(AwsError) as caught:
        await spoke.call("sqs", "ListQueues")
    assert caught.value.code == "Network"
    assert outcome_of(caught.value) is Outcome.UNREACHABLE


async def test_a_call_that_got_no_answer_is_noted_as_sent(
    spoke: SpokeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("hub.aws.clients.client_config", lambda **_: _impatient())
    with noting("run") as notes, pytest.raises(AwsError):
        await spoke.call("sqs", "ListQueues")
    assert [(call.request_id, call.status, call.error) for call in notes.calls] == [("", 0, "Network")]


def _impatient() -> Any:
    from aiobotocore.config import AioConfig

    return AioConfig(connect_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})


async def test_a_call_throttled_every_time_slows_its_lane_and_is_told_as_such(
    spoke: SpokeAccount, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.aws.account.PAUSE_SECONDS", 0.0)
    aws.fail(spoke.account_id, "iam:ListUsers", "Throttling", times=TRIES)
    with pytest.raises(AwsError) as caught:
        await spoke.call("iam", "ListUsers")
    assert outcome_of(caught.value) is Outcome.THROTTLED
    async with spoke.pacer.admitted(spoke.account_id, "us-east-1", "iam", "ListUsers") as lane:
        assert lane.throttler.rate_limit == 500
    await spoke.call("iam", "ListUsers")


async def test_a_throttled_call_is_tried_again_when_its_lane_admits_it_and_by_nobody_else(
    spoke: SpokeAccount, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted, admit = [], Lane.admit

    async def noted(lane: Lane) -> None:
        admitted.append(len(aws.calls(spoke.account_id)))
        await admit(lane)

    monkeypatch.setattr(Lane, "admit", noted)
    monkeypatch.setattr("hub.aws.account.PAUSE_SECONDS", 0.0)
    aws.fail(spoke.account_id, "iam:ListUsers", "Throttling", times=5)
    assert (await spoke.call("iam", "ListUsers"))["Users"] == []
    assert admitted == [0, 1, 2, 3, 4, 5], "each try waits for the lane"
    assert spoke.pacer.throttles.count == 5


async def test_every_try_is_noted_with_its_own_request_id(
    spoke: SpokeAccount, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.aws.account.PAUSE_SECONDS", 0.0)
    aws.fail(spoke.account_id, "iam:ListUsers", "Throttling", times=2)
    with noting("run") as notes:
        await spoke.call("iam", "ListUsers")
        with pytest.raises(AwsError):
            await spoke.call("iam", "GetUser", UserName="nobody")
    told = [(call.service, call.operation, call.status, call.error) for call in notes.calls]
    bounced, well = ("iam", "ListUsers", 400, "Throttling"), ("iam", "ListUsers", 200, "")
    assert told == [bounced, bounced, well, ("iam", "GetUser", 404, "NoSuchEntity")]
    assert len({call.request_id for call in notes.calls} - {""}) == 4
    assert "nobody" not in str(notes.calls)


async def _all(spoke: SpokeAccount, service: str, operation: str, **params: Any) -> list[Any]:
    return [item async for item in spoke.pages(service, operation, **params)]


async def test_pages_gives_every_element_of_every_page(spoke: SpokeAccount, aws: FakeAws) -> None:
    s3, bucket = aws.admin(spoke.account_id).client("s3"), f"many-{spoke.account_id}"
    s3.create_bucket(Bucket=bucket)
    names = [f"object-{number:02}" for number in range(25)]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    found = await _all(spoke, "s3", "ListObjectsV2", items="Contents", Bucket=bucket, MaxKeys=10)
    assert [item["Key"] for item in found] == names
    assert len(aws.calls(spoke.account_id)) == 3


async def test_pages_follows_tokens_of_services_that_use_other_names(
    spoke: SpokeAccount, aws: FakeAws
) -> None:
    ec2 = aws.admin(spoke.account_id).client("ec2")
    group = ec2.create_security_group(GroupName="many", Description="-")["GroupId"]
    ranges = [{"CidrIp": f"198.51.100.{number}/32"} for number in range(12)]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    found = await _all(
        spoke,
        "ec2",
        "DescribeSecurityGroupRules",
        items="SecurityGroupRules",
        Filters=[{"Name": "group-id", "Values": [group]}],
        MaxResults=5,
    )
    assert len({rule["SecurityGroupRuleId"] for rule in found}) == 13  # and the one that lets out
    assert len(aws.calls(spoke.account_id)) == 3


async def test_pages_of_nothing_is_empty(spoke: SpokeAccount) -> None:
    assert await _all(spoke, "iam", "ListUsers", items="Users") == []


async def test_an_error_on_a_page_is_not_an_end(spoke: SpokeAccount) -> None:
    with pytest.raises(AwsError, match="AccessDenied"):
        await _all(spoke, "iam", "ListRoles", items="Roles")


async def test_another_region_is_the_same_account(spoke: SpokeAccount, aws: FakeAws) -> None:
    there = spoke.at("eu-west-1")
    assert (there.account_id, there.region) == (spoke.account_id, "eu-west-1")
    assert spoke.at("us-east-1") is spoke
    await there.call("sqs", "CreateQueue", QueueName="letters")
    assert [call.region for call in aws.calls(spoke.account_id)] == ["eu-west-1"]
    assert (await spoke.call("sqs", "ListQueues")).get("QueueUrls", []) == []

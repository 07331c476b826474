"""Reads about several targets go out together, and nobody sees what is another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._aws import AwsError
from hub.aws.account import SpokeAccount
from hub.aws.clients import Clients, Keys
from hub.aws.merging import MOST_IDS, Answer, Merger, Params, Question, question
from hub.aws.throttle import Pacer
from hub.model import Call
from hub.noting import noting
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy


@pytest.fixture
def admin(aws: FakeAws) -> Admin:
    return aws.fresh_account()


@pytest.fixture
async def spoke(aws: FakeAws, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SpokeAccount]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    found = aws.role_credentials(admin.account_id, "actor", [policy(allow("ec2:*"))])
    clients = Clients()
    keys = Keys(admin.account_id, *found.values())
    yield SpokeAccount(keys.account_id, "us-east-1", "aws", keys, "tests", clients, Pacer(1000))
    await clients.close()


def groups_of(admin: Admin, count: int) -> list[str]:
    ec2 = admin.client("ec2")
    return [
        ec2.create_security_group(GroupName=f"g{number}", Description="g")["GroupId"]
        for number in range(count)
    ]


async def described(spoke: SpokeAccount, group: str) -> list[str]:
    answer = await spoke.call("ec2", "DescribeSecurityGroups", GroupIds=[group])
    return [each["GroupId"] for each in answer["SecurityGroups"]]


def sent(aws: FakeAws, admin: Admin, operation: str) -> int:
    return sum(call.operation == operation for call in aws.calls(admin.account_id))


async def test_what_waits_together_asks_together_and_each_sees_its_own(
    spoke: SpokeAccount, aws: FakeAws, admin: Admin
) -> None:
    groups = groups_of(admin, 10)
    await described(spoke, groups[0])  # making a client takes so long that all would wait for it together
    seen = await asyncio.gather(*(described(spoke, group) for group in groups))
    assert seen == [[group] for group in groups]
    assert sent(aws, admin, "DescribeSecurityGroups") == 1 + 2, "the first at once, the others together"


async def test_each_finding_has_the_request_that_answered_it_among_its_calls(
    spoke: SpokeAccount, aws: FakeAws, admin: Admin
) -> None:
    async def noted(group: str) -> list[Call]:
        with noting(group) as notes:
            await described(spoke, group)
        return notes.calls

    groups = groups_of(admin, 10)
    await described(spoke, groups[0])
    alone, *together = await asyncio.gather(*(noted(group) for group in groups))
    assert [call.shared for call in alone] == [False]
    (shared,) = {tuple(calls) for calls in together}
    assert [(call.operation, call.status, call.shared) for call in shared] == [
        ("DescribeSecurityGroups", 200, True)
    ]
    assert sent(aws, admin, "DescribeSecurityGroups") == 1 + 2


async def test_one_read_goes_out_as_it_is(spoke: SpokeAccount, aws: FakeAws, admin: Admin) -> None:
    for group in groups_of(admin, 2):
        assert await described(spoke, group) == [group]
    assert sent(aws, admin, "DescribeSecurityGroups") == 2


async def test_a_target_that_is_gone_spoils_nobody_elses_answer(
    spoke: SpokeAccount, aws: FakeAws, admin: Admin
) -> None:
    groups = groups_of(admin, 4)
    await described(spoke, groups[0])
    asked = [*groups[:3], "sg-0123456789abcdef0", groups[3]]
    seen = await asyncio.gather(*(described(spoke, group) for group in asked), return_exceptions=True)
    assert [each for each in seen if isinstance(each, list)] == [[group] for group in groups]
    assert isinstance(seen[3], AwsError)
    assert seen[3].code == "InvalidGroup.NotFound"
    assert "sg-0123456789abcdef0" in str(seen[3])
    assert sent(aws, admin, "DescribeSecurityGroups") == 1 + 1 + 1 + 4


async def test_rules_and_tags_are_told_apart_by_what_they_belong_to(
    spoke: SpokeAccount, aws: FakeAws, admin: Admin
) -> None:
    groups = groups_of(admin, 3)
    for number, group in enumerate(groups):
        tag = {"Key": "number", "Value": str(number)}
        admin.client("ec2").create_tags(Resources=[group], Tags=[tag])

    async def belongings(group: str) -> tuple[set[str], list[str]]:
        rules = spoke.pages(
            "ec2",
            "DescribeSecurityGroupRules",
            items="SecurityGroupRules",
            Filters=[{"Name": "group-id", "Values": [group]}],
            MaxResults=1000,
        )
        tags = await spoke.call("ec2", "DescribeTags", Filters=[{"Name": "resource-id", "Values": [group]}])
        return {rule["GroupId"] async for rule in rules}, [tag["Value"] for tag in tags["Tags"]]

    seen = await asyncio.gather(*(belongings(group) for group in groups))
    assert seen == [({group}, [str(number)]) for number, group in enumerate(groups)]
    assert sent(aws, admin, "DescribeSecurityGroupRules") < len(groups)
    assert sent(aws, admin, "DescribeTags") < len(groups)


async def test_sessions_and_regions_do_not_mix(spoke: SpokeAccount, aws: FakeAws, admin: Admin) -> None:
    [here] = groups_of(admin, 1)
    other = aws.role_credentials(admin.account_id, "another-bot", [policy(allow("s3:*"))])
    theirs = replace(spoke, keys=Keys(admin.account_id, *other.values()))
    elsewhere = spoke.at("eu-west-1")
    asked = [described(each, here) for each in (spoke, spoke, theirs, elsewhere)]
    mine, again, denied, absent = await asyncio.gather(*asked, return_exceptions=True)
    assert mine == again == [here]
    assert isinstance(denied, AwsError)
    assert denied.code == "UnauthorizedOperation"
    assert isinstance(absent, AwsError)
    assert absent.code == "InvalidGroup.NotFound"


class Line:
    """A way to AWS whose calls end when the test says so."""

    def __init__(self, answer: Callable[[Params], Answer]) -> None:
        self.asked: list[Params] = []
        self.opened = asyncio.Event()
        self._answer = answer

    async def send(self, params: Callable[[], Params]) -> Answer:
        await self.opened.wait()
        self.asked.append(params())
        return self._answer(self.asked[-1])


def vpc(vpc_id: str) -> Question:
    found = question("ec2", "DescribeVpcs", {"VpcIds": [vpc_id]})
    assert found is not None
    return found


def vpcs(params: Params) -> Answer:
    return {"Vpcs": [{"VpcId": each} for each in params["VpcIds"]]}


async def test_while_a_read_waits_for_its_turn_others_join_it() -> None:
    line, merger = Line(vpcs), Merger()
    asking = [asyncio.create_task(merger.ask("me", vpc(f"vpc-{n}"), line.send)) for n in range(MOST_IDS + 1)]
    await asyncio.sleep(0)
    line.opened.set()
    answers = await asyncio.gather(*asking)
    assert answers == [vpcs({"VpcIds": [f"vpc-{n}"]}) for n in range(MOST_IDS + 1)]
    assert [len(params["VpcIds"]) for params in line.asked] == [MOST_IDS, 1], "no call is too long for AWS"
    assert not merger._open
    assert not merger._on_the_way


async def test_nobody_joins_a_call_that_has_left() -> None:
    """A proof must not be read before its change was made."""
    merger, late = Merger(), list[asyncio.Task[Answer | None]]()

    async def send(params: Callable[[], Params]) -> Answer:
        asked = params()
        if not late:
            late.append(asyncio.create_task(merger.ask("me", vpc("vpc-2"), send)))
            await asyncio.sleep(0)
        return vpcs(asked)

    assert await merger.ask("me", vpc("vpc-1"), send) == vpcs({"VpcIds": ["vpc-1"]})
    assert await late[0] == vpcs({"VpcIds": ["vpc-2"]})


async def test_more_than_a_page_is_asked_about_alone() -> None:
    line, merger = Line(lambda params: {**vpcs(params), "NextToken": "more"}), Merger()
    asking = [asyncio.create_task(merger.ask("me", vpc(f"vpc-{n}"), line.send)) for n in range(2)]
    await asyncio.sleep(0)
    line.opened.set()
    assert await asyncio.gather(*asking) == [None, None]
    alone = await merger.ask("me", vpc("vpc-1"), line.send)
    assert alone == {"Vpcs": [{"VpcId": "vpc-1"}], "NextToken": "more"}


async def test_who_leaves_first_does_not_take_the_others_answer_along() -> None:
    line, merger = Line(vpcs), Merger()
    first, second = (
        asyncio.create_task(merger.ask("me", vpc(vpc_id), line.send)) for vpc_id in ("vpc-1", "vpc-2")
    )
    await asyncio.sleep(0)
    first.cancel()
    assert await second is None, "to be asked about alone"
    assert first.cancelled()
    assert not merger._open


async def test_all_hear_that_aws_throttles() -> None:
    def bounced(_: Params) -> Answer:
        raise AwsError(
            service="ec2", operation="DescribeVpcs", region="x", code="RequestLimitExceeded", message=""
        )

    line, merger = Line(bounced), Merger()
    asking = [asyncio.create_task(merger.ask("me", vpc(f"vpc-{n}"), line.send)) for n in range(3)]
    await asyncio.sleep(0)
    line.opened.set()
    heard = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(each) for each in heard] == [AwsError] * 3
    assert len(line.asked) == 1


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeSecurityGroups", {}),
        ("DescribeSecurityGroups", {"GroupIds": []}),
        ("DescribeSecurityGroups", {"GroupIds": ["sg-1"], "GroupNames": ["default"]}),
        ("DescribeSecurityGroups", {"GroupIds": ["sg-1"], "Filters": []}),
        ("DescribeSecurityGroups", {"GroupIds": ["sg-1"], "NextToken": "more"}),
        ("DescribeTags", {"Filters": [{"Name": "resource-id", "Values": ["sg-*"]}]}),
        ("DescribeTags", {"Filters": [{"Name": "key", "Values": ["Owner"]}]}),
        (
            "DescribeTags",
            {
                "Filters": [
                    {"Name": "resource-id", "Values": ["sg-1"]},
                    {"Name": "key", "Values": ["Owner"]},
                ]
            },
        ),
        ("RevokeSecurityGroupIngress", {"GroupId": "sg-1"}),
    ],
)
def test_what_is_not_only_about_ids_goes_alone(operation: str, params: dict[str, Any]) -> None:
    assert question("ec2", operation, params) is None


IDS = st.sets(st.sampled_from([f"i-{number}" for number in range(8)]), min_size=1)


@given(there=st.lists(st.lists(st.sampled_from([f"i-{n}" for n in range(8)]), max_size=3)), asked=IDS)
def test_of_groups_of_instances_each_gets_its_own_and_nothing_else(
    there: list[list[str]], asked: set[str]
) -> None:
    answer: Answer = {
        "Reservations": [{"OwnerId": "o", "Instances": [{"InstanceId": i} for i in some]} for some in there]
    }
    mine = question("ec2", "DescribeInstances", {"InstanceIds": sorted(asked)})
    assert mine is not None
    seen = mine.own(answer)["Reservations"]
    assert [i["InstanceId"] for group in seen for i in group["Instances"]] == [
        each for some in there for each in some if each in asked
    ]
    assert all(group["Instances"] and group["OwnerId"] == "o" for group in seen)

"""A fix rehearsed: what is told of it, where it stops, and that nothing is ever changed for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._aws import Aws, AwsError, together
from bots._bot import (
    AnyBot,
    Before,
    Bot,
    CannotFix,
    Check,
    NoParams,
    Params,
    Risk,
    Target,
    TargetGone,
    TryLater,
    Undo,
    Unproven,
    entity,
)
from bots._own import old_shaped
from hub.flow.rehearse import MOST_BYTES, MOST_CALLS, MOST_READS, OWN, Rehearsal, rehearse
from hub.model import PlannedCall
from tests.virtual_time import VirtualLoop, run

TARGET = Target(account_id="222233334444", region="us-east-1", partition="aws", type="A::B::C", id="data")
Fix = Callable[[Aws], Awaitable[object]]


class Seen(Before):
    pass


class Account:
    """Answers all that is asked, and remembers what that was."""

    account_id = "222233334444"
    partition = "aws"
    now = datetime(2026, 11, 29, tzinfo=UTC)

    def __init__(self, region: str = "us-east-1", sent: list[str] | None = None) -> None:
        self.region = region
        self.sent: list[str] = [] if sent is None else sent

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        self.sent.append(f"{service} {operation} {self.region}")
        if operation == "GetDenied":
            raise AwsError(
                service=service, operation=operation, region=self.region, code="AccessDenied", message="no"
            )
        return {"Found": params}

    async def find(
        self, service: str, operation: str, /, *, absent: tuple[str, ...], **params: Any
    ) -> dict[str, Any] | None:
        raise AssertionError("a rehearsal knows absence by itself")

    async def pages(
        self, service: str, operation: str, /, *, items: str, **params: Any
    ) -> AsyncIterator[Any]:
        self.sent.append(f"{service} {operation} {self.region}")
        for item in (1, 2):
            yield item

    def at(self, region: str) -> Account:
        return Account(region, self.sent)


def bot_that(fix: Fix, *, name: str = "s3_enable_versioning") -> AnyBot:
    """A bot that passes for one of this project."""
    bot = Bot(
        name=name,
        acts_on="A::B::C",
        target=entity("id"),
        params=NoParams,
        before=Seen,
        reads=(),
        writes=(),
        risk=Risk.ADDITIVE,
        undo=Undo[Seen].none("it is a test"),
    )

    @bot.fix
    async def _(aws: Aws, target: Target, params: Params, before: Seen) -> None:
        await fix(aws)

    return bot


async def rehearsed(fix: Fix, account: Account | None = None) -> Rehearsal:
    return await rehearse(bot_that(fix), account or Account(), TARGET, NoParams(), Seen())


def named(rehearsal: Rehearsal) -> list[str]:
    return [call.operation for call in rehearsal.calls]


async def test_reads_are_answered_and_changes_are_told_with_region_and_parameters() -> None:
    async def fix(aws: Aws) -> None:
        await aws.call("s3", "GetBucketAcl", Bucket="data")
        assert [item async for item in aws.pages("ec2", "DescribeVpcs", items="Vpcs")] == [1, 2]
        assert await aws.find("kms", "DescribeKey", absent=("NotFound",), KeyId="k") == {
            "Found": {"KeyId": "k"}
        }
        assert (aws.account_id, aws.partition, aws.now) == ("222233334444", "aws", Account.now)
        home = aws.at("eu-west-1")
        assert home.region == "eu-west-1"
        await home.call("s3", "PutBucketAcl", Bucket="data", ACL="private")

    account = Account()
    told = await rehearsed(fix, account)
    assert told == Rehearsal(
        calls=(PlannedCall("s3", "PutBucketAcl", "eu-west-1", {"Bucket": "data", "ACL": "private"}),),
        whole=True,
    )
    assert account.sent == [
        "s3 GetBucketAcl us-east-1",
        "ec2 DescribeVpcs us-east-1",
        "kms DescribeKey us-east-1",
    ]


@given(
    st.sampled_from(["s3", "sts", "cognito-identity", "ec2"]),
    st.from_regex(
        r"(Get|List|Describe|Batch|Put|Start|Getter|Lookup|Simulate|Query|get)[A-Za-z]{0,9}", fullmatch=True
    ),
    st.booleans(),
)
async def test_what_is_not_surely_a_read_is_never_sent(service: str, operation: str, paged: bool) -> None:
    async def fix(aws: Aws) -> None:
        if paged:
            _ = [item async for item in aws.pages(service, operation, items="X")]
        else:
            await aws.call(service, operation)

    account = Account()
    told = await rehearsed(fix, account)
    begins = operation.startswith(("Get", "List", "Describe", "Lookup", "BatchGet"))
    if account.sent:
        assert begins
        assert service in ("s3", "ec2")
        assert told.calls == ()
    elif paged:
        assert not told.whole
    else:
        assert named(told) == [operation]


async def test_parts_of_an_answer_are_told_by_their_place_wherever_they_are_handed_on() -> None:
    async def fix(aws: Aws) -> None:
        key = (await aws.call("kms", "CreateKey"))["KeyMetadata"]
        other = await aws.find("kms", "CreateKey", absent=("Full",))
        assert other
        policy = {"Resource": [f"{key['Arn']}/*", other.get("KeyMetadata", {}).get("Arn")]}
        await aws.call(
            "x",
            "PutX",
            Policy=json.dumps(policy),
            Keys=[key["KeyId"], {key["KeyId"]: 1}],
            Of=key["Tags"][0]["Key"],
        )

    told = await rehearsed(fix)
    assert told.whole, told.why
    params = told.calls[-1].params
    assert json.loads(params["Policy"])["Resource"] == [
        "<of CreateKey: KeyMetadata.Arn>/*",
        "<of CreateKey 2: KeyMetadata.Arn>",
    ]
    assert params["Keys"] == ["<of CreateKey: KeyMetadata.KeyId>", {"<of CreateKey: KeyMetadata.KeyId>": 1}]
    assert params["Of"] == "<of CreateKey: KeyMetadata.Tags[0].Key>"
    assert json.loads(json.dumps(params)) == params


QUESTIONS: dict[str, Callable[[Any], object]] = {
    "is it this": lambda answer: answer["State"] == "READY",
    "is it not that": lambda answer: answer["State"] != "READY",
    "is it among these": lambda answer: answer["State"] in {"READY"},
    "is it true": lambda answer: bool(answer["Return"]),
    "how many": lambda answer: len(answer["Rules"]),
    "each": lambda answer: list(answer["Rules"]),
    "is there one": lambda answer: "Rules" in answer,
    "all of it": dict,
    "its items": lambda answer: answer.items(),
    "as it is": lambda answer: {**answer},
    "cut up": lambda answer: answer["Arn"].split(":"),
    "its beginning": lambda answer: answer["Arn"].startswith("arn:"),
    "as a number": lambda answer: int(answer["Count"]),
    "one more": lambda answer: answer["Count"] + 1,
    "more than": lambda answer: answer["Count"] > 1,
    "longer": lambda answer: "a" + answer["Arn"],
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
async def test_whoever_asks_what_only_a_real_answer_tells_ends_the_rehearsal(
    question: Callable[[Any], object],
) -> None:
    async def fix(aws: Aws) -> None:
        answer = await aws.call("s3", "PutThing", Name="data")
        try:
            question(answer)
        except BaseException:  # as it is in bots that take back what they did
            await aws.call("s3", "DeleteThing")
            raise
        await aws.call("s3", "PutOther")

    told = await rehearsed(fix)
    assert named(told) == ["PutThing"]
    assert not told.whole
    assert "PutThing" in told.why
    assert told.why.endswith("which only a real call makes known")


async def test_what_aws_makes_up_is_none_of_what_was_there_and_nothing_went_wrong() -> None:
    async def fix(aws: Aws) -> None:
        group = (await aws.call("ec2", "CreateSecurityGroup"))["GroupId"]
        assert group == group
        assert group != "sg-1"
        assert group not in {"sg-1"}
        assert {group: 1}[group] == 1
        deleted = await aws.call("ecr", "BatchDeleteImage")
        assert list(deleted["failures"]) == list(deleted.get("failures", ())) == []
        assert deleted["Result"].get("Errors") is None
        assert deleted["Result"] is not None
        assert deleted["Result"] != None  # noqa: E711

    told = await rehearsed(fix)
    assert told.whole, told.why


async def test_a_look_at_what_was_only_told_to_be_changed_ends_the_rehearsal() -> None:
    async def same_service(aws: Aws) -> None:
        await aws.call("s3", "CreateBucket", Bucket="new")
        await aws.call("s3", "GetBucketPolicy", Bucket="new")

    async def by_its_id(aws: Aws) -> None:
        key = await aws.call("kms", "CreateKey")
        _ = [each async for each in aws.pages("s3", "ListBuckets", items="B", Key=[f"a{key['Id']}"])]

    async def in_its_region(aws: Aws) -> None:
        made = await aws.call("s3", "CreateBucket", Bucket="new")
        await aws.at(made["Location"]).call("ec2", "DescribeVpcs")

    for fix in (same_service, by_its_id, in_its_region):
        account = Account()
        told = await rehearsed(fix, account)
        assert account.sent == []
        assert len(told.calls) == 1
        assert not told.whole
        assert told.why


async def test_a_look_at_another_service_is_answered_after_a_change() -> None:
    async def fix(aws: Aws) -> None:
        await aws.call("s3", "CreateBucket", Bucket="new")
        await aws.call("ec2", "DescribeVpcs")

    assert (await rehearsed(fix)).whole


async def test_a_probe_of_ec2_is_told_and_changes_nothing() -> None:
    async def fix(aws: Aws) -> None:
        await aws.find("ec2", "ReleaseAddress", absent=("DryRunOperation",), DryRun=True, AllocationId="a")
        await aws.call("ec2", "DescribeAddresses")
        await aws.call("ec2", "ReleaseAddress", AllocationId="a")

    account = Account()
    told = await rehearsed(fix, account)
    assert told.whole, told.why
    assert [call.params.get("DryRun") for call in told.calls] == [True, None]
    assert account.sent == ["ec2 DescribeAddresses us-east-1"]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (CannotFix("MFA Delete is on"), "MFA Delete is on"),
        (TryLater("a snapshot to end"), "a snapshot to end"),
        (TargetGone("no such bucket"), "no such bucket"),
        (Unproven("nothing to read"), "nothing to read"),
        (ValueError("password=hunter2"), "the bot raised ValueError"),
    ],
)
async def test_a_fix_that_raises_is_told_up_to_there(raised: Exception, words: str) -> None:
    async def fix(aws: Aws) -> None:
        await aws.call("s3", "PutThing")
        raise raised

    told = await rehearsed(fix)
    assert named(told) == ["PutThing"]
    assert not told.whole
    assert words in told.why
    assert "hunter2" not in told.why


async def test_a_read_that_aws_refuses_ends_it_unless_the_bot_can_do_without() -> None:
    async def needs(aws: Aws) -> None:
        await aws.call("s3", "GetDenied")

    async def can_do_without(aws: Aws) -> None:
        assert await aws.find("s3", "GetDenied", absent=("AccessDenied",)) is None

    told = await rehearsed(needs)
    assert not told.whole
    assert "AccessDenied" in told.why
    assert (await rehearsed(can_do_without)).whole


async def test_reads_and_changes_side_by_side_end_together() -> None:
    async def fix(aws: Aws) -> None:
        await aws.call("s3", "PutThing")
        await together(aws.call("s3", "GetThing"), aws.call("ec2", "DescribeVpcs"))

    told = await rehearsed(fix)
    assert named(told) == ["PutThing"]
    assert not told.whole


@pytest.mark.parametrize(
    ("operation", "told_at_most", "sent_at_most"),
    [("PutThing", MOST_CALLS, 0), ("DescribeThing", 0, MOST_READS)],
)
async def test_a_fix_that_goes_round_and_round_is_ended(
    operation: str, told_at_most: int, sent_at_most: int
) -> None:
    async def fix(aws: Aws) -> None:
        while True:
            await aws.call("s3", operation)

    account = Account()
    told = await rehearsed(fix, account)
    assert (len(told.calls), len(account.sent)) == (told_at_most, sent_at_most)
    assert not told.whole


async def test_calls_are_told_as_long_as_the_journal_has_room_for_them() -> None:
    async def fix(aws: Aws) -> None:
        for _ in range(10):
            await aws.call("s3", "PutThing", Policy="x" * (MOST_BYTES // 4))

    told = await rehearsed(fix)
    assert len(told.calls) == 3
    assert not told.whole


def test_a_fix_that_waits_without_end_is_ended() -> None:
    async def fix(aws: Aws) -> None:
        await aws.call("s3", "PutThing")
        await asyncio.sleep(10_000)

    told = run(VirtualLoop(), rehearsed(fix))
    assert named(told) == ["PutThing"]
    assert told.why == "the fix had not ended after 120 seconds"


async def test_parameters_are_told_as_they_were_and_as_json() -> None:
    async def fix(aws: Aws) -> None:
        names = ["a"]
        await aws.call(
            "x", "PutX", Names=names, Blob=b"text", Raw=b"\xff\xfe", At=Account.now, Pair=(1, 2.5), Some={"b", "a"},
            Yes=True, None_=None, Odd=object(),
        )  # fmt: skip
        names.append("b")

    (call,) = (await rehearsed(fix)).calls
    assert call.params == {
        "Names": ["a"], "Blob": "text", "Raw": "//4=", "At": "2026-11-29T00:00:00+00:00", "Pair": [1, 2.5],
        "Some": ["a", "b"], "Yes": True, "None_": None, "Odd": "a object, which cannot be shown",
    }  # fmt: skip


async def test_secrets_are_not_told() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    async def fix(aws: Aws) -> None:
        await aws.call("x", "PutX", Text=f"aws_secret_access_key={secret}")
        raise CannotFix(f"aws_secret_access_key={secret}")

    told = await rehearsed(fix)
    assert secret not in repr(told)
    assert "[secret removed]" in repr(told.calls)
    assert "[secret removed]" in told.why


async def test_a_bot_in_the_old_shape_is_not_run() -> None:
    class OldBot:
        @staticmethod
        def run_action(*_: object) -> str:
            raise AssertionError("it was run")

    async def runner(*_: object) -> object:
        raise AssertionError("it was run")

    bot = old_shaped("old_bot", OldBot, runner)
    seen = bot.before()
    assert isinstance(seen, Before)
    account = Account()
    told = await rehearse(
        bot, account, TARGET, bot.params(), Check(compliant=False, before=seen, why="").before
    )
    assert told.calls == ()
    assert not told.whole
    assert "old shape" in told.why
    assert account.sent == []


async def test_bots_of_ones_own_are_not_run_for_a_plan() -> None:
    async def fix(aws: Aws) -> None:
        raise AssertionError("it was run")

    told = await rehearse(bot_that(fix, name="team_bot"), Account(), TARGET, NoParams(), Seen())
    assert told == Rehearsal(calls=(), whole=False, why=OWN)

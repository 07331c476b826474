"""Scenes of `bots.cloudtrail_enable`, and what only this bot does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from moto.cloudtrail.models import cloudtrail_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._trail_coverage import records_management_events
from bots._words import BadWords, parse
from bots.cloudtrail_enable import Wish, bot
from tests.bots import buckets
from tests.bots.alone import Alone, alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
MANAGEMENT = "222233334444"  # the organization's management account
DATA_ONLY = [{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": []}]


def _home(admin: Admin, name: str = "") -> str:
    return name or f"acct{admin.account_id}cloudtraillogs"


def _let_in(admin: Admin, bucket: str) -> str:
    """A bucket that any trail may deliver into."""
    buckets.make(admin, bucket)
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    arn = f"arn:aws:s3:::{bucket}"
    buckets.set_policy(
        admin,
        bucket,
        statement | {"Action": "s3:GetBucketAcl", "Resource": arn},
        statement | {"Action": "s3:PutObject", "Resource": f"{arn}/*"},
    )
    return bucket


def _trail(
    admin: Admin, name: str, region: str = "us-east-1", *, started: bool = False, **flags: bool
) -> dict[str, Any]:
    bucket = f"trails-{admin.account_id}"
    if buckets.seen(bucket) is None:
        _let_in(admin, bucket)
    cloudtrail = admin.client("cloudtrail", region)
    made: dict[str, Any] = cloudtrail.create_trail(Name=name, S3BucketName=bucket, **flags)
    if started:
        cloudtrail.start_logging(Name=name)
    return made


def _account(admin: Admin, *words: str, bucket: str = "", trail_region: str = "us-east-1") -> Planted:
    return Planted(
        entity={"id": admin.account_id, "type": "Region"},
        words=words,
        notes={"bucket": _home(admin, bucket), "region": trail_region},
    )


def _only_a_bucket(admin: Admin) -> Planted:
    """The customer's own bucket, shared with others, and a trail that watches one region only."""
    name = buckets.make_shared(admin, f"shared-{admin.account_id}")
    _trail(admin, "regional", started=True)
    return _account(admin, f"bucket_name={name}", bucket=name)


def _stopped_and_narrow(admin: Admin) -> Planted:
    # As AWS makes it for those who ask for nothing in particular.
    _trail(admin, "allRegionTrail")
    return _account(admin)


def _partial(admin: Admin) -> Planted:
    _trail(admin, "allRegionTrail", IsMultiRegionTrail=True)
    admin.client("cloudtrail").put_event_selectors(TrailName="allRegionTrail", EventSelectors=DATA_ONLY)
    return _account(admin)


def _five(admin: Admin) -> Planted:
    for number in range(5):
        _trail(admin, f"trail-{number}")
    return _account(admin)


def _of_the_organization(admin: Admin, *, started: bool = True) -> Planted:
    """What a member account sees of the organization's trail; moto shows it none."""
    made = _trail(admin, "allRegionTrail", started=started, IsMultiRegionTrail=True)
    trail = cloudtrail_backends[admin.account_id]["us-east-1"].trails[made["Name"]]
    trail.account_id, trail.is_org_trail = MANAGEMENT, True
    return _account(admin)


def _name_taken(admin: Admin) -> Planted:
    buckets.make(Admin("333344445555", admin.endpoint), _home(admin))
    return _account(admin)


def _observe(admin: Admin, planted: Planted) -> Any:
    cloudtrail = admin.client("cloudtrail", planted.notes["region"])
    trails = cloudtrail.describe_trails(includeShadowTrails=False)["trailList"]
    for trail in trails:
        trail["on"] = cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"]
    return {"trails": trails, "bucket": buckets.seen(planted.notes["bucket"])}


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, refusal=refusal)

    return [
        Scene(name="bucket of the customer", plant=_only_a_bucket, observe=_observe, region="us_east_1"),
        Scene(name="nothing there", plant=_account, observe=_observe, region=""),
        Scene(name="stopped and narrow", plant=_stopped_and_narrow, observe=_observe),
        blocked("data events only", "selects only some management events", _partial),
        blocked("five trails", "the most AWS allows", _five),
        blocked(
            "the organization's, stopped",
            "only the management account",
            lambda admin: _of_the_organization(admin, started=False),
        ),
        blocked("bucket name taken", "is taken by another account", _name_taken),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_new_trail_watches_all_regions_and_its_bucket_lets_in_no_other(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _account(admin), region=ELSEWHERE) as there:
        assert (await there.fix()).compliant
    trail = admin.client("cloudtrail", ELSEWHERE).get_trail(Name="allRegionTrail")["Trail"]
    assert (trail["IsMultiRegionTrail"], trail["LogFileValidationEnabled"]) == (True, True)
    assert "S3KeyPrefix" not in trail
    made = buckets.seen(_home(admin))
    assert made["region"] == ELSEWHERE
    assert set(made["closed to the public"].values()) == {True}
    arn = f"arn:aws:cloudtrail:{ELSEWHERE}:{admin.account_id}:trail/allRegionTrail"
    assert [each["Condition"]["StringEquals"]["aws:SourceArn"] for each in made["policy"]] == [arn, arn]
    assert made["policy"][1]["Resource"] == f"arn:aws:s3:::{_home(admin)}/AWSLogs/{admin.account_id}/*"


@pytest.mark.usefixtures("hub_environment")
async def test_one_trail_that_records_everything_is_enough_whoever_owns_it(aws: FakeAws) -> None:
    member, plain = aws.fresh_account(), aws.fresh_account()
    async with alone(bot, aws, member, _of_the_organization(member)) as there:
        seen = await there.check()
        assert seen.compliant
        assert MANAGEMENT in seen.why
        assert seen.notes == ("log files of trail allRegionTrail are not validated",)
    _trail(plain, "security", ELSEWHERE, started=True, IsMultiRegionTrail=True, EnableLogFileValidation=True)
    async with alone(bot, aws, plain, _account(plain)) as there:
        seen = await there.check()
    assert (seen.compliant, seen.notes) == (True, ())


@pytest.mark.usefixtures("hub_environment")
async def test_a_multi_region_trail_is_put_right_in_the_region_it_lives_in(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _trail(admin, "allRegionTrail", ELSEWHERE, IsMultiRegionTrail=True)
    async with alone(bot, aws, admin, _account(admin)) as there:
        was = await there.check()
        assert was.region == ELSEWHERE
        assert (await there.fix()).compliant
        assert (await there.undo(was.before)).before == was.before


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_has_not_arrived_is_waited_for_with_everything_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    aws.fail(admin.account_id, "cloudtrail:CreateTrail", "InsufficientS3BucketPolicyException")
    async with alone(bot, aws, admin, _account(admin)) as there:
        with pytest.raises(TryLater):
            await there.fix()
        assert len(buckets.statements(_home(admin))) == 2
        assert (await there.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_trail_somebody_made_in_between_is_never_deleted(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _account(admin)) as there:
        seen = await there.check()
        _trail(admin, "allRegionTrail")
        with pytest.raises(AwsError, match="TrailAlreadyExists"):
            await there.bot.run_fix(there.account, there.target, there.params, seen.before)
    assert admin.client("cloudtrail").get_trail(Name="allRegionTrail")["Trail"]
    assert buckets.seen(_home(admin)) is None


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_deletes_the_trail_and_keeps_its_logs(aws: FakeAws) -> None:
    admin = aws.fresh_account()

    async def fixed_with_logs(there: Alone) -> Any:
        was = (await there.check()).before
        await there.fix()
        admin.client("s3").put_object(Bucket=_home(admin), Key="AWSLogs/a-log", Body=b"{}")
        return was

    async with alone(bot, aws, admin, _account(admin)) as there:
        was = await fixed_with_logs(there)
        assert (await there.undo(was)).before == was
    assert admin.client("cloudtrail").describe_trails()["trailList"] == []
    assert buckets.seen(_home(admin))["objects"] == ["AWSLogs/a-log"]


@pytest.mark.usefixtures("hub_environment")
async def test_a_second_trail_of_a_bucket_does_not_replace_the_leave_of_the_first(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _let_in(admin, _home(admin))
    async with alone(bot, aws, admin, _account(admin)) as there:
        await there.fix()
        admin.client("cloudtrail").stop_logging(Name="allRegionTrail")
        assert (await there.saying("security").fix()).compliant
    assert len(buckets.statements(_home(admin))) == 2 + 2 + 2


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_denies_things_is_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    everybody: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Sid": "NotFromOutside",
        "Action": "s3:PutObject",
    }
    buckets.make_shared(admin, _home(admin), **everybody)
    async with alone(bot, aws, admin, _account(admin)) as there:
        (note,) = (await there.check()).notes
        assert "NotFromOutside" in note
        tls = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        buckets.set_policy(
            admin, _home(admin), {**everybody, **tls, "Resource": f"arn:aws:s3:::{_home(admin)}/*"}
        )
        assert (await there.check()).notes == ()


@pytest.mark.usefixtures("hub_environment")
async def test_a_name_taken_while_the_fix_was_under_way_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _account(admin)) as there:
        seen = await there.check()
        _name_taken(admin)
        with pytest.raises(CannotFix, match="is taken by another account"):
            await there.bot.run_fix(there.account, there.target, there.params, seen.before)


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ((), Wish()),
        (
            ("trail_name=audit", "bucket_name=my-trail-logs"),
            Wish(trail_name="audit", bucket_name="my-trail-logs"),
        ),
        (("audit", "my-trail-logs"), Wish(trail_name="audit", bucket_name="my-trail-logs")),
        (("", "my-trail-logs"), Wish(bucket_name="my-trail-logs")),
    ],
)
def test_names_are_given_by_position_or_by_name(words: tuple[str, ...], wish: Wish) -> None:
    assert parse(Wish, words) == wish


@pytest.mark.parametrize("words", [("a b",), ("-trail",), ("ok", "Not_A_Bucket"), ("ok", "bucket", "more")])
def test_names_aws_would_not_take_never_reach_it(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


def _advanced(*fields: dict[str, Any], category: str = "Management") -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, *fields]}


READS = {"Field": "readOnly", "Equals": ["true"]}
WRITES = {"Field": "readOnly", "Equals": ["false"]}


@pytest.mark.parametrize(
    ("found", "everything"),
    [
        ({"EventSelectors": [{"ReadWriteType": "All"}]}, True),
        ({"EventSelectors": DATA_ONLY}, False),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}, {"ReadWriteType": "ReadOnly"}]}, True),
        ({"AdvancedEventSelectors": [_advanced()]}, True),
        ({"AdvancedEventSelectors": [_advanced(category="Data")]}, False),
        ({"AdvancedEventSelectors": [_advanced(WRITES)]}, False),
        ({"AdvancedEventSelectors": [_advanced(WRITES), _advanced(READS)]}, True),
        ({"AdvancedEventSelectors": [_advanced({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]})]}, True),
        ({"AdvancedEventSelectors": [_advanced({"Field": "eventSource", "Equals": ["kms.amazonaws.com"]})]}, False),
        ({"AdvancedEventSelectors": [_advanced({"Field": "eventName", "Equals": ["RunInstances"]})]}, False),
        ({}, False),
    ],
)  # fmt: skip
def test_selectors_are_added_up(found: dict[str, Any], everything: bool) -> None:
    assert records_management_events(found) is everything

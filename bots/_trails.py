"""CloudTrail's trails: all that can be seen from a region, the one a finding means, and how one is changed.

What trails record is for `_trail_coverage`, their keys and log groups for `_trail_keys` and `_trail_logs`;
`_trail` looks up what they have recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone, TryLater

LOOK_UP = "cloudtrail:DescribeTrails"  # AWS narrows it to no trail
TRAIL = ("arn:{partition}:cloudtrail:*:{account}:trail/*",)
_BUSY = "ConflictException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A trail the account can see. ``home`` is the account in the region that alone can change it."""

    home: Aws
    arn: str
    owner: str  # another account's for a member's view of its organization's trail
    name: str
    bucket: str
    key: str | None
    validates: bool
    log_group: str | None  # ARN
    role: str | None  # ARN of the role that writes to the log group
    of_organization: bool
    all_regions: bool
    global_events: bool  # of services without a region, as IAM


async def trails_seen(home: Aws) -> list[Trail]:
    """Every trail that records in the region, those at home elsewhere too. AWS knows no pages here."""
    answer = await home.call("cloudtrail", "DescribeTrails", includeShadowTrails=True)
    return [_read(home, trail) for trail in answer["trailList"]]


def _read(aws: Aws, trail: dict[str, Any]) -> Trail:
    return Trail(
        home=aws.at(trail["HomeRegion"]),
        arn=trail["TrailARN"],
        owner=trail["TrailARN"].split(":", 5)[4],
        name=trail["Name"],
        bucket=trail["S3BucketName"],
        key=trail.get("KmsKeyId"),
        validates=trail.get("LogFileValidationEnabled", False),
        log_group=trail.get("CloudWatchLogsLogGroupArn"),
        role=trail.get("CloudWatchLogsRoleArn"),
        of_organization=trail.get("IsOrganizationTrail", False),
        all_regions=trail.get("IsMultiRegionTrail", False),
        global_events=trail.get("IncludeGlobalServiceEvents", False),
    )


async def trail_of(aws: Aws, target: Target) -> Trail:
    """The trail the finding names by its ARN or, as seen from the finding's region, by its name.

    Raises:
        TargetGone: no such trail.
        CannotFix: it belongs to another account, as organization trails do for members.
    """
    named, home = target.id, aws
    if named.startswith("arn:") and named.count(":") >= 5:
        _, _, _, region, owner, _ = named.split(":", 5)
        if owner != aws.account_id:
            raise _foreign(named, owner)
        home = aws.at(region)
    found = [trail for trail in await trails_seen(home) if named in (trail.arn, trail.name)]
    if not found:
        raise TargetGone(f"trail {named} does not exist in {home.region}")
    own = [trail for trail in found if trail.owner == aws.account_id]
    if not own:
        raise _foreign(named, found[0].owner)
    # Trails of all regions are seen everywhere; of two with one name, the finding's region has its own.
    near = [trail for trail in own if trail.home.region == home.region] or own
    if len(near) > 1:
        raise CannotFix(f"several trails are called {named}: {', '.join(trail.arn for trail in near)}")
    return near[0]


def _foreign(named: str, owner: str) -> CannotFix:
    return CannotFix(
        f"trail {named} belongs to account {owner}: an organization's trail can only be changed in its "
        "management account or by the delegated administrator"
    )


async def update_trail(home: Aws, arn: str, *, later: dict[str, str] | None = None, **changes: Any) -> None:
    """Change the named settings of a trail and leave all others.

    Args:
        later: error codes that mean "not yet" -> what is awaited. Without it (in an undo) nothing is.

    Raises:
        TryLater: one of them came, or somebody else is changing the trail right now.
    """
    try:
        await home.call("cloudtrail", "UpdateTrail", Name=arn, **changes)
    except AwsError as error:
        awaited = {_BUSY: f"another change of trail {arn} is under way", **later} if later is not None else {}
        if error.code not in awaited:
            raise
        raise TryLater(awaited[error.code], seconds=60 if error.code == _BUSY else 15) from error


async def log_bucket_region(trail: Trail) -> str | None:
    """Where the trail's bucket lives, whose region its key must share; None for another account's bucket."""
    # HeadBucket could not tell another account's bucket from a missing right.
    buckets = trail.home.pages("s3", "ListBuckets", items="Buckets", Prefix=trail.bucket, MaxBuckets=1000)
    regions = {bucket["Name"]: str(bucket["BucketRegion"]) async for bucket in buckets}
    return regions.get(trail.bucket)

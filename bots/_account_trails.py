"""CloudTrail's trails: which the account can see, what they record, and what a new one's bucket must allow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError, together
from bots._bot import CannotFix
from bots._log_bucket import HANDED_OVER, arn_of, leave, mark_of
from bots._policies import Statement

SERVICE = "cloudtrail.amazonaws.com"
ANY_TRAIL = ("arn:{partition}:cloudtrail:*:*:trail/*",)  # the organization's is of another account
TRAIL = ("arn:{partition}:cloudtrail:*:{account}:trail/*",)
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$"
CHANGES = tuple(
    f"cloudtrail:{name}"
    for name in ("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
)
NOT_YET = ("InsufficientS3BucketPolicyException", "S3BucketDoesNotExistException")
GOAL = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True}
TRAILS_PER_REGION = 5  # AWS raises it for nobody
_HALVES = {"ReadOnly": "true", "WriteOnly": "false", "true": "true", "false": "false"}
_EVERYTHING = {"true", "false"}


def records_management_events(found: Mapping[str, Any]) -> bool:
    """Whether the answer of GetEventSelectors covers reads and writes of every service's management API.

    Selectors add up. Leaving out KMS or the RDS Data API, which AWS offers because they are so many,
    still counts; any other condition on the events does not.
    """
    halves: set[str] = set()
    for half in (
        *_basic(found.get("EventSelectors") or ()),
        *_advanced(found.get("AdvancedEventSelectors") or ()),
    ):
        halves |= half
    return halves == _EVERYTHING


def _basic(selectors: Any) -> Iterator[set[str]]:
    for selector in selectors:
        if selector.get("IncludeManagementEvents", True):
            wanted = selector.get("ReadWriteType", "All")
            yield _EVERYTHING if wanted == "All" else {_HALVES[wanted]}


def _advanced(selectors: Any) -> Iterator[set[str]]:
    for selector in selectors:
        fields = {field["Field"]: field for field in selector["FieldSelectors"]}
        if fields.pop("eventCategory", {}).get("Equals") != ["Management"]:
            continue
        wanted = fields.pop("readOnly", {}).get("Equals", list(_EVERYTHING))
        left_out = fields.pop("eventSource", None)
        if not fields and (left_out is None or set(left_out) == {"Field", "NotEquals"}):
            yield {_HALVES[each] for each in wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A trail as the account sees it. ``flags`` as CreateTrail and UpdateTrail take them."""

    name: str
    owner: str
    region: str
    flags: dict[str, bool]
    logging: bool
    complete: bool  # all management events

    @property
    def suffices(self) -> bool:
        """Records every management event of every region."""
        return self.flags["IsMultiRegionTrail"] and self.logging and self.complete


async def visible_trails(aws: Aws) -> list[Trail]:
    """The region's own trails and those of all regions, the organization's among them."""
    answer = await aws.call("cloudtrail", "DescribeTrails", includeShadowTrails=True)
    return list(await together(*(_trail(aws, found) for found in answer["trailList"])))


async def _trail(aws: Aws, found: Mapping[str, Any]) -> Trail:
    # By ARN: in a member account the organization's trail has no name.
    home, arn = aws.at(found["HomeRegion"]), found["TrailARN"]
    status, selectors = await together(
        home.call("cloudtrail", "GetTrailStatus", Name=arn),
        home.call("cloudtrail", "GetEventSelectors", TrailName=arn),
    )
    return Trail(
        name=found["Name"],
        owner=arn.split(":")[4],
        region=found["HomeRegion"],
        flags={
            "IsMultiRegionTrail": found["IsMultiRegionTrail"],
            "IncludeGlobalServiceEvents": found["IncludeGlobalServiceEvents"],
            "EnableLogFileValidation": found["LogFileValidationEnabled"],
        },
        logging=status["IsLogging"],
        complete=records_management_events(selectors),
    )


def leave_for(aws: Aws, trail: str, bucket: str) -> tuple[Statement, Statement]:
    """What lets CloudTrail deliver for a trail of this region, and for no other trail."""
    arn = f"arn:{aws.partition}:cloudtrail:{aws.region}:{aws.account_id}:trail/{trail}"
    # A name of the statement's own, or the leave of another trail of the bucket would be replaced.
    mark = mark_of(arn)
    mine = {"aws:SourceArn": arn}
    objects = arn_of(aws, bucket, f"AWSLogs/{aws.account_id}/")
    return (
        leave(
            f"CloudTrailAclCheck{mark}",
            SERVICE,
            "s3:GetBucketAcl",
            arn_of(aws, bucket),
            {"StringEquals": mine},
        ),
        leave(
            f"CloudTrailWrite{mark}", SERVICE, "s3:PutObject", objects, {"StringEquals": mine | HANDED_OVER}
        ),
    )


async def start(home: Aws, name: str, way_back: str, **flags: bool) -> None:
    """Start the trail, or take back what was just done to it: a new trail records nothing by itself."""
    try:
        await home.call("cloudtrail", "StartLogging", Name=name)
    except AwsError:
        with contextlib.suppress(AwsError):
            await home.call("cloudtrail", way_back, Name=name, **flags)
        raise


def refuse_another(trails: list[Trail], name: str) -> None:
    """Raises CannotFix where AWS would take no trail of that name."""
    if any(trail.name == name for trail in trails):
        raise CannotFix(f"trail {name} is the organization's: only the management account can put it right")
    if len(trails) >= TRAILS_PER_REGION:
        raise CannotFix(
            f"there are {len(trails)} trails, the most AWS allows: name one of them to have it widened"
        )

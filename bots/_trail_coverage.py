"""What trails record, and how one comes to record every management event of all regions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws, AwsError, together
from bots._bot import CannotFix, TryLater, on
from bots._log_bucket import HANDED_OVER, arn_of, leave, mark_of
from bots._policies import Statement
from bots._trails import LOOK_UP, TRAIL, Trail, trails_seen

SERVICE = "cloudtrail.amazonaws.com"
TrailName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$")]
_ANY_TRAIL = ("arn:{partition}:cloudtrail:*:*:trail/*",)  # the organization's is of another account
READS = (LOOK_UP, *on(_ANY_TRAIL, "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"))
WRITES = on(
    TRAIL,
    "cloudtrail:CreateTrail",
    "cloudtrail:UpdateTrail",
    "cloudtrail:DeleteTrail",
    "cloudtrail:StartLogging",
    "cloudtrail:StopLogging",
)
TRAILS_PER_REGION = 5  # AWS raises it for nobody
_GOAL = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True}
_NOT_YET = ("InsufficientS3BucketPolicyException", "S3BucketDoesNotExistException")
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


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a trail records."""

    trail: Trail
    logging: bool
    complete: bool  # all management events

    @property
    def flags(self) -> dict[str, bool]:
        """What `widen` changes, as CreateTrail and UpdateTrail take it."""
        return {
            "IsMultiRegionTrail": self.trail.all_regions,
            "IncludeGlobalServiceEvents": self.trail.global_events,
            "EnableLogFileValidation": self.trail.validates,
        }

    @property
    def suffices(self) -> bool:
        """Every management event of every region."""
        return self.trail.all_regions and self.logging and self.complete


async def _coverages(aws: Aws) -> list[Coverage]:
    """Of the region's own trails and those of all regions, the organization's among them."""
    return list(await together(*(_coverage(trail) for trail in await trails_seen(aws))))


async def _coverage(trail: Trail) -> Coverage:
    # By ARN: in a member account the organization's trail has no name.
    status, selectors = await together(
        trail.home.call("cloudtrail", "GetTrailStatus", Name=trail.arn),
        trail.home.call("cloudtrail", "GetEventSelectors", TrailName=trail.arn),
    )
    return Coverage(trail, status["IsLogging"], records_management_events(selectors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The trails an account has, seen from one region."""

    name: str  # asked for
    own: Coverage | None  # the account's trail of that name
    enough: Coverage | None  # any trail that records everything
    count: int

    @property
    def why(self) -> str:
        """What is recorded, in one sentence."""
        if self.enough is not None:
            trail = self.enough.trail
            return f"trail {trail.name} of {trail.owner} records all management events of all regions"
        state = "does not exist" if self.own is None else "is stopped or narrower"
        return (
            f"none of {self.count} trails records all management events of all regions; "
            f"trail {self.name} {state}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the trail that is enough lacks all the same."""
        if self.enough is None or self.enough.trail.validates:
            return ()
        return (f"log files of trail {self.enough.trail.name} are not validated",)


async def survey(aws: Aws, name: str) -> Survey:
    """What the account's trails record, and whether one called ``name`` is among them.

    Raises:
        CannotFix: none records everything, and the one of that name cannot be widened or made.
    """
    trails = await _coverages(aws)
    own = next(
        (each for each in trails if (each.trail.name, each.trail.owner) == (name, aws.account_id)), None
    )
    enough = next((each for each in trails if each.suffices), None)
    if enough is None and own is None:
        _refuse_another(trails, name)
    if enough is None and own is not None and not own.complete:
        raise CannotFix(
            f"trail {name} selects only some management events: name another, or widen its selectors"
        )
    return Survey(name=name, own=own, enough=enough, count=len(trails))


def _refuse_another(trails: list[Coverage], name: str) -> None:
    """
    Raises:
        CannotFix: AWS would take no new trail of that name.
    """
    if any(each.trail.name == name for each in trails):
        raise CannotFix(f"trail {name} is the organization's: only the management account can put it right")
    if len(trails) >= TRAILS_PER_REGION:
        raise CannotFix(
            f"there are {len(trails)} trails, the most AWS allows: name one of them to have it widened"
        )


async def widen(home: Aws, name: str, flags: Mapping[str, bool]) -> None:
    """Have a trail that is there record all regions, or leave it as ``flags`` says it was."""
    await home.call("cloudtrail", "UpdateTrail", Name=name, **_GOAL)
    await _start(home, name, "UpdateTrail", **flags)


async def narrow(home: Aws, name: str, flags: Mapping[str, bool], *, logging: bool) -> None:
    """Undo `widen`."""
    if not logging:
        await home.call("cloudtrail", "StopLogging", Name=name)
    await home.call("cloudtrail", "UpdateTrail", Name=name, **flags)


async def make(home: Aws, name: str, bucket: str) -> None:
    """Make a trail that records all regions into a bucket that lets it, or none.

    Raises:
        TryLater: CloudTrail does not see the bucket's policy yet.
    """
    trail = {"Name": name, "S3BucketName": bucket, **_GOAL}
    if await home.find("cloudtrail", "CreateTrail", absent=_NOT_YET, **trail) is None:
        raise TryLater(f"CloudTrail does not see yet that it may write into {bucket}", seconds=20)
    await _start(home, name, "DeleteTrail")


async def delete(home: Aws, name: str) -> None:
    """Undo `make`."""
    await home.find("cloudtrail", "DeleteTrail", absent=("TrailNotFoundException",), Name=name)


async def _start(home: Aws, name: str, way_back: str, **flags: bool) -> None:
    """Start the trail, or take back what was just done to it: a new trail records nothing by itself."""
    try:
        await home.call("cloudtrail", "StartLogging", Name=name)
    except AwsError:
        with contextlib.suppress(AwsError):
            await home.call("cloudtrail", way_back, Name=name, **flags)
        raise


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

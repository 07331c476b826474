"""AWS Config in one region: how it is set up, and the way from one setup to another."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bots._aws import Aws, AwsError, together
from bots._bot import TryLater, on

SERVICE = "config.amazonaws.com"
ROLES = ("arn:{partition}:iam::{account}:role/*",)
_SERVICE_ROLE = (
    "arn:{partition}:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
)
READS = (
    "config:DescribeConfigurationRecorders",
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeDeliveryChannels",
    *on(ROLES, "iam:GetRole"),
)
WRITES = (
    "config:PutConfigurationRecorder",
    "config:PutDeliveryChannel",
    "config:StartConfigurationRecorder",
    "config:StopConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:DeleteConfigurationRecorder",
    "iam:PassRole",
    *on((_SERVICE_ROLE,), "iam:CreateServiceLinkedRole"),
)
Region = Annotated[
    str,
    BeforeValidator(lambda word: word.replace("_", "-") if isinstance(word, str) else word),
    Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$"),
]
_MAIN_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
# Config has not heard yet of a role or of a bucket's policy.
_NOT_YET = ("InvalidRoleException", "InsufficientDeliveryPolicyException", "NoSuchBucketException")
_OURS = ("name", "roleARN", "recordingGroup", "recordingMode")  # the rest of a recorder is AWS's


@dataclass(frozen=True, slots=True)
class Setup:
    """Config as a customer sets it up; recorder and channel as the Put calls take them, None: none."""

    recorder: dict[str, Any] | None
    channel: dict[str, Any] | None
    recording: bool

    @property
    def complete(self) -> bool:
        """The recorder takes in every supported resource type."""
        return self.recorder is not None and bool(self.recorder["recordingGroup"].get("allSupported"))


async def live_setup(aws: Aws) -> tuple[Setup, str]:
    """The setup, and why the recorder fails, "" if it does not.

    Recorders that belong to a service of AWS, such as Security Hub, are not the customer's.
    """
    recorders, statuses, channels = await together(
        aws.call("config", "DescribeConfigurationRecorders"),
        aws.call("config", "DescribeConfigurationRecorderStatus"),
        aws.call("config", "DescribeDeliveryChannels"),
    )
    own = next((each for each in recorders["ConfigurationRecorders"] if "servicePrincipal" not in each), None)
    states = {each["name"]: each for each in statuses["ConfigurationRecordersStatus"]}
    state = states.get(own["name"], {}) if own else {}
    failure = ""
    if state.get("lastStatus", "").lower() == "failure":
        failure = (
            f"{state.get('lastErrorCode', 'unknown')}: {state.get('lastErrorMessage', 'AWS gave no reason')}"
        )
    return Setup(
        recorder=_as_put(own) if own else None,
        channel=next(iter(channels["DeliveryChannels"]), None),
        recording=bool(state.get("recording")),
    ), failure


async def lacking(aws: Aws, setup: Setup) -> tuple[str, ...]:
    """What of recorder and channel keeps resources from being recorded."""
    recorder = setup.recorder
    found = (
        (recorder is None, "there is no recorder"),
        (recorder is not None and not setup.complete, "some resource types are left out"),
        (setup.channel is None, "there is no delivery channel"),
        (recorder is not None and not setup.recording, "the recorder is stopped"),
        (
            recorder is not None and not await _role_exists(aws, recorder["roleARN"]),
            "the recorder's role is gone",
        ),
    )
    return tuple(what for missing, what in found if missing)


def _as_put(recorder: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: recorder[key] for key in _OURS if key in recorder}
    # AWS shows lists that do not apply as empty ones, and does not take them all back.
    group = found.get("recordingGroup", {})
    kept = {key: value for key, value in group.items() if value not in ([], {"resourceTypes": []})}
    return {**found, "recordingGroup": kept}


@contextlib.asynccontextmanager
async def changed(aws: Aws, now: Setup, wanted: Setup) -> AsyncIterator[None]:
    """The wanted setup inside the block. When a step or the block fails, everything is as it was.

    Raises:
        TryLater: AWS is not as far yet; what was done stays.
    """
    reached = now
    try:
        for operation, params, then in _steps(now, wanted):
            if await aws.find("config", operation, absent=_NOT_YET, **params) is None:
                raise TryLater(f"AWS Config is not ready for {operation} yet", seconds=20)
            reached = then
        yield
    except AwsError:
        with contextlib.suppress(AwsError):
            for operation, params, _ in _steps(reached, now):
                await aws.call("config", operation, **params)
        raise


def _steps(now: Setup, wanted: Setup) -> Iterator[tuple[str, dict[str, Any], Setup]]:
    """Calls that lead from one setup to the other, each with the setup it leads to."""
    if now.recorder and now.recording and not (wanted.recording and wanted.recorder and wanted.channel):
        name, now = now.recorder["name"], replace(now, recording=False)
        yield "StopConfigurationRecorder", {"ConfigurationRecorderName": name}, now
    if now.channel and not wanted.channel:
        name, now = now.channel["name"], replace(now, channel=None)
        yield "DeleteDeliveryChannel", {"DeliveryChannelName": name}, now
    if now.recorder and not wanted.recorder:
        name, now = now.recorder["name"], replace(now, recorder=None)
        yield "DeleteConfigurationRecorder", {"ConfigurationRecorderName": name}, now
    if wanted.recorder and wanted.recorder != now.recorder:
        now = replace(now, recorder=wanted.recorder)
        yield "PutConfigurationRecorder", {"ConfigurationRecorder": wanted.recorder}, now
    if wanted.channel and wanted.channel != now.channel:
        now = replace(now, channel=wanted.channel)
        yield "PutDeliveryChannel", {"DeliveryChannel": wanted.channel}, now
    if wanted.recorder and wanted.recording and not now.recording:
        name = wanted.recorder["name"]
        yield "StartConfigurationRecorder", {"ConfigurationRecorderName": name}, replace(now, recording=True)


async def wanted_recorder(aws: Aws, setup: Setup, main_region: str | None) -> dict[str, Any]:
    """The recorder to have: the present one if it will do, else widened, else a new one.

    Args:
        main_region: records the global resource types (IAM); None: the partition's main region does.
    """
    old = setup.recorder or {}
    main = main_region or _MAIN_REGIONS.get(aws.partition)
    everything = {"allSupported": True, "includeGlobalResourceTypes": aws.region == main}
    group = old["recordingGroup"] if setup.complete else everything
    return {"name": "default", **old, "roleARN": await _usable_role(aws, old), "recordingGroup": group}


async def _role_exists(aws: Aws, arn: str) -> bool:
    """Whether the account has the role; Config only notices when it next needs it."""
    name = arn.rsplit("/", 1)[-1]
    return await aws.find("iam", "GetRole", absent=("NoSuchEntity",), RoleName=name) is not None


async def _usable_role(aws: Aws, recorder: Mapping[str, Any]) -> str:
    """The recorder's role, or, if it has none any more, Config's service-linked one, made if it is missing."""
    present = recorder.get("roleARN")
    if present and await _role_exists(aws, present):
        return str(present)
    role = _SERVICE_ROLE.format(partition=aws.partition, account=aws.account_id)
    if not await _role_exists(aws, role):
        await aws.call("iam", "CreateServiceLinkedRole", AWSServiceName=SERVICE)
    return role

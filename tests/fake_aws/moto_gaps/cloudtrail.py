"""CloudTrail."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudtrail.models import cloudtrail_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.organizations.models import organizations_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.moto_gaps import s3
from tests.fake_aws.wire import Answer, Call, refusal, with_body

TRAILS_PER_REGION = 5
PAGE = 50  # events, the most AWS puts on one page
_number = itertools.count(1)


def log_call(
    account_id: str,
    region: str,
    name: str,
    *,
    at: datetime,
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    resources: tuple[str, ...] = (),
    caller: str | Mapping[str, Any] = "",
    error: str | None = None,
    reads: bool | None = None,
) -> None:
    """Write a call into the log. moto logs nothing, so a test says what CloudTrail has seen.

    Args:
        resources: names that a look-up by ResourceName finds it by.
        caller: the ARN, or all of the record's ``userIdentity``.
        error: the call's error code, if it was refused.
        reads: what CloudTrail says of it, None if it does not say.
    """
    somebody = f"arn:aws:iam::{account_id}:user/somebody"
    record: dict[str, Any] = {
        "eventName": name,
        "awsRegion": region,
        "recipientAccountId": account_id,
        "userIdentity": caller if isinstance(caller, Mapping) else {"arn": caller or somebody},
        "requestParameters": request,
        "responseElements": response,
    }
    if error is not None:
        record["errorCode"] = error
    event: dict[str, Any] = {
        "EventId": f"11112222-3333-4444-5555-{next(_number):012d}",
        "EventName": name,
        "EventTime": at.timestamp(),
        "Resources": [{"ResourceName": resource} for resource in resources],
        "CloudTrailEvent": json.dumps(record),
    }
    if reads is not None:
        event["ReadOnly"] = str(reads).lower()
    _log(account_id, region).append(event)


def _log(account_id: str, region: str) -> list[dict[str, Any]]:
    backend = cloudtrail_backends[account_id][region]
    if not hasattr(backend, "logged_calls"):
        backend.logged_calls = []
    found: list[dict[str, Any]] = backend.logged_calls
    return found


def before(call: Call) -> Answer | None:
    match call.operation:
        case "LookupEvents":
            return _look_up(call)
        case "CreateTrail":
            return _no_such_trail_can_be_made(call)
        case "UpdateTrail":
            return _dependants_missing(call)
        case _:
            return None


def _no_such_trail_can_be_made(call: Call) -> Answer | None:
    """moto replaces a trail of the same name, counts none and looks into no bucket policy."""
    backend, name = cloudtrail_backends[call.account_id][call.region], call.params["Name"]
    if name in backend.trails:
        return refusal(call, "TrailAlreadyExistsException", f"Trail {name} already exists", status=400)
    if len(list(backend.describe_trails(include_shadow_trails=True))) >= TRAILS_PER_REGION:
        return refusal(call, "MaximumNumberOfTrailsExceededException", "too many trails", status=400)
    found = s3.bucket(call.params["S3BucketName"])
    if found is not None and not {"s3:GetBucketAcl", "s3:PutObject"} <= s3.allowed(
        found, "cloudtrail.amazonaws.com"
    ):
        text = "Incorrect S3 bucket policy is detected for bucket"
        return refusal(call, "InsufficientS3BucketPolicyException", text, status=400)
    return None


def _look_up(call: Call) -> Answer:
    """moto knows no LookupEvents. AWS filters by one attribute and answers newest first, in pages."""
    wanted = call.params.get("LookupAttributes") or []
    if len(wanted) > 1:
        return refusal(call, "InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
    since, until = (_seconds(call.params.get(name)) for name in ("StartTime", "EndTime"))
    events = [
        event
        for event in _log(call.account_id, call.region)
        if (since is None or event["EventTime"] >= since)
        and (until is None or event["EventTime"] <= until)
        and all(_has(event, each["AttributeKey"], each["AttributeValue"]) for each in wanted)
    ]
    events.sort(key=lambda event: event["EventTime"], reverse=True)
    start = int(call.params.get("NextToken") or 0)
    end = start + min(int(call.params.get("MaxResults") or PAGE), PAGE)
    found: dict[str, Any] = {"Events": events[start:end]}
    if end < len(events):
        found["NextToken"] = str(end)
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(found).encode())


def _has(event: Mapping[str, Any], key: str, value: str) -> bool:
    if key == "ResourceName":
        return any(each["ResourceName"] == value for each in event["Resources"])
    return bool(event.get(key) == value)


def _seconds(moment: Any) -> float | None:
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None if moment is None else float(moment)


def trail(account_id: str, region: str, name: str) -> Any:
    """moto's trail of that name. A test sets ``logs_error`` of it to what CloudTrail says of its last
    delivery to CloudWatch Logs."""
    return cloudtrail_backends[account_id][region].trails[name]


def _dependants_missing(call: Call) -> Answer | None:
    """moto stores whatever key, log group and role it is told. AWS looks at each of them first."""
    if group := call.params.get("CloudWatchLogsLogGroupArn"):
        _, _, _, region, owner, _, name, tail = [*group.split(":", 7), ""][:8]
        if tail != "*" or name not in logs_backends[owner][region].groups:
            return refusal(call, "InvalidCloudWatchLogsLogGroupArnException", f"no log group {group}")
    if role := call.params.get("CloudWatchLogsRoleArn"):
        roles = iam_backends[call.account_id][get_partition(call.region)].roles.values()
        if role not in [each.arn for each in roles]:
            return refusal(call, "InvalidCloudWatchLogsRoleArnException", f"no role {role}")
    return _key_unusable(call) if call.params.get("KmsKeyId") else None


def _key_unusable(call: Call) -> Answer | None:
    found = next(
        each
        for each in cloudtrail_backends[call.account_id][call.region].trails.values()
        if call.params["Name"] in (each.arn, each.trail_name)
    )
    key_region = call.params["KmsKeyId"].split(":")[3]
    key = kms_backends[call.account_id][key_region].keys.get(call.params["KmsKeyId"].rpartition("/")[2])
    bucket = s3.bucket(found.bucket_name)
    if key is None or bucket.region_name != key_region:
        return refusal(call, "KmsKeyNotFoundException", "The key must be in the region of the bucket.")
    if key.key_state != "Enabled":
        return refusal(call, "KmsKeyDisabledException", f"{key.arn} is {key.key_state}.")
    if "cloudtrail.amazonaws.com" not in key.policy:
        return refusal(call, "InsufficientEncryptionPolicyException", f"{key.arn} does not admit CloudTrail.")
    return None


def after(call: Call, answer: Answer) -> Answer:
    if call.operation == "UpdateTrail":
        for each in cloudtrail_backends[call.account_id][call.region].trails.values():
            # An empty text clears a setting; moto would keep it as the setting.
            each.kms_key_id = each.kms_key_id or None
            each.cw_log_group_arn = each.cw_log_group_arn or None
            each.cw_role_arn = each.cw_role_arn or None
    if call.operation == "GetTrailStatus":
        return _with_delivery_to_logs(call, answer)
    if call.operation == "DescribeTrails" and call.params.get("includeShadowTrails"):
        return _with_trails_of_the_organization(call, answer)
    return _with_default_selector(answer) if call.operation == "GetEventSelectors" else answer


def _with_default_selector(answer: Answer) -> Answer:
    """On AWS a trail nobody set selectors for has this one; moto answers with none."""
    found = json.loads(answer.body)
    if found.get("EventSelectors") or found.get("AdvancedEventSelectors"):
        return answer
    default = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    return with_body(answer, {**found, "EventSelectors": [default]})


def _with_delivery_to_logs(call: Call, answer: Answer) -> Answer:
    """moto delivers nothing to CloudWatch Logs and so says nothing about it."""
    for each in cloudtrail_backends[call.account_id][call.region].trails.values():
        error = getattr(each, "logs_error", None)
        if call.params["Name"] in (each.arn, each.trail_name) and error:
            found = {**json.loads(answer.body), "LatestCloudWatchLogsDeliveryError": error}
            return with_body(answer, found)
    return answer


def _with_trails_of_the_organization(call: Call, answer: Answer) -> Answer:
    """Member accounts see the trails that the management account keeps for the organization."""
    owner = organizations_backends.master_accounts.get(call.account_id)
    if owner is None or owner[0] == call.account_id:
        return answer
    found = json.loads(answer.body)
    for backend in cloudtrail_backends[owner[0]].values():
        found["trailList"] += [
            each.description(include_region=True)
            for each in backend.trails.values()
            if each.is_org_trail and (each.is_multi_region or each.region_name == call.region)
        ]
    return with_body(answer, found)

"""KMS."""

from __future__ import annotations

import json
from typing import Any

from moto.kms.models import kms_backends

from tests.fake_aws.wire import Answer, Call, refusal, with_body

YEAR = 365  # days between rotations unless one is asked for


def _key(call: Call) -> Any:
    backend = kms_backends[call.account_id][call.region]
    return backend.keys.get(backend.get_key_id(call.params.get("KeyId", "")))


def before(call: Call) -> Answer | None:
    if call.operation in _STATES:
        return _wrong_state(call)
    if call.operation not in ("EnableKeyRotation", "DisableKeyRotation"):
        return None
    key = _key(call)
    if key is None:
        return None
    # moto turns rotation on for every key. AWS: only enabled, symmetric encryption keys with material
    # of its own, made by a customer, and of multi-Region keys only the primary.
    if key.key_state == "Disabled":
        return refusal(call, "DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        return refusal(call, "KMSInvalidStateException", f"{key.arn} is {key.key_state}.")
    replica = key.multi_region and key.multi_region_configuration["MultiRegionKeyType"] == "REPLICA"
    if (
        key.key_spec != "SYMMETRIC_DEFAULT"
        or key.key_usage != "ENCRYPT_DECRYPT"
        or key.origin != "AWS_KMS"
        or key.key_manager != "CUSTOMER"
        or replica
    ):
        return refusal(call, "UnsupportedOperationException", f"rotation of {key.arn} is not supported.")
    period = call.params.get("RotationPeriodInDays")
    if period is not None and not 90 <= int(period) <= 2560:
        return refusal(call, "ValidationException", "RotationPeriodInDays must be from 90 to 2560.")
    return None


# The states in which AWS carries out a call. moto carries it out in any.
_STATES = {
    "EnableKey": ("Enabled", "Disabled"),
    "DisableKey": ("Enabled", "Disabled"),
    "CancelKeyDeletion": ("PendingDeletion", "PendingReplicaDeletion"),
    "ScheduleKeyDeletion": ("Enabled", "Disabled", "PendingImport", "Unavailable"),
}


def _wrong_state(call: Call) -> Answer | None:
    key = _key(call)
    if key is None or key.key_state in _STATES[call.operation]:
        return None
    return refusal(call, "KMSInvalidStateException", f"{key.arn} is {key.key_state}.")


def after(call: Call, answer: Answer) -> Answer:
    # moto forgets the rotation period.
    match call.operation:
        case "EnableKeyRotation":
            _key(call).rotation_period = call.params.get("RotationPeriodInDays") or YEAR
        case "CreateKey":
            return _with_the_usage_aws_assumes(call, answer)
        case "ScheduleKeyDeletion":
            _wait_for_replicas(call)
        case "DescribeKey":
            return _described(call, answer)
        case "ReplicateKey":
            _tell_primary_and_replica_apart(call)
        case "GetKeyRotationStatus":
            found = json.loads(answer.body)
            key = _key(call)
            found["KeyId"] = key.arn
            if found["KeyRotationEnabled"]:
                found["RotationPeriodInDays"] = getattr(key, "rotation_period", YEAR)
            return with_body(answer, found)
        case _:
            pass
    return answer


def _with_the_usage_aws_assumes(call: Call, answer: Answer) -> Answer:
    """AWS takes a key whose use nobody states for an encryption key; moto leaves the use open."""
    found = json.loads(answer.body)
    key = kms_backends[call.account_id][call.region].keys[found["KeyMetadata"]["KeyId"]]
    key.key_usage = found["KeyMetadata"]["KeyUsage"] = key.key_usage or "ENCRYPT_DECRYPT"
    return with_body(answer, found)


def _wait_for_replicas(call: Call) -> None:
    """AWS starts a primary's waiting period only after the last of its replicas is gone; moto at once."""
    key = _key(call)
    config = key.multi_region_configuration if key.multi_region else {}
    if config.get("ReplicaKeys") and config["MultiRegionKeyType"] == "PRIMARY":
        key.key_state = "PendingReplicaDeletion"
        key.waiting_days = call.params.get("PendingWindowInDays") or 30


def _described(call: Call, answer: Answer) -> Answer:
    """moto takes the keys behind alias/aws/… for the customer's, and knows no primary that awaits its replicas."""
    found = json.loads(answer.body)
    key = kms_backends[call.account_id][call.region].keys[found["KeyMetadata"]["KeyId"]]
    if any(alias.startswith("alias/aws/") for alias in key.aliases):
        found["KeyMetadata"]["KeyManager"] = key.key_manager = "AWS"
    if key.key_state == "PendingReplicaDeletion":
        found["KeyMetadata"]["PendingDeletionWindowInDays"] = key.waiting_days
    return with_body(answer, found)


def _tell_primary_and_replica_apart(call: Call) -> None:
    """moto keeps one record for all keys of a multi-Region set, so that the primary turns into a replica."""
    primary = _key(call)
    replica = kms_backends[call.account_id][call.params["ReplicaRegion"]].keys[primary.id]
    shared = primary.multi_region_configuration
    primary.multi_region_configuration = {**shared, "MultiRegionKeyType": "PRIMARY"}
    replica.multi_region_configuration = {**shared, "MultiRegionKeyType": "REPLICA"}

"""Snapshots. Called by `ec2`."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal

LONGEST_DESCRIPTION = 255


def before(call: Call) -> Answer | None:
    return _cannot_delete(call) if call.operation == "DeleteSnapshot" else _cannot_create(call)


def _cannot_create(call: Call) -> Answer | None:
    """moto has no quotas, which tests set as ``snapshots_are_refused_with``, and takes any description."""
    backend = ec2_backends[call.account_id][call.region]
    if code := getattr(backend, "snapshots_are_refused_with", None):
        return refusal(call, code, "There are too many snapshots.", status=400)
    if len(call.params.get("Description", "")) > LONGEST_DESCRIPTION:
        return refusal(call, "InvalidParameterValue", "The description is too long.", status=400)
    return None


def _cannot_delete(call: Call) -> Answer | None:
    """moto deletes a snapshot from under an image; AWS does not."""
    snapshot = call.params["SnapshotId"]
    known = ec2_backends[call.account_id][call.region].snapshots.get(snapshot)
    if known is not None and known.from_ami:
        text = f"The snapshot {snapshot} is currently in use by {known.from_ami}"
        return refusal(call, "InvalidSnapshot.InUse", text, status=400)
    return None

"""Flow logs. moto takes no folder of a bucket for a destination, takes a role for S3, and thinks two flow
logs the same that differ in their traffic."""

from __future__ import annotations

from xml.sax.saxutils import escape

from moto.ec2.models import ec2_backends
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.utils import random_flow_log_id
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.moto_gaps import s3
from tests.fake_aws.wire import Answer, Call, refusal


def create(call: Call) -> Answer | None:
    """AWS's way for VPCs; None leaves a VPC that does not exist to moto."""
    params, backend = call.params, ec2_backends[call.account_id][call.region]
    (vpc_id,) = params["ResourceIds"]
    if vpc_id not in backend.vpcs:
        return None
    kind, role = params["LogDestinationType"], params.get("DeliverLogsPermissionArn")
    if kind == "s3" and role:
        text = "DeliverLogsPermissionArn is not applicable for s3 delivery"
        return refusal(call, "InvalidParameter", text, status=400)
    if kind == "s3":
        bucket = params["LogDestination"].rpartition(":")[2].partition("/")[0]
        if s3.bucket(bucket) is None:
            return _answer(unsuccessful=(vpc_id, f"LogDestination: {bucket} does not exist."))
    else:
        roles = iam_backends[call.account_id][get_partition(call.region)].roles.values()
        if role not in [each.arn for each in roles]:
            return _answer(unsuccessful=(vpc_id, "Unable to assume given IAM role"))
    made = FlowLogs(
        backend,
        random_flow_log_id(),
        vpc_id,
        params["TrafficType"],
        params.get("LogDestination"),
        params.get("LogGroupName"),
        role,
        600,
        kind,
        "${version} ${account-id}",
    )
    for live in backend.flow_logs.values():
        if _identity(live) == _identity(made):
            text = "Error. There is an existing Flow Log with the same configuration and log destination."
            return refusal(call, "FlowLogAlreadyExists", text, status=400)
    backend.flow_logs[made.id] = made
    return _answer(made.id)


def _identity(log: FlowLogs) -> tuple[str, ...]:
    return (
        log.resource_id,
        log.traffic_type,
        log.log_group_name or "",
        (log.log_destination or "").rstrip("/"),
    )


def _answer(made: str | None = None, unsuccessful: tuple[str, str] | None = None) -> Answer:
    ids = f"<item>{made}</item>" if made else ""
    items = ""
    if unsuccessful:
        vpc_id, text = unsuccessful
        error = f"<error><code>400</code><message>{escape(text)}</message></error>"
        items = f"<item><resourceId>{vpc_id}</resourceId>{error}</item>"
    body = (
        f"<CreateFlowLogsResponse><flowLogIdSet>{ids}</flowLogIdSet><unsuccessful>{items}</unsuccessful>"
        "</CreateFlowLogsResponse>"
    )
    return Answer(200, (("Content-Type", "text/xml"),), body.encode())

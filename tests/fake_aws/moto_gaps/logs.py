"""CloudWatch Logs."""

from __future__ import annotations

import json

from moto.logs.models import logs_backends

from tests.fake_aws.wire import Answer, Call, refusal, with_body


def before(call: Call) -> Answer | None:
    """AWS puts metric filters on log groups that exist, and of two with one name the second replaces the
    first. moto puts them on any and keeps both."""
    if call.operation == "PutMetricFilter":
        backend = logs_backends[call.account_id][call.region]
        if call.params["logGroupName"] not in backend.groups:
            return refusal(call, "ResourceNotFoundException", "The specified log group does not exist.")
        backend.delete_metric_filter(call.params["filterName"], call.params["logGroupName"])
    return None


def after(call: Call, answer: Answer) -> Answer:
    """A log group is of the class it was made with; moto forgets it."""
    groups = logs_backends[call.account_id][call.region].groups
    if call.operation == "CreateLogGroup":
        groups[call.params["logGroupName"]].log_group_class = call.params.get("logGroupClass", "STANDARD")
    if call.operation != "DescribeLogGroups":
        return answer
    found = json.loads(answer.body)
    for group in found["logGroups"]:
        group["logGroupClass"] = getattr(groups[group["logGroupName"]], "log_group_class", "STANDARD")
    return with_body(answer, found)

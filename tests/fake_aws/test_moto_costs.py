"""What is cheaper than moto's own answers what moto's own does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
import xmltodict  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st
from moto.core import serialize
from moto.core.responses import BaseResponse
from moto.core.routing import RestRouter
from moto.core.serialize import ResponseSerializer
from moto.sqs.models import sqs_backends
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.fake_aws import moto_costs, wire
from tests.fake_aws.admin import Admin
from tests.fake_aws.captured import body_of, captured, headers_of
from tests.fake_aws.moto_http import Moto
from tests.fake_aws.quick_xml import unparse
from tests.fake_aws.request import Request, request_of
from tests.fake_aws.server import allow, policy, trust
from tests.fake_aws.wire import Answer

TRUST = trust("arn:aws:iam::111122223333:root")
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@dataclass(frozen=True, slots=True)
class Both:
    """The two ways to moto's answer."""

    admin: Admin
    ours: Moto
    monkeypatch: pytest.MonkeyPatch

    def agree(self, service: str, operation: str, **params: Any) -> Answer:
        request = captured(self.admin.client(service), operation, **params)
        asked = request_of(self.environ(request))
        call = wire.read(asked)
        assert call is not None
        assert call.operation.lower() == operation.replace("_", "")
        return self._agree(asked, self.environ(request))

    def _agree(self, asked: Request, environ: dict[str, Any]) -> Answer:
        asked.environ["HTTP_X_MOTO_ACCOUNT_ID"] = environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.admin.account_id
        ours = self.ours(asked)
        with self.monkeypatch.context() as patch:
            patch.setattr(serialize, "xmltodict", xmltodict)
            patch.setattr(ResponseSerializer, "get_value", moto_costs.picked_by_moto)
            patch.setattr(RestRouter, "_match", moto_costs.matched_by_moto)
            patch.setattr(BaseResponse, "parse_parameters", moto_costs.parameters_read_by_moto)
            patch.setattr(BaseResponse, "_enrich_response", staticmethod(moto_costs.with_request_id_by_moto))
            body, status, headers = run_wsgi_app(self.ours.server, environ)
        theirs = Answer(int(status.split()[0]), tuple(headers), b"".join(body))
        assert _plain(ours) == _plain(theirs)
        return ours

    def environ(self, request: Any) -> dict[str, Any]:
        url, _, query = request.url.partition("?")
        built = EnvironBuilder(
            method=request.method,
            path="/",
            query_string=query,
            headers=list(headers_of(request).items()),
            data=body_of(request),
        )
        path = "/" + url.split("/", 3)[3]
        environ = built.get_environ()
        # As a server gives it: what was sent, and what that means.
        environ |= {"RAW_URI": request.url[len(url) - len(path) :], "REQUEST_URI": path, "PATH_INFO": path}
        return environ

    def agree_that_there_is_nothing(self, service: str, operation: str, path: str) -> Answer:
        """At that path."""
        request = captured(self.admin.client(service), operation)
        environ = self.environ(request) | {"RAW_URI": path, "REQUEST_URI": path, "PATH_INFO": path}
        return self._agree(request_of(dict(environ)), dict(environ))


def _plain(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Without what is drawn anew for every answer, and without moto's leave for web pages to read it."""
    headers = {name.lower(): value for name, value in answer.headers}
    headers.pop("access-control-allow-origin", None)
    headers.update({name: "drawn" for name in ("x-amzn-requestid", "date") if name in headers})
    body = re.sub(rb"<(requestId|RequestId|RequestID)>[^<]*</", b"<id></", answer.body)
    if len(body) != len(answer.body):
        headers.pop("content-length", None)
    return answer.status, headers, body


@pytest.fixture
def both(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> Both:
    return Both(admin, Moto(), monkeypatch)


def test_both_ways_give_the_same_answers_of_ec2(both: Both) -> None:
    ec2 = both.admin.client("ec2")
    group = ec2.create_security_group(GroupName="web & <co>", Description='"x"')["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])
    ec2.create_tags(Resources=[group], Tags=[{"Key": "a", "Value": ""}, {"Key": "<b>", "Value": "&"}])
    for operation in ("security_groups", "vpcs", "subnets", "tags", "instances", "route_tables", "regions"):
        assert both.agree("ec2", f"describe_{operation}").status == 200
    for params in ({"GroupIds": [group]}, {"Filters": [{"Name": "group-name", "Values": ["web*"]}]}):
        assert both.agree("ec2", "describe_security_groups", **params).status == 200
    assert (
        both.agree("ec2", "describe_tags", Filters=[{"Name": "resource-id", "Values": [group]}]).status == 200
    )
    assert (
        both.agree("ec2", "create_tags", Resources=[group], Tags=[{"Key": "a", "Value": "b"}]).status == 200
    )
    assert both.agree("ec2", "describe_security_groups", GroupIds=["sg-00000000"]).status == 400
    assert both.agree("ec2", "describe_instances", InstanceIds=["i-00000000000000000"]).status == 400


def test_both_ways_give_the_same_answers_of_s3(both: Both) -> None:
    s3, name = both.admin.client("s3"), f"costs-{both.admin.account_id}"
    s3.create_bucket(Bucket=name)
    versioning = {"Status": "Enabled"}
    assert both.agree("s3", "get_bucket_versioning", Bucket=name).status == 200
    assert (
        both.agree("s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration=versioning).status
        == 200
    )
    assert both.agree("s3", "get_bucket_versioning", Bucket=name).status == 200
    s3.put_object(Bucket=name, Key="a folder/ä+b%20.txt", Body=b"\x00\xff", Metadata={"of": "us"})
    for operation in (
        "head_bucket",
        "get_bucket_location",
        "get_bucket_acl",
        "list_objects_v2",
        "list_object_versions",
    ):
        assert both.agree("s3", operation, Bucket=name).status == 200
    for operation in ("get_object", "head_object", "get_object_tagging"):
        assert both.agree("s3", operation, Bucket=name, Key="a folder/ä+b%20.txt").status == 200
        assert both.agree("s3", operation, Bucket=name, Key="none").status == 404
    for operation in ("get_bucket_policy", "get_public_access_block", "get_bucket_website"):
        assert both.agree("s3", operation, Bucket=name).status == 404
    assert both.agree("s3", "head_bucket", Bucket=f"no-{name}").status == 404
    assert both.agree("s3", "list_buckets").status == 200
    assert both.agree("s3", "delete_object", Bucket=name, Key="none").status == 204


def test_both_ways_give_the_same_answers_of_iam_sts_and_sns(both: Both) -> None:
    iam, sns = both.admin.client("iam"), both.admin.client("sns")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(allow("s3:*")))
    iam.create_user(UserName="erin", Tags=[{"Key": "k", "Value": "<v>"}])
    topic = sns.create_topic(Name="t")["TopicArn"]
    for operation, params in (
        ("get_role", {"RoleName": "r"}),
        ("get_role_policy", {"RoleName": "r", "PolicyName": "p"}),
        ("list_users", {}),
        ("get_user", {"UserName": "erin"}),
        ("get_account_summary", {}),
        ("get_account_authorization_details", {}),
    ):
        assert both.agree("iam", operation, **params).status == 200
    assert both.agree("iam", "get_role", RoleName="nobody").status == 404
    assert both.agree("sts", "get_caller_identity").status == 200
    assert both.agree("sns", "get_topic_attributes", TopicArn=topic).status == 200
    assert both.agree("sns", "list_topics").status == 200
    assert both.agree("sns", "get_topic_attributes", TopicArn=f"{topic}x").status == 404


def test_both_ways_give_the_same_answers_in_json(both: Both) -> None:
    sqs, logs = both.admin.client("sqs"), both.admin.client("logs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody='"<&>"')
    (held,) = sqs.receive_message(QueueUrl=url)["Messages"]
    handle = {"QueueUrl": url, "ReceiptHandle": held["ReceiptHandle"]}
    logs.create_log_group(logGroupName="g")
    both.admin.client("dynamodb").create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    both.admin.client("dynamodb").put_item(TableName="table", Item={"id": {"S": "1"}, "n": {"N": "2"}})
    for service, operation, params in (
        ("sqs", "get_queue_attributes", {"QueueUrl": url, "AttributeNames": ["All"]}),
        ("sqs", "receive_message", {"QueueUrl": url, "WaitTimeSeconds": 0}),
        ("sqs", "change_message_visibility", {**handle, "VisibilityTimeout": 60}),
        ("sqs", "delete_message", handle),
        ("sqs", "list_queues", {}),
        ("logs", "describe_log_groups", {}),
        ("kms", "list_keys", {}),
        ("dynamodb", "get_item", {"TableName": "table", "Key": {"id": {"S": "1"}}}),
        ("dynamodb", "describe_table", {"TableName": "table"}),
        ("lambda", "list_functions", {}),
    ):
        assert both.agree(service, operation, **params).status == 200
    assert both.agree("sqs", "get_queue_url", QueueName="none").status == 400
    assert both.agree("dynamodb", "describe_table", TableName="none").status == 400
    assert both.agree("lambda", "get_function", FunctionName="none").status == 404


def test_both_ways_unpack_what_clients_pack(both: Both) -> None:
    every = [{"MetricName": f"metric-{number:0100}", "Value": 1.0} for number in range(200)]
    assert both.agree("cloudwatch", "put_metric_data", Namespace="packed", MetricData=every).status == 200
    found = both.admin.client("cloudwatch").list_metrics(Namespace="packed")["Metrics"]
    assert {each["MetricName"] for each in found} == {each["MetricName"] for each in every}


def test_both_ways_find_nothing_where_nothing_is(both: Both) -> None:
    assert both.agree_that_there_is_nothing("iam", "list_users", "/no/such/path").status == 404


def test_what_moto_writes_into_parameters_is_not_seen_by_others(both: Both) -> None:
    asked = captured(both.admin.client("ec2"), "describe_tags", Filters=[{"Name": "key", "Values": ["a"]}])
    request = request_of(both.environ(asked))
    call = wire.read(request)
    assert call is not None
    reader = SimpleNamespace(
        PROTOCOL_PARSER_MAP_TYPE=dict, boto3_service_name="ec2", _get_action=lambda: "DescribeTags"
    )
    moto_costs.read_parameters(reader, request)
    assert reader.params == call.params
    reader.params["Filters"][0]["Values"].append("b")
    assert call.params["Filters"] == [{"Name": "key", "Values": ["a"]}]


# What moto gives xmltodict, and some of what it never does.
_NAMES = st.one_of(
    st.from_regex(r"[A-Za-z][\w-]{0,5}", fullmatch=True), st.sampled_from(["@a", "@b:c", "#text"])
)
_SCALARS = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=4)),
    max_leaves=12,
)


@example({"A": {"b": []}}, True)
@given(st.dictionaries(st.from_regex(r"[A-Za-z]\w{0,5}", fullmatch=True), _VALUES, max_size=2), st.booleans())
def test_xml_is_written_as_xmltodict_writes_it(document: dict[str, Any], short: bool) -> None:
    def written(write: Any) -> Any:
        try:
            return write(document, full_document=True, short_empty_elements=short)
        except (ValueError, TypeError, AttributeError) as error:
            return type(error)

    assert written(unparse) == written(xmltodict.unparse)


def test_a_queue_shows_what_it_shows_by_motos_own_count(admin: Admin) -> None:
    sqs = admin.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for number in range(4):
        sqs.send_message(QueueUrl=url, MessageBody=str(number), DelaySeconds=900 if number == 3 else 0)
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=900)
    queue = sqs_backends[admin.account_id]["us-east-1"].queues["q"]
    assert [each.body for each in queue.messages] == ["1", "2"]
    assert queue.messages == moto_costs.visible_by_moto(queue)


def test_a_message_past_its_time_is_not_read(admin: Admin) -> None:
    sqs = admin.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="old")
    queue = sqs_backends[admin.account_id]["us-east-1"].queues["q"]
    queue.messages[0].sent_timestamp -= 61_000
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_reading_a_message_without_its_attributes_takes_none_away(admin: Admin) -> None:
    sqs = admin.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    attributes = {
        "a": {"DataType": "String", "StringValue": "1"},
        "b": {"DataType": "String", "StringValue": "2"},
    }
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)

    def read(*names: str) -> Iterator[str]:
        for message in sqs.receive_message(QueueUrl=url, MessageAttributeNames=list(names))["Messages"]:
            yield from message.get("MessageAttributes", {})

    assert [list(read("b")), list(read()), list(read("All"))] == [["b"], [], ["a", "b"]]


def test_times_are_those_of_moto() -> None:
    assert moto_costs.unix_time(datetime(1970, 1, 2, 0, 0, 1, 500_000)) == 86401.5  # noqa: DTZ001
    assert moto_costs.unix_time_millis(datetime(1970, 1, 2)) == 86_400_000  # noqa: DTZ001


def test_what_is_drawn_has_the_length_and_letters_that_moto_draws() -> None:
    from moto.moto_api._internal import mock_random

    assert re.fullmatch(r"[0-9a-f]{17}", mock_random.get_random_hex(17))
    assert re.fullmatch(r"[a-zA-Z0-9]{52}", mock_random.get_random_string(52))
    assert re.fullmatch(r"[a-z]{9}", mock_random.get_random_string(9, include_digits=False, lower_case=True))
    assert re.fullmatch(r"[a-z]{185}", moto_costs.receipt_handle())

"""All that a hub stands on, in an account of its own and as deploy/hub.yaml makes it, to be broken piece by piece."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from hub.aws.accounts import HubIdentity
from hub.doctor import hub_side
from hub.doctor.words import Line
from hub.journals.dynamodb_table import table_definition, time_to_live
from hub.settings import Settings
from tests.bots.functions import CODE
from tests.conftest import spoke_settings
from tests.fake_aws.server import FakeAws, allow, policy

NAME = "remediation-hub"
PUBLISHER = "arn:aws:iam::634729597623:root"
ENCRYPTED = {"Bool": {"aws:SecureTransport": "false"}}
# What doctor needs of the hub's role to see everything.
LOOK = (
    "cloudwatch:GetMetricStatistics",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:GetItem",
    "lambda:GetFunctionConfiguration",
    "lambda:ListEventSourceMappings",
    "sns:GetSubscriptionAttributes",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
)


def refuse_plain(action: str, arn: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": arn, "Condition": ENCRYPTED}


@dataclass(slots=True)
class Stand:
    """A hub's own resources, all as they should be until a test says otherwise."""

    aws: FakeAws
    account_id: str
    findings: str  # topic ARN
    reports: str  # topic ARN
    queue: str  # URL
    dead: str  # URL
    subscription: str
    function: str  # ARN, "" for none
    mapping: str = ""

    def client(self, service: str) -> Any:
        return self.aws.admin(self.account_id).client(service)

    def queue_arn(self, url: str) -> str:
        held = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(held["Attributes"]["QueueArn"])

    def set_queue(self, url: str = "", **attributes: str) -> None:
        self.client("sqs").set_queue_attributes(QueueUrl=url or self.queue, Attributes=attributes)

    def set_topic_policy(self, arn: str, *statements: dict[str, Any]) -> None:
        self.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=policy(*statements)
        )

    def settings(self, **more: object) -> Settings:
        given: dict[str, object] = {
            "queue_url": self.queue,
            "report_topic_arn": self.reports,
            "journal": f"dynamodb:{NAME}",
            "own_account_by_role": True,
        }
        return spoke_settings("222233334444", **(given | more))

    def be_the_hub(self, monkeypatch: pytest.MonkeyPatch, *actions: str) -> None:
        """Let this process be the hub's role with these rights."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", self.aws.endpoint)
        rights = [policy(allow(*actions))]
        for name, value in self.aws.role_credentials(self.account_id, NAME, rights).items():
            monkeypatch.setenv(name, value)

    async def lines(self, subject: str, **settings: object) -> list[Line]:
        """What doctor says of a subject."""
        identity = HubIdentity(self.settings(**settings))
        try:
            found = await hub_side.look(identity.settings, identity, await hub_side.me(identity))
        finally:
            await identity.close()
        return [line for line in found if line.subject == subject]


def make_stand(aws: FakeAws, *, function: bool = True) -> Stand:
    """A new one, in an account of its own."""
    admin = aws.fresh_account()
    sqs, sns = admin.client("sqs"), admin.client("sns")
    findings = sns.create_topic(Name="d9-findings")["TopicArn"]
    reports = sns.create_topic(Name="remediationOutput")["TopicArn"]
    kept = {"MessageRetentionPeriod": "1209600"}
    dead = sqs.create_queue(QueueName=f"{NAME}-findings-dead", Attributes=kept)["QueueUrl"]
    queue = sqs.create_queue(QueueName=f"{NAME}-findings", Attributes=kept)["QueueUrl"]
    stand = Stand(aws, admin.account_id, findings, reports, queue, dead, "", "")
    redrive = {"deadLetterTargetArn": stand.queue_arn(dead), "maxReceiveCount": "20"}
    stand.set_queue(VisibilityTimeout="1800", RedrivePolicy=json.dumps(redrive), Policy=queue_policy(stand))
    stand.set_topic_policy(findings, publish(findings, PUBLISHER), refuse_plain("sns:Publish", findings))
    hub_role = f"arn:aws:iam::{admin.account_id}:role/{NAME}"
    stand.set_topic_policy(reports, publish(reports, hub_role), refuse_plain("sns:Publish", reports))
    stand.subscription = sns.subscribe(
        TopicArn=findings, Protocol="sqs", Endpoint=stand.queue_arn(queue), ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    _table(stand)
    if function:
        _function(stand)
    return stand


def publish(arn: str, *principals: str) -> dict[str, Any]:
    """A topic's statement that lets these publish."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": list(principals)},
        "Action": "sns:Publish",
        "Resource": arn,
    }


def queue_policy(stand: Stand, *more: dict[str, Any], without: Sequence[str] = ()) -> str:
    """The queue's policy, without the statements of these Sids."""
    arn = stand.queue_arn(stand.queue)
    topic = {"ArnEquals": {"aws:SourceArn": stand.findings}}
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    statements = [
        {"Sid": "Topic", **send, "Principal": {"Service": "sns.amazonaws.com"}, "Condition": topic},
        {"Sid": "Tls", **refuse_plain("sqs:*", arn)},
        *more,
    ]
    return policy(*(each for each in statements if each.get("Sid") not in without))


def _table(stand: Stand) -> None:
    dynamodb = stand.client("dynamodb")
    dynamodb.create_table(TableName=NAME, DeletionProtectionEnabled=True, **table_definition())
    dynamodb.update_time_to_live(TableName=NAME, TimeToLiveSpecification=time_to_live())
    dynamodb.update_continuous_backups(
        TableName=NAME, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def _function(stand: Stand) -> None:
    assumed = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = stand.client("iam").create_role(RoleName="code", AssumeRolePolicyDocument=policy(assumed))
    made = stand.client("lambda").create_function(
        FunctionName=NAME,
        Runtime="python3.13",
        Architectures=["arm64"],
        Role=role["Role"]["Arn"],
        Handler="hub.handler.handler",
        Timeout=300,
        Code={"ZipFile": CODE},
        Environment={"Variables": {"HUB_QUEUE_URL": stand.queue, "HUB_OWN_ACCOUNT_BY_ROLE": "true"}},
    )
    stand.function = made["FunctionArn"]
    stand.mapping = stand.client("lambda").create_event_source_mapping(
        FunctionName=NAME,
        EventSourceArn=stand.queue_arn(stand.queue),
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 10},
    )["UUID"]

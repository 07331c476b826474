"""Hub and archive as they stand in the tests' AWS with every choice that adds something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from hub.doctor import Wish, look
from hub.doctor.words import State
from hub.settings import Settings
from tests.deploy.hub_template import EXTERNAL_ID, TEXT, deployed
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.spoke_role.reading import ROOT

ARCHIVE = (ROOT / "deploy/archive.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Estate:
    admin: Admin
    hub: Mapping[str, str]
    archive: Mapping[str, str]

    def client(self, service: str) -> Any:
        return self.admin.client(service)


def packages(admin: Admin) -> str:
    """A bucket with a package for the function."""
    bucket = f"code-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=bucket)
    admin.client("s3").put_object(Bucket=bucket, Key="remediation-hub.zip", Body=b"a package")
    return bucket


@pytest.fixture(scope="module")
def estate(aws: FakeAws) -> Estate:
    """A hub with a function, a key of its own and a mailbox, and its archive."""
    admin = aws.fresh_account()
    hub = deployed(
        admin,
        TEXT,
        ExternalId=EXTERNAL_ID,
        CodeBucket=packages(admin),
        Encryption="own-key",
        EmailAddress="sec@example.com",
        Tracing="Active",
        Architecture="x86_64",
        PublisherAccounts="222233334444",
    )
    archive = deployed(
        admin,
        ARCHIVE,
        stack_name="remediation-hub-archive",
        OutputTopicArn=hub["OutputTopicARN"],
        AlarmTopicArn=hub["AlarmTopicARN"],
        KeyArn=hub["EncryptionKeyArn"],
    )
    return Estate(admin, hub, archive)


def test_topics_queues_table_and_log_are_encrypted_with_the_stacks_key(estate: Estate) -> None:
    key = estate.hub["EncryptionKeyArn"]
    for topic in ("InputTopicARN", "OutputTopicARN", "AlarmTopicARN"):
        found = estate.client("sns").get_topic_attributes(TopicArn=estate.hub[topic])["Attributes"]
        assert found["KmsMasterKeyId"] == key
    for queue in ("QueueUrl", "DeadLetterQueueUrl"):
        found = estate.client("sqs").get_queue_attributes(
            QueueUrl=estate.hub[queue], AttributeNames=["KmsMasterKeyId"]
        )
        assert found["Attributes"]["KmsMasterKeyId"] == key
    table = estate.client("dynamodb").describe_table(TableName=estate.hub["TableName"])["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == key
    groups = estate.client("logs").describe_log_groups(logGroupNamePrefix=estate.hub["LogGroupName"])
    assert [each["kmsKeyId"] for each in groups["logGroups"]] == [key]


def test_the_key_is_found_by_the_hubs_name_and_renewed(estate: Estate) -> None:
    kms = estate.client("kms")
    assert (
        kms.describe_key(KeyId="alias/remediation-hub")["KeyMetadata"]["Arn"]
        == estate.hub["EncryptionKeyArn"]
    )
    assert kms.get_key_rotation_status(KeyId=estate.hub["EncryptionKeyArn"])["KeyRotationEnabled"] is True


def test_the_mailbox_is_subscribed_to_what_needs_a_person_and_to_all_alarms(estate: Estate) -> None:
    filters = {}
    for name in ("ReportsByMail", "AlarmsByMail"):
        # Until it is confirmed, a subscription is told by nothing but the stack.
        found = estate.client("cloudformation").describe_stack_resource(
            StackName="remediation-hub", LogicalResourceId=name
        )["StackResourceDetail"]["PhysicalResourceId"]
        told = estate.client("sns").get_subscription_attributes(SubscriptionArn=found)["Attributes"]
        filters[told["TopicArn"]] = json.loads(told.get("FilterPolicy", "{}"))
    assert filters == {
        estate.hub["OutputTopicARN"]: {"needsPerson": ["true"]},
        estate.hub["AlarmTopicARN"]: {},
    }


def test_alarms_and_dashboard_are_there(estate: Estate) -> None:
    cloudwatch = estate.client("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="remediation-hub-")["MetricAlarms"]
    assert len(alarms) == 10
    assert {action for each in alarms for action in each["AlarmActions"]} == {estate.hub["AlarmTopicARN"]}
    body = cloudwatch.get_dashboard(DashboardName=estate.hub["DashboardName"])["DashboardBody"]
    assert len(json.loads(body)["widgets"]) == 7


def test_the_function_is_built_as_chosen(estate: Estate) -> None:
    found = estate.client("lambda").get_function_configuration(FunctionName=estate.hub["FunctionName"])
    assert (found["Architectures"], found["TracingConfig"]) == (["x86_64"], {"Mode": "Active"})


def test_a_clock_calls_the_function_so_that_what_waits_goes_on_without_findings(estate: Estate) -> None:
    arn = estate.client("lambda").get_function_configuration(FunctionName=estate.hub["FunctionName"])[
        "FunctionArn"
    ]
    events = estate.client("events")
    [clock] = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    rule = events.describe_rule(Name=clock)
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(5 minutes)", "ENABLED")
    policy = json.loads(estate.client("lambda").get_policy(FunctionName=arn)["Policy"])
    allowed = [each for each in policy["Statement"] if "events.amazonaws.com" in str(each["Principal"])]
    assert [each["Action"] for each in allowed] == ["lambda:InvokeFunction"]
    assert rule["Arn"] in str(allowed[0]["Condition"])


def test_reports_are_handed_to_the_archive(estate: Estate) -> None:
    sns = estate.client("sns")
    topic = estate.hub["OutputTopicARN"]
    subscribed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    [mine] = [each for each in subscribed if each["Protocol"] == "firehose"]
    assert mine["Endpoint"].endswith(f":deliverystream/{estate.archive['ArchiveStream']}")
    found = sns.get_subscription_attributes(SubscriptionArn=mine["SubscriptionArn"])["Attributes"]
    assert json.loads(found["FilterPolicy"]) == {"Report id": [{"exists": True}]}
    assert (found["FilterPolicyScope"], found["RawMessageDelivery"]) == ("MessageBody", "true")


def test_the_archives_bucket_is_closed_and_encrypted(estate: Estate) -> None:
    s3, bucket = estate.client("s3"), estate.archive["ArchiveBucket"]
    [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    by_default = rule["ApplyServerSideEncryptionByDefault"]
    assert by_default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": estate.hub["EncryptionKeyArn"]}
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    sids = {each["Sid"] for each in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]}
    assert "OnlyEncryptedConnections" in sids


def test_the_archives_table_can_be_found(estate: Estate) -> None:
    database, _, name = estate.archive["ArchiveTable"].partition(".")
    found = estate.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    assert found["StorageDescriptor"]["Location"] == f"s3://{estate.archive['ArchiveBucket']}/reports/"
    group = estate.client("athena").get_work_group(WorkGroup=estate.archive["ArchiveWorkGroup"])
    results = group["WorkGroup"]["Configuration"]["ResultConfiguration"]
    assert results["OutputLocation"] == f"s3://{estate.archive['ArchiveBucket']}/query-results/"


async def test_with_the_rights_and_settings_the_stack_gives_doctor_sees_the_whole_hub_and_finds_it_right(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    given = {"ExternalId": EXTERNAL_ID, "CodeBucket": packages(admin), "DryRun": "false"}
    outputs = deployed(admin, TEXT, **given)
    settings = dict(line.split("=", 1) for line in outputs["WorkerSettings"].splitlines())
    credentials = aws.enter(admin.account_id, outputs["HubRoleArn"], session="doctor")
    for name, value in {**settings, **credentials, "AWS_ENDPOINT_URL": aws.endpoint}.items():
        monkeypatch.setenv(name, value)
    found = (await look(Settings.load(), Wish())).hub
    assert [line for line in found if line.state is not State.OK] == []

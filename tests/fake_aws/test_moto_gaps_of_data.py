"""The fake AWS answers as AWS does where moto alone would not: buckets, keys, topics, documents, secrets."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.kms.models import kms_backends
from moto.s3control.models import s3control_backends

from tests.fake_aws import admin as clients_of
from tests.fake_aws.admin import Admin, code
from tests.fake_aws.principals import administrator_key
from tests.fake_aws.server import FakeAws, allow, policy


@pytest.mark.parametrize(
    ("asked", "lives", "said"),
    [
        ("us-east-1", "eu-west-1", (400, "AuthorizationHeaderMalformed", "eu-west-1")),
        ("eu-central-1", "eu-west-1", (301, "PermanentRedirect", "eu-west-1")),
        ("eu-central-1", "us-east-1", (301, "PermanentRedirect", "us-east-1")),
        ("eu-west-1", "af-south-1", (400, "IllegalLocationConstraintException", None)),
        ("me-south-1", "us-east-1", (400, "IllegalLocationConstraintException", None)),
    ],
)
def test_s3_answers_for_a_bucket_in_its_own_region_and_botocore_understands_what_it_says_elsewhere(
    aws: FakeAws, asked: str, lives: str, said: tuple[int, str, str | None]
) -> None:
    admin = aws.fresh_account()
    name, answers = f"far-{admin.account_id}", list[tuple[int, str | None, str | None]]()
    where = {} if lives == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": lives}}
    admin.client("s3", lives).create_bucket(Bucket=name, **where)

    def note(parsed_response: dict[str, Any], **_: Any) -> None:
        meta = parsed_response["ResponseMetadata"]
        told = meta["HTTPHeaders"].get("x-amz-bucket-region")
        answers.append((meta["HTTPStatusCode"], parsed_response.get("Error", {}).get("Code"), told))

    s3 = clients_of.client(
        aws.endpoint, "s3", asked, access_key=administrator_key(admin.account_id), secret_key="any"
    )
    s3.meta.events.register("response-received.s3.GetBucketVersioning", note)
    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    assert answers == [said, (200, None, None)]
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == lives


def test_a_bucket_is_not_deleted_under_its_access_points_nor_given_acls_it_does_not_allow(
    admin: Admin,
) -> None:
    s3, name = admin.client("s3"), f"mine-{admin.account_id}"
    s3.create_bucket(Bucket=name)
    points = s3control_backends[admin.account_id]["aws"]
    points.create_access_point(admin.account_id, "reports", name, {}, {}, [])
    assert code(s3.delete_bucket, Bucket=name) == "BucketHasAccessPointsAttached"
    points.delete_access_point(admin.account_id, "reports")
    assert code(s3.put_bucket_acl, Bucket=name, ACL="public-read") is None
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=rules)
    assert code(s3.put_bucket_acl, Bucket=name, ACL="public-read") == "AccessControlListNotSupported"
    assert code(s3.delete_bucket, Bucket=name) is None


def test_keys_change_their_state_only_from_the_right_one(admin: Admin) -> None:
    kms = admin.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    wrong = "KMSInvalidStateException"
    assert code(kms.cancel_key_deletion, KeyId=key) == wrong
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for call in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion):
        assert code(call, KeyId=key) == wrong
    assert code(kms.cancel_key_deletion, KeyId=key) is None
    assert code(kms.enable_key, KeyId=key) is None


def test_the_key_behind_an_alias_of_aws_is_managed_by_aws(admin: Admin) -> None:
    kms = admin.client("kms")
    found = kms.describe_key(KeyId="alias/aws/secretsmanager")["KeyMetadata"]
    assert found["KeyManager"] == "AWS"
    assert (
        kms.describe_key(KeyId=kms.create_key()["KeyMetadata"]["KeyId"])["KeyMetadata"]["KeyManager"]
        == "CUSTOMER"
    )


def test_a_primary_key_waits_for_its_replicas_before_it_goes(admin: Admin) -> None:
    kms = admin.client("kms")
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    inside = kms_backends[admin.account_id]["us-east-1"].keys[key]
    inside.multi_region_configuration["ReplicaKeys"] = [{"Region": "eu-west-1"}]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=9)
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["KeyState"], found["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 9)
    assert "DeletionDate" not in found


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"Statement": []}', policy(allow("sns:Publish", resource="arn:x"))]
)
def test_a_topics_policy_is_read_before_it_is_stored(admin: Admin, text: str) -> None:
    sns = admin.client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    put: dict[str, Any] = {"TopicArn": arn, "AttributeName": "Policy"}
    assert code(sns.set_topic_attributes, AttributeValue=text, **put) == "InvalidParameter"
    assert (
        code(sns.set_topic_attributes, AttributeValue=policy(allow("sns:Publish", resource=arn)), **put)
        is None
    )


def test_a_batch_of_messages_is_no_longer_than_one_message_may_be(admin: Admin) -> None:
    sns = admin.client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    label = {"status": {"DataType": "String", "StringValue": "failed"}}
    room = 262_144 - len("statusStringfailed")

    def answer(*lengths: int) -> str | None:
        entries = [{"Id": str(n), "Message": "ü" * (length // 2)} for n, length in enumerate(lengths)]
        entries[0]["MessageAttributes"] = label  # type: ignore[assignment]
        return code(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=entries)

    assert answer(room // 2 - 1, room // 2 - 1) is None
    assert answer(room // 2 + 1, room // 2 + 1) == "BatchRequestTooLong"


def test_a_topic_has_no_data_protection_unless_somebody_gave_it_one(admin: Admin) -> None:
    sns = admin.client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    assert sns.get_data_protection_policy(ResourceArn=arn)["DataProtectionPolicy"] == ""
    assert code(sns.get_data_protection_policy, ResourceArn=f"{arn}-not") == "NotFound"


def test_alarms_come_in_pages(admin: Admin) -> None:
    cloudwatch = admin.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="0", MetricName="heat", Namespace="ours", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    alarms = cloudwatch_backends[admin.account_id]["us-east-1"].alarms
    for number in range(1, 60):
        alarms[str(number)] = copy.copy(alarms["0"])
        alarms[str(number)].name = str(number)
    pages = list(cloudwatch.get_paginator("describe_alarms").paginate())
    assert [len(page["MetricAlarms"]) for page in pages] == [50, 10]
    assert len({alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}) == 60


def test_a_document_is_shared_with_twenty_accounts_a_time_and_says_so_in_pages(admin: Admin) -> None:
    ssm = admin.client("ssm")
    ssm.create_document(
        Name="Restart", Content='{"schemaVersion": "2.2", "mainSteps": []}', DocumentType="Command"
    )
    accounts = [f"9000000000{number:02}" for number in range(21)]
    share: dict[str, Any] = {"Name": "Restart", "PermissionType": "Share"}
    modify = ssm.modify_document_permission
    assert code(modify, AccountIdsToAdd=accounts, **share) == "DocumentPermissionLimit"
    assert code(modify, AccountIdsToRemove=["All", accounts[0]], **share) == "DocumentPermissionLimit"
    assert code(modify, AccountIdsToAdd=accounts[:20], **share) is None
    first = ssm.describe_document_permission(MaxResults=15, **share)
    rest = ssm.describe_document_permission(MaxResults=15, NextToken=first["NextToken"], **share)
    assert (len(first["AccountIds"]), len(rest["AccountIds"])) == (15, 5)
    assert "NextToken" not in rest


@pytest.mark.parametrize("missing", ["kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt", ""])
def test_who_changes_a_secrets_key_needs_the_key(aws: FakeAws, admin: Admin, missing: str) -> None:
    key = admin.client("kms").create_key()["KeyMetadata"]["Arn"]
    secret = admin.client("secretsmanager").create_secret(Name="orders", SecretString="s3cret")["ARN"]
    needed = ("secretsmanager:UpdateSecret", "kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt")
    rights = policy(allow(*(action for action in needed if action != missing)))
    given = aws.role_credentials(admin.account_id, "turner", [rights])
    client = clients_of.client(
        aws.endpoint,
        "secretsmanager",
        "us-east-1",
        access_key=given["AWS_ACCESS_KEY_ID"],
        secret_key=given["AWS_SECRET_ACCESS_KEY"],
        token=given["AWS_SESSION_TOKEN"],
    )
    refused = "AccessDeniedException" if missing else None
    assert code(client.update_secret, SecretId=secret, KmsKeyId=key) == refused


def test_a_receipt_leads_to_its_message_and_to_no_other(admin: Admin) -> None:
    sqs = admin.client("sqs")
    url, other = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("receipts", "others"))
    for body in ("first", "second"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    def receive() -> dict[str, str]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return {each["Body"]: each["ReceiptHandle"] for each in found.get("Messages", ())}

    earlier, later = receive(), receive()
    assert code(sqs.delete_message, QueueUrl=other, ReceiptHandle=later["first"]) == "ReceiptHandleIsInvalid"
    assert code(sqs.delete_message, QueueUrl=url, ReceiptHandle="made-up") == "ReceiptHandleIsInvalid"
    hidden = {"QueueUrl": url, "ReceiptHandle": earlier["second"], "VisibilityTimeout": 60}
    sqs.change_message_visibility(**hidden)
    assert list(receive()) == ["first"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=earlier["first"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=later["first"])
    assert receive() == {}
    sqs.change_message_visibility(**hidden | {"VisibilityTimeout": 0})
    assert list(receive()) == ["second"]

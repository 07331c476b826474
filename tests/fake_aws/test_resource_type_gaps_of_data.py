"""What templates make to keep things in: tables, keys, an archive."""

from __future__ import annotations

import json
from typing import Any

from tests.fake_aws.admin import Admin, code
from tests.fake_aws.stack_estate import create, delete, document, resource, stack, template, update
from tests.fake_aws.stack_set_estate import only


def a_table(**more: Any) -> dict[str, Any]:
    """The resource of a table of that name, ``journal``, with these properties besides."""
    return resource(
        "AWS::DynamoDB::Table",
        TableName="journal",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        **more,
    )


def test_a_table_with_all_that_protects_it(admin: Admin) -> None:
    def text(days: bool) -> str:
        return template(
            Table=a_table(
                TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
                DeletionProtectionEnabled=days,
            )
        )

    dynamodb = admin.client("dynamodb")
    create(admin, text(days=True))
    live = dynamodb.describe_time_to_live(TableName="journal")["TimeToLiveDescription"]
    assert (live["TimeToLiveStatus"], live["AttributeName"]) == ("ENABLED", "expires_at")
    backups = dynamodb.describe_continuous_backups(TableName="journal")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    delete(admin)
    assert stack(admin)["StackStatus"] == "DELETE_FAILED"
    assert dynamodb.list_tables()["TableNames"] == ["journal"]


def test_a_protected_table_is_deleted_once_it_is_not(admin: Admin) -> None:
    declared = a_table(
        DeletionProtectionEnabled=True,
    )
    create(admin, template(Table=declared))
    declared["Properties"]["DeletionProtectionEnabled"] = False
    update(admin, template(Table=declared))
    delete(admin)
    assert admin.client("dynamodb").list_tables()["TableNames"] == []


def test_keys_and_their_aliases(admin: Admin) -> None:
    def text(*actions: str) -> str:
        key = resource("AWS::KMS::Key", KeyPolicy=document(*actions), EnableKeyRotation=True)
        alias = resource("AWS::KMS::Alias", AliasName="alias/shop", TargetKeyId={"Ref": "Key"})
        return template(Key=key, Alias=alias)

    kms = admin.client("kms")
    create(admin, text("kms:*"))
    update(admin, text("kms:*", "kms:Decrypt"))
    key = kms.describe_key(KeyId="alias/shop")["KeyMetadata"]["KeyId"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    found = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert found == document("kms:*", "kms:Decrypt")
    delete(admin)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert code(kms.describe_key, KeyId="alias/shop") == "NotFoundException"


def test_an_archive_of_reports(admin: Admin) -> None:
    name = f"archive-{admin.account_id}"
    text = template(
        Bucket=resource(
            "AWS::S3::Bucket",
            BucketName=name,
            VersioningConfiguration={"Status": "Enabled"},
            PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": "true"},
            BucketEncryption={
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            LifecycleConfiguration={
                "Rules": [{"Id": "years", "Status": "Enabled", "ExpirationInDays": 2557}]
            },
        ),
        Policy=resource(
            "AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=document("s3:GetObject")
        ),
        Stream=resource(
            "AWS::KinesisFirehose::DeliveryStream",
            DeliveryStreamName="reports",
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration={
                "BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]},
                "RoleARN": f"arn:aws:iam::{admin.account_id}:role/delivery",
                "BufferingHints": {"IntervalInSeconds": "300", "SizeInMBs": 64},
            },
        ),
        Database=resource(
            "AWS::Glue::Database", CatalogId={"Ref": "AWS::AccountId"}, DatabaseInput={"Name": "reports"}
        ),
        Table=resource(
            "AWS::Glue::Table",
            CatalogId={"Ref": "AWS::AccountId"},
            DatabaseName={"Ref": "Database"},
            TableInput={
                "Name": "runs",
                "StorageDescriptor": {"Columns": [{"Name": "outcome", "Type": "string"}]},
            },
        ),
    )
    assert create(admin, text)["StackStatus"] == "CREATE_COMPLETE"
    s3, firehose, glue = (admin.client(each) for each in ("s3", "firehose", "glue"))
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
    assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == document("s3:GetObject")
    rule = only(s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"])
    assert rule["Expiration"] == {"Days": 2557}
    found = firehose.describe_delivery_stream(DeliveryStreamName="reports")["DeliveryStreamDescription"]
    target = only(found["Destinations"])["ExtendedS3DestinationDescription"]
    assert target["BucketARN"] == f"arn:aws:s3:::{name}"
    table = glue.get_table(DatabaseName="reports", Name="runs")["Table"]
    assert only(table["StorageDescriptor"]["Columns"])["Name"] == "outcome"
    delete(admin)
    assert code(s3.head_bucket, Bucket=name) == "404"
    assert firehose.list_delivery_streams()["DeliveryStreamNames"] == []
    assert glue.get_databases()["DatabaseList"] == []


def test_a_bucket_that_holds_something_stays_and_fails_the_deletion(admin: Admin) -> None:
    name = f"full-{admin.account_id}"
    create(admin, template(Bucket=resource("AWS::S3::Bucket", BucketName=name)))
    admin.client("s3").put_object(Bucket=name, Key="report", Body=b"{}")
    delete(admin)
    assert stack(admin)["StackStatus"] == "DELETE_FAILED"


def test_an_update_that_cannot_be_made_here_does_not_look_done(admin: Admin) -> None:
    def text(size: int) -> str:
        declared = a_table(
            OnDemandThroughput={"MaxReadRequestUnits": size},
        )
        return template(Table=declared)

    create(admin, text(1))
    update(admin, text(2))
    reasons = [
        each.get("ResourceStatusReason", "")
        for each in admin.client("cloudformation").describe_stack_events(StackName="shop")["StackEvents"]
    ]
    assert any("OnDemandThroughput cannot be changed here yet" in each for each in reasons)


def test_an_archive_can_be_encrypted_otherwise_and_asked_otherwise(admin: Admin) -> None:
    def text(key: str, limit: int) -> str:
        more = {"DeliveryStreamEncryptionConfigurationInput": {"KeyType": key}} if key else {}
        target = {"BucketARN": "arn:aws:s3:::b", "RoleARN": f"arn:aws:iam::{admin.account_id}:role/r"}
        return template(
            Stream=resource(
                "AWS::KinesisFirehose::DeliveryStream",
                DeliveryStreamName="reports",
                ExtendedS3DestinationConfiguration=target | {"Prefix": str(limit)},
                **more,
            ),
            Group=resource(
                "AWS::Athena::WorkGroup",
                Name="reports",
                WorkGroupConfiguration={"BytesScannedCutoffPerQuery": limit},
            ),
        )

    firehose, athena = admin.client("firehose"), admin.client("athena")
    for key, state, limit in (
        ("", "DISABLED", 10**7),
        ("AWS_OWNED_CMK", "ENABLED", 10**8),
        ("", "DISABLED", 10**9),
    ):
        (create if limit == 10**7 else update)(admin, text(key, limit))
        found = firehose.describe_delivery_stream(DeliveryStreamName="reports")["DeliveryStreamDescription"]
        encryption = found.get("DeliveryStreamEncryptionConfiguration", {}).get("Status", "DISABLED")
        assert encryption == state
        prefix = only(found["Destinations"])["ExtendedS3DestinationDescription"]["Prefix"]
        group = athena.get_work_group(WorkGroup="reports")["WorkGroup"]["Configuration"]
        assert (prefix, group["BytesScannedCutoffPerQuery"]) == (str(limit), limit)

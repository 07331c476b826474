"""Tables, keys, and where reports are kept for years."""

from __future__ import annotations

import json
from typing import Any

from tests.fake_aws.cloudformation.kind import (
    Kind,
    Properties,
    as_call,
    only,
    others_must_stay,
    tags,
    without,
)

# What CloudFormation sets once there is a table, and by which call.
_BESIDE = {
    "PointInTimeRecoverySpecification": "UpdateContinuousBackups",
    "TimeToLiveSpecification": "UpdateTimeToLive",
}


class Table(Kind):
    TYPE, NAMED_BY = "AWS::DynamoDB::Table", "TableName"
    ATTRIBUTES = frozenset({"Arn", "StreamArn"})
    _MADE_WITH = (
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "TableClass",
        "Tags",
    )

    def make(self, properties: Properties) -> None:
        dynamodb = self.api("dynamodb")
        asked = {**only(properties, self._MADE_WITH), "TableName": self.name}
        if encryption := properties.get("SSESpecification"):
            asked["SSESpecification"] = self._encryption(encryption)
        made = dynamodb.create_table(**as_call(dynamodb, "CreateTable", asked))["TableDescription"]
        self.attributes["Arn"] = made["TableArn"]
        self._beside({}, properties)

    @staticmethod
    def _encryption(declared: dict[str, Any]) -> dict[str, Any]:
        """The one thing that is called otherwise in the call."""
        return {**without(declared, "SSEEnabled"), "Enabled": declared["SSEEnabled"]}

    def _beside(self, before: Properties, after: Properties) -> None:
        dynamodb = self.api("dynamodb")
        for name, operation in _BESIDE.items():
            if name in after and before.get(name) != after[name]:
                asked = {"TableName": self.name, name: after[name]}
                dynamodb._make_api_call(operation, as_call(dynamodb, operation, asked))

    def change(self, before: Properties, after: Properties) -> None:
        dynamodb = self.api("dynamodb")
        names = ("BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput")
        others_must_stay(before, after, (*names, *_BESIDE, "SSESpecification"))
        changed = {name: value for name, value in only(after, names).items() if before.get(name) != value}
        encryption = after.get("SSESpecification")
        if encryption and encryption != before.get("SSESpecification"):
            changed["SSESpecification"] = self._encryption(encryption)
        if changed:
            asked = as_call(dynamodb, "UpdateTable", {**changed, "TableName": self.name})
            dynamodb.update_table(**asked)
        self._beside(before, after)

    def remove(self, properties: Properties) -> None:
        self.api("dynamodb").delete_table(TableName=self.name)


class Key(Kind):
    TYPE = "AWS::KMS::Key"
    ATTRIBUTES = frozenset({"Arn", "KeyId"})

    def make(self, properties: Properties) -> None:
        kms = self.api("kms")
        listed = [{"TagKey": key, "TagValue": value} for key, value in tags(properties).items()]
        asked = only(properties, ("Description", "KeyUsage", "KeySpec", "MultiRegion", "Origin"))
        if "KeyPolicy" in properties:
            asked["Policy"] = json.dumps(properties["KeyPolicy"])
        made = kms.create_key(**as_call(kms, "CreateKey", asked), Tags=listed)["KeyMetadata"]
        self.physical_resource_id = made["KeyId"]
        self.attributes = {"Arn": made["Arn"], "KeyId": made["KeyId"]}
        self._rotate({}, properties)

    def _rotate(self, before: Properties, after: Properties) -> None:
        wanted = bool(after.get("EnableKeyRotation"))
        if wanted != bool(before.get("EnableKeyRotation")):
            kms = self.api("kms")
            turn = kms.enable_key_rotation if wanted else kms.disable_key_rotation
            turn(KeyId=self.physical_resource_id)

    def change(self, before: Properties, after: Properties) -> None:
        others_must_stay(
            before, after, ("Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays")
        )
        kms, key = self.api("kms"), {"KeyId": self.physical_resource_id}
        if before.get("KeyPolicy") != after.get("KeyPolicy"):
            kms.put_key_policy(**key, PolicyName="default", Policy=json.dumps(after["KeyPolicy"]))
        if before.get("Description") != after.get("Description"):
            kms.update_key_description(**key, Description=after.get("Description", ""))
        self._rotate(before, after)

    def remove(self, properties: Properties) -> None:
        """A key cannot be deleted at once."""
        days = int(properties.get("PendingWindowInDays", 30))
        self.api("kms").schedule_key_deletion(KeyId=self.physical_resource_id, PendingWindowInDays=days)


class Alias(Kind):
    TYPE, NAMED_BY = "AWS::KMS::Alias", "AliasName"

    def make(self, properties: Properties) -> None:
        self.api("kms").create_alias(AliasName=self.name, TargetKeyId=properties["TargetKeyId"])

    def change(self, before: Properties, after: Properties) -> None:
        self.api("kms").update_alias(AliasName=self.name, TargetKeyId=after["TargetKeyId"])

    def remove(self, properties: Properties) -> None:
        self.api("kms").delete_alias(AliasName=self.name)


class DeliveryStream(Kind):
    TYPE, NAMED_BY = "AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"
    ATTRIBUTES = frozenset({"Arn"})

    def make(self, properties: Properties) -> None:
        firehose = self.api("firehose")
        asked = as_call(firehose, "CreateDeliveryStream", {**properties, "DeliveryStreamName": self.name})
        self.attributes["Arn"] = firehose.create_delivery_stream(**asked)["DeliveryStreamARN"]

    def change(self, before: Properties, after: Properties) -> None:
        name, encryption = "ExtendedS3DestinationConfiguration", "DeliveryStreamEncryptionConfigurationInput"
        others_must_stay(before, after, (name, encryption))
        if before.get(encryption) != after.get(encryption):
            self._encrypt(after.get(encryption))
        if before.get(name) != after.get(name):
            self._deliver_to(after[name])

    def _encrypt(self, declared: dict[str, Any] | None) -> None:
        firehose = self.api("firehose")
        if declared is None:
            firehose.stop_delivery_stream_encryption(DeliveryStreamName=self.name)
        else:
            firehose.start_delivery_stream_encryption(
                DeliveryStreamName=self.name, DeliveryStreamEncryptionConfigurationInput=declared
            )

    def _deliver_to(self, declared: dict[str, Any]) -> None:
        firehose = self.api("firehose")
        found = firehose.describe_delivery_stream(DeliveryStreamName=self.name)["DeliveryStreamDescription"]
        asked = {
            "DeliveryStreamName": self.name,
            "CurrentDeliveryStreamVersionId": found["VersionId"],
            "DestinationId": found["Destinations"][0]["DestinationId"],
            "ExtendedS3DestinationUpdate": declared,
        }
        firehose.update_destination(**as_call(firehose, "UpdateDestination", asked))

    def remove(self, properties: Properties) -> None:
        self.api("firehose").delete_delivery_stream(DeliveryStreamName=self.name)


class GlueDatabase(Kind):
    TYPE = "AWS::Glue::Database"

    def make(self, properties: Properties) -> None:
        asked = dict(properties["DatabaseInput"])
        asked.setdefault("Name", self.name.lower())
        self.physical_resource_id = asked["Name"]
        self.api("glue").create_database(DatabaseInput=asked)

    def change(self, before: Properties, after: Properties) -> None:
        asked = {**after["DatabaseInput"], "Name": self.physical_resource_id}
        self.api("glue").update_database(Name=self.physical_resource_id, DatabaseInput=asked)

    def remove(self, properties: Properties) -> None:
        self.api("glue").delete_database(Name=self.physical_resource_id)


class GlueTable(Kind):
    TYPE = "AWS::Glue::Table"

    def make(self, properties: Properties) -> None:
        glue = self.api("glue")
        asked = dict(properties["TableInput"])
        asked.setdefault("Name", self.name.lower())
        self.physical_resource_id = asked["Name"]
        whole = {"DatabaseName": properties["DatabaseName"], "TableInput": asked}
        glue.create_table(**as_call(glue, "CreateTable", whole))

    def change(self, before: Properties, after: Properties) -> None:
        glue = self.api("glue")
        asked = {**after["TableInput"], "Name": self.physical_resource_id}
        whole = {"DatabaseName": after["DatabaseName"], "TableInput": asked}
        glue.update_table(**as_call(glue, "UpdateTable", whole))

    def remove(self, properties: Properties) -> None:
        self.api("glue").delete_table(DatabaseName=properties["DatabaseName"], Name=self.physical_resource_id)

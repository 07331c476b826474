"""Buckets and their policies, and what is asked of what lies in them."""

from __future__ import annotations

import json
from typing import Any

from moto.athena.models import athena_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation.kind import Kind, Properties, as_call, others_must_stay, tags

_MADE_WITH = ("BucketName", "ObjectLockEnabled")


class Bucket(Kind):
    TYPE, NAMED_BY = "AWS::S3::Bucket", "BucketName"
    ATTRIBUTES = frozenset({"Arn", "DomainName", "RegionalDomainName"})

    def make(self, properties: Properties) -> None:
        more: dict[str, Any] = {}
        if self.region != "us-east-1":
            more["CreateBucketConfiguration"] = {"LocationConstraint": self.region}
        if properties.get("ObjectLockEnabled"):
            more["ObjectLockEnabledForBucket"] = True
        self.api("s3").create_bucket(Bucket=self.name, **more)
        self.attributes = {
            "Arn": f"arn:{get_partition(self.region)}:s3:::{self.name}",
            "DomainName": f"{self.name}.s3.amazonaws.com",
            "RegionalDomainName": f"{self.name}.s3.{self.region}.amazonaws.com",
        }
        self.change({}, properties)

    def change(self, before: Properties, after: Properties) -> None:
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        others_must_stay(before, after, (*_PUTS, *_MADE_WITH, "Tags"))
        for name, value in changed.items():
            if (put := _PUTS.get(name)) is not None:
                operation, parameter, shape = put
                client = self.api("s3")
                asked = as_call(client, operation, {"Bucket": self.name, parameter: shape(value)})
                client._make_api_call(operation, asked)
        if "Tags" in changed:
            listed = [{"Key": key, "Value": each} for key, each in tags(after).items()]
            self.api("s3").put_bucket_tagging(Bucket=self.name, Tagging={"TagSet": listed})

    def remove(self, properties: Properties) -> None:
        """Refused while something lies in it."""
        self.api("s3").delete_bucket(Bucket=self.name)


def _encryption(declared: Any) -> dict[str, Any]:
    rules = []
    for rule in declared["ServerSideEncryptionConfiguration"]:
        found = dict(rule)
        if default := found.pop("ServerSideEncryptionByDefault", None):
            found["ApplyServerSideEncryptionByDefault"] = default
        rules.append(found)
    return {"Rules": rules}


def _lifecycle(declared: Any) -> dict[str, Any]:
    rules = []
    for rule in declared["Rules"]:
        found: dict[str, Any] = {"ID": rule.get("Id", "rule"), "Status": rule["Status"]}
        found["Filter"] = {"Prefix": rule.get("Prefix", "")}
        if days := rule.get("ExpirationInDays"):
            found["Expiration"] = {"Days": int(days)}
        if moves := rule.get("Transitions"):
            found["Transitions"] = [
                {"Days": int(each["TransitionInDays"]), "StorageClass": each["StorageClass"]}
                for each in moves
            ]
        if upload := rule.get("AbortIncompleteMultipartUpload"):
            found["AbortIncompleteMultipartUpload"] = upload
        if old := rule.get("NoncurrentVersionExpiration"):
            found["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(old["NoncurrentDays"])}
        rules.append(found)
    return {"Rules": rules}


def _same(declared: Any) -> Any:
    return declared


# property -> the call that sets it, its parameter, and what the declared value is there
_PUTS: dict[str, tuple[str, str, Any]] = {
    "BucketEncryption": ("PutBucketEncryption", "ServerSideEncryptionConfiguration", _encryption),
    "LifecycleConfiguration": ("PutBucketLifecycleConfiguration", "LifecycleConfiguration", _lifecycle),
    "OwnershipControls": ("PutBucketOwnershipControls", "OwnershipControls", _same),
    "PublicAccessBlockConfiguration": ("PutPublicAccessBlock", "PublicAccessBlockConfiguration", _same),
    "VersioningConfiguration": ("PutBucketVersioning", "VersioningConfiguration", _same),
}


class BucketPolicy(Kind):
    TYPE = "AWS::S3::BucketPolicy"

    def make(self, properties: Properties) -> None:
        self.physical_resource_id = properties["Bucket"]
        self.api("s3").put_bucket_policy(
            Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"])
        )

    def change(self, before: Properties, after: Properties) -> None:
        self.make(after)

    def remove(self, properties: Properties) -> None:
        self.api("s3").delete_bucket_policy(Bucket=properties["Bucket"])


class WorkGroup(Kind):
    TYPE, NAMED_BY = "AWS::Athena::WorkGroup", "Name"

    def make(self, properties: Properties) -> None:
        athena = self.api("athena")
        names = {"WorkGroupConfiguration": "Configuration"}
        asked = {names.get(name, name): value for name, value in properties.items() if name in _OF_WORK_GROUP}
        athena.create_work_group(**as_call(athena, "CreateWorkGroup", {**asked, "Name": self.name}))

    def change(self, before: Properties, after: Properties) -> None:
        others_must_stay(before, after, ("Description", "WorkGroupConfiguration"))
        # moto answers no such call.
        found = athena_backends[self.account_id][self.region].work_groups[self.name]
        found.description = after.get("Description", "")
        found.configuration = after.get("WorkGroupConfiguration", {})

    def remove(self, properties: Properties) -> None:
        self.api("athena").delete_work_group(WorkGroup=self.name)


_OF_WORK_GROUP = ("Description", "Tags", "WorkGroupConfiguration")


class NamedQuery(Kind):
    TYPE = "AWS::Athena::NamedQuery"
    ATTRIBUTES = frozenset({"NamedQueryId"})

    def make(self, properties: Properties) -> None:
        athena = self.api("athena")
        asked = as_call(athena, "CreateNamedQuery", {"Name": self.name, **properties})
        self.physical_resource_id = athena.create_named_query(**asked)["NamedQueryId"]
        self.attributes["NamedQueryId"] = self.physical_resource_id

    def remove(self, properties: Properties) -> None:
        """moto answers no such call."""
        del athena_backends[self.account_id][self.region].named_queries[self.physical_resource_id]

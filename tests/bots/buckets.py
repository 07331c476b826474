"""What tests of bots with a log bucket share: buckets to plant and buckets to look at."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.fake_aws.admin import Admin

# Somebody else's statement, which must survive whatever is merged into its policy.
THEIRS = {
    "Sid": "Auditors",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222233334444:root"},
    "Action": "s3:ListBucket",
}


def make(admin: Admin, name: str, region: str = "us-east-1") -> str:
    """A plain bucket of that name."""
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    admin.client("s3", region).create_bucket(Bucket=name, **where)
    return name


def make_shared(admin: Admin, name: str, region: str = "us-east-1", **more: Any) -> str:
    """A bucket with a policy of somebody's own; ``more`` changes the statement."""
    make(admin, name, region)
    statement = {**THEIRS, "Resource": f"arn:aws:s3:::{name}", **more}
    set_policy(admin, name, statement)
    return name


def set_policy(admin: Admin, name: str, *statements: dict[str, Any]) -> None:
    """Replace the bucket's policy."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    admin.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(document))


def encrypt_with_kms(admin: Admin, name: str) -> None:
    """SSE-KMS by default, which many services cannot deliver into."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    admin.client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def statements(admin: Admin, name: str) -> list[dict[str, Any]]:
    """The statements of the bucket's policy."""
    found: list[dict[str, Any]] = json.loads(seen(admin, name)["policy"] or '{"Statement": []}')["Statement"]
    return found


def seen(admin: Admin, name: str) -> Any:
    """Everything about the bucket; None if there is none."""
    s3 = admin.client("s3")
    try:
        region = s3.head_bucket(Bucket=name)["BucketRegion"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return None
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    return {
        "region": region,
        "policy": _or_none(s3.get_bucket_policy, name, "Policy", "NoSuchBucketPolicy"),
        "encryption": encryption["Rules"],
        "closed to the public": _or_none(
            s3.get_public_access_block,
            name,
            "PublicAccessBlockConfiguration",
            "NoSuchPublicAccessBlockConfiguration",
        ),
        "objects": [item["Key"] for item in s3.list_objects_v2(Bucket=name).get("Contents", [])],
    }


def _or_none(read: Any, name: str, part: str, absent: str) -> Any:
    try:
        return read(Bucket=name)[part]
    except ClientError as error:
        if error.response["Error"]["Code"] != absent:
            raise
        return None

"""What tests of bots with a log bucket share: buckets to plant and buckets to look at."""

from __future__ import annotations

import json
from typing import Any

from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import s3 as inside

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


def statements(name: str) -> list[dict[str, Any]]:
    """The statements of the bucket's policy."""
    found: list[dict[str, Any]] = json.loads(inside.bucket(name).policy or '{"Statement": []}')["Statement"]
    return found


def seen(name: str) -> Any:
    """Everything about the bucket; None if there is none. Read where moto keeps it: this is asked often."""
    found = inside.bucket(name)
    if found is None:
        return None
    block = found.public_access_block
    return {
        "account": found.account_id,
        "region": found.region_name,
        "policy": statements(name),
        "encryption": found.encryption,
        "closed to the public": None if block is None else block.to_config_dict(),
        "objects": sorted(found.keys),
    }

"""Buckets for scenes: made by their name or as a finding has one, and everything that can be seen of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import s3 as inside

ELSEWHERE = "eu-west-1"
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"

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


def plant(admin: Admin, *, region: str = "us-east-1", policy: Any = None, grants: Any = None) -> Planted:
    """A bucket with one object.

    Args:
        policy: its policy, as a document or, byte for byte, as text.
        grants: pairs of who (canonical id or URI of a group) and permission, besides the owner's.
    """
    name, s3 = make(admin, f"invoices-{admin.account_id}", region), admin.client("s3", region)
    s3.put_object(Bucket=name, Key="2026/january.txt", Body=b"100")
    if policy is not None:
        text = policy if isinstance(policy, str) else json.dumps(policy)
        s3.put_bucket_policy(Bucket=name, Policy=text.replace("BUCKET", name))
    if grants is not None:
        owner = s3.get_bucket_acl(Bucket=name)["Owner"]
        s3.put_bucket_acl(
            Bucket=name, AccessControlPolicy={"Owner": owner, "Grants": granted(owner["ID"], grants)}
        )
    return Planted(
        entity={"id": name, "name": name, "type": "S3Bucket", "region": ""},
        notes={"region": region, "name": name},
    )


def granted(owner: str, grants: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Grants of an ACL; for the owner write OWNER."""
    return [
        {
            "Grantee": {"Type": "Group", "URI": who}
            if "/" in who
            else {"Type": "CanonicalUser", "ID": who.replace("OWNER", owner)},
            "Permission": permission,
        }
        for who, permission in grants
    ]


def by_arn(planted: Planted) -> Planted:
    """The same, named as some findings name it."""
    return replace(planted, entity={"id": f"arn:aws:s3:::{planted.notes['name']}"})


def missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"never-made-{admin.account_id}", "type": "S3Bucket"})


def directory_bucket(admin: Admin) -> Planted:
    return Planted(entity={"id": f"fast-{admin.account_id}--use1-az4--x-s3"})


def observe(admin: Admin, planted: Planted) -> Any:
    """All settings of the bucket that let anybody in, and what is in it."""
    if "name" not in planted.notes:
        return None
    s3, name = admin.client("s3", planted.notes["region"]), planted.notes["name"]
    acl = s3.get_bucket_acl(Bucket=name)
    return {
        "policy": policy_of(admin, planted),
        "owner": acl["Owner"]["ID"],
        "grants": sorted(json.dumps(grant, sort_keys=True) for grant in acl["Grants"]),
        "ownership": _or_none(lambda: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]),
        "block": _or_none(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]),
        "website": website_of(admin, planted),
        "versioning": s3.get_bucket_versioning(Bucket=name).get("Status"),
        "objects": [item["Key"] for item in s3.list_objects_v2(Bucket=name).get("Contents", [])],
    }


def policy_of(admin: Admin, planted: Planted) -> str | None:
    s3 = admin.client("s3", planted.notes["region"])
    found: str | None = _or_none(lambda: s3.get_bucket_policy(Bucket=planted.notes["name"])["Policy"])
    return found


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


def website_of(admin: Admin, planted: Planted) -> Any:
    s3 = admin.client("s3", planted.notes["region"])
    found = _or_none(lambda: s3.get_bucket_website(Bucket=planted.notes["name"]))
    return found and {key: value for key, value in found.items() if key != "ResponseMetadata"}


def _or_none(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith(("NoSuch", "OwnershipControlsNotFound")):
            raise
        return None

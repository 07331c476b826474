"""What is wrong in the demo's accounts, as a scanner would find it, and how each finding must end."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.demo.embedded import REGION, EmbeddedAws
from hub.demo.estate import Estate
from hub.model import Outcome

SSH_RULE = "split=false protocol=TCP scope=0.0.0.0/0 direction=inbound port=22"
PASSWORD_POLICY = "14 true true true true true 90 24 false"  # noqa: S105 - a policy, not a password


@dataclass(frozen=True, slots=True)
class Planted:
    """A finding to publish and the outcome each of its bots must come to; none: no report is due."""

    finding: Mapping[str, Any]
    expected: tuple[Outcome, ...]

    @property
    def key(self) -> str:
        return str(self.finding["findingKey"])


async def plant(aws: EmbeddedAws, estate: Estate, *, advance: Callable[[str], None]) -> list[Planted]:
    """Make every account wrong in two or three ways and return the findings about it."""
    ids = list(estate.accounts)
    many = asyncio.Semaphore(8)

    async def account(number: int, account_id: str) -> list[Planted]:
        async with many:
            planted = await _account(aws, estate, number, account_id)
            advance(f"{estate.accounts[account_id]}: {len(planted)} findings")
            return planted

    lists = await asyncio.gather(*(account(number, each) for number, each in enumerate(ids)))
    strangers = [_stranger(), _passed(estate, ids[0])]
    return [each for planted in lists for each in planted] + strangers


async def _account(aws: EmbeddedAws, estate: Estate, number: int, account: str) -> list[Planted]:
    bucket = "my-dome9-test" if number == 0 else f"workload-{account}-data"
    group = "dome9-test-sg" if number == 0 else f"web-{number:02d}"
    planted = [
        await _bucket(aws, estate, account, bucket),
        await _group(aws, estate, account, group),
    ]
    more: tuple[Callable[[EmbeddedAws, Estate, str], Awaitable[Planted]], ...] = (
        _key, _password_policy, _instance, _protected_instance, _versioned_bucket, _deleted_bucket,
    )  # fmt: skip
    planted.append(await more[number % len(more)](aws, estate, account))
    return planted


async def _bucket(aws: EmbeddedAws, estate: Estate, account: str, name: str) -> Planted:
    await (await aws.client("s3", account)).create_bucket(Bucket=name)
    finding = _finding(
        estate, account, "S3 bucket without encryption and versioning", "S3Bucket", name, name,
        ["s3_enable_encryption s3", "s3_enable_versioning"], region="",
    )  # fmt: skip
    return Planted(finding, (Outcome.FIXED, Outcome.FIXED))


async def _versioned_bucket(aws: EmbeddedAws, estate: Estate, account: str) -> Planted:
    s3, name = await aws.client("s3", account), f"workload-{account}-archive"
    await s3.create_bucket(Bucket=name)
    await s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    finding = _finding(
        estate,
        account,
        "S3 bucket without versioning",
        "S3Bucket",
        name,
        name,
        ["s3_enable_versioning"],
        region="",
    )
    return Planted(finding, (Outcome.COMPLIANT,))


async def _deleted_bucket(_aws: EmbeddedAws, estate: Estate, account: str) -> Planted:
    name = f"workload-{account}-deleted"
    finding = _finding(
        estate,
        account,
        "S3 bucket without versioning",
        "S3Bucket",
        name,
        name,
        ["s3_enable_versioning"],
        region="",
    )
    return Planted(finding, (Outcome.GONE,))


async def _group(aws: EmbeddedAws, estate: Estate, account: str, name: str) -> Planted:
    ec2 = await aws.client("ec2", account)
    group = (await ec2.create_security_group(GroupName=name, Description="web servers"))["GroupId"]
    await ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            for port in (22, 80)
        ],
    )
    finding = _finding(
        estate, account, "Security group open to the internet on SSH", "SecurityGroup", group, name,
        [f"sg_single_rule_delete {SSH_RULE}"],
    )  # fmt: skip
    return Planted(finding, (Outcome.FIXED,))


async def _key(aws: EmbeddedAws, estate: Estate, account: str) -> Planted:
    kms = await aws.client("kms", account)
    key = (await kms.create_key(KeyUsage="ENCRYPT_DECRYPT"))["KeyMetadata"]["KeyId"]
    finding = _finding(estate, account, "KMS key is not rotated", "KMS", key, key, ["kms_enable_rotation"])
    return Planted(finding, (Outcome.FIXED,))


async def _password_policy(_aws: EmbeddedAws, estate: Estate, account: str) -> Planted:
    finding = _finding(
        estate, account, "No password policy", "Iam", "", "", [f"iam_turn_on_password_policy {PASSWORD_POLICY}"],
        region="global",
    )  # fmt: skip
    return Planted(finding, (Outcome.FIXED,))


async def _instance(aws: EmbeddedAws, estate: Estate, account: str) -> Planted:
    instance = await _run_instance(aws, account)
    finding = _finding(
        estate, account, "Instance that nobody owns", "Instance", instance, "",
        ["ec2_stop_instance", 'tag_ec2_resource "stopped by" "remediation hub"'],
    )  # fmt: skip
    # To stop an instance is disruptive: it waits for somebody to say yes.
    return Planted(finding, (Outcome.WAITING, Outcome.FIXED))


async def _protected_instance(aws: EmbeddedAws, estate: Estate, account: str) -> Planted:
    instance = await _run_instance(aws, account)
    ec2 = await aws.client("ec2", account)
    await ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": True})
    finding = _finding(
        estate, account, "Instance that nobody owns", "Instance", instance, "", ["ec2_stop_instance"]
    )
    return Planted(finding, (Outcome.REFUSED,))


async def _run_instance(aws: EmbeddedAws, account: str) -> str:
    ec2 = await aws.client("ec2", account)
    answer = await ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    return str(answer["Instances"][0]["InstanceId"])


def _stranger() -> Planted:
    """A finding about an account outside the organization: nobody may make the hub go there."""
    estate = Estate(hub_account="", accounts={"888877776666": "stranger"}, outputs={}, reports_queue="")
    finding = _finding(
        estate, "888877776666", "S3 bucket without versioning", "S3Bucket", "not-ours", "not-ours",
        ["s3_enable_versioning"],
    )  # fmt: skip
    return Planted(finding, (Outcome.INVALID,))


def _passed(estate: Estate, account: str) -> Planted:
    """A rule that passes again: nothing is due, nothing is reported."""
    finding = _finding(
        estate, account, "S3 bucket without logging", "S3Bucket", "fine", "fine", ["s3_enable_versioning"]
    )
    return Planted({**finding, "status": "Passed"}, ())


def _finding(
    estate: Estate, account: str, rule: str, kind: str, entity: str, name: str, actions: list[str],
    *, region: str = REGION.replace("-", "_"),
) -> dict[str, Any]:  # fmt: skip
    """A CloudGuard message with the fields the hub reads."""
    key = b64encode(hashlib.md5(f"{account}{rule}{entity}".encode(), usedforsecurity=False).digest())
    return {
        "status": "Failed",
        "policy": {"name": "workload baseline", "description": ""},
        "findingKey": key.decode().rstrip("="),
        "reportTime": "2026-11-02T08:14:27.318Z",
        "rule": {"name": rule, "ruleId": "", "description": "", "severity": "High", "complianceTags": ""},
        "account": {"id": account, "name": estate.accounts[account], "vendor": "AWS"},
        "region": "",
        "entity": {"id": entity, "name": name, "type": kind, "region": region, "accountNumber": account},
        "remediationActions": actions,
    }


async def publish(aws: EmbeddedAws, estate: Estate, planted: list[Planted]) -> None:
    """Send every finding to the input topic, as the scanner does."""
    sns = await aws.client("sns", estate.hub_account)
    for each in planted:
        await sns.publish(
            TopicArn=estate.outputs["InputTopicARN"],
            Subject="Dome9 Continuous compliance: Entity status change detected",
            Message=json.dumps(each.finding),
        )

"""Accounts with something to fix, in the emulator, and the findings about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from tests.emulator.running import Emulator
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import EXTERNAL_ID, HUB_ACCOUNT, SPOKE_ROLE, allow, policy, trust

FIRST = 700000000000
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
VERSIONING = "s3_enable_versioning"
CLOSE_SSH = "sg_single_rule_delete split=true protocol=TCP scope=0.0.0.0/0 direction=inbound port=22"
TAG = "tag_ec2_resource Owner platform"


@dataclass(frozen=True, slots=True)
class Spoke:
    """An account and what is in it."""

    account_id: str
    buckets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estate:
    """The hub's account and its spokes."""

    emulator: Emulator
    spokes: tuple[Spoke, ...]
    topic_arn: str
    environment: dict[str, str] = field(repr=False)

    def hub_environment(self, **more: str) -> dict[str, str]:
        """Environment of a hub process, or of a floor, beside what the machine gives."""
        return {
            "AWS_ENDPOINT_URL": self.emulator.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HUB_REGION": "us-east-1",
            "HUB_DEPLOYMENT_MODE": "multi",
            "HUB_ACCOUNTS": ",".join(spoke.account_id for spoke in self.spokes),
            "HUB_EXTERNAL_ID": EXTERNAL_ID,
            "HUB_JOURNAL": "memory",
            "HUB_REPORT_TOPIC_ARN": self.topic_arn,
            "HUB_LOG_LEVEL": "WARNING",
            **self.environment,
            **more,
        }


def plant(
    emulator: Emulator, *, accounts: int, buckets: int = 0, groups: int = 0, first: int = FIRST
) -> Estate:
    """So many accounts, each with buckets without versioning and groups with SSH open to everybody.

    Args:
        first: id of the first account; the others follow. Estates side by side start far apart.
    """
    with ThreadPoolExecutor(2) as pool:
        numbers = range(first, first + accounts)
        spokes = tuple(pool.map(lambda number: _spoke(emulator, number, buckets, groups), numbers))
    topic = emulator.admin(HUB_ACCOUNT).client("sns").create_topic(Name="reports")["TopicArn"]
    keys = emulator.hub_credentials(allow("sns:*", "sqs:*", "dynamodb:*"))
    return Estate(emulator, spokes, topic, dict(keys))


def _spoke(emulator: Emulator, number: int, buckets: int, groups: int) -> Spoke:
    admin = emulator.admin(f"{number}")
    admin.client("iam").create_role(
        RoleName=SPOKE_ROLE,
        AssumeRolePolicyDocument=trust(f"arn:aws:iam::{HUB_ACCOUNT}:role/remediation-hub"),
    )
    rights = policy(allow("s3:*", "ec2:*"))
    admin.client("iam").put_role_policy(RoleName=SPOKE_ROLE, PolicyName="bench", PolicyDocument=rights)
    return Spoke(
        admin.account_id,
        tuple(_bucket(admin, index) for index in range(buckets)),
        tuple(_group(admin, index) for index in range(groups)),
    )


def more_groups(emulator: Emulator, spoke: Spoke, count: int) -> Spoke:
    """The same account with so many groups more."""
    admin = emulator.admin(spoke.account_id)
    have = len(spoke.groups)
    return replace(
        spoke, groups=(*spoke.groups, *(_group(admin, index) for index in range(have, have + count)))
    )


def _bucket(admin: Admin, index: int) -> str:
    name = f"bench-{admin.account_id}-{index}"
    admin.client("s3").create_bucket(Bucket=name)
    return name


def _group(admin: Admin, index: int) -> str:
    ec2 = admin.client("ec2")
    group = str(ec2.create_security_group(GroupName=f"bench-{index}", Description="bench")["GroupId"])
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[SSH])
    return group


def findings(spokes: Sequence[Spoke], *, on_groups: str = CLOSE_SSH) -> Iterator[dict[str, Any]]:
    """A finding for each bucket and each group, one account after the other in turn."""
    per_account = [list(_of(spoke, on_groups)) for spoke in spokes]
    for turn in range(max(map(len, per_account), default=0)):
        yield from (own[turn] for own in per_account if turn < len(own))


def _of(spoke: Spoke, on_groups: str) -> Iterator[dict[str, Any]]:
    for name in spoke.buckets:
        yield message(spoke.account_id, name, VERSIONING)
    for group in spoke.groups:
        yield message(spoke.account_id, group, on_groups)


def message(account_id: str, entity: str, *actions: str, occurrence: str = "0") -> dict[str, Any]:
    """A CloudGuard message about one resource."""
    return {
        "reportTime": f"2026-03-20T05:40:42.{int(occurrence):03}Z",
        "status": "Failed",
        "rule": {"name": "a rule", "complianceTags": "", "severity": "High", "ruleId": "D9.AWS.1"},
        "bundle": {"name": "bench", "description": "", "id": 1},
        "account": {"id": account_id, "name": f"account {account_id}", "vendor": "AWS"},
        "region": "us-east-1",
        "entity": {"id": entity, "name": entity, "region": "us-east-1"},
        "findingKey": f"bench/{account_id}/{entity}",
        "remediationActions": list(actions),
    }


def as_lines(documents: Sequence[dict[str, Any]]) -> str:
    """One document a line."""
    return "".join(json.dumps(document) + "\n" for document in documents)

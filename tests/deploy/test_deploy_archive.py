"""`hub deploy archive` on the fake AWS, as a person or a script would use it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.command import Deploy
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy

HUB = ("hub", "-P", "Compute=none", "--yes")


@pytest.fixture
def admin(aws: FakeAws) -> Admin:
    return aws.fresh_account()


def stacks(admin: Admin) -> dict[str, dict[str, Any]]:
    found = admin.client("cloudformation").describe_stacks()["Stacks"]
    return {each["StackName"]: each for each in found}


def parameters(admin: Admin) -> dict[str, str]:
    told = stacks(admin)["remediation-hub-archive"]["Parameters"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in told}


def outputs(admin: Admin, name: str) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stacks(admin)[name]["Outputs"]}


def limit(admin: Admin) -> str:
    """The ARN of a policy that can be a permissions boundary."""
    document = policy(allow("*"))
    made = admin.client("iam").create_policy(PolicyName="limit", PolicyDocument=document)
    return str(made["Policy"]["Arn"])


def test_the_archive_is_told_by_the_hubs_stack_what_it_has_to_know(deploy: Deploy, admin: Admin) -> None:
    boundary = limit(admin)
    more = ("-P", "Encryption=own-key", "-P", f"PermissionsBoundaryArn={boundary}")
    assert deploy(admin.account_id, *HUB, *more).exit_code == 0
    done = deploy(admin.account_id, "archive", "-P", "ArchiveDays=3650", typed="y\n")
    assert done.exit_code == 0, done.output
    assert "AWS::KinesisFirehose::DeliveryStream" in done.stdout
    hub = outputs(admin, "remediation-hub")
    assert parameters(admin) == {
        "HubName": "remediation-hub",
        "OutputTopicArn": hub["OutputTopicARN"],
        "AlarmTopicArn": hub["AlarmTopicARN"],
        "RoleName": "Dome9CloudBots",
        "KeyArn": hub["EncryptionKeyArn"],
        "PermissionsBoundaryArn": boundary,
        "ArchiveDays": "3650",
        "BucketName": "",
        "DatabaseName": "remediation_hub",
    }


def test_it_follows_the_hub_and_keeps_what_was_chosen(deploy: Deploy, admin: Admin) -> None:
    assert deploy(admin.account_id, *HUB).exit_code == 0
    assert deploy(admin.account_id, "archive", "-P", "ArchiveDays=30", "--yes").exit_code == 0
    again = deploy(admin.account_id, "archive", "--json", "--yes")
    assert (again.exit_code, json.loads(again.stdout)["changes"]) == (0, [])
    boundary = limit(admin)
    assert deploy(admin.account_id, *HUB, "-P", f"PermissionsBoundaryArn={boundary}").exit_code == 0
    done = deploy(admin.account_id, "archive", "--json", "--yes")
    assert done.exit_code == 0, done.output
    found = parameters(admin)
    assert (found["ArchiveDays"], found["PermissionsBoundaryArn"]) == ("30", boundary)


def test_without_a_hub_there_is_nothing_to_archive(deploy: Deploy, admin: Admin) -> None:
    done = deploy(admin.account_id, "archive", "--yes")
    assert done.exit_code == 2
    assert "hub deploy hub comes first" in done.stderr
    assert stacks(admin) == {}


def test_reports_as_text_are_not_archived_in_vain(deploy: Deploy, admin: Admin) -> None:
    assert deploy(admin.account_id, *HUB, "-P", "OutputMode=text").exit_code == 0
    done = deploy(admin.account_id, "archive", "--yes")
    assert done.exit_code == 2
    assert "OutputMode=JSON" in done.stderr
    assert "remediation-hub-archive" not in stacks(admin)


def test_it_goes_with_the_hub_its_bucket_stays_and_the_next_one_can_be_made(
    deploy: Deploy, admin: Admin
) -> None:
    assert deploy(admin.account_id, *HUB).exit_code == 0
    assert deploy(admin.account_id, "archive", "--yes").exit_code == 0
    bucket = outputs(admin, "remediation-hub-archive")["ArchiveBucket"]
    done = deploy(admin.account_id, "remove", "--yes")
    assert done.exit_code == 0, done.output
    assert stacks(admin) == {}
    admin.client("s3").head_bucket(Bucket=bucket)
    assert deploy(admin.account_id, *HUB).exit_code == 0
    assert deploy(admin.account_id, "archive", "--yes").exit_code == 0

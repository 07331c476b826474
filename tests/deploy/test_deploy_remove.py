"""`hub deploy remove` takes everything away but what is needed to know and undo what was done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.command import Deploy
from tests.deploy.estate import organization
from tests.deploy.test_deploy_spokes import FOR_ONE, delegate, has_role
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

HUB = ("-P", "Compute=none", "--yes")
DEAD = "remediation-hub-findings-dead"


def stacks(admin: Admin) -> list[str]:
    return [each["StackName"] for each in admin.client("cloudformation").describe_stacks()["Stacks"]]


def tables(admin: Admin) -> list[str]:
    found: list[str] = admin.client("dynamodb").list_tables()["TableNames"]
    return found


def queues(admin: Admin) -> list[str]:
    urls = admin.client("sqs").list_queues().get("QueueUrls", [])
    return [url.rsplit("/", 1)[-1] for url in urls]


@pytest.fixture
def hub(aws: FakeAws, deploy: Deploy) -> Admin:
    """The account of a hub without an organization."""
    admin = aws.fresh_account()
    assert deploy(admin.account_id, "hub", *HUB).exit_code == 0
    return admin


def test_spoke_roles_go_first_then_the_hub_and_the_journal_stays(aws: FakeAws, deploy: Deploy) -> None:
    where = organization(aws)
    delegate(aws, where)
    admin = aws.admin(where.hub)
    deploy(where.hub, "hub", *HUB, "-P", "DeploymentMode=multi")
    deploy(where.hub, "spokes", "--ou", "/Workloads", "--here", *FOR_ONE, "--yes")
    assert has_role(aws, where.hub)
    done = deploy(where.hub, "remove", typed="y\n")
    assert done.exit_code == 0, done.output
    assert "the spoke role in 2 accounts, and StackSet remediation-hub-spokes" in done.stdout
    assert "kept remediation-hub: the journal" in done.stdout
    for account in (where.upper, where.lower, where.hub):
        assert not has_role(aws, account)
    assert (
        admin.client("cloudformation").list_stack_sets(CallAs="DELEGATED_ADMIN", Status="ACTIVE")["Summaries"]
        == []
    )
    assert stacks(admin) == []
    assert tables(admin) == ["remediation-hub"]
    assert queues(admin) == []
    again = deploy(where.hub, "remove", "--yes", "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout)["removed"] == []


def test_the_hub_stays_while_an_account_cannot_be_entered_unless_it_is_let_go(
    aws: FakeAws, deploy: Deploy
) -> None:
    where = organization(aws)
    delegate(aws, where)
    deploy(where.hub, "hub", *HUB, "-P", "DeploymentMode=multi")
    deploy(where.hub, "spokes", "--ou", "/Workloads", *FOR_ONE, "--yes")
    iam = aws.admin(where.lower).client("iam")
    attached = iam.create_policy(
        PolicyName="of-somebody-else",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
            }
        ),
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="Dome9CloudBots", PolicyArn=attached)
    done = deploy(where.hub, "remove", "--yes")
    assert done.exit_code == 1
    assert where.lower in done.stdout
    assert "--retain ACCOUNT" in done.stderr
    assert stacks(aws.admin(where.hub)) == ["remediation-hub"]
    fewer = deploy(where.hub, "spokes", "--ou", "/Workloads", "--exclude", where.lower, *FOR_ONE, "--yes")
    assert f"excluded; it has the role already: `hub deploy remove --account {where.lower}`" in fewer.stdout
    wrong = deploy(where.hub, "remove", "--yes", "--retain", where.outside)
    assert wrong.exit_code == 2
    assert f"has no stack in {where.outside}" in wrong.stderr
    again = deploy(where.hub, "remove", "--yes", "--retain", where.lower)
    assert again.exit_code == 0, again.output
    assert has_role(aws, where.lower)
    assert stacks(aws.admin(where.hub)) == []


def test_one_account_can_be_let_out_of_the_protection(aws: FakeAws, deploy: Deploy) -> None:
    where = organization(aws)
    told = ("-P", f"HubAccountId={where.hub}", "-P", "ExternalId=between-us", "--yes")
    deploy(where.management, "spokes", "--ou", "/Workloads", *FOR_ONE, *told)
    done = deploy(where.management, "remove", "--account", where.lower, typed="y\n")
    assert done.exit_code == 0, done.output
    assert f"deleted the spoke role in {where.lower}" in done.stdout
    assert (has_role(aws, where.lower), has_role(aws, where.upper)) == (False, True)
    assert deploy(where.management, "status", *FOR_ONE).exit_code == 0


def test_only_the_spokes_can_go(aws: FakeAws, deploy: Deploy, hub: Admin) -> None:
    deploy(hub.account_id, "spokes", "--here", *FOR_ONE, "--yes")
    done = deploy(hub.account_id, "remove", "--spokes-only", "--yes")
    assert done.exit_code == 0, done.output
    assert stacks(hub) == ["remediation-hub"]
    assert not has_role(aws, hub.account_id)


def test_findings_nobody_has_looked_at_are_kept(deploy: Deploy, hub: Admin) -> None:
    url = hub.client("sqs").get_queue_url(QueueName=DEAD)["QueueUrl"]
    hub.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    done = deploy(hub.account_id, "remove", "--yes", "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["kept"]["journal"] == "remediation-hub"
    assert told["kept"]["dead_letters"].endswith(f"/{DEAD}")
    assert queues(hub) == [DEAD]
    later = deploy(hub.account_id, "remove", "--journal-too", "--yes-delete-journal", "--yes", "--json")
    assert json.loads(later.stdout)["removed"] == [
        "table remediation-hub",
        f"queue {told['kept']['dead_letters']}",
    ]
    assert (tables(hub), queues(hub)) == ([], [])


def test_a_key_that_stays_is_named(aws: FakeAws, deploy: Deploy) -> None:
    admin = aws.fresh_account()
    assert deploy(admin.account_id, "hub", *HUB, "-P", "Encryption=own-key").exit_code == 0
    done = json.loads(deploy(admin.account_id, "remove", "--yes", "--json").stdout)
    key = admin.client("kms").list_keys()["Keys"][0]["KeyId"]
    assert done["kept"]["journal"] == "remediation-hub"
    assert done["kept"]["AWS::KMS::Key"] == key


def test_the_journal_goes_only_when_its_name_is_typed(deploy: Deploy, hub: Admin) -> None:
    with pytest.raises(ClientError, match="DeletionProtectionEnabled"):
        hub.client("dynamodb").delete_table(TableName="remediation-hub")
    mistyped = deploy(hub.account_id, "remove", "--journal-too", typed="y\nremediation\n")
    assert mistyped.exit_code == 1
    assert stacks(hub) == ["remediation-hub"]
    done = deploy(hub.account_id, "remove", "--journal-too", typed="y\nremediation-hub\n")
    assert done.exit_code == 0, done.output
    assert "deleted table remediation-hub" in done.stdout
    assert (stacks(hub), tables(hub), queues(hub)) == ([], [], [])


def test_a_hub_that_comes_back_goes_on_with_the_journal_it_left(deploy: Deploy, hub: Admin) -> None:
    url = hub.client("sqs").get_queue_url(QueueName=DEAD)["QueueUrl"]
    hub.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    hub.client("dynamodb").put_item(TableName="remediation-hub", Item={"pk": {"S": "a run"}})
    deploy(hub.account_id, "remove", "--yes")
    assert stacks(hub) == []
    done = deploy(hub.account_id, "hub", "-P", "Compute=none", typed="y\ny\n")
    assert done.exit_code == 0, done.output
    assert "a former hub has left this behind" in done.stderr
    assert "stack remediation-hub: IMPORT_COMPLETE" in done.stdout
    assert "stack remediation-hub: UPDATE_COMPLETE" in done.stdout
    assert "ExternalId made for this hub" in done.stdout
    kept = hub.client("dynamodb").get_item(TableName="remediation-hub", Key={"pk": {"S": "a run"}})
    assert kept["Item"]["pk"]["S"] == "a run"
    assert hub.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert deploy(hub.account_id, "status").exit_code == 0


def test_whoever_says_no_keeps_everything(deploy: Deploy, hub: Admin) -> None:
    assert deploy(hub.account_id, "remove", typed="n\n").exit_code == 1
    assert stacks(hub) == ["remediation-hub"]


def test_where_nothing_is_there_is_nothing_to_do(aws: FakeAws, deploy: Deploy) -> None:
    done = deploy(aws.fresh_account().account_id, "remove", "--yes")
    assert done.exit_code == 0
    assert "nothing is deployed here" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--spokes-only", "--journal-too", "--yes-delete-journal"),
            "--spokes-only and --account leave the hub as it is",
        ),
        (("--yes-delete-journal",), "--yes-delete-journal goes with --journal-too"),
        (("--journal-too",), "there is no terminal to ask on"),
    ],
)
def test_options_that_make_no_sense_are_refused(deploy: Deploy, words: tuple[str, ...], said: str) -> None:
    done = deploy("222233334444", "remove", "--yes", *words)
    assert done.exit_code == 2
    assert said in done.stderr

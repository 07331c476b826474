"""An organization of thirty accounts in nested units, a scanner that sends findings, and a worker of the hub."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from tests.fake_aws.admin import client
from tests.fake_aws.server import Credentials, FakeAws, allow, policy
from tests.spoke_role.reading import ROOT

ROLE = "Dome9CloudBots"
HUB = "remediation-hub"
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
# Where the accounts are: a path for each unit, and how many accounts are in it.
UNITS = {
    "/": 2,
    "/Sandbox": 3,
    "/Workloads": 2,
    "/Workloads/Development": 6,
    "/Workloads/Production": 4,
    "/Workloads/Production/Payments": 5,
    "/Workloads/Production/Shop": 3,
    "/Workloads/Production/Shop/Web": 4,
}
_QUIET = ("AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE")
_number = itertools.count()


@dataclass(slots=True)
class Cycle:
    """The organization, and what its administrators and its hub do.

    Attributes:
        security: the hub's account, which administers StackSets for the organization.
        accounts: all the others but the management account, by the path of the unit they are in.
    """

    aws: FakeAws
    monkeypatch: pytest.MonkeyPatch
    run_deploy: Callable[..., Result]
    management: str
    security: str
    units: Mapping[str, str]
    accounts: dict[str, list[str]]
    outputs: dict[str, str] = field(default_factory=dict)
    external_id: str = ""
    reports: str = ""

    @property
    def everywhere(self) -> list[str]:
        """Every account of the organization."""
        return [self.management, self.security, *itertools.chain.from_iterable(self.accounts.values())]

    # --- administrators

    def organizations(self) -> Any:
        return self.aws.admin(self.management).client("organizations")

    def account(self, path: str) -> str:
        """A new account, moved into that unit."""
        client = self.organizations()
        made = client.create_account(AccountName=f"account-{next(_number)}", Email="a@example.com")
        number = str(made["CreateAccountStatus"]["AccountId"])
        if path != "/":
            client.move_account(
                AccountId=number, SourceParentId=self.units["/"], DestinationParentId=self.units[path]
            )
        self.accounts.setdefault(path, []).append(number)
        return number

    def deploy(self, *words: str, by: str = "", status: int = 0) -> dict[str, Any]:
        """``hub deploy``, run by an administrator of the security account; what it prints as JSON."""
        self.monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        done = self.run_deploy(by or self.security, *words, "--yes", "--json")
        assert done.exit_code == status, done.output
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def status(self, *words: str) -> tuple[int, dict[str, Any]]:
        self.monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        done = self.run_deploy(self.security, "status", *words, "--json")
        assert done.stdout, (done.output, done.stderr, done.exception, done.exit_code)
        return done.exit_code, json.loads(done.stdout)

    def know_the_hub(self) -> None:
        """What the hub's stack tells: outputs, and the ExternalId."""
        client = self.aws.admin(self.security).client("cloudformation")
        [stack] = client.describe_stacks(StackName=HUB)["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
        self.external_id = given["ExternalId"]
        self._listen()

    def _listen(self) -> None:
        """A queue that hears the reports, as a dashboard would."""
        admin = self.aws.admin(self.security)
        self.reports = admin.client("sqs").create_queue(QueueName="dashboard")["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{self.security}:dashboard"
        admin.client("sns").subscribe(TopicArn=self.outputs["OutputTopicARN"], Protocol="sqs", Endpoint=arn)

    def told(self) -> list[str]:
        """What an account away from the hub's has to be told of it, as words of a command."""
        organization = self.organizations().describe_organization()["Organization"]["Id"]
        values = {
            "HubAccountId": self.security,
            "ExternalId": self.external_id,
            "OrganizationId": organization,
        }
        return [word for name, value in values.items() for word in ("-P", f"{name}={value}")]

    def take_out_of_the_stack_set(self, account: str) -> None:
        client = self.aws.admin(self.management).client("cloudformation")
        name = f"{HUB}-spokes"
        targets = {"OrganizationalUnitIds": [self.units["/"]], "Accounts": [account]}
        operation = client.delete_stack_instances(
            StackSetName=name,
            Regions=["us-east-1"],
            RetainStacks=False,
            DeploymentTargets={**targets, "AccountFilterType": "INTERSECTION"},
        )["OperationId"]
        asked = {"StackSetName": name, "OperationId": operation}
        while client.describe_stack_set_operation(**asked)["StackSetOperation"]["Status"] == "RUNNING":
            pass

    # --- the hub, as its stack says it is to be run

    def hub_environment(self) -> dict[str, str]:
        """Of a process that is the hub: settings as docs/deploy.md has them, keys of the hub's role."""
        settings = {
            "DEPLOYMENT_MODE": "multi",
            "EXTERNAL_ID": self.external_id,
            "OWN_ACCOUNT_BY_ROLE": "true",
            "QUEUE_URL": self.outputs["QueueUrl"],
            "REPORT_TOPIC_ARN": self.outputs["OutputTopicARN"],
            "JOURNAL": f"dynamodb:{self.outputs['TableName']}",
            # The fake AWS meters nothing and settles at once.
            "CALLS_PER_SECOND": "1000",
            "PROOF_SECONDS": "0",
        }
        mine = _worker_keys(self.aws, self.security)
        sts = client(
            self.aws.endpoint,
            "sts",
            "us-east-1",
            access_key=mine["AWS_ACCESS_KEY_ID"],
            secret_key=mine["AWS_SECRET_ACCESS_KEY"],
            token=mine["AWS_SESSION_TOKEN"],
        )
        arn = self.outputs["HubRoleArn"]
        found = sts.assume_role(RoleArn=arn, RoleSessionName="worker")["Credentials"]
        return {
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
            **{f"HUB_{name}": value for name, value in settings.items()},
        }

    @contextmanager
    def worker(self) -> Iterator[None]:
        """``hub work``, a process of its own."""
        # Of this process's environment what Python needs, and that AWS is asked for nothing else.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HUB_"))}
        quiet = {name: os.environ[name] for name in os.environ if name in _QUIET}
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "hub", "work"],
                env={**kept, **quiet, **self.hub_environment()},
                cwd=ROOT,
                stderr=log,
            )
            try:
                yield
            finally:
                process.terminate()
                ended = process.wait(timeout=60)
            log.seek(0)
            assert ended == 0, log.read().decode()[-2000:]

    def doctor(self, *words: str) -> tuple[int, dict[str, Any]]:
        """``hub doctor``: its exit status and what it prints as JSON."""
        for name, value in self.hub_environment().items():
            self.monkeypatch.setenv(name, value)
        done = CliRunner().invoke(app, ["doctor", *words, "--json"])
        assert done.exit_code in (0, 1), done.output
        return done.exit_code, json.loads(done.stdout)

    def settle(self, findings: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Let the scanner publish findings; the first entry of the report about each account's."""
        admin = self.aws.admin(self.security)
        for each in findings:
            admin.client("sns").publish(TopicArn=self.outputs["InputTopicARN"], Message=json.dumps(each))
        sqs, found = admin.client("sqs"), dict[str, dict[str, Any]]()
        until = time.monotonic() + 120
        while len(found) < len(findings):
            assert time.monotonic() < until, f"{len(found)} of {len(findings)} findings were settled"
            got = sqs.receive_message(QueueUrl=self.reports, MaxNumberOfMessages=10, WaitTimeSeconds=2)
            for message in got.get("Messages", []):
                report = json.loads(json.loads(message["Body"])["Message"])
                found[report["Account id"]] = report["Rules violations found"][0]
                sqs.delete_message(QueueUrl=self.reports, ReceiptHandle=message["ReceiptHandle"])
        return found

    # --- what there is in the accounts

    def buckets(self, accounts: Iterable[str], name: str) -> dict[str, str]:
        """A bucket in each account."""
        made = {}
        for account in accounts:
            made[account] = f"{name}-{account}"
            self.aws.admin(account).client("s3").create_bucket(Bucket=made[account])
        return made

    def is_versioned(self, account: str, bucket: str) -> bool:
        found = self.aws.admin(account).client("s3").get_bucket_versioning(Bucket=bucket)
        return bool(found.get("Status") == "Enabled")

    def left(self, account: str) -> list[str]:
        """Names of roles, policies and stacks there."""
        admin = self.aws.admin(account)
        iam = admin.client("iam")
        roles = [each["RoleName"] for each in iam.list_roles(MaxItems=1000)["Roles"]]
        policies = [each["PolicyName"] for each in iam.list_policies(Scope="Local")["Policies"]]
        stacks = [each["StackName"] for each in admin.client("cloudformation").describe_stacks()["Stacks"]]
        return sorted({*roles, *policies, *stacks} - {"OrganizationAccountAccessRole"})

    def left_of_the_hub(self) -> dict[str, list[str]]:
        """What is in the hub's account, but for the queue and the role that the test has put there."""
        client = self.aws.admin(self.security).client
        queues = client("sqs").list_queues().get("QueueUrls", [])
        found = {
            "alarms": [each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]],
            "dashboards": [
                each["DashboardName"] for each in client("cloudwatch").list_dashboards()["DashboardEntries"]
            ],
            "log groups": [
                each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]
            ],
            "queues": [url for url in queues if url != self.reports],
            "tables": client("dynamodb").list_tables()["TableNames"],
            "topics": [each["TopicArn"] for each in client("sns").list_topics()["Topics"]],
        }
        return {kind: names for kind, names in found.items() if names}


def _worker_keys(aws: FakeAws, account: str) -> Credentials:
    """Of the role that may become the hub, as docs/deploy.md says."""
    become = allow("sts:AssumeRole", resource=f"arn:aws:iam::{account}:role/{HUB}")
    return aws.role_credentials(account, f"{HUB}-worker", [policy(become)])


def finding(account: str, entity: str, *bots: str) -> dict[str, Any]:
    """As CloudGuard sends it, one nobody has sent before."""
    number = next(_number)
    return {
        "reportTime": f"2026-03-20T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "status": "Failed",
        "rule": {"name": "a rule", "complianceTags": "", "severity": "High"},
        "account": {"id": account, "vendor": "AWS"},
        "region": "us-east-1",
        "entity": {"id": entity, "name": entity},
        "findingKey": f"key-{account}-{number}",
        "remediationActions": list(bots),
    }


def new_cycle(aws: FakeAws, monkeypatch: pytest.MonkeyPatch, run_deploy: Callable[..., Result]) -> Cycle:
    management = aws.fresh_account()
    client = management.client("organizations")
    client.create_organization(FeatureSet="ALL")
    units = {"/": str(client.list_roots()["Roots"][0]["Id"])}
    for path in list(UNITS)[1:]:
        parent, name = path.rsplit("/", 1)
        made = client.create_organizational_unit(ParentId=units[parent or "/"], Name=name)
        units[path] = str(made["OrganizationalUnit"]["Id"])
    management.client("cloudformation").activate_organizations_access()
    cycle = Cycle(aws, monkeypatch, run_deploy, management.account_id, "", units, {})
    for path, count in UNITS.items():
        for _ in range(count):
            cycle.account(path)
    cycle.security = cycle.accounts["/"].pop()
    _worker_keys(aws, cycle.security)
    client.register_delegated_administrator(AccountId=cycle.security, ServicePrincipal=STACK_SETS)
    monkeypatch.setenv("COLUMNS", "200")
    return cycle

"""The hub's template: right by itself, in step with the code, and losing no finding."""

from __future__ import annotations

import re

import pytest

import hub as product
from hub.journals.dynamodb_table import table_definition, time_to_live
from hub.settings import Settings, variables
from spoke_role import template
from spoke_role.template import TEMPLATE_BYTES
from tests.deploy.hub_template import EXTERNAL_ID, PARAMETERS, TEMPLATE, TEXT, hub
from tests.spoke_role.reading import ROOT, lint, parsed

SPOKE = parsed(template.FRAME.replace("@POLICIES@", ""))
FOURTEEN_DAYS = 14 * 24 * 3600


def test_the_linter_finds_nothing() -> None:
    assert lint(*(ROOT / "deploy").glob("*.yaml")) == ""  # at once: to start it takes the longest


def test_cloudformation_takes_it_as_text_in_every_partition() -> None:
    assert len(TEXT.encode()) <= TEMPLATE_BYTES
    assert "arn:aws" not in TEXT
    assert "amazonaws.com.cn" not in TEXT


def test_cloudformation_is_given_no_yaml_aliases() -> None:
    # The service refuses them, though every YAML parser takes them.
    assert not re.search(r":\s[&*]\w", TEXT)


# --- what other people's systems depend on


@pytest.mark.parametrize(
    ("name", "default", "allowed"),
    [
        ("DataCenter", "USA", {"Australia", "Canada", "Europe", "India", "Singapore", "USA", "none"}),
        ("EmailAddress", "", None),
        ("OutputMode", "JSON", {"JSON", "text"}),
        ("DeploymentMode", "single", {"single", "multi"}),
        ("RoleName", "Dome9CloudBots", None),
        ("InputTopicName", "d9-findings", None),
        ("OutputTopicName", "remediationOutput", None),
    ],
)
def test_parameters_of_the_reference_project_keep_their_names_and_defaults(
    name: str, default: str, allowed: set[str] | None
) -> None:
    assert PARAMETERS[name]["Default"] == default
    assert set(PARAMETERS[name].get("AllowedValues", [])) == (allowed or set())


@pytest.mark.parametrize(
    "name", ["HubName", "ExternalId", "OrganizationId", "RoleName", "InputTopicName", "OutputTopicName"]
)
def test_hub_and_spokes_take_the_same_names(name: str) -> None:
    theirs = SPOKE["Parameters"]["HubRoleName" if name == "HubName" else name]
    rules = ("Default", "AllowedPattern", "MinLength", "MaxLength")
    assert {key: PARAMETERS[name].get(key) for key in rules} == {key: theirs.get(key) for key in rules}


def test_outputs_tell_what_has_to_be_told_to_others() -> None:
    found = hub().outputs
    assert found.pop("Version") == product.__version__
    settings = found.pop("WorkerSettings")
    assert "HUB_QUEUE_URL=https://" in settings
    assert found == {
        "HubName": "remediation-hub",
        "RoleName": "Dome9CloudBots",
        "InputTopicARN": "arn:aws:sns:us-east-1:111122223333:d9-findings",
        "OutputTopicARN": "arn:aws:sns:us-east-1:111122223333:remediationOutput",
        "AlarmTopicARN": "arn:aws:sns:us-east-1:111122223333:remediation-hub-alarms",
        "QueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/remediation-hub-findings",
        "DeadLetterQueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/remediation-hub-findings-dead",
        "TableName": "remediation-hub",
        "HubRoleArn": "arn:aws:iam::111122223333:role/remediation-hub",
        "HubRoleName": "remediation-hub",
        "FunctionName": "remediation-hub",
        "LogGroupName": "/aws/lambda/remediation-hub",
        "DashboardName": "remediation-hub",
    }


# --- in step with the code


def test_the_table_is_the_one_the_journal_wants() -> None:
    found = hub().properties("Journal")
    found.pop("TableName")
    assert found.pop("TimeToLiveSpecification") == time_to_live()
    assert found.pop("PointInTimeRecoverySpecification") == {"PointInTimeRecoveryEnabled": True}
    assert found.pop("DeletionProtectionEnabled") is True
    assert found == table_definition()


def test_what_cannot_be_made_again_outlives_the_stack() -> None:
    resources = TEMPLATE["Resources"]
    kept = {name for name, found in resources.items() if found.get("DeletionPolicy") == "Retain"}
    # The key too: without it nobody can read what is kept.
    assert kept == {"Journal", "DeadLetterQueue", "Key"}
    assert all(resources[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def environment(**parameters: str) -> dict[str, str]:
    found: dict[str, str] = hub(**parameters).properties("Function")["Environment"]["Variables"]
    return found


def test_the_function_is_told_only_settings_that_exist() -> None:
    known = {name for field in Settings.model_fields for name in variables(field)}
    assert set(environment()) <= known


@pytest.mark.parametrize("accounts", ["", "222233334444,333344445555"])
def test_the_functions_settings_can_be_read(accounts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(
        Accounts=accounts,
        OptionalBots="vpc_delete,ec2_terminate_instance",
        Concurrency="8",
        Rules="ssm:/hub/rules",
    ).items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert settings.accounts == tuple(filter(None, accounts.split(",")))
    assert settings.optional_bots == ("vpc_delete", "ec2_terminate_instance")
    assert settings.rules == "ssm:/hub/rules"
    assert settings.journal == "dynamodb:remediation-hub"
    assert settings.journal_days == 400
    assert settings.report_topic_arn == hub().outputs["OutputTopicARN"]
    assert settings.queue_url == hub().outputs["QueueUrl"]
    assert settings.external_id == EXTERNAL_ID
    assert settings.concurrency == 8
    assert settings.metrics_namespace == "RemediationHub"
    # The hub's role has no bot's permissions, so its own account is entered like any other.
    assert settings.own_account_by_role is True


def test_a_hub_that_was_just_deployed_changes_nothing_until_it_is_told_to() -> None:
    assert environment()["HUB_DRY_RUN"] == "true"
    assert environment(DryRun="false")["HUB_DRY_RUN"] == "false"


def test_a_worker_is_told_the_same_as_the_function_and_where_it_is() -> None:
    given = {
        "DeploymentMode": "multi",
        "Accounts": "222233334444",
        "DryRun": "false",
        "Rules": "s3://rules-of-the-hub/rules.yaml",
        "OptionalBots": "vpc_delete",
        "FeedbackHosts": "example.com",
    }
    lines = hub(Compute="none", **given).outputs["WorkerSettings"].splitlines()
    told = dict(line.split("=", 1) for line in lines)
    assert told.pop("HUB_REGION") == "us-east-1"  # Lambda tells a function by itself
    assert told == environment(**given)


def test_the_function_runs_the_handler_that_exists() -> None:
    module, _, name = hub().properties("Function")["Handler"].rpartition(".")
    assert (ROOT / f"{module.replace('.', '/')}.py").exists()
    assert re.search(rf"^def {name}\(", (ROOT / "hub/handler.py").read_text(encoding="utf-8"), re.MULTILINE)


def test_what_lambda_lacks_in_some_partitions_can_be_chosen() -> None:
    plain = hub("aws-cn", Architecture="x86_64")
    assert plain.properties("Function")["Architectures"] == ["x86_64"]
    assert plain.properties("Function")["TracingConfig"] == {"Mode": "PassThrough"}
    assert "Trace" not in plain.resources
    traced = hub(Tracing="Active")
    assert traced.properties("Function")["Architectures"] == ["arm64"]
    assert traced.properties("Function")["TracingConfig"] == {"Mode": "Active"}
    assert "Trace" in traced.resources
    assert "Trace" not in hub(Tracing="Active", Compute="none").resources


def test_without_lambda_there_is_no_function_and_a_log_for_the_worker() -> None:
    stack = hub(Compute="none")
    assert not stack.resources & {"Function", "FunctionTakesFindings", "FunctionFails"}
    assert stack.properties("Log")["LogGroupName"] == "remediation-hub-worker"
    assert stack.outputs["LogGroupName"] == "remediation-hub-worker"
    assert stack.properties("Log")["RetentionInDays"] == "365"


# --- a finding is not lost


def test_a_message_stays_hidden_six_times_as_long_as_the_function_may_run() -> None:
    stack = hub()
    assert stack.properties("Queue")["VisibilityTimeout"] >= 6 * stack.properties("Function")["Timeout"]


def test_findings_are_kept_as_long_as_sqs_can_and_then_set_aside() -> None:
    stack = hub()
    queue, dead = stack.properties("Queue"), stack.properties("DeadLetterQueue")
    assert queue["MessageRetentionPeriod"] == dead["MessageRetentionPeriod"] == FOURTEEN_DAYS
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 20
    start = "arn:aws:sqs:us-east-1:111122223333:remediation-hub-findings"
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == f"{start}-dead"
    assert dead["RedriveAllowPolicy"] == {"redrivePermission": "byQueue", "sourceQueueArns": [start]}


def test_only_what_the_function_could_not_settle_comes_back() -> None:
    mapping = hub().properties("FunctionTakesFindings")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": "10"}
    assert PARAMETERS["MaximumConcurrency"]["MinValue"] == 2  # Lambda takes no less

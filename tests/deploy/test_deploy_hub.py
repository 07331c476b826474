"""`hub deploy hub` on the fake AWS, as a person or a script would use it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.deploy.command import Deploy
from tests.deploy.estate import HUB_YAML
from tests.deploy.test_package_upload import package
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

WORKER = ("-P", "Compute=none")


@pytest.fixture
def admin(aws: FakeAws) -> Admin:
    return aws.fresh_account()


def stack_of(admin: Admin, name: str = "remediation-hub") -> dict[str, Any]:
    found: dict[str, Any] = admin.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return found


def parameters_of(admin: Admin) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack_of(admin)["Parameters"]}


def stacks_of(admin: Admin) -> list[str]:
    found = admin.client("cloudformation").describe_stacks()["Stacks"]
    return [each["StackName"] for each in found if each["StackStatus"] != "DELETE_COMPLETE"]


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_first_deployment_makes_an_external_id_shows_everything_and_says_what_is_next(
    deploy: Deploy, admin: Admin
) -> None:
    done = deploy(admin.account_id, "hub", *WORKER, "-P", "DeploymentMode=multi", typed="y\n")
    assert done.exit_code == 0, done.output
    made = parameters_of(admin)["ExternalId"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert f"ExternalId made for this hub: {made}" in done.stdout
    assert re.search(r"Add\s+│ Journal\s+│ AWS::DynamoDB::Table", done.stdout)
    assert "Make these changes? [y/N]" in done.stderr
    assert re.search(r"CREATE_COMPLETE +remediation-hub", done.stderr)
    assert "hub deploy spokes --ou /Workloads --region us-east-1" in done.stdout
    assert f"-P HubAccountId={admin.account_id} -P ExternalId={made}" in done.stdout
    assert f"arn:aws:sns:us-east-1:{admin.account_id}:d9-findings" in done.stdout
    assert stack_of(admin)["StackStatus"] == "CREATE_COMPLETE"


def test_a_machine_is_told_in_one_line_of_json(deploy: Deploy, admin: Admin) -> None:
    done = deploy(admin.account_id, "hub", *WORKER, "-P", "ExternalId=between-us", "--yes", "--json")
    assert done.exit_code == 0, done.output
    found = told(done)
    assert (found["status"], found["made"]) == ("CREATE_COMPLETE", [])
    assert found["outputs"]["TableName"] == "remediation-hub"
    assert {"Journal", "Queue", "HubRole"} <= {each["resource"] for each in found["changes"]}
    assert found["next"] == ["hub deploy spokes --here --region us-east-1"]
    assert done.stderr == ""


def test_values_that_are_not_given_stay_as_they_are(deploy: Deploy, admin: Admin) -> None:
    deploy(admin.account_id, "hub", *WORKER, "-P", "ExternalId=between-us", "-P", "LogDays=30", "--yes")
    done = deploy(admin.account_id, "hub", "-P", "LogLevel=DEBUG", "-P", "OutputMode=text", typed="y\n")
    assert done.exit_code == 0, done.output
    assert re.search(r"LogLevel\s+│ INFO\s+│ DEBUG", done.stdout)
    assert "kept as the stack has them: Accounts" in done.stderr
    assert parameters_of(admin) == {
        **parameters_of(admin),
        "ExternalId": "between-us",
        "LogDays": "30",
        "LogLevel": "DEBUG",
        "OutputMode": "text",
    }
    assert stack_of(admin)["StackStatus"] == "UPDATE_COMPLETE"


def test_rules_are_given_taken_away_and_not_taken_from_where_they_cannot_be_read(
    deploy: Deploy, admin: Admin
) -> None:
    def policies() -> list[str]:
        found = admin.client("iam").list_role_policies(RoleName="remediation-hub")["PolicyNames"]
        return [str(each) for each in found]

    refused = deploy(admin.account_id, "hub", *WORKER, "-P", "Rules=rules.yaml", "--yes")
    assert refused.exit_code == 2
    assert "Rules must be empty, s3://BUCKET/KEY or ssm:/NAME" in refused.stderr
    done = deploy(admin.account_id, "hub", *WORKER, "-P", "Rules=ssm:/hub/rules", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert "HUB_RULES=ssm:/hub/rules" in told(done)["outputs"]["WorkerSettings"]
    assert "rules" in policies()
    done = deploy(admin.account_id, "hub", "-P", "Rules=", "--yes")
    assert done.exit_code == 0, done.output
    assert "rules" not in policies()


def test_a_change_of_mode_leaves_the_hub_a_way_into_accounts(deploy: Deploy, admin: Admin) -> None:
    deploy(admin.account_id, "hub", *WORKER, "--yes")
    done = deploy(admin.account_id, "hub", "-P", "DeploymentMode=multi", "--yes")
    assert done.exit_code == 0, done.output
    kept = admin.client("iam").get_role_policy(RoleName="remediation-hub", PolicyName="accounts")
    assert "organizations:ListAccounts" in json.dumps(kept["PolicyDocument"])


def test_asking_for_what_is_there_changes_nothing(deploy: Deploy, admin: Admin) -> None:
    deploy(admin.account_id, "hub", *WORKER, "--yes")
    again = deploy(admin.account_id, "hub", "--yes")
    assert again.exit_code == 0, again.output
    assert "nothing to change: stack remediation-hub is as asked (CREATE_COMPLETE)" in again.stdout
    assert told(deploy(admin.account_id, "hub", "--yes", "--json"))["changes"] == []


def test_a_replaced_journal_is_warned_of(deploy: Deploy, admin: Admin) -> None:
    deploy(admin.account_id, "hub", *WORKER, "--yes")
    done = deploy(admin.account_id, "hub", "-P", "HubName=other", typed="n\n")
    assert done.exit_code == 1
    assert re.search(
        r"Modify.* │ Journal +│ AWS::DynamoDB::Table +│ yes +│ TableName: remediation-hub → other \(by HubName\)",
        done.stdout,
    )
    assert "The journal is replaced by an empty one" in done.stdout


def test_whoever_says_no_leaves_nothing_behind(deploy: Deploy, admin: Admin) -> None:
    done = deploy(admin.account_id, "hub", *WORKER, typed="\n")
    assert done.exit_code == 1
    assert "nothing was changed" in done.stderr
    assert stacks_of(admin) == []


def test_ctrl_c_at_the_question_leaves_nothing_behind(deploy: Deploy, admin: Admin) -> None:
    done = deploy(admin.account_id, "hub", *WORKER, typed="")
    assert done.exit_code == 130
    assert stacks_of(admin) == []


def test_without_a_terminal_and_without_yes_nothing_is_even_looked_at(deploy: Deploy, admin: Admin) -> None:
    done = deploy(admin.account_id, "hub", *WORKER)
    assert done.exit_code == 2
    assert "give --yes" in done.stderr
    assert stacks_of(admin) == []


def test_wrong_values_are_told_before_aws_is_asked(deploy: Deploy, admin: Admin) -> None:
    done = deploy(admin.account_id, "hub", "-P", "DryRunn=true", "-P", "OutputMode=xml", "--yes")
    assert done.exit_code == 2
    assert "error: there is no parameter DryRunn; did you mean DryRun?" in done.stderr
    assert "error: OutputMode must be one of JSON, text" in done.stderr
    assert stacks_of(admin) == []


def test_a_file_gives_parameters_and_words_go_before_it(deploy: Deploy, admin: Admin, tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text("Compute: none\nExternalId: from-the-file\nDryRun: true\n", encoding="utf-8")
    file = ("--parameters-file", str(path))
    assert deploy(admin.account_id, "hub", *file, "-P", "DryRun=false", "--yes").exit_code == 0
    found = parameters_of(admin)
    assert (found["ExternalId"], found["DryRun"]) == ("from-the-file", "false")


def test_a_change_can_be_left_for_others_to_review(deploy: Deploy, admin: Admin) -> None:
    deploy(admin.account_id, "hub", *WORKER, "--yes")
    done = deploy(admin.account_id, "hub", "-P", "DryRun=false", "--change-set-only", "--json")
    assert done.exit_code == 0, done.output
    found = told(done)
    assert (found["status"], parameters_of(admin)["DryRun"]) == ("proposed", "true")
    assert found["execute"].endswith(f"--change-set-name {found['change_set']}")
    admin.client("cloudformation").execute_change_set(ChangeSetName=found["change_set"])
    assert parameters_of(admin)["DryRun"] == "false"


def test_a_new_hub_left_for_review_and_never_executed_is_no_hindrance(deploy: Deploy, admin: Admin) -> None:
    deploy(admin.account_id, "hub", *WORKER, "--change-set-only")
    assert stack_of(admin)["StackStatus"] == "REVIEW_IN_PROGRESS"
    done = deploy(admin.account_id, "hub", *WORKER, "--yes")
    assert done.exit_code == 0, done.output
    assert "a change set nobody executed" in done.stderr
    assert stack_of(admin)["StackStatus"] == "CREATE_COMPLETE"


def test_an_attempt_that_failed_tells_the_cause_is_cleared_away_and_what_it_made_goes_on(
    deploy: Deploy, admin: Admin
) -> None:
    sns = admin.client("sns")
    taken = sns.create_topic(Name="remediationOutput")["TopicArn"]
    failed = deploy(admin.account_id, "hub", *WORKER, "--yes")
    assert failed.exit_code == 1
    assert "ended as ROLLBACK_COMPLETE: OutputTopic: " in failed.stderr
    assert "already exists" in failed.stderr
    kept = deploy(admin.account_id, "hub", *WORKER, typed="n\n")
    assert kept.exit_code == 1
    assert "what is left of an attempt that failed (ROLLBACK_COMPLETE)" in kept.stderr
    assert stack_of(admin)["StackStatus"] == "ROLLBACK_COMPLETE"
    sns.delete_topic(TopicArn=taken)
    done = deploy(admin.account_id, "hub", *WORKER, "--yes")
    assert done.exit_code == 0, done.output
    assert deploy(admin.account_id, "status").exit_code == 0


def test_ctrl_c_while_aws_is_at_it_says_that_aws_goes_on(
    deploy: Deploy, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hub.cli.deploy.change.carry_out", interrupted)
    done = deploy(admin.account_id, "hub", *WORKER, "--yes")
    assert done.exit_code == 130
    assert "AWS goes on by itself" in done.stderr


def test_a_hub_of_an_organization_learns_its_id_by_itself(deploy: Deploy, admin: Admin) -> None:
    organizations = admin.client("organizations")
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    done = deploy(admin.account_id, "hub", *WORKER, "-P", "DeploymentMode=multi", "--yes", "--json")
    assert (told(done)["parameters"]["OrganizationId"], told(done)["made"]) == (
        made,
        ["ExternalId", "OrganizationId"],
    )


def test_a_package_is_laid_in_the_bucket_under_its_hash_and_the_function_runs_it(
    deploy: Deploy, admin: Admin, tmp_path: Path
) -> None:
    bucket = f"code-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=bucket)
    zipped = package(tmp_path, "x86_64")
    done = deploy(admin.account_id, "hub", "--package", str(zipped), "--bucket", bucket, "--yes")
    assert done.exit_code == 0, done.output
    [stored] = admin.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert re.fullmatch(r"remediation-hub/[0-9a-f]{64}\.zip", stored["Key"])
    found = parameters_of(admin)
    assert (found["Compute"], found["CodeKey"]) == ("lambda", stored["Key"])
    function = admin.client("lambda").get_function_configuration(FunctionName="remediation-hub")
    assert function["Architectures"] == ["x86_64"]


def test_a_package_without_a_bucket_is_refused(deploy: Deploy, admin: Admin, tmp_path: Path) -> None:
    done = deploy(admin.account_id, "hub", "--package", str(package(tmp_path, "arm64")), "--yes")
    assert done.exit_code == 2
    assert "--package needs --bucket" in done.stderr


def test_a_template_that_is_too_long_goes_through_the_bucket(
    deploy: Deploy, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = HUB_YAML + "#" * 51_200
    monkeypatch.setattr("deploy.hub.hub_template", lambda: long)
    refused = deploy(admin.account_id, "hub", *WORKER, "--yes")
    assert refused.exit_code == 2
    assert "give --bucket" in refused.stderr
    bucket = f"code-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=bucket)
    done = deploy(admin.account_id, "hub", *WORKER, "--bucket", bucket, "--yes")
    assert done.exit_code == 0, done.output
    [stored] = admin.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert re.fullmatch(r"remediation-hub/[0-9a-f]{64}\.yaml", stored["Key"])


def test_credentials_that_are_not_there_are_asked_for(
    deploy: Deploy, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = deploy(admin.account_id, "hub", "--yes", "--profile", "nobody")
    assert done.exit_code == 2
    assert "nobody" in done.stderr

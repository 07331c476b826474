"""The hub's template: right by itself, in step with the code, and no wider than it has to be."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hub.journals.dynamodb_table import ACTIONS, table_definition, time_to_live
from hub.settings import Settings, variables
from spoke_role import template
from spoke_role.template import TEMPLATE_BYTES
from tests.fake_aws.strict_iam import Context, Request, Word, spoken
from tests.spoke_role.reading import ROOT, filled, lint, parsed

PATH = ROOT / "deploy/hub.yaml"
TEXT = PATH.read_text(encoding="utf-8")
TEMPLATE = parsed(TEXT)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
SPOKE = parsed(template.FRAME.replace("@POLICIES@", ""))


def properties(name: str) -> Any:
    return RESOURCES[name]["Properties"]


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = properties(name)["PolicyDocument"]["Statement"]
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in found]


def test_the_linter_finds_nothing() -> None:
    assert lint(PATH) == ""


def test_cloudformation_takes_it_as_text_in_every_partition() -> None:
    assert len(TEXT.encode()) <= TEMPLATE_BYTES
    assert "arn:aws" not in TEXT


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


def test_outputs_tell_what_has_to_be_told_to_others() -> None:
    assert {"InputTopicARN", "OutputTopicARN", "QueueUrl", "TableName", "HubRoleArn", "HubRoleName"} <= set(
        TEMPLATE["Outputs"]
    )


def test_each_data_center_is_cloudguards_own_account() -> None:
    assert {name: found["Account"] for name, found in TEMPLATE["Mappings"]["CloudGuard"].items()} == {
        "USA": "634729597623",
        "India": "578204784313",
        "Australia": "434316140879",
        "Singapore": "597850136722",
        "Europe": "723885542676",
        "Canada": "431603698195",
        "none": "",
    }


@pytest.mark.parametrize(
    "name", ["HubName", "ExternalId", "OrganizationId", "RoleName", "InputTopicName", "OutputTopicName"]
)
def test_hub_and_spokes_take_the_same_names(name: str) -> None:
    theirs = SPOKE["Parameters"]["HubRoleName" if name == "HubName" else name]
    rules = ("Default", "AllowedPattern", "MinLength", "MaxLength")
    assert {key: PARAMETERS[name].get(key) for key in rules} == {key: theirs.get(key) for key in rules}


# --- in step with the code


def test_the_table_is_the_one_the_journal_wants() -> None:
    found = dict(properties("Journal"))
    found.pop("TableName")
    assert found.pop("TimeToLiveSpecification") == time_to_live()
    assert found.pop("PointInTimeRecoverySpecification") == {"PointInTimeRecoveryEnabled": True}
    assert found.pop("DeletionProtectionEnabled") is True
    assert found == table_definition()


def test_what_cannot_be_made_again_outlives_the_stack() -> None:
    kept = {name for name, found in RESOURCES.items() if found.get("DeletionPolicy") == "Retain"}
    assert kept == {"Journal", "DeadLetterQueue"}
    assert all(RESOURCES[name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def test_the_function_is_told_only_settings_that_exist() -> None:
    known = {name for field in Settings.model_fields for name in variables(field)}
    assert set(properties("Function")["Environment"]["Variables"]) <= known


@pytest.mark.parametrize("accounts", ["", "222233334444,333344445555"])
def test_the_functions_settings_can_be_read(accounts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {name: str(found.get("Default", "an-external-id")) for name, found in PARAMETERS.items()}
    made = {
        "OutputTopic": "arn:aws:sns:us-east-1:111122223333:remediationOutput",
        "Queue": "https://sqs.us-east-1.amazonaws.com/111122223333/remediation-hub-findings",
        "Journal": "remediation-hub",
    }
    told = filled(
        properties("Function")["Environment"]["Variables"], {**defaults, **made, "Accounts": accounts}
    )
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert settings.accounts == tuple(filter(None, accounts.split(",")))
    assert settings.journal == "dynamodb:remediation-hub"
    assert settings.journal_days == 400
    assert settings.report_topic_arn == made["OutputTopic"]
    assert settings.queue_url == made["Queue"]
    assert settings.external_id == "an-external-id"
    # The hub's role has no bot's permissions, so its own account is entered like any other.
    assert settings.own_account_by_role is True
    assert settings.dry_run is False


def test_the_function_runs_the_handler_that_exists() -> None:
    module, _, name = properties("Function")["Handler"].rpartition(".")
    assert (ROOT / f"{module.replace('.', '/')}.py").exists()
    assert re.search(rf"^def {name}\(", (ROOT / "hub/handler.py").read_text(encoding="utf-8"), re.MULTILINE)


# --- a finding is not lost


def test_a_message_stays_hidden_six_times_as_long_as_the_function_may_run() -> None:
    assert properties("Queue")["VisibilityTimeout"] >= 6 * properties("Function")["Timeout"]


def test_findings_are_kept_as_long_as_sqs_can_and_then_set_aside() -> None:
    fourteen_days = 14 * 24 * 3600
    assert properties("Queue")["MessageRetentionPeriod"] == fourteen_days
    assert properties("DeadLetterQueue")["MessageRetentionPeriod"] == fourteen_days
    assert properties("Queue")["RedrivePolicy"]["maxReceiveCount"] == 20
    alarm = properties("FindingsSetAside")
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}}
    ]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_only_what_the_function_could_not_settle_comes_back() -> None:
    mapping = properties("FunctionTakesFindings")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert PARAMETERS["MaximumConcurrency"]["MinValue"] == 2  # Lambda takes no less


def test_the_topic_of_findings_is_not_encrypted_with_a_key_strangers_cannot_use() -> None:
    key = properties("InputTopic")["KmsMasterKeyId"]
    assert key == {"Fn::If": ["HasTopicKey", {"Ref": "TopicKeyArn"}, {"Ref": "AWS::NoValue"}]}
    assert PARAMETERS["TopicKeyArn"]["Default"] == ""
    assert properties("Queue")["SqsManagedSseEnabled"] is True


# --- who may do what

NAMES = {
    "AWS::Partition": "aws",
    "AWS::AccountId": "111122223333",
    "InputTopic": "arn:aws:sns:us-east-1:111122223333:d9-findings",
    "OutputTopic": "arn:aws:sns:us-east-1:111122223333:remediationOutput",
    "Queue.Arn": "arn:aws:sqs:us-east-1:111122223333:remediation-hub-findings",
    "DeadLetterQueue.Arn": "arn:aws:sqs:us-east-1:111122223333:remediation-hub-findings-dead",
    "Journal.Arn": "arn:aws:dynamodb:us-east-1:111122223333:table/remediation-hub",
    "HubRole.Arn": "arn:aws:iam::111122223333:role/remediation-hub",
    "HubName": "remediation-hub",
    "RoleName": "Dome9CloudBots",
    "OrganizationId": "o-exampleorgid",
    "WorkerPrincipal": "arn:aws:iam::444455556666:role/workers",
}
HUB_ROLE = NAMES["HubRole.Arn"]


def worked_out(value: Any, **conditions: bool) -> Any:
    """`filled`, with GetAtt, and Select and Split as the template uses them."""
    if isinstance(value, list):
        return [worked_out(item, **conditions) for item in value]
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return NAMES[f"{name}.{attribute}"]
        case {"Fn::If": [condition, yes, no]}:
            return worked_out(yes if conditions[condition] else no, **conditions)
        case {"Fn::Select": [index, {"Fn::Split": [separator, text]}]}:
            return str(worked_out(text)).split(separator)[int(index)]
        case {"Ref": _} | {"Fn::Sub": str()}:
            return filled(value, NAMES)
        case dict():
            return {key: worked_out(item, **conditions) for key, item in value.items()}
        case _:
            return value


def said(documents: list[Any], action: str, resource: str, caller: str = "", **context: str) -> Word:
    account = caller.split(":")[4] if caller else ""
    principals = (caller, account, f"arn:aws:iam::{account}:root") if caller else None
    keys: Context = {"aws:SecureTransport": "true", "aws:PrincipalArn": caller or HUB_ROLE}
    keys = {**keys, **{name.replace("__", ":"): value for name, value in context.items()}}
    texts = [json.dumps(document) for document in documents]
    return spoken(texts, Request(action=action, resource=resource, context=keys), principals=principals)


def topic_policy(name: str) -> dict[str, Any]:
    kept = [
        each
        for each in statements(name)
        if each["Sid"] not in ("CloudGuardSendsFindings", "OthersSendFindings")
    ]
    return {"Version": "2012-10-17", "Statement": worked_out(kept)}


@pytest.mark.parametrize("topic", ["InputTopic", "OutputTopic"])
def test_nothing_is_published_over_an_open_connection(topic: str) -> None:
    word = said(
        [topic_policy(f"{topic}Policy")], "sns:Publish", NAMES[topic], HUB_ROLE, aws__SecureTransport="false"
    )
    assert word is Word.DENY


def test_nobody_but_the_hub_publishes_reports() -> None:
    policy = topic_policy("OutputTopicPolicy")
    assert said([policy], "sns:Publish", NAMES["OutputTopic"], HUB_ROLE) is Word.ALLOW
    admin = "arn:aws:iam::111122223333:role/admin"
    assert said([policy], "sns:Publish", NAMES["OutputTopic"], admin) is Word.DENY
    assert said([policy], "sns:Subscribe", NAMES["OutputTopic"], admin) is Word.SILENT


def test_publishers_of_findings_are_the_data_centers_account_and_those_named() -> None:
    cloudguard, others = (
        each for each in statements("InputTopicPolicy") if each["Sid"] != "OnlyEncryptedConnections"
    )
    assert cloudguard["Principal"]["AWS"]["Fn::Sub"] == [
        "arn:${AWS::Partition}:iam::${Account}:root",
        {"Account": {"Fn::FindInMap": ["CloudGuard", {"Ref": "DataCenter"}, "Account"]}},
    ]
    assert others["Principal"] == {"AWS": {"Ref": "PublisherPrincipals"}}
    for each in (cloudguard, others):
        assert (each["Effect"], each["Action"], each["Resource"]) == (
            "Allow",
            "sns:Publish",
            {"Ref": "InputTopic"},
        )


def test_only_the_topic_of_findings_writes_to_the_queue() -> None:
    allows = [each for each in statements("QueuePolicy") if each["Effect"] == "Allow"]
    assert worked_out(allows) == [
        {
            "Sid": "OnlyTheTopicSends",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": NAMES["Queue.Arn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": NAMES["InputTopic"]}},
        }
    ]


def hub_rights(*policies: str) -> list[Any]:
    return [worked_out(properties(name)["PolicyDocument"]) for name in policies]


def test_the_hub_may_do_with_its_table_what_the_journal_does_and_no_more() -> None:
    found = next(each for each in statements("HubWork") if each["Sid"] == "KeepTheJournal")
    assert set(found["Action"]) == set(ACTIONS)
    rights = hub_rights("HubWork")
    index = f"{NAMES['Journal.Arn']}/index/by-month"
    assert said(rights, "dynamodb:Query", index) is Word.ALLOW
    assert said(rights, "dynamodb:GetItem", f"{NAMES['Journal.Arn']}-other") is Word.SILENT


def test_the_hubs_role_has_no_right_on_everything_but_one_that_knows_no_resource() -> None:
    policies = [name for name, found in RESOURCES.items() if found["Type"] == "AWS::IAM::Policy"]
    wide = []
    for name in policies:
        assert properties(name)["Roles"] == [{"Ref": "HubRole"}]
        for each in statements(name):
            actions = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
            assert not any("*" in action for action in actions)
            wide += actions if each["Resource"] == "*" else []
    assert set(wide) == {"organizations:ListAccounts"}
    assert "ManagedPolicyArns" not in properties("HubRole")


OWN, OTHER = "arn:aws:iam::111122223333:role/Dome9CloudBots", "arn:aws:iam::222233334444:role/Dome9CloudBots"
MEMBER = {"aws__ResourceOrgID": "o-exampleorgid"}


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
def test_a_single_hub_enters_its_own_account_only(action: str) -> None:
    rights = hub_rights("HubWork", "EnterOwnAccount")
    assert said(rights, action, OWN) is Word.ALLOW
    assert said(rights, action, OTHER, **MEMBER) is Word.SILENT
    assert said(rights, "organizations:ListAccounts", "*") is Word.SILENT


def test_a_hub_of_an_organization_enters_its_accounts_only() -> None:
    rights = hub_rights("HubWork", "EnterOrganization")
    assert said(rights, "sts:AssumeRole", OTHER, **MEMBER) is Word.ALLOW
    assert said(rights, "sts:AssumeRole", OTHER, aws__ResourceOrgID="o-otherorgid0") is Word.SILENT
    assert said(rights, "sts:AssumeRole", OTHER) is Word.SILENT
    assert said(rights, "sts:SetSourceIdentity", OTHER) is Word.ALLOW


@pytest.mark.parametrize("policy", ["EnterOwnAccount", "EnterOrganization", "EnterAccounts"])
def test_the_hub_becomes_no_other_role(policy: str) -> None:
    rights = hub_rights("HubWork", policy)
    for role in ("role/admin", "role/Dome9CloudBots2", "role/path/Dome9CloudBots"):
        assert said(rights, "sts:AssumeRole", f"arn:aws:iam::222233334444:{role}", **MEMBER) is Word.SILENT


def test_exactly_one_way_in_goes_with_each_mode() -> None:
    conditions = {
        name: RESOURCES[name]["Condition"]
        for name in ("EnterOwnAccount", "EnterOrganization", "EnterAccounts")
    }
    assert len(set(conditions.values())) == 3
    for mode in ("single", "multi"):
        for organization in ("", "o-exampleorgid"):
            given = {"DeploymentMode": mode, "OrganizationId": organization}
            assert sum(holds({"Condition": each}, given) for each in conditions.values()) == 1


def holds(condition: dict[str, Any], given: dict[str, str]) -> bool:
    match condition:
        case {"Condition": name}:
            return holds(TEMPLATE["Conditions"][name], given)
        case {"Fn::Equals": [{"Ref": name}, value]}:
            return bool(given[name] == value)
        case {"Fn::Not": [inner]}:
            return not holds(inner, given)
        case {"Fn::And": inner}:
            return all(holds(each, given) for each in inner)
    raise AssertionError(condition)


# --- who may become the hub


def trust(*, function: bool, worker: bool) -> list[dict[str, Any]]:
    document = worked_out(
        properties("HubRole")["AssumeRolePolicyDocument"], HasLambda=function, HasWorker=worker
    )
    found: list[dict[str, Any]] = document["Statement"]
    return found


@pytest.mark.parametrize("function", [True, False])
@pytest.mark.parametrize(
    ("worker", "caller"),
    [(True, NAMES["WorkerPrincipal"]), (False, "arn:aws:iam::111122223333:role/remediation-hub-worker")],
)
def test_the_worker_and_nobody_else_becomes_the_hub(*, function: bool, worker: bool, caller: str) -> None:
    document = {"Version": "2012-10-17", "Statement": trust(function=function, worker=worker)}
    assert said([document], "sts:AssumeRole", HUB_ROLE, caller) is Word.ALLOW
    for name in ("role/admin", "user/workers", "root"):
        stranger = f"{caller.rpartition(':')[0]}:{name}"
        assert said([document], "sts:AssumeRole", HUB_ROLE, stranger) is Word.SILENT
    other = caller.replace(caller.split(":")[4], "555566667777")
    assert said([document], "sts:AssumeRole", HUB_ROLE, other) is Word.SILENT


@pytest.mark.parametrize("function", [True, False])
@pytest.mark.parametrize("worker", [True, False])
def test_lambda_becomes_the_hub_only_where_there_is_a_function(*, function: bool, worker: bool) -> None:
    services = [
        each["Principal"]["Service"]
        for each in trust(function=function, worker=worker)
        if "Service" in each["Principal"]
    ]
    assert services == (["lambda.amazonaws.com"] if function else [])

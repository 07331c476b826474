"""What the hub's role may do by the template, and who may become it."""

from __future__ import annotations

import pytest

from hub.journals.dynamodb_table import ACTIONS
from tests.deploy.hub_template import GIVEN_KEY, ORGANIZATION, TEMPLATE, hub, rights, said
from tests.deploy.worked_out import WorkedOut
from tests.fake_aws.strict_iam import Word
from tests.hub.doctor.stand import LOOK

HUB_ROLE = "arn:aws:iam::111122223333:role/remediation-hub"
TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/remediation-hub"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:remediation-hub-findings"
TOPICS = "arn:aws:sns:us-east-1:111122223333"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:remediation-hub"
LOG = "arn:aws:logs:us-east-1:111122223333:log-group"
OWN, OTHER = "arn:aws:iam::111122223333:role/Dome9CloudBots", "arn:aws:iam::222233334444:role/Dome9CloudBots"
MEMBER = {"aws__ResourceOrgID": ORGANIZATION}
IN_ORGANIZATION = {"DeploymentMode": "multi", "OrganizationId": ORGANIZATION}

POLICY = "AWS::IAM::Policy"
RESOURCELESS = {
    "cloudwatch:GetMetricStatistics",
    "lambda:ListEventSourceMappings",
    "organizations:ListAccounts",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}

SINGLE, MULTI, ANYWHERE = hub(), hub(**IN_ORGANIZATION), hub(DeploymentMode="multi")


def test_the_hub_may_do_with_its_table_what_the_journal_does_and_no_more() -> None:
    [document] = rights(SINGLE, "work")
    found = next(each for each in document["Statement"] if each["Sid"] == "KeepTheJournal")
    assert set(found["Action"]) == set(ACTIONS)
    assert said([document], "dynamodb:Query", f"{TABLE}/index/by-month") is Word.ALLOW
    assert said([document], "dynamodb:GetItem", f"{TABLE}-other") is Word.SILENT


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sns:GetTopicAttributes", f"{TOPICS}:d9-findings"),
        ("sns:GetTopicAttributes", f"{TOPICS}:remediationOutput"),
        ("sns:ListSubscriptionsByTopic", f"{TOPICS}:d9-findings"),
        ("sns:GetSubscriptionAttributes", f"{TOPICS}:d9-findings"),
        ("sns:ListSubscriptionsByTopic", f"{TOPICS}:remediation-hub-alarms"),
        ("sqs:GetQueueUrl", QUEUE),
        ("sqs:GetQueueAttributes", QUEUE),
        ("sqs:GetQueueAttributes", f"{QUEUE}-dead"),
        ("dynamodb:DescribeTable", TABLE),
        ("dynamodb:DescribeContinuousBackups", TABLE),
        ("dynamodb:DescribeTimeToLive", TABLE),
        ("lambda:GetFunctionConfiguration", FUNCTION),
    ],
)
def test_doctor_may_look_at_what_the_hub_stands_on_and_at_nothing_like_it(action: str, resource: str) -> None:
    documents = rights(SINGLE, "look")
    assert said(documents, action, resource) is Word.ALLOW
    assert said(documents, action, f"{resource}-of-others") is Word.SILENT


def test_the_hub_sends_itself_what_was_approved_and_nothing_else_anywhere() -> None:
    assert said(rights(SINGLE), "sqs:SendMessage", QUEUE) is Word.ALLOW
    assert said(rights(SINGLE), "sqs:SendMessage", f"{QUEUE}-dead") is Word.SILENT


def test_doctor_may_do_all_it_does_about_the_hub() -> None:
    actions = [each["Action"] for document in rights(SINGLE) for each in document["Statement"]]
    assert set(LOOK) <= {one for each in actions for one in (each if isinstance(each, list) else [each])}


def test_looking_shows_no_finding_and_changes_nothing() -> None:
    [document] = rights(SINGLE, "look")
    for each in document["Statement"]:
        actions = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
        assert all(action.split(":")[1].startswith(("Get", "List", "Describe")) for action in actions)
    assert said([document], "sqs:ReceiveMessage", f"{QUEUE}-dead") is Word.SILENT


@pytest.mark.parametrize("stack", [SINGLE, MULTI, ANYWHERE, hub(Encryption="own-key", Tracing="Active")])
def test_the_hubs_role_has_no_right_on_everything_but_those_that_know_no_resource(stack: WorkedOut) -> None:
    wide = []
    for name, policy in stack.of_type("AWS::IAM::Policy").items():
        assert policy["Roles"] == ["remediation-hub"], name
        for each in policy["PolicyDocument"]["Statement"]:
            actions = each["Action"] if isinstance(each["Action"], list) else [each["Action"]]
            assert not any("*" in action for action in actions)
            wide += actions if each["Resource"] == "*" else []
    assert set(wide) <= RESOURCELESS
    assert "ManagedPolicyArns" not in stack.properties("HubRole")


@pytest.mark.parametrize("compute", ["lambda", "none"])
def test_the_hub_writes_to_its_own_log_only(compute: str) -> None:
    documents = rights(hub(Compute=compute), "log")
    mine = {"lambda": "/aws/lambda/remediation-hub", "none": "remediation-hub-worker"}[compute]
    stream = f"{LOG}:{mine}:log-stream:a"
    assert said(documents, "logs:PutLogEvents", stream) is Word.ALLOW
    assert said(documents, "logs:PutLogEvents", f"{LOG}:other:log-stream:a") is Word.SILENT
    assert said(documents, "logs:DeleteLogGroup", f"{LOG}:{mine}:*") is Word.SILENT


# --- the rules

IN_S3, IN_SSM = "s3://rules-of-the-hub/prod/rules.yaml", "ssm:/hub/rules"
OBJECT = "arn:aws:s3:::rules-of-the-hub/prod/rules.yaml"
PARAMETER = "arn:aws:ssm:us-east-1:111122223333:parameter/hub/rules"


@pytest.mark.parametrize(
    ("rules", "action", "resource"),
    [(IN_S3, "s3:GetObject", OBJECT), (IN_SSM, "ssm:GetParameter", PARAMETER)],
)
def test_the_hub_reads_the_one_place_where_its_rules_are(rules: str, action: str, resource: str) -> None:
    documents = rights(hub(Rules=rules))
    assert said(documents, action, resource) is Word.ALLOW
    for other in (f"{resource}2", resource.rpartition("/")[0], f"{resource}/more", "*"):
        assert said(documents, action, other) is Word.SILENT
    wrong_one = {"s3:GetObject": "ssm:GetParameter", "ssm:GetParameter": "s3:GetObject"}[action]
    assert wrong_one not in repr(documents)
    assert said(documents, action.replace("Get", "Put"), resource) is Word.SILENT
    assert said(rights(SINGLE), action, resource) is Word.SILENT


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_the_place_of_the_rules_is_of_the_partition(partition: str) -> None:
    for rules, end in ((IN_S3, OBJECT[len("arn:aws:") :]), (IN_SSM, ":111122223333:parameter/hub/rules")):
        [document] = rights(hub(partition, Rules=rules), "rules")
        [statement] = document["Statement"]
        assert statement["Resource"].startswith(f"arn:{partition}:")
        assert statement["Resource"].endswith(end)


@pytest.mark.parametrize(("rules", "service"), [(IN_S3, "s3"), (IN_SSM, "ssm")])
def test_rules_encrypted_with_the_hubs_key_can_be_read_and_with_no_other(rules: str, service: str) -> None:
    stack = hub(Rules=rules, Encryption="own-key")
    documents, key = rights(stack), stack.outputs["EncryptionKeyArn"]
    via = {"kms__ViaService": f"{service}.us-east-1.amazonaws.com"}
    assert said(documents, "kms:Decrypt", key, **via) is Word.ALLOW
    assert said(documents, "kms:Decrypt", key.replace(":key/", ":key/0"), **via) is Word.SILENT
    for other in ("s3", "ssm", "ec2"):
        if other != service:
            away = {"kms__ViaService": f"{other}.us-east-1.amazonaws.com"}
            assert said(documents, "kms:Decrypt", key, **away) is Word.SILENT
    assert said(documents, "kms:GenerateDataKey", key, **via) is Word.SILENT


# --- with a customer managed key


@pytest.mark.parametrize(
    "given", [{"Encryption": "own-key"}, {"Encryption": "given-key", "KeyArn": GIVEN_KEY}]
)
def test_the_hub_uses_its_key_through_its_three_services_only(given: dict[str, str]) -> None:
    stack = hub(**given)
    documents, key = rights(stack, "key"), stack.outputs["EncryptionKeyArn"]
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        for service in ("sqs", "sns", "dynamodb"):
            via = {"kms__ViaService": f"{service}.us-east-1.amazonaws.com"}
            assert said(documents, action, key, **via) is Word.ALLOW
            assert said(documents, action, key.replace(":key/", ":key/0"), **via) is Word.SILENT
        assert said(documents, action, key, kms__ViaService="s3.us-east-1.amazonaws.com") is Word.SILENT
        assert said(documents, action, key) is Word.SILENT
    assert said(documents, "kms:ScheduleKeyDeletion", key) is Word.SILENT


def test_without_a_key_the_hub_has_no_right_in_kms() -> None:
    assert "kms:" not in repr(rights(SINGLE))


# --- the way into accounts


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
def test_a_single_hub_enters_its_own_account_only(action: str) -> None:
    documents = rights(SINGLE)
    assert said(documents, action, OWN) is Word.ALLOW
    assert said(documents, action, OTHER, **MEMBER) is Word.SILENT
    assert said(documents, "organizations:ListAccounts", "*") is Word.SILENT


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("organizations:ListParents", "account/{id}/222233334444"),
        ("organizations:ListParents", "ou/{id}/ou-ab12-cdefgh12"),
        ("organizations:DescribeOrganizationalUnit", "ou/{id}/ou-ab12-cdefgh12"),
        ("organizations:ListTagsForResource", "account/{id}/222233334444"),
    ],
)
def test_a_hub_of_an_organization_knows_where_its_accounts_are_and_of_no_other(
    action: str, resource: str
) -> None:
    # They are the management account's, which the template does not know.
    start = "arn:aws:organizations::999900001111:"
    own, other = (start + resource.replace("{id}", each) for each in (ORGANIZATION, "o-otherorgid0"))
    assert said(rights(MULTI), action, own) is Word.ALLOW
    assert said(rights(MULTI), action, other) is Word.SILENT
    assert said(rights(ANYWHERE), action, other) is Word.ALLOW
    assert said(rights(SINGLE), action, own) is Word.SILENT
    for stack in (MULTI, ANYWHERE):
        assert said(rights(stack), action, own.replace("account/", "policy/").replace("ou/", "root/")) is (
            Word.SILENT
        )
        assert said(rights(stack), "organizations:ListAccounts", "*") is Word.ALLOW


def test_a_hub_of_an_organization_enters_its_accounts_only() -> None:
    documents = rights(MULTI)
    assert said(documents, "sts:AssumeRole", OTHER, **MEMBER) is Word.ALLOW
    assert said(documents, "sts:AssumeRole", OTHER, aws__ResourceOrgID="o-otherorgid0") is Word.SILENT
    assert said(documents, "sts:AssumeRole", OTHER) is Word.SILENT
    assert said(documents, "sts:SetSourceIdentity", OTHER) is Word.ALLOW


@pytest.mark.parametrize("stack", [SINGLE, MULTI, ANYWHERE])
def test_the_hub_becomes_no_other_role(stack: WorkedOut) -> None:
    for role in ("role/admin", "role/Dome9CloudBots2", "role/path/Dome9CloudBots"):
        arn = f"arn:aws:iam::222233334444:{role}"
        assert said(rights(stack), "sts:AssumeRole", arn, **MEMBER) is Word.SILENT


@pytest.mark.parametrize("mode", ["single", "multi"])
@pytest.mark.parametrize("organization", ["", ORGANIZATION])
def test_exactly_one_way_in_goes_with_each_mode(mode: str, organization: str) -> None:
    stack = hub(DeploymentMode=mode, OrganizationId=organization)
    [document] = rights(stack, "accounts")
    entering = [each for each in document["Statement"] if each["Action"] == "sts:AssumeRole"]
    assert len(entering) == 1
    assert ("Condition" in entering[0]) is (mode == "multi" and organization != "")


def test_a_change_of_mode_changes_the_policy_and_takes_no_other_away() -> None:
    # CloudFormation deletes what is gone last: a policy of the same name that another resource has just made, too.
    [single] = [name for name, each in SINGLE.of_type(POLICY).items() if each["PolicyName"] == "accounts"]
    policies = [each["Properties"] for each in TEMPLATE["Resources"].values() if each["Type"] == POLICY]
    names = [each["PolicyName"] for each in policies]
    assert sorted(names) == sorted(set(names))
    assert all(single in stack.resources for stack in (MULTI, ANYWHERE))


# --- who may become the hub


@pytest.mark.parametrize("compute", ["lambda", "none"])
@pytest.mark.parametrize(
    ("worker", "caller"),
    [
        ("arn:aws:iam::444455556666:role/workers", "arn:aws:iam::444455556666:role/workers"),
        ("", "arn:aws:iam::111122223333:role/remediation-hub-worker"),
    ],
)
def test_the_worker_and_nobody_else_becomes_the_hub(compute: str, worker: str, caller: str) -> None:
    stack = hub(Compute=compute, WorkerPrincipal=worker)
    document = stack.properties("HubRole")["AssumeRolePolicyDocument"]
    assert said([document], "sts:AssumeRole", HUB_ROLE, caller) is Word.ALLOW
    for name in ("role/admin", "user/workers", "root"):
        stranger = f"{caller.rpartition(':')[0]}:{name}"
        assert said([document], "sts:AssumeRole", HUB_ROLE, stranger) is Word.SILENT
    other = caller.replace(caller.split(":")[4], "555566667777")
    assert said([document], "sts:AssumeRole", HUB_ROLE, other) is Word.SILENT


@pytest.mark.parametrize(("compute", "word"), [("lambda", Word.ALLOW), ("none", Word.SILENT)])
def test_lambda_becomes_the_hub_only_where_there_is_a_function(compute: str, word: Word) -> None:
    document = hub(Compute=compute).properties("HubRole")["AssumeRolePolicyDocument"]
    assert said([document], "sts:AssumeRole", HUB_ROLE, service="lambda.amazonaws.com") is word

"""Who may publish and send by the template's policies, how it is encrypted, and what the mailbox gets."""

from __future__ import annotations

import pytest

from hub.flow.report import attributes
from hub.model import Outcome
from tests.deploy.hub_template import GIVEN_KEY, TEMPLATE, hub, may, said
from tests.deploy.worked_out import WorkedOut
from tests.fake_aws.strict_iam import Word
from tests.hub.sample_reports import a_report, a_run

INPUT = "arn:aws:sns:us-east-1:111122223333:d9-findings"
OUTPUT = "arn:aws:sns:us-east-1:111122223333:remediationOutput"
ALARMS = "arn:aws:sns:us-east-1:111122223333:remediation-hub-alarms"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:remediation-hub-findings"

CLOUDGUARD = {
    "USA": "634729597623",
    "India": "578204784313",
    "Australia": "434316140879",
    "Singapore": "597850136722",
    "Europe": "723885542676",
    "Canada": "431603698195",
}
HUB_ROLE = "arn:aws:iam::111122223333:role/remediation-hub"
ADMIN = "arn:aws:iam::111122223333:role/admin"
SCANNER = "arn:aws:iam::222233334444:role/scanner"
SPOKES = ("arn:aws:iam::111122223333:role/Dome9CloudBots", "arn:aws:iam::222233334444:role/Dome9CloudBots")


def publishes(stack: WorkedOut, caller: str, **context: str) -> bool:
    policy = stack.properties("InputTopicPolicy")["PolicyDocument"]
    return may(policy, "sns:Publish", INPUT, caller, **context)


def cloudguard(data_center: str) -> str:
    return f"arn:aws:iam::{CLOUDGUARD[data_center]}:role/publisher"


# --- findings


@pytest.mark.parametrize("data_center", list(CLOUDGUARD))
def test_of_all_cloudguards_the_data_centers_own_sends_findings(data_center: str) -> None:
    stack = hub(DataCenter=data_center)
    assert [each for each in CLOUDGUARD if publishes(stack, cloudguard(each))] == [data_center]


def test_no_cloudguard_sends_findings_where_there_is_none() -> None:
    stack = hub(DataCenter="none", PublisherAccounts="222233334444")
    assert not any(publishes(stack, cloudguard(each)) for each in CLOUDGUARD)
    assert publishes(stack, SCANNER)


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_outside_of_its_partition_cloudguard_is_not_even_named(partition: str) -> None:
    for parameters in ({}, {"Encryption": "own-key"}, {"PublisherAccounts": "222233334444"}):
        stack = hub(partition, **parameters)
        policies = [stack.properties("InputTopicPolicy")]
        policies += [stack.properties("Key")] if "Key" in stack.resources else []
        assert not any(account in repr(policies) for account in CLOUDGUARD.values())


@pytest.mark.parametrize("data_center", ["USA", "none"])
def test_accounts_and_principals_that_are_named_send_findings_and_their_neighbours_do_not(
    data_center: str,
) -> None:
    both = hub(
        DataCenter=data_center,
        PublisherAccounts="222233334444,333344445555",
        PublisherPrincipals="arn:aws:iam::444455556666:role/scanner,arn:aws:iam::444455556666:user/someone",
    )
    for caller in (
        SCANNER,
        "arn:aws:iam::333344445555:user/anybody",
        "arn:aws:iam::444455556666:role/scanner",
        "arn:aws:iam::444455556666:user/someone",
    ):
        assert publishes(both, caller)
    for caller in ("arn:aws:iam::444455556666:role/other", "arn:aws:iam::555566667777:role/scanner"):
        assert not publishes(both, caller)
    assert publishes(both, cloudguard("USA")) is (data_center == "USA")


def test_an_administrator_of_the_hubs_own_account_sends_no_findings_unless_named() -> None:
    assert not publishes(hub(), ADMIN)
    assert publishes(hub(PublisherAccounts="111122223333"), ADMIN)
    assert publishes(hub(PublisherPrincipals=ADMIN), ADMIN)


@pytest.mark.parametrize("spoke", SPOKES)
def test_a_spoke_sends_no_findings_even_from_an_account_that_may(spoke: str) -> None:
    named = hub(PublisherAccounts="111122223333,222233334444", PublisherPrincipals=spoke)
    assert not publishes(named, spoke)


def test_a_service_sends_no_findings() -> None:
    policy = hub(PublisherAccounts="222233334444").properties("InputTopicPolicy")["PolicyDocument"]
    word = said([policy], "sns:Publish", INPUT, service="events.amazonaws.com")
    assert word is Word.DENY


def test_whoever_is_allowed_to_publish_is_held_to_a_condition() -> None:
    stack = hub(PublisherAccounts="222233334444", PublisherPrincipals=SCANNER)
    statements = stack.properties("InputTopicPolicy")["PolicyDocument"]["Statement"]
    allows = [each for each in statements if each["Effect"] == "Allow"]
    assert len(allows) == 2
    assert all(each["Condition"] for each in allows)
    # Were the principal taken for somebody else's, the condition would still keep it out.
    word = said([{"Statement": allows}], "sns:Publish", INPUT, SCANNER, aws__PrincipalAccount="555566667777")
    assert word is Word.ALLOW  # by its ARN
    accounts = [{"Statement": allows[:1]}]
    word = said(accounts, "sns:Publish", INPUT, SCANNER, aws__PrincipalAccount="555566667777")
    assert word is Word.SILENT


# --- the queue


def sends(stack: WorkedOut, caller: str = "", service: str = "", **context: str) -> Word:
    policy = stack.properties("QueuePolicy")["PolicyDocument"]
    return said([policy], "sqs:SendMessage", QUEUE, caller, service, **context)


def test_only_the_topic_of_findings_writes_to_the_queue() -> None:
    assert sends(hub(), service="sns.amazonaws.com", aws__SourceArn=INPUT) is Word.ALLOW
    assert sends(hub(), service="sns.amazonaws.com", aws__SourceArn=OUTPUT) is Word.DENY
    assert sends(hub(), service="sns.amazonaws.com") is Word.DENY
    for caller in (ADMIN, SCANNER, *SPOKES):
        assert sends(hub(), caller) is Word.DENY


def test_the_hub_may_send_itself_what_was_approved() -> None:
    assert sends(hub(), HUB_ROLE) is Word.SILENT  # as its own rights say


@pytest.mark.parametrize("worker", ["", "arn:aws:iam::111122223333:user/operator"])
def test_the_worker_may_put_back_what_was_set_aside(worker: str) -> None:
    caller = worker or "arn:aws:iam::111122223333:role/remediation-hub-worker"
    assert sends(hub(WorkerPrincipal=worker), caller) is Word.SILENT  # as its own rights say


# --- reports and alarms


def test_nobody_but_the_hub_publishes_reports() -> None:
    policy = hub().properties("OutputTopicPolicy")["PolicyDocument"]
    assert may(policy, "sns:Publish", OUTPUT, HUB_ROLE)
    for caller in (ADMIN, cloudguard("USA"), *SPOKES):
        assert not may(policy, "sns:Publish", OUTPUT, caller)
    assert may(policy, "sns:Subscribe", OUTPUT, ADMIN)


def test_alarms_come_from_this_hubs_alarms_only() -> None:
    policy = hub().properties("AlarmTopicPolicy")["PolicyDocument"]
    alarm = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:remediation-hub-findings-wait"
    own = {"aws__SourceAccount": "111122223333", "aws__SourceArn": alarm}
    service = "cloudwatch.amazonaws.com"
    assert said([policy], "sns:Publish", ALARMS, service=service, **own) is Word.ALLOW
    for other in (
        {**own, "aws__SourceAccount": "222233334444"},
        {**own, "aws__SourceArn": alarm.replace("remediation-hub", "other")},
        {},
    ):
        assert said([policy], "sns:Publish", ALARMS, service=service, **other) is Word.SILENT


@pytest.mark.parametrize(
    ("policy", "action", "resource"),
    [
        ("InputTopicPolicy", "sns:Publish", INPUT),
        ("OutputTopicPolicy", "sns:Publish", OUTPUT),
        ("AlarmTopicPolicy", "sns:Publish", ALARMS),
        ("QueuePolicy", "sqs:ReceiveMessage", QUEUE),
        ("DeadLetterQueuePolicy", "sqs:ReceiveMessage", f"{QUEUE}-dead"),
    ],
)
def test_nothing_goes_over_an_open_connection(policy: str, action: str, resource: str) -> None:
    document = hub(PublisherPrincipals=ADMIN).properties(policy)["PolicyDocument"]
    for caller in (ADMIN, HUB_ROLE):
        plain = said([document], action, resource, caller, aws__SecureTransport="false")
        assert plain is Word.DENY


def test_every_topic_and_queue_has_a_policy() -> None:
    kinds = {name: each["Type"] for name, each in TEMPLATE["Resources"].items()}
    wanted = {name for name, kind in kinds.items() if kind in ("AWS::SNS::Topic", "AWS::SQS::Queue")}
    policies = [each for name, each in TEMPLATE["Resources"].items() if name.endswith("Policy")]
    named = {
        ref["Ref"]
        for each in policies
        for ref in each["Properties"].get("Topics", each["Properties"].get("Queues"))
    }
    assert named == wanted


# --- encryption


@pytest.mark.parametrize(
    "given", [{"Encryption": "own-key"}, {"Encryption": "given-key", "KeyArn": GIVEN_KEY}]
)
def test_one_key_encrypts_all_there_is(given: dict[str, str]) -> None:
    stack = hub(**given)
    key = stack.outputs["EncryptionKeyArn"]
    kinds = ("AWS::SNS::Topic", "AWS::SQS::Queue")
    stores = [each for kind in kinds for each in stack.of_type(kind).values()]
    assert len(stores) == 5
    assert {each["KmsMasterKeyId"] for each in stores} == {key}
    # SQS refuses both ways at once.
    assert not any(each["SqsManagedSseEnabled"] for each in stack.of_type("AWS::SQS::Queue").values())
    table = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    assert stack.properties("Journal")["SSESpecification"] == table
    assert stack.properties("Log")["KmsKeyId"] == key
    assert len(stack.of_type("AWS::KMS::Key")) == (given["Encryption"] == "own-key")


def test_with_aws_own_keys_nothing_is_encrypted_with_one_that_senders_cannot_use() -> None:
    stack = hub()
    # Neither CloudGuard nor CloudWatch can use alias/aws/sns: what they publish would be lost without a trace.
    assert "KmsMasterKeyId" not in stack.properties("InputTopic")
    assert "KmsMasterKeyId" not in stack.properties("AlarmTopic")
    assert stack.properties("OutputTopic")["KmsMasterKeyId"] == "alias/aws/sns"
    for queue in stack.of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue
    assert not stack.of_type("AWS::KMS::Key")
    assert "EncryptionKeyArn" not in stack.outputs


# --- the mailbox


def mailed(email_filter: str, *outcomes: Outcome) -> bool:
    """Whether a report with these outcomes gets past the subscription's filter."""
    mail = hub(EmailAddress="sec@example.com", EmailFilter=email_filter).properties("ReportsByMail")
    assert mail.get("FilterPolicyScope", "MessageAttributes") == "MessageAttributes"
    found = attributes(a_report(*(a_run(n, outcome=each) for n, each in enumerate(outcomes))))
    return all(found.get(name) in values for name, values in mail.get("FilterPolicy", {}).items())


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_mailbox_gets_what_it_asked_for(outcome: Outcome) -> None:
    assert mailed("all", outcome)
    assert mailed("failures", outcome) is (outcome.status == "failed")
    assert mailed("needs-person", outcome) is outcome.needs_person


def test_a_mailbox_gets_by_default_what_needs_a_person_whatever_else_is_in_the_report() -> None:
    stack = hub(EmailAddress="sec@example.com")
    assert stack.properties("ReportsByMail")["FilterPolicy"] == {"needsPerson": ["true"]}
    assert mailed("needs-person", Outcome.FIXED, Outcome.THROTTLED, Outcome.INVALID)


def test_nobody_gets_mail_unless_an_address_is_given() -> None:
    assert not hub().of_type("AWS::SNS::Subscription")
    subscriptions = hub(EmailAddress="sec@example.com").of_type("AWS::SNS::Subscription").values()
    assert sorted(each["TopicArn"] for each in subscriptions) == [ALARMS, OUTPUT]
    assert {(each["Protocol"], each["Endpoint"]) for each in subscriptions} == {("email", "sec@example.com")}

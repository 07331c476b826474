"""The key the stack makes: everybody who has to can use it, for what they have to, and nobody else."""

from __future__ import annotations

import pytest

from tests.deploy.hub_template import hub, said
from tests.deploy.worked_out import REGIONS, WorkedOut
from tests.fake_aws.strict_iam import Word

INPUT = "arn:aws:sns:us-east-1:111122223333:d9-findings"
ALARM = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:remediation-hub-findings-wait"
USE = ("kms:Decrypt", "kms:GenerateDataKey")
CLOUDGUARD = "arn:aws:iam::634729597623:role/publisher"
SCANNER = "arn:aws:iam::222233334444:role/scanner"
VIA_TOPIC = {
    "kms__ViaService": "sns.us-east-1.amazonaws.com",
    "kms__EncryptionContext__aws__sns__topicArn": INPUT,
}


OWN_KEY = hub(Encryption="own-key")
NAMED = "arn:aws:iam::444455556666:role/scanner"
PUBLISHERS = hub(Encryption="own-key", PublisherAccounts="222233334444", PublisherPrincipals=NAMED)
WITHOUT_CLOUDGUARD = hub(Encryption="own-key", DataCenter="none", PublisherAccounts="222233334444")


def key_says(stack: WorkedOut, action: str, /, caller: str = "", service: str = "", **context: str) -> Word:
    policy = stack.properties("Key")["KeyPolicy"]
    return said([policy], action, stack.outputs["EncryptionKeyArn"], caller, service, **context)


@pytest.mark.parametrize("action", USE)
def test_the_topic_of_findings_delivers_into_the_encrypted_queue(action: str) -> None:
    own = {"aws__SourceArn": INPUT, "aws__SourceAccount": "111122223333"}
    assert key_says(OWN_KEY, action, service="sns.amazonaws.com", **own) is Word.ALLOW
    other = {**own, "aws__SourceArn": INPUT.replace("d9-findings", "other")}
    assert key_says(OWN_KEY, action, service="sns.amazonaws.com", **other) is Word.SILENT
    assert key_says(OWN_KEY, action, service="sns.amazonaws.com") is Word.SILENT


@pytest.mark.parametrize("action", USE)
def test_alarms_reach_the_encrypted_topic_of_alarms(action: str) -> None:
    own = {"aws__SourceArn": ALARM, "aws__SourceAccount": "111122223333"}
    assert key_says(OWN_KEY, action, service="cloudwatch.amazonaws.com", **own) is Word.ALLOW
    other = {**own, "aws__SourceArn": ALARM.replace("remediation-hub", "other")}
    assert key_says(OWN_KEY, action, service="cloudwatch.amazonaws.com", **other) is Word.SILENT


@pytest.mark.parametrize("action", [*USE, "kms:Encrypt", "kms:ReEncryptFrom"])
@pytest.mark.parametrize("group", ["/aws/lambda/remediation-hub", "remediation-hub-worker"])
def test_the_log_is_written_by_the_service_of_that_region(action: str, group: str) -> None:
    arn = f"arn:aws:logs:us-east-1:111122223333:log-group:{group}"
    mine = {"kms__EncryptionContext__aws__logs__arn": arn}
    assert key_says(OWN_KEY, action, service="logs.us-east-1.amazonaws.com", **mine) is Word.ALLOW
    other = {"kms__EncryptionContext__aws__logs__arn": f"{arn}-other"}
    assert key_says(OWN_KEY, action, service="logs.us-east-1.amazonaws.com", **other) is Word.SILENT


@pytest.mark.parametrize(
    ("partition", "service"),
    [
        ("aws", "logs.us-east-1.amazonaws.com"),
        ("aws-us-gov", "logs.us-gov-west-1.amazonaws.com"),
        ("aws-cn", "logs.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_logs_service_is_called_as_in_its_partition(partition: str, service: str) -> None:
    assert partition in REGIONS
    statements = hub(partition, Encryption="own-key").properties("Key")["KeyPolicy"]["Statement"]
    [found] = [each["Principal"]["Service"] for each in statements if each["Sid"] == "TheLogIsKept"]
    assert found == service


@pytest.mark.parametrize("action", USE)
def test_publishers_encrypt_findings_and_nothing_else(action: str) -> None:
    for caller in (CLOUDGUARD, SCANNER, NAMED):
        assert key_says(PUBLISHERS, action, caller, **VIA_TOPIC) is Word.ALLOW
        assert key_says(PUBLISHERS, action, caller) is Word.SILENT
        elsewhere = {**VIA_TOPIC, "kms__EncryptionContext__aws__sns__topicArn": f"{INPUT}-other"}
        assert key_says(PUBLISHERS, action, caller, **elsewhere) is Word.SILENT
    for caller in ("arn:aws:iam::444455556666:role/other", "arn:aws:iam::555566667777:role/scanner"):
        assert key_says(PUBLISHERS, action, caller, **VIA_TOPIC) is Word.SILENT


def test_where_no_cloudguard_publishes_it_cannot_use_the_key() -> None:
    assert key_says(WITHOUT_CLOUDGUARD, "kms:GenerateDataKey", CLOUDGUARD, **VIA_TOPIC) is Word.SILENT
    assert key_says(WITHOUT_CLOUDGUARD, "kms:GenerateDataKey", SCANNER, **VIA_TOPIC) is Word.ALLOW


def test_the_accounts_own_policies_decide_about_all_else() -> None:
    admin = "arn:aws:iam::111122223333:role/admin"
    assert key_says(OWN_KEY, "kms:ScheduleKeyDeletion", admin) is Word.ALLOW
    for caller in (CLOUDGUARD, SCANNER):
        assert key_says(OWN_KEY, "kms:ScheduleKeyDeletion", caller, **VIA_TOPIC) is Word.SILENT


def test_no_bot_changes_the_key() -> None:
    spoke = "arn:aws:iam::111122223333:role/Dome9CloudBots"
    for action in ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:Decrypt"):
        assert key_says(OWN_KEY, action, spoke) is Word.DENY
    assert key_says(OWN_KEY, "kms:GetKeyRotationStatus", spoke) is Word.ALLOW  # as its own rights say


def test_the_key_is_renewed_every_year_and_has_a_name() -> None:
    stack = OWN_KEY
    assert stack.properties("Key")["EnableKeyRotation"] is True
    assert stack.properties("KeyAlias")["AliasName"] == "alias/remediation-hub"

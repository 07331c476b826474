"""The archive's template: every report gets in, stays, is found again by Athena, and nobody else writes there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hub.flow.report import as_json, document, shortened, text
from hub.model import Outcome
from tests.deploy.hub_template import hub, may, said
from tests.deploy.worked_out import WorkedOut
from tests.fake_aws.strict_iam import Word
from tests.hub.sample_reports import a_report, a_run
from tests.spoke_role.reading import ROOT, parsed

PATH = ROOT / "deploy/archive.yaml"
TEMPLATE = parsed(PATH.read_text(encoding="utf-8"))
KEY = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000"
BUCKET = "arn:aws:s3:::stack-bucket-1a2b3c"
WRITER = "arn:aws:iam::111122223333:role/remediation-hub-archive-writer"
ADMIN = "arn:aws:iam::111122223333:role/admin"
SPOKE = "arn:aws:iam::111122223333:role/Dome9CloudBots"
STREAM = "arn:aws:firehose:us-east-1:111122223333:deliverystream/remediation-hub-reports"


def archive(partition: str = "aws", **parameters: str) -> WorkedOut:
    outputs = hub(partition).outputs
    given = {"OutputTopicArn": outputs["OutputTopicARN"], "AlarmTopicArn": outputs["AlarmTopicARN"]}
    return WorkedOut(TEMPLATE, given | parameters, partition)


def test_parameters_that_both_stacks_have_are_the_same() -> None:
    for name in ("HubName", "RoleName", "KeyArn", "PermissionsBoundaryArn"):
        mine, theirs = (dict(each["Parameters"][name]) for each in (TEMPLATE, hub().template))
        for each in (mine, theirs):
            each.pop("Description")
        assert mine == theirs


def test_every_parameter_is_told_checked_and_has_a_default_or_has_to_come_from_the_hubs_stack() -> None:
    for name, declared in TEMPLATE["Parameters"].items():
        assert declared["Description"].endswith((".", "years."))
        assert {"AllowedPattern", "MinValue"} & declared.keys()
        assert ("Default" in declared) is (name != "OutputTopicArn")
        if "AllowedPattern" in declared and "Default" in declared:
            assert re.fullmatch(declared["AllowedPattern"], declared["Default"])


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
@pytest.mark.parametrize("key", ["", KEY])
def test_every_arn_is_of_the_partition(partition: str, key: str) -> None:
    stack = archive(partition, KeyArn=key.replace("arn:aws:", f"arn:{partition}:"))
    everything = [stack.properties(name) for name in sorted(stack.resources)] + [stack.outputs]
    assert set(re.findall(r"arn:(aws[a-z-]*):", repr(everything))) == {partition}


# --- the bucket


def test_the_bucket_is_closed_encrypted_versioned_and_outlives_the_stack() -> None:
    declared, found = TEMPLATE["Resources"]["Bucket"], archive().properties("Bucket")
    assert declared["DeletionPolicy"] == declared["UpdateReplacePolicy"] == "Retain"
    assert all(found["PublicAccessBlockConfiguration"].values())
    assert len(found["PublicAccessBlockConfiguration"]) == 4
    assert found["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize(
    ("key", "wanted"),
    [("", {"SSEAlgorithm": "AES256"}), (KEY, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY})],
)
def test_the_bucket_is_encrypted_with_the_hubs_key_or_s3s_own(key: str, wanted: dict[str, str]) -> None:
    stack = archive(KeyArn=key)
    [rule] = stack.properties("Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == wanted
    stream = stack.properties("Stream")["DeliveryStreamEncryptionConfigurationInput"]
    assert stream.get("KeyARN", "") == key
    results = stack.properties("WorkGroup")["WorkGroupConfiguration"]["ResultConfiguration"]
    assert results["EncryptionConfiguration"].get("KmsKey", "") == key


def test_the_bucket_can_be_named() -> None:
    assert archive(BucketName="our-reports").outputs["ArchiveBucket"] == "our-reports"


def test_reports_are_kept_as_long_as_asked_and_query_results_are_not() -> None:
    rules = archive(ArchiveDays="3650").properties("Bucket")["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert days == {"reports/": "3650", "query-results/": 30, "errors/": 90}


def bucket_says(action: str, key: str, caller: str, **context: str) -> Word:
    policy = archive().properties("BucketPolicy")["PolicyDocument"]
    return said([policy], action, f"{BUCKET}/{key}" if key else BUCKET, caller, **context)


def test_nobody_but_firehose_writes_reports() -> None:
    policy = archive().properties("BucketPolicy")["PolicyDocument"]
    assert may(policy, "s3:PutObject", f"{BUCKET}/reports/day=2026-11-28/a.gz", WRITER)
    assert not may(policy, "s3:PutObject", f"{BUCKET}/reports/day=2026-11-28/a.gz", ADMIN)
    assert may(policy, "s3:PutObject", f"{BUCKET}/query-results/a.csv", ADMIN)
    assert may(policy, "s3:GetObject", f"{BUCKET}/reports/day=2026-11-28/a.gz", ADMIN)


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ("s3:PutObject", "errors/a"),
        ("s3:DeleteObject", "reports/a"),
        ("s3:DeleteBucket", ""),
        ("s3:PutBucketPolicy", ""),
    ],
)
def test_no_bot_changes_the_archive(action: str, key: str) -> None:
    assert bucket_says(action, key, SPOKE) is Word.DENY
    assert bucket_says(action, key, ADMIN) is Word.SILENT


@pytest.mark.parametrize("caller", [ADMIN, WRITER])
def test_nothing_goes_over_an_open_connection(caller: str) -> None:
    assert bucket_says("s3:GetObject", "reports/a", caller, aws__SecureTransport="false") is Word.DENY
    assert bucket_says("s3:ListBucket", "", caller, aws__SecureTransport="false") is Word.DENY


# --- the way into it


def documents(role: str, **parameters: str) -> list[Any]:
    policies = archive(**parameters).of_type("AWS::IAM::Policy").values()
    return [
        each["PolicyDocument"] for each in policies if each["Roles"] == [f"remediation-hub-archive-{role}"]
    ]


def test_the_topic_hands_reports_to_the_stream_and_the_stream_writes_them_into_the_bucket() -> None:
    subscription = archive().properties("Subscription")
    assert subscription["TopicArn"] == hub().outputs["OutputTopicARN"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("firehose", STREAM)
    assert subscription["SubscriptionRoleArn"].endswith(":role/remediation-hub-archive-feeder")
    assert subscription["RawMessageDelivery"] is True
    assert said(documents("feeder"), "firehose:PutRecord", STREAM) is Word.ALLOW
    assert said(documents("feeder"), "firehose:PutRecord", f"{STREAM}-other") is Word.SILENT
    destination = archive().properties("Stream")["ExtendedS3DestinationConfiguration"]
    assert (destination["BucketARN"], destination["RoleARN"]) == (BUCKET, WRITER)
    prefix = destination["Prefix"].replace("!{timestamp:yyyy-MM-dd}", "2026-11-28")
    assert said(documents("writer"), "s3:PutObject", f"{BUCKET}/{prefix}a.gz") is Word.ALLOW
    assert said(documents("writer"), "s3:PutObject", f"{BUCKET}/query-results/a") is Word.SILENT


def test_the_writer_uses_the_key_for_the_bucket_only() -> None:
    mine = {
        "kms__ViaService": "s3.us-east-1.amazonaws.com",
        "kms__EncryptionContext__aws__s3__arn": f"{BUCKET}/reports/a",
    }
    assert said(documents("writer", KeyArn=KEY), "kms:GenerateDataKey", KEY, **mine) is Word.ALLOW
    other = {**mine, "kms__EncryptionContext__aws__s3__arn": "arn:aws:s3:::other"}
    assert said(documents("writer", KeyArn=KEY), "kms:GenerateDataKey", KEY, **other) is Word.SILENT
    assert "kms:" not in repr(documents("writer"))


@pytest.mark.parametrize(
    ("role", "service"), [("Writer", "firehose.amazonaws.com"), ("Feeder", "sns.amazonaws.com")]
)
def test_only_its_service_becomes_a_role_of_the_archive(role: str, service: str) -> None:
    found = archive().properties(role)
    trust, arn = found["AssumeRolePolicyDocument"], f"arn:aws:iam::111122223333:role/{found['RoleName']}"
    own = {"sts__ExternalId": "111122223333"}
    assert said([trust], "sts:AssumeRole", arn, service=service, **own) is Word.ALLOW
    for other in {"lambda.amazonaws.com", "firehose.amazonaws.com", "sns.amazonaws.com"} - {service}:
        assert said([trust], "sts:AssumeRole", arn, service=other, **own) is Word.SILENT
    assert said([trust], "sts:AssumeRole", arn, ADMIN, **own) is Word.SILENT


def archived(message: str) -> bool:
    """Whether a message gets past the subscription's filter of message bodies, as SNS documents it."""
    subscription = archive().properties("Subscription")
    assert subscription["FilterPolicyScope"] == "MessageBody"
    try:
        body = json.loads(message)
    except ValueError:
        return False
    assert all(rule == [{"exists": True}] for rule in subscription["FilterPolicy"].values())
    return all(name in body for name in subscription["FilterPolicy"])


def test_reports_in_json_are_archived_and_the_text_form_that_nobody_can_query_is_not() -> None:
    told = document(a_report(a_run(1), a_run(2)))
    assert archived(as_json(told))
    assert not archived(text(told))
    assert "\n" not in as_json(told)  # Athena reads a line as a document


def test_somebody_is_told_when_reports_wait_for_the_archive() -> None:
    alarm = archive().properties("ReportsWait")
    assert alarm["AlarmActions"] == [hub().outputs["AlarmTopicARN"]]
    assert alarm["AlarmName"].startswith("remediation-hub-")  # as the topic's policy asks
    assert alarm["Dimensions"] == [{"Name": "DeliveryStreamName", "Value": "remediation-hub-reports"}]
    assert "ReportsWait" not in archive(AlarmTopicArn="").resources


# --- the table


def table() -> dict[str, Any]:
    found: dict[str, Any] = archive().properties("Table")["TableInput"]
    return found


def column(key: str) -> str:
    """What a key of the report is called in Athena."""
    return key.lower().replace(" ", "_")


def fields(kind: str) -> dict[str, str]:
    """The fields of ``struct<a:string,b:array<...>>``, each with its type."""
    found, depth, name, start = {}, 0, "", 0
    inner = kind.removeprefix("struct<").removesuffix(">")
    for at, letter in enumerate(f"{inner},"):
        depth += (letter == "<") - (letter == ">")
        if letter == ":" and not depth and not name:
            name, start = inner[start:at], at + 1
        elif letter == "," and not depth:
            found[name] = inner[start:at]
            name, start = "", at + 1
    return found


def fits(value: Any, kind: str) -> bool:
    """Whether the SerDe can make a value of that type of a value in JSON."""
    if value is None or kind == "string":
        return True  # any JSON can be had as a string
    if kind.startswith("array<"):
        return isinstance(value, list | tuple) and all(fits(each, kind[6:-1]) for each in value)
    if kind.startswith("struct<"):
        known = fields(kind)
        return all(column(key) in known and fits(each, known[column(key)]) for key, each in value.items())
    if kind.startswith("map<string,"):
        return all(fits(each, kind[11:-1]) for each in value.values())
    kinds: dict[str, tuple[type, ...]] = {"boolean": (bool,), "int": (int,), "double": (float, int)}
    return isinstance(value, kinds[kind])


def every_key() -> dict[str, Any]:
    """A report with every key a report can have."""
    undone = a_run(2, outcome=Outcome.RESTORED, undo_of="1" * 20, notes=("a",), args=("b",))
    told = document(a_report(a_run(1), undone, error="broke", notes=("bent",)))
    many = document(a_report(*(a_run(n, message="m" * 200) for n in range(400))))
    return {**shortened(many, 4096), **told}


def test_every_key_of_a_report_is_a_column_and_every_column_a_key() -> None:
    columns = {each["Name"]: each["Type"] for each in table()["StorageDescriptor"]["Columns"]}
    told = every_key()
    assert {column(key) for key, value in told.items() if not key.startswith("logsHttp")} == set(columns)
    for key, value in told.items():
        if not key.startswith("logsHttp"):
            assert fits(value, columns[column(key)]), key


def test_every_key_of_an_entry_is_a_field_and_every_field_a_key() -> None:
    columns = {each["Name"]: each["Type"] for each in table()["StorageDescriptor"]["Columns"]}
    entry = columns["rules_violations_found"].removeprefix("array<").removesuffix(">")
    keys = {column(key) for each in every_key()["Rules violations found"] for key in each}
    assert keys == set(fields(entry))


def test_keys_with_blanks_are_told_to_the_serde() -> None:
    told = every_key()
    keys = {*told, *(key for entry in told["Rules violations found"] for key in entry)}
    parameters = table()["StorageDescriptor"]["SerdeInfo"]["Parameters"]
    mapped = {
        name.removeprefix("mapping."): key for name, key in parameters.items() if name.startswith("mapping.")
    }
    assert mapped == {column(key): key for key in keys if " " in key}


def test_athena_looks_for_a_day_where_firehose_puts_it() -> None:
    parameters = archive(ArchiveDays="30").properties("Table")["TableInput"]["Parameters"]
    assert parameters["projection.day.range"] == "NOW-30DAYS,NOW"
    [partition] = table()["PartitionKeys"]
    assert partition["Name"] == "day"
    prefix = archive().properties("Stream")["ExtendedS3DestinationConfiguration"]["Prefix"]
    form = re.fullmatch(r"(.*)!\{timestamp:(.+)\}/", prefix)
    assert form is not None
    assert parameters["projection.day.format"] == form[2]
    bucket = BUCKET.rpartition(":")[2]
    assert parameters["storage.location.template"] == f"s3://{bucket}/{form[1]}${{day}}/"

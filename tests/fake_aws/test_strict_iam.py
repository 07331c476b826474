"""The evaluator against what AWS documents: one line per case, and the same through the running server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from tests.fake_aws import admin as clients_of
from tests.fake_aws.admin import Admin, code
from tests.fake_aws.server import (
    EXTERNAL_ID,
    HUB_ACCOUNT,
    HUB_ROLE,
    SPOKE_ROLE,
    FakeAws,
    allow,
    deny,
    policy,
    trust,
)
from tests.fake_aws.strict_iam import NOTHING_NARROWER, Request, Rights, Word, conditions_hold, spoken

ALLOW, DENY, SILENT = Word.ALLOW, Word.DENY, Word.SILENT
ALICE = "arn:aws:iam::222233334444:user/alice"
BOB = "arn:aws:iam::222233334444:user/team/bob"
HUB_ARN = f"arn:aws:iam::{HUB_ACCOUNT}:role/{HUB_ROLE}"
STATEMENTS: dict[str, tuple[list[dict[str, Any]], str, str | None, Mapping[str, Any], Word]] = {
    "allowed by name": ([allow("iam:GetUser")], "iam:GetUser", ALICE, {}, ALLOW),
    "another action": ([allow("iam:GetUser")], "iam:ListUsers", "*", {}, SILENT),
    "no statement at all": ([], "iam:GetUser", ALICE, {}, SILENT),
    "action in capitals": ([allow("IAM:GETUSER")], "iam:GetUser", ALICE, {}, ALLOW),
    "star in the action": ([allow("iam:Get*")], "iam:GetUser", ALICE, {}, ALLOW),
    "question mark in the action": ([allow("iam:Get?ser")], "iam:GetUser", ALICE, {}, ALLOW),
    "question mark is one character": ([allow("iam:Get?")], "iam:GetUser", ALICE, {}, SILENT),
    "a prefix is not the action": ([allow("iam:Get")], "iam:GetUser", ALICE, {}, SILENT),
    "star alone": ([allow("*")], "kms:DescribeKey", "arn:aws:kms:a:1:key/k", {}, ALLOW),
    "deny wins over allow": ([allow("*"), deny("iam:*")], "iam:GetUser", ALICE, {}, DENY),
    "deny wins in any order": ([deny("iam:*"), allow("*")], "iam:GetUser", ALICE, {}, DENY),
    "deny of another action": ([allow("*"), deny("s3:*")], "iam:GetUser", ALICE, {}, ALLOW),
    "everything but one service": (
        [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], "iam:GetUser", ALICE, {}, ALLOW,
    ),
    "the service left out": (
        [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], "s3:GetObject", "arn:aws:s3:::b/k", {}, SILENT,
    ),
    "deny everything but": (
        [allow("*"), {"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*"}], "s3:GetObject", "x", {}, DENY,
    ),
    "allowed on this resource": ([allow("iam:GetUser", resource=ALICE)], "iam:GetUser", ALICE, {}, ALLOW),
    "allowed on another resource": ([allow("iam:GetUser", resource=ALICE)], "iam:GetUser", BOB, {}, SILENT),
    "resource with a star": (
        [allow("iam:GetUser", resource="arn:aws:iam::222233334444:user/team/*")], "iam:GetUser", BOB, {}, ALLOW,
    ),
    "resources are case-sensitive": ([allow("iam:GetUser", resource=ALICE.upper())], "iam:GetUser", ALICE, {}, SILENT),
    "brackets are not wildcards": (
        [allow("s3:GetObject", resource="arn:aws:s3:::b/[ab]")], "s3:GetObject", "arn:aws:s3:::b/a", {}, SILENT,
    ),
    "deny on this resource": ([allow("*"), deny("iam:*", resource=ALICE)], "iam:GetUser", ALICE, {}, DENY),
    "deny on another resource": ([allow("*"), deny("iam:*", resource=ALICE)], "iam:GetUser", BOB, {}, ALLOW),
    "a call without resources and a narrow allow": (
        [allow("iam:ListUsers", resource=ALICE)], "iam:ListUsers", NOTHING_NARROWER, {}, SILENT,
    ),
    "not this resource": (
        [{"Effect": "Allow", "Action": "iam:GetUser", "NotResource": ALICE}], "iam:GetUser", ALICE, {}, SILENT,
    ),
    "not that resource": (
        [{"Effect": "Allow", "Action": "iam:GetUser", "NotResource": ALICE}], "iam:GetUser", BOB, {}, ALLOW,
    ),
    "deny outside a resource allows nothing": (
        [{"Effect": "Deny", "Action": "iam:*", "NotResource": ALICE}], "iam:GetUser", ALICE, {}, SILENT,
    ),
    "deny outside a resource": (
        [allow("*"), {"Effect": "Deny", "Action": "iam:*", "NotResource": ALICE}], "iam:GetUser", BOB, {}, DENY,
    ),
    "unknown resource, allowed on all": ([allow("x:Do")], "x:Do", None, {}, ALLOW),
    "unknown resource, allowed on some": ([allow("x:Do", resource="arn:aws:x:::a")], "x:Do", None, {}, SILENT),
    "unknown resource, denied on some": (
        [allow("x:Do"), deny("x:Do", resource="arn:aws:x:::a")], "x:Do", None, {}, DENY,
    ),
    "condition that holds": (
        [allow("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}})],
        "s3:GetObject", "x", {"aws:RequestedRegion": "us-east-1"}, ALLOW,
    ),
    "condition that fails": (
        [allow("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})],
        "s3:GetObject", "x", {"aws:RequestedRegion": "us-east-1"}, SILENT,
    ),
    "deny whose condition fails": (
        [allow("*"), deny("*", Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}})],
        "s3:GetObject", "x", {"aws:RequestedRegion": "us-east-1"}, ALLOW,
    ),
    "deny whose condition holds": (
        [allow("*"), deny("*", Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}})],
        "s3:GetObject", "x", {"aws:RequestedRegion": "eu-west-1"}, DENY,
    ),
    "all keys of a condition must hold": (
        [allow("*", Condition={"StringEquals": {"aws:a": "1", "aws:b": "2"}})],
        "s3:GetObject", "x", {"aws:a": "1", "aws:b": "3"}, SILENT,
    ),
    "a variable in the resource": (
        [allow("iam:*", resource="arn:aws:iam::222233334444:user/${aws:username}")],
        "iam:GetUser", ALICE, {"aws:username": "alice"}, ALLOW,
    ),
    "a variable nobody set": (
        [allow("iam:*", resource="arn:aws:iam::222233334444:user/${aws:username}")], "iam:GetUser", ALICE, {}, SILENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "action", "resource", "context", "word"), STATEMENTS.values(), ids=STATEMENTS
)
def test_statements_say_what_aws_documents(
    statements: list[dict[str, Any]],
    action: str,
    resource: str | None,
    context: Mapping[str, Any],
    word: Word,
) -> None:
    request = Request(action=action, resource=resource, context=context)
    assert spoken([policy(*statements)], request) is word


CONDITIONS: dict[str, tuple[str, Any, Mapping[str, Any], bool]] = {
    "absent key, positive": ("StringEquals", {"k:a": "x"}, {}, False),
    "absent key, negative": ("StringNotEquals", {"k:a": "x"}, {}, True),
    "absent key, if exists": ("StringEqualsIfExists", {"k:a": "x"}, {}, True),
    "present key, if exists": ("StringEqualsIfExists", {"k:a": "x"}, {"k:a": "y"}, False),
    "key in another case": ("StringEquals", {"K:A": "x"}, {"k:a": "x"}, True),
    "value in another case": ("StringEquals", {"k:a": "X"}, {"k:a": "x"}, False),
    "case ignored": ("StringEqualsIgnoreCase", {"k:a": "X"}, {"k:a": "x"}, True),
    "like": ("StringLike", {"k:a": "x*z"}, {"k:a": "xyz"}, True),
    "equals knows no wildcards": ("StringEquals", {"k:a": "x*"}, {"k:a": "xy"}, False),
    "not like": ("StringNotLike", {"k:a": ["x*", "y*"]}, {"k:a": "yes"}, False),
    "bool": ("Bool", {"aws:SecureTransport": "false"}, {"aws:SecureTransport": "true"}, False),
    "bool given as JSON": ("Bool", {"aws:SecureTransport": True}, {"aws:SecureTransport": "true"}, True),
    "null, absent": ("Null", {"k:a": "true"}, {}, True),
    "null, present": ("Null", {"k:a": "true"}, {"k:a": "x"}, False),
    "numbers": ("NumericLessThanEquals", {"k:n": "10"}, {"k:n": "9"}, True),
    "numbers are no texts": ("NumericGreaterThan", {"k:n": "9"}, {"k:n": "10"}, True),
    "dates": ("DateLessThan", {"k:d": "2026-01-01T00:00:00Z"}, {"k:d": "2025-12-31T23:59:59Z"}, True),
    "address": ("IpAddress", {"aws:SourceIp": "192.0.2.0/24"}, {"aws:SourceIp": "192.0.2.7"}, True),
    "not that address": ("NotIpAddress", {"aws:SourceIp": "192.0.2.0/24"}, {"aws:SourceIp": "192.0.2.7"}, False),
    "arn with a star": ("ArnLike", {"k:a": "arn:aws:iam::*:role/x"}, {"k:a": "arn:aws:iam::1:role/x"}, True),
    "a star stays in its part": ("ArnEquals", {"k:a": "arn:aws:*:role/x"}, {"k:a": "arn:aws:iam::1:role/x"}, False),
    "any of several": ("ForAnyValue:StringEquals", {"k:l": "b"}, {"k:l": ("a", "b")}, True),
    "any of none": ("ForAnyValue:StringEquals", {"k:l": "b"}, {}, False),
    "all of several": ("ForAllValues:StringEquals", {"k:l": ["a", "b"]}, {"k:l": ("a", "c")}, False),
    "all of none": ("ForAllValues:StringEquals", {"k:l": "b"}, {}, True),
    "tag keys keep their case": ("StringEquals", {"aws:RequestTag/Owner": "x"}, {"aws:RequestTag/owner": "x"}, False),
}  # fmt: skip


@pytest.mark.parametrize(("operator", "keys", "context", "holds"), CONDITIONS.values(), ids=CONDITIONS)
def test_condition_operators_hold_as_aws_documents(
    operator: str, keys: Mapping[str, Any], context: Mapping[str, Any], holds: bool
) -> None:
    assert conditions_hold({operator: keys}, context) is holds


def test_an_unknown_condition_operator_is_an_error_not_an_answer() -> None:
    with pytest.raises(ValueError, match="StringAlmost"):
        conditions_hold({"StringAlmost": {"k:a": "x"}}, {"k:a": "x"})


LIMITS: dict[str, tuple[Rights, Word]] = {
    "identity alone": (Rights(identity=(policy(allow("iam:*")),)), ALLOW),
    "boundary without it": (
        Rights(identity=(policy(allow("iam:*")),), boundary=policy(allow("s3:*"))), SILENT,
    ),
    "boundary with it": (
        Rights(identity=(policy(allow("iam:*")),), boundary=policy(allow("iam:GetUser"))), ALLOW,
    ),
    "a boundary grants nothing": (Rights(identity=(), boundary=policy(allow("*"))), SILENT),
    "session without it": (
        Rights(identity=(policy(allow("iam:*")),), session=(policy(allow("s3:*")),)), SILENT,
    ),
    "session denies it": (
        Rights(identity=(policy(allow("*")),), session=(policy(allow("*"), deny("iam:*")),)), DENY,
    ),
    "service control policy denies it": (
        Rights(identity=(policy(allow("*")),), service_control=((policy(allow("*")),), (policy(deny("iam:*")),))), DENY,
    ),
    "a level of the organization is silent": (
        Rights(identity=(policy(allow("*")),), service_control=((policy(allow("*")),), (policy(allow("s3:*")),))),
        SILENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rights", "word"), LIMITS.values(), ids=LIMITS)
def test_every_limit_must_allow(rights: Rights, word: Word) -> None:
    assert rights.say(Request(action="iam:GetUser", resource=ALICE)) is word


PRINCIPALS: dict[str, tuple[Any, Word]] = {
    "the role": ({"AWS": HUB_ARN}, ALLOW),
    "one of several": ({"AWS": ["arn:aws:iam::999900001111:root", HUB_ARN]}, ALLOW),
    "the account": ({"AWS": HUB_ACCOUNT}, ALLOW),
    "the account's root": ({"AWS": f"arn:aws:iam::{HUB_ACCOUNT}:root"}, ALLOW),
    "everybody": ("*", ALLOW),
    "everybody, longer": ({"AWS": "*"}, ALLOW),
    "another role": ({"AWS": f"arn:aws:iam::{HUB_ACCOUNT}:role/other"}, SILENT),
    "another account": ({"AWS": "arn:aws:iam::999900001111:root"}, SILENT),
    "a service": ({"Service": "ec2.amazonaws.com"}, SILENT),
}


@pytest.mark.parametrize(("principal", "word"), PRINCIPALS.values(), ids=PRINCIPALS)
def test_trust_is_for_the_named_principals(principal: Any, word: Word) -> None:
    document = policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    names = (
        f"arn:aws:sts::{HUB_ACCOUNT}:assumed-role/{HUB_ROLE}/s",
        HUB_ARN,
        HUB_ACCOUNT,
        f"arn:aws:iam::{HUB_ACCOUNT}:root",
    )
    request = Request(action="sts:AssumeRole", resource="arn:aws:iam::222233334444:role/x")
    assert spoken([document], request, principals=names) is word


# --- through the server


def client(aws: FakeAws, credentials: Mapping[str, str], service: str, region: str = "us-east-1") -> Any:
    access_key, secret_key, *token = credentials.values()
    return clients_of.client(
        aws.endpoint,
        service,
        region,
        access_key=access_key,
        secret_key=secret_key,
        token=next(iter(token), None),
    )


def acting(aws: FakeAws, *statements: dict[str, Any], **more: Any) -> tuple[Admin, Callable[..., Any]]:
    """A fresh account and a way to clients of a role with these rights in it."""
    admin = aws.fresh_account()
    credentials = aws.role_credentials(admin.account_id, "actor", [policy(*statements)], **more)
    return admin, lambda service, region="us-east-1": client(aws, credentials, service, region)


def entering(aws: FakeAws, spoke: Admin, **more: Any) -> str | None:
    """How the hub's attempt to enter a spoke ends."""
    sts = client(aws, aws.hub_credentials(), "sts")
    arn = f"arn:aws:iam::{spoke.account_id}:role/{SPOKE_ROLE}"
    return code(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="probe", **more))


def test_the_hub_enters_with_the_external_id_and_its_source_identity(aws: FakeAws) -> None:
    assert entering(aws, aws.spoke(), ExternalId=EXTERNAL_ID, SourceIdentity="run-1") is None


@pytest.mark.parametrize("more", [{}, {"ExternalId": "guessed"}])
def test_the_hub_does_not_enter_without_the_right_external_id(aws: FakeAws, more: dict[str, str]) -> None:
    assert entering(aws, aws.spoke(), **more) == "AccessDenied"


def test_a_source_identity_needs_a_right_of_its_own(aws: FakeAws) -> None:
    only_entry = policy({"Effect": "Allow", "Principal": {"AWS": HUB_ARN}, "Action": "sts:AssumeRole"})
    spoke = aws.spoke(trusts=only_entry)
    assert entering(aws, spoke) is None
    assert entering(aws, spoke, SourceIdentity="run-1") == "AccessDenied"


def test_a_role_that_does_not_exist_cannot_be_entered(aws: FakeAws) -> None:
    assert entering(aws, aws.fresh_account(), ExternalId=EXTERNAL_ID) == "AccessDenied"


def test_a_role_that_trusts_somebody_else_cannot_be_entered(aws: FakeAws) -> None:
    spoke = aws.spoke(trusts=trust(f"arn:aws:iam::{HUB_ACCOUNT}:role/somebody-else"))
    assert entering(aws, spoke, ExternalId=EXTERNAL_ID) == "AccessDenied"


def test_trust_alone_does_not_let_another_account_in(aws: FakeAws) -> None:
    stranger, clients = acting(aws, allow("iam:*"))
    spoke = aws.spoke(trusts=trust(f"arn:aws:iam::{stranger.account_id}:role/actor"))
    arn = f"arn:aws:iam::{spoke.account_id}:role/{SPOKE_ROLE}"
    enter = clients("sts").assume_role
    assert code(lambda: enter(RoleArn=arn, RoleSessionName="probe", ExternalId=EXTERNAL_ID)) == "AccessDenied"


def test_trust_in_an_organization_lets_only_its_accounts_in(aws: FakeAws) -> None:
    organizations = aws.fresh_account().client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    made = organizations.create_account(AccountName="member", Email="member@example.com")
    member = made["CreateAccountStatus"]["AccountId"]
    condition = {"StringEquals": {"aws:PrincipalOrgID": organization}}
    arns = []
    for account_id in (member, aws.fresh_account().account_id):
        who = f"arn:aws:iam::{account_id}:role/actor"
        spoke = aws.spoke(trusts=trust(who, external_id=None, **condition))
        arns.append((account_id, f"arn:aws:iam::{spoke.account_id}:role/{SPOKE_ROLE}"))
    found = []
    for account_id, arn in arns:
        credentials = aws.role_credentials(account_id, "actor", [policy(allow("sts:*"))])
        sts = client(aws, credentials, "sts")
        found.append(code(partial(sts.assume_role, RoleArn=arn, RoleSessionName="probe")))
    assert found == [None, "AccessDenied"]


def test_a_service_control_policy_binds_the_member_account(aws: FakeAws) -> None:
    organizations = aws.fresh_account().client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(AccountName="member", Email="member@example.com")
    member = made["CreateAccountStatus"]["AccountId"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    users = client(aws, aws.role_credentials(member, "actor", [policy(allow("*"))]), "iam").list_users
    assert code(users) is None
    guardrail = organizations.create_policy(
        Name="no-iam", Description="-", Type="SERVICE_CONTROL_POLICY", Content=policy(deny("iam:*"))
    )
    organizations.attach_policy(PolicyId=guardrail["Policy"]["PolicySummary"]["Id"], TargetId=root)
    assert code(users) == "AccessDenied"


def test_a_session_policy_narrows_and_never_widens(aws: FakeAws) -> None:
    narrow = policy(allow("iam:ListUsers", "s3:ListAllMyBuckets"))
    _, clients = acting(aws, allow("iam:*"), Policy=narrow)
    assert code(clients("iam").list_users) is None
    assert code(clients("iam").list_roles) == "AccessDenied"
    assert code(clients("s3").list_buckets) == "AccessDenied"


def test_a_session_policy_given_by_arn_narrows_as_well(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    iam = admin.client("iam")
    arn = iam.create_policy(PolicyName="narrow", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    credentials = aws.role_credentials(
        admin.account_id, "actor", [policy(allow("*"))], PolicyArns=[{"arn": arn}]
    )
    assert code(client(aws, credentials, "s3").list_buckets) is None
    assert code(client(aws, credentials, "iam").list_users) == "AccessDenied"


def test_a_permissions_boundary_limits_the_role(aws: FakeAws) -> None:
    spoke = aws.spoke({"all": policy(allow("*"))}, boundary=policy(allow("s3:*")))
    credentials = aws.enter(spoke.account_id, f"arn:aws:iam::{spoke.account_id}:role/{SPOKE_ROLE}")
    assert code(client(aws, credentials, "s3").list_buckets) is None
    assert code(client(aws, credentials, "iam").list_users) == "AccessDenied"


def test_a_change_of_rights_is_felt_by_an_open_session(aws: FakeAws) -> None:
    spoke = aws.spoke({"remediation": policy(allow("iam:*"))})
    credentials = aws.enter(spoke.account_id, f"arn:aws:iam::{spoke.account_id}:role/{SPOKE_ROLE}")
    users = client(aws, credentials, "iam").list_users
    assert code(users) is None
    aws.allow_only(spoke, policy(allow("s3:*")))
    assert code(users) == "AccessDenied"


def test_managed_policies_and_groups_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    iam = admin.client("iam")
    arn = iam.create_policy(PolicyName="look", PolicyDocument=policy(allow("iam:ListUsers")))["Policy"]["Arn"]
    iam.create_user(UserName="carol")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="carol")
    key = iam.create_access_key(UserName="carol")["AccessKey"]
    pair = {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    users = client(aws, pair, "iam").list_users
    assert code(users) == "AccessDenied"
    iam.attach_group_policy(GroupName="readers", PolicyArn=arn)
    assert code(users) is None
    iam.update_access_key(UserName="carol", AccessKeyId=pair["id"], Status="Inactive")
    assert code(users) == "InvalidClientTokenId"


def test_unknown_and_mixed_up_credentials_are_refused(aws: FakeAws) -> None:
    unknown = {"id": "ASIAUNKNOWNUNKNOWNUN", "secret": "s", "token": "t"}
    assert code(client(aws, unknown, "iam").list_users) == "InvalidClientTokenId"
    assert code(client(aws, unknown, "kms").list_keys) == "UnrecognizedClientException"
    one = aws.role_credentials(aws.fresh_account().account_id, "actor", [policy(allow("*"))])
    two = aws.role_credentials(aws.fresh_account().account_id, "actor", [policy(allow("*"))])
    mixed = {**one, "AWS_SESSION_TOKEN": two["AWS_SESSION_TOKEN"]}
    assert code(client(aws, mixed, "iam").list_users) == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("service", "operation", "refusal"),
    [
        ("ec2", "describe_instances", "UnauthorizedOperation"),
        ("iam", "list_users", "AccessDenied"),
        ("kms", "list_keys", "AccessDeniedException"),
        ("lambda", "list_functions", "AccessDeniedException"),
        ("s3", "list_buckets", "AccessDenied"),
        ("sns", "list_topics", "AuthorizationError"),
        ("dynamodb", "list_tables", "AccessDeniedException"),
        ("cloudwatch", "list_metrics", "AccessDenied"),
        ("rds", "describe_db_instances", "AccessDenied"),
    ],
)
def test_each_service_refuses_in_its_own_words_and_obeys_its_own_prefix(
    aws: FakeAws, service: str, operation: str, refusal: str
) -> None:
    admin, clients = acting(aws, allow("sts:*"))
    call = getattr(clients(service), operation)
    assert code(call) == refusal
    aws.role_credentials(admin.account_id, "actor", [policy(allow(f"{service}:*"))])
    assert code(call) is None


def test_an_index_and_a_batch_need_the_right_on_what_they_read(aws: FakeAws) -> None:
    admin, clients = acting(aws, allow("sts:*"))
    for name in ("journal", "other"):
        admin.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "month")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-month",
                    "KeySchema": [{"AttributeName": "month", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
    table = f"arn:aws:dynamodb:us-east-1:{admin.account_id}:table/journal"
    keys = {"Keys": [{"pk": {"S": "a"}}]}

    def read(**tables: Any) -> str | None:
        return code(lambda: clients("dynamodb").batch_get_item(RequestItems=tables))

    def ask(**index: str) -> str | None:
        asked = {"KeyConditionExpression": f"{'month' if index else 'pk'} = :a"}
        values = {":a": {"S": "a"}}
        return code(
            lambda: clients("dynamodb").query(
                TableName="journal", ExpressionAttributeValues=values, **asked, **index
            )
        )

    aws.role_credentials(admin.account_id, "actor", [policy(allow("dynamodb:*", resource=table))])
    assert read(journal=keys) is None
    assert read(journal=keys, other=keys) == "AccessDeniedException"
    assert ask() is None
    assert ask(IndexName="by-month") == "AccessDeniedException"
    aws.role_credentials(
        admin.account_id, "actor", [policy(allow("dynamodb:*", resource=f"{table}/index/*"))]
    )
    assert ask(IndexName="by-month") is None
    assert ask() == read(journal=keys) == "AccessDeniedException"


def test_s3_calls_need_the_actions_iam_knows(aws: FakeAws) -> None:
    needed = {
        "head_bucket": "s3:ListBucket",
        "get_bucket_encryption": "s3:GetEncryptionConfiguration",
        "delete_bucket_encryption": "s3:PutEncryptionConfiguration",
        "get_public_access_block": "s3:GetBucketPublicAccessBlock",
        "get_bucket_versioning": "s3:GetBucketVersioning",
    }
    admin, clients = acting(aws, allow("sts:*"))
    name = f"ledger-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=name)
    for operation, action in needed.items():
        call = getattr(clients("s3"), operation)
        aws.role_credentials(
            admin.account_id, "actor", [policy(allow("s3:*"), {**deny(action), "Resource": "*"})]
        )
        assert code(partial(call, Bucket=name)) in {"AccessDenied", "403"}, operation
        aws.role_credentials(
            admin.account_id, "actor", [policy(allow(action, resource=f"arn:aws:s3:::{name}"))]
        )
        assert code(partial(call, Bucket=name)) in {None, "NoSuchPublicAccessBlockConfiguration"}, operation


def test_a_bucket_policy_binds_the_owner_and_lets_others_in(aws: FakeAws) -> None:
    admin, clients = acting(aws, allow("s3:*"))
    stranger, strangers = acting(aws, allow("s3:*"))
    name = f"ledger-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=name)
    bucket = f"arn:aws:s3:::{name}"
    mine, theirs = clients("s3").get_bucket_versioning, strangers("s3").get_bucket_versioning
    assert (code(lambda: mine(Bucket=name)), code(lambda: theirs(Bucket=name))) == (None, "AccessDenied")
    document = policy(
        {**deny("s3:GetBucketVersioning", resource=bucket), "Principal": {"AWS": admin.account_id}},
        {**allow("s3:GetBucketVersioning", resource=bucket), "Principal": {"AWS": stranger.account_id}},
    )
    admin.client("s3").put_bucket_policy(Bucket=name, Policy=document)
    assert (code(lambda: mine(Bucket=name)), code(lambda: theirs(Bucket=name))) == ("AccessDenied", None)


def test_a_key_is_one_resource_by_id_arn_and_alias(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    kms = admin.client("kms")
    key, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/ledger", TargetKeyId=key["KeyId"])
    rights = policy(allow("kms:DescribeKey", resource=key["Arn"]))
    credentials = aws.role_credentials(admin.account_id, "actor", [rights])
    describe = client(aws, credentials, "kms").describe_key
    for name in (key["KeyId"], key["Arn"], "alias/ledger"):
        assert code(partial(describe, KeyId=name)) is None
    assert code(lambda: describe(KeyId=other["KeyId"])) == "AccessDeniedException"


def test_ec2_ids_are_resources_and_reads_know_none(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    ec2 = admin.client("ec2")
    one, two = (ec2.create_security_group(GroupName=f"g{n}", Description="-")["GroupId"] for n in range(2))
    arn = f"arn:aws:ec2:us-east-1:{admin.account_id}:security-group/{one}"
    rights = policy(allow("ec2:DescribeSecurityGroups", "ec2:DeleteSecurityGroup", resource=arn))
    theirs = client(aws, aws.role_credentials(admin.account_id, "actor", [rights]), "ec2")
    assert code(lambda: theirs.delete_security_group(GroupId=two)) == "UnauthorizedOperation"
    assert code(lambda: theirs.delete_security_group(GroupId=one)) is None
    assert code(theirs.describe_security_groups) == "UnauthorizedOperation"


def test_a_dry_run_tells_rights_and_does_nothing(aws: FakeAws) -> None:
    admin, clients = acting(aws, allow("ec2:DeleteSecurityGroup", "ec2:CreateNetworkAcl"))
    group = admin.client("ec2").create_security_group(GroupName="g", Description="-")["GroupId"]
    ec2 = clients("ec2")
    assert code(lambda: ec2.delete_security_group(GroupId=group, DryRun=True)) == "DryRunOperation"
    assert code(lambda: ec2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)) == "UnauthorizedOperation"
    network = admin.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    assert code(lambda: ec2.create_network_acl(VpcId=network, DryRun=True)) == "DryRunOperation"
    assert admin.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert len(admin.client("ec2").describe_network_acls()["NetworkAcls"]) == 1


def test_tags_on_creation_need_the_right_to_tag(aws: FakeAws) -> None:
    admin, clients = acting(aws, allow("ec2:CreateVpc"))
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Owner", "Value": "x"}]}]
    ec2 = clients("ec2")
    assert code(lambda: ec2.create_vpc(CidrBlock="10.0.0.0/16")) is None
    assert (
        code(lambda: ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags))
        == "UnauthorizedOperation"
    )
    on_creation = allow("ec2:CreateTags", Condition={"StringEquals": {"ec2:CreateAction": "CreateVpc"}})
    aws.role_credentials(admin.account_id, "actor", [policy(allow("ec2:CreateVpc"), on_creation)])
    assert code(lambda: ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)) is None


def test_a_role_handed_to_a_service_must_be_passable(aws: FakeAws) -> None:
    admin, clients = acting(aws, allow("config:*"))
    arn = f"arn:aws:iam::{admin.account_id}:role/recorder"
    admin.client("iam").create_role(RoleName="recorder", AssumeRolePolicyDocument=trust("*"))
    put = clients("config").put_configuration_recorder
    recorder = {"name": "default", "roleARN": arn}
    assert code(lambda: put(ConfigurationRecorder=recorder)) == "AccessDeniedException"
    aws.role_credentials(
        admin.account_id, "actor", [policy(allow("config:*"), allow("iam:PassRole", resource=arn))]
    )
    assert code(lambda: put(ConfigurationRecorder=recorder)) is None


def test_attaching_can_be_limited_to_one_policy(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    iam = admin.client("iam")
    iam.create_user(UserName="dave", Path="/staff/")
    quarantine, power = (
        iam.create_policy(PolicyName=name, PolicyDocument=policy(deny("*")))["Policy"]["Arn"]
        for name in ("quarantine", "power")
    )
    condition = {"ArnEquals": {"iam:PolicyARN": quarantine}}
    users = f"arn:aws:iam::{admin.account_id}:user/staff/*"
    rights = policy(allow("iam:AttachUserPolicy", resource=users, Condition=condition))
    theirs = client(aws, aws.role_credentials(admin.account_id, "actor", [rights]), "iam")
    assert code(lambda: theirs.attach_user_policy(UserName="dave", PolicyArn=power)) == "AccessDenied"
    assert code(lambda: theirs.attach_user_policy(UserName="dave", PolicyArn=quarantine)) is None


def test_everybody_may_ask_who_they_are(aws: FakeAws) -> None:
    admin, clients = acting(aws, deny("*"))
    assert clients("sts").get_caller_identity()["Account"] == admin.account_id

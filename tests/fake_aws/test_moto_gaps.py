"""The fake AWS answers as AWS does where moto alone would not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from tests.fake_aws import admin as clients_of
from tests.fake_aws.admin import Admin, code
from tests.fake_aws.moto_gaps import s3 as inside
from tests.fake_aws.server import FakeAws, allow, policy


def _encryption(s3: Any, bucket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = s3.get_bucket_encryption(Bucket=bucket)[
        "ServerSideEncryptionConfiguration"
    ]["Rules"]
    return found


def test_a_new_bucket_is_encrypted_and_deleting_that_only_resets_it(admin: Admin) -> None:
    s3, bucket = admin.client("s3"), f"new-{admin.account_id}"
    s3.create_bucket(Bucket=bucket)
    default = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    assert _encryption(s3, bucket) == default
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert _encryption(s3, bucket) == [rule]
    s3.delete_bucket_encryption(Bucket=bucket)
    assert _encryption(s3, bucket) == default


def test_the_expected_bucket_owner_is_compared(admin: Admin) -> None:
    s3, bucket = admin.client("s3"), f"mine-{admin.account_id}"
    s3.create_bucket(Bucket=bucket)
    read = s3.get_bucket_versioning
    assert code(read, Bucket=bucket, ExpectedBucketOwner=admin.account_id) is None
    assert code(read, Bucket=bucket, ExpectedBucketOwner="222233334444") == "AccessDenied"
    assert code(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="222233334444") == "403"


def test_a_bucket_says_where_it_lives_whoever_asks_from_where(admin: Admin) -> None:
    bucket = f"far-{admin.account_id}"
    where = {"LocationConstraint": "eu-west-1"}
    admin.client("s3", "eu-west-1").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    assert admin.client("s3").head_bucket(Bucket=bucket)["BucketRegion"] == "eu-west-1"


@pytest.mark.parametrize(
    ("made", "then", "refusal"),
    [
        ({}, None, None),
        ({}, "disable_key", "DisabledException"),
        ({}, "schedule_key_deletion", "KMSInvalidStateException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, None, "UnsupportedOperationException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, None, "UnsupportedOperationException"),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, None, "UnsupportedOperationException"),
        ({"Origin": "EXTERNAL"}, None, "UnsupportedOperationException"),
    ],
    ids=["plain", "disabled", "being deleted", "for signing", "asymmetric", "HMAC", "imported"],
)
def test_rotation_is_refused_for_keys_aws_cannot_rotate(
    admin: Admin, made: dict[str, str], then: str | None, refusal: str | None
) -> None:
    kms = admin.client("kms")
    key = kms.create_key(**made)["KeyMetadata"]["KeyId"]
    if then is not None:
        getattr(kms, then)(KeyId=key)
    found = code(kms.enable_key_rotation, KeyId=key)
    assert found == refusal
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is (found is None)


def test_a_rotation_period_is_kept_and_bounded(admin: Admin) -> None:
    kms = admin.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key)
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 365
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=120)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 120
    assert code(kms.enable_key_rotation, KeyId=key, RotationPeriodInDays=2561) == "ValidationException"


def test_security_group_rules_come_in_pages(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    group = ec2.create_security_group(GroupName="many", Description="-")["GroupId"]
    ranges = [{"CidrIp": f"198.51.100.{number}/32"} for number in range(7)]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    mine = [{"Name": "group-id", "Values": [group]}]
    first = ec2.describe_security_group_rules(Filters=mine, MaxResults=5)
    second = ec2.describe_security_group_rules(Filters=mine, MaxResults=5, NextToken=first["NextToken"])
    pages = [len(page["SecurityGroupRules"]) for page in (first, second)]
    assert (pages, "NextToken" in second) == ([5, 3], False)


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [("root_device_type", "instance-store", "UnsupportedOperation"), ("lifecycle", "spot", "UnsupportedOperation")],
)  # fmt: skip
def test_what_cannot_be_stopped_goes_on_running(admin: Admin, field: str, value: str, refusal: str) -> None:
    ec2 = admin.client("ec2")
    instance = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    setattr(ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(instance), field, value)
    assert code(ec2.stop_instances, InstanceIds=[instance]) == refusal
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "running"


def test_only_those_who_run_an_organization_list_its_accounts(aws: FakeAws, admin: Admin) -> None:
    organizations = admin.client("organizations")
    assert code(organizations.list_accounts) == "AWSOrganizationsNotInUseException"
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(AccountName="member", Email="member@example.com")
    member = made["CreateAccountStatus"]["AccountId"]
    assert member in {account["Id"] for account in organizations.list_accounts()["Accounts"]}
    theirs = aws.admin(member).client("organizations")
    assert code(theirs.list_accounts) == "AccessDeniedException"
    organizations.register_delegated_administrator(
        AccountId=member, ServicePrincipal="guardduty.amazonaws.com"
    )
    assert code(theirs.list_accounts) is None


def test_a_bucket_with_mfa_delete_says_so_and_keeps_its_versioning(admin: Admin) -> None:
    s3, bucket = admin.client("s3"), f"mfa-{admin.account_id}"
    s3.create_bucket(Bucket=bucket)
    inside.bucket(bucket).mfa_delete = True
    assert s3.get_bucket_versioning(Bucket=bucket)["MFADelete"] == "Enabled"
    wish = {"Status": "Enabled"}
    assert code(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=wish) == "AccessDenied"


def _group(admin: Admin, name: str = "web", **more: str) -> str:
    made = admin.client("ec2").create_security_group(GroupName=name, Description="-", **more)
    return str(made["GroupId"])


def test_groups_in_use_and_default_groups_are_not_deleted(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    worn, named, wide = (_group(admin, name, VpcId=vpc) for name in ("worn", "named", "wide"))
    ec2.create_network_interface(SubnetId=subnet, Groups=[worn])
    pair = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": named}]}
    ec2.authorize_security_group_egress(GroupId=worn, IpPermissions=[pair])
    ec2.associate_security_group_vpc(
        GroupId=wide, VpcId=ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    )
    for used in (worn, named, wide):
        assert code(ec2.delete_security_group, GroupId=used) == "DependencyViolation"
    everyone = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    (default,) = [group["GroupId"] for group in everyone if group["GroupName"] == "default"]
    assert code(ec2.delete_security_group, GroupId=default) == "CannotDelete"
    assert code(ec2.delete_security_group, GroupId=_group(admin, "free", VpcId=vpc)) is None


def test_rules_for_groups_keep_their_descriptions_and_are_added_all_or_none(admin: Admin) -> None:
    ec2, group = admin.client("ec2"), _group(admin)
    gone = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": "sg-01234567"}]}
    fine = {**gone, "UserIdGroupPairs": [{"GroupId": group, "Description": "itself"}]}
    listed = {
        **gone,
        "UserIdGroupPairs": [],
        "PrefixListIds": [{"PrefixListId": "pl-01234567", "Description": "them"}],
    }
    authorize = ec2.authorize_security_group_ingress
    assert code(authorize, GroupId=group, IpPermissions=[listed, fine, gone]) == "InvalidGroup.NotFound"
    authorize(GroupId=group, IpPermissions=[listed, fine])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    told = [rule.get("Description") for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]]
    assert sorted(told) == ["itself", "them"]


def test_a_rule_that_is_turned_gets_what_is_said_and_nothing_else(admin: Admin) -> None:
    ec2, group = admin.client("ec2"), _group(admin)
    ports = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
    wide = {**ports, "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "all"}]}
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[wide])["SecurityGroupRules"][0]
    turned = {
        "SecurityGroupRuleId": made["SecurityGroupRuleId"],
        "SecurityGroupRule": {**ports, "CidrIpv6": "2001:db8::/32"},
    }
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[turned])
    ids = [made["SecurityGroupRuleId"]]
    (now,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"]
    assert (now["CidrIpv6"], now.get("Description")) == ("2001:db8::/32", None)
    revoke = ec2.revoke_security_group_ingress
    assert code(revoke, GroupId=group, SecurityGroupRuleIds=ids) is None
    assert code(revoke, GroupId=group, SecurityGroupRuleIds=ids) == "InvalidSecurityGroupRuleId.NotFound"


def test_interfaces_have_the_groups_they_are_given_and_no_others(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    first, second = _group(admin, "first"), _group(admin, "second")
    launched = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SecurityGroupIds=[first])
    instance = launched["Instances"][0]
    nic = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    change = ec2.modify_network_interface_attribute
    change(NetworkInterfaceId=nic, Groups=[second])
    found = ec2.describe_instances(InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"][0]
    for groups in (found["SecurityGroups"], found["NetworkInterfaces"][0]["Groups"]):
        assert [group["GroupId"] for group in groups] == [second]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert code(change, NetworkInterfaceId=nic, Groups=["sg-01234567"]) == "InvalidGroup.NotFound"
    assert code(change, NetworkInterfaceId=nic, Groups=[_group(admin, VpcId=vpc)]) == "InvalidGroup.NotFound"
    ec2_backends[admin.account_id]["us-east-1"].enis[nic].requester_managed = True
    assert code(change, NetworkInterfaceId=nic, Groups=[first]) == "OperationNotPermitted"


def test_administrators_are_not_recorded_and_others_are(aws: FakeAws, admin: Admin) -> None:
    admin.client("iam").list_users()
    assert aws.calls(admin.account_id) == ()


def test_a_fault_hits_as_often_as_asked_and_only_there(aws: FakeAws, admin: Admin) -> None:
    access_key, secret_key, token = aws.role_credentials(
        admin.account_id, "actor", [policy(allow("*"))]
    ).values()
    iam = clients_of.client(
        aws.endpoint, "iam", "us-east-1", access_key=access_key, secret_key=secret_key, token=token
    )
    aws.fail(admin.account_id, "iam:ListUsers", "Throttling", times=2)
    assert code(iam.list_roles) is None
    assert [code(iam.list_users) for _ in range(3)] == ["Throttling", "Throttling", None]
    assert [call.error for call in aws.calls(admin.account_id)] == [None, "Throttling", "Throttling", None]
    assert not any(call.is_write for call in aws.calls(admin.account_id))


def test_roles_and_users_hold_ten_policies_and_aws_own_roles_none_of_ours(admin: Admin) -> None:
    iam = admin.client("iam")
    iam.create_user(UserName="alice")
    iam.create_role(RoleName="owned", Path="/aws-reserved/x/", AssumeRolePolicyDocument=policy())
    arns = [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
        for number in range(11)
    ]
    codes = [code(iam.attach_user_policy, UserName="alice", PolicyArn=arn) for arn in arns]
    assert codes == [None] * 10 + ["LimitExceeded"]
    assert code(iam.attach_user_policy, UserName="alice", PolicyArn=arns[0]) is None
    assert code(iam.attach_role_policy, RoleName="owned", PolicyArn=arns[0]) == "UnmodifiableEntity"
    text = policy(allow("s3:*", resource=["arn:aws:s3:::x" * 10] * 20))
    assert code(iam.put_user_policy, UserName="alice", PolicyName="x", PolicyDocument=text) == "LimitExceeded"
    put = {"PolicyName": "x", "PolicyDocument": policy(allow("s3:*"))}
    assert code(iam.put_role_policy, RoleName="owned", **put) == "UnmodifiableEntity"


def test_a_changed_login_profile_keeps_its_password(admin: Admin) -> None:
    iam = admin.client("iam")
    iam.create_user(UserName="alice")
    assert code(iam.update_login_profile, UserName="alice", PasswordResetRequired=True) == "NoSuchEntity"
    iam.create_login_profile(UserName="alice", Password="correct-horse-battery")
    iam.update_login_profile(UserName="alice", PasswordResetRequired=True)
    assert iam.get_login_profile(UserName="alice")["LoginProfile"]["PasswordResetRequired"] is True


def test_a_credential_report_is_of_the_time_it_was_made_and_new_after_four_hours(admin: Admin) -> None:
    iam = admin.client("iam")
    assert code(iam.get_credential_report) == "ReportNotPresent"
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert datetime.now(UTC) - iam.get_credential_report()["GeneratedTime"] < timedelta(minutes=1)
    iam_backends[admin.account_id]["aws"].report_time -= timedelta(hours=5)
    assert iam.generate_credential_report()["State"] == "STARTED"
    assert datetime.now(UTC) - iam.get_credential_report()["GeneratedTime"] < timedelta(minutes=1)


def test_a_key_of_another_account_is_denied_like_one_that_never_was(aws: FakeAws, admin: Admin) -> None:
    other = aws.fresh_account().client("iam")
    other.create_user(UserName="alice")
    key = other.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    assert code(other.get_access_key_last_used, AccessKeyId=key) is None
    assert code(admin.client("iam").get_access_key_last_used, AccessKeyId=key) == "AccessDenied"


def _open_to(admin: Admin, service: str) -> str:
    """A bucket the service may deliver into."""
    s3, bucket = admin.client("s3"), f"{service.partition('.')[0]}-{admin.account_id}"
    s3.create_bucket(Bucket=bucket)
    may, who = ("s3:PutObject", "s3:GetBucketAcl"), {"Principal": {"Service": service}}
    statement = allow(*may, resource=f"arn:aws:s3:::{bucket}/*", **who)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(statement))
    return bucket


def test_the_owner_pays_for_requests_until_somebody_says_otherwise(admin: Admin) -> None:
    s3, bucket = admin.client("s3"), f"paid-{admin.account_id}"
    s3.create_bucket(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"


def test_access_logs_do_not_arrive_while_a_test_runs(admin: Admin) -> None:
    s3, bucket = admin.client("s3"), _open_to(admin, "logging.s3.amazonaws.com")
    to = {"TargetBucket": bucket, "TargetPrefix": ""}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": to})
    s3.head_bucket(Bucket=bucket)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_trail_needs_a_name_of_its_own_and_a_bucket_that_lets_it_in(admin: Admin) -> None:
    cloudtrail, closed = admin.client("cloudtrail"), f"closed-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=closed)
    create, bucket = cloudtrail.create_trail, _open_to(admin, "cloudtrail.amazonaws.com")
    assert code(create, Name="one", S3BucketName=closed) == "InsufficientS3BucketPolicyException"
    assert code(create, Name="one", S3BucketName=bucket) is None
    assert code(create, Name="one", S3BucketName=bucket) == "TrailAlreadyExistsException"
    (selector,) = cloudtrail.get_event_selectors(TrailName="one")["EventSelectors"]
    assert (selector["ReadWriteType"], selector["IncludeManagementEvents"]) == ("All", True)
    for number in range(4):
        create(Name=f"more-{number}", S3BucketName=bucket)
    assert code(create, Name="sixth", S3BucketName=bucket) == "MaximumNumberOfTrailsExceededException"


def test_config_delivers_only_where_it_may(admin: Admin) -> None:
    config, closed = admin.client("config"), f"closed-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=closed)

    recorder = {"name": "default", "roleARN": f"arn:aws:iam::{admin.account_id}:role/recorder"}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)

    def put(bucket: str) -> str | None:
        channel = {"name": "default", "s3BucketName": bucket}
        return code(config.put_delivery_channel, DeliveryChannel=channel)

    assert put(f"gone-{admin.account_id}") == "NoSuchBucketException"
    assert put(closed) == "InsufficientDeliveryPolicyException"
    assert put(_open_to(admin, "config.amazonaws.com")) is None


def test_a_classic_load_balancer_that_is_not_there_is_said_to_be_missing(admin: Admin) -> None:
    read = admin.client("elb").describe_load_balancer_attributes
    assert code(read, LoadBalancerName="gone") == "LoadBalancerNotFound"


def test_a_firewall_takes_one_change_of_its_logging_at_a_time(admin: Admin) -> None:
    client = admin.client("network-firewall")
    rules = f"arn:aws:network-firewall:us-east-1:{admin.account_id}:firewall-policy/strict"
    made = client.create_firewall(FirewallName="border", FirewallPolicyArn=rules, VpcId="vpc-11112222")
    arn = made["Firewall"]["FirewallArn"]

    def send(**places: tuple[str, dict[str, str]]) -> str | None:
        configs = [
            {"LogType": log, "LogDestinationType": kind, "LogDestination": where}
            for log, (kind, where) in places.items()
        ]
        logging = {"LogDestinationConfigs": configs}
        return code(client.update_logging_configuration, FirewallArn=arn, LoggingConfiguration=logging)

    bucket, other = ("S3", {"bucketName": "a-bucket"}), ("S3", {"bucketName": "another"})
    group = ("CloudWatchLogs", {"logGroup": "a-group"})
    assert send(FLOW=bucket, ALERT=group) == "InvalidRequestException"
    assert send(FLOW=bucket) is None
    assert send(FLOW=other) is None
    assert send(FLOW=group) == "InvalidRequestException"
    assert send() is None

"""On which ARNs AWS authorises a call. A section per service, EC2 in a module of its own; add yours at its
place in the alphabet.

A function here gets the call and answers with ARNs (every one must be allowed), with ``*`` for calls
AWS offers nothing narrower for, or with nothing when it cannot tell. Then the evaluator errs on the
strict side: only ``Resource: "*"`` allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.organizations.models import organizations_backends

from tests.fake_aws.iam_actions import PREFIXES
from tests.fake_aws.iam_arns import ANY, Arns, Finder, Where, named, table, texts
from tests.fake_aws.iam_resources_of_ec2 import ec2
from tests.fake_aws.wire import Call


def resources(call: Call, where: Where) -> tuple[str | None, ...]:
    """Everything the call's own action must be allowed on; ``(None,)`` if that is not known."""
    finder = FINDERS.get(call.service)
    found = finder(call, where) if finder else ()
    return found or _own_arns(call) or (None,)


def _own_arns(call: Call) -> Arns:
    """ARNs of the service among the top-level parameters, which is how most newer APIs name things."""
    prefix = PREFIXES.get(call.service, call.service)
    found = [text for value in call.params.values() for text in texts(value)]
    return tuple(text for text in found if re.match(rf"arn:[\w-]+:{re.escape(prefix)}:", text))


# --- cloudtrail


def _cloudtrail(call: Call, where: Where) -> Arns:
    if call.operation in ("DescribeTrails", "ListTrails", "LookupEvents"):
        return ANY
    return named(call, where, {"Name": "trail/{}", "TrailName": "trail/{}"})


# --- cloudwatch


def _cloudwatch(call: Call, where: Where) -> Arns:
    if call.operation.startswith("Describe"):
        return ANY
    return named(call, where, {"AlarmName": "alarm:{}", "AlarmNames": "alarm:{}"})


# --- dynamodb


def _dynamodb(call: Call, where: Where) -> Arns:
    """What is asked of an index needs the right on the index; batches name their tables as keys."""
    if call.operation == "ListTables":
        return ANY
    if (index := call.params.get("IndexName")) is not None:
        return named(call, where, {"TableName": f"table/{{}}/index/{index}"})
    batch = {"RequestItems": list(call.params.get("RequestItems", ()))}
    batched = named(replace(call, params=batch), where, {"RequestItems": "table/{}"})
    return batched or named(call, where, {"TableName": "table/{}"})


# --- ecs


def _ecs(call: Call, where: Where) -> Arns:
    """AWS asks about what is in a cluster, and about the cluster itself only where there is nothing else."""
    kinds = {"task": "task/{}", "tasks": "task/{}", "service": "service/{}", "services": "service/{}"}
    kinds |= {"containerInstances": "container-instance/{}"}
    if call.operation == "ListContainerInstances":
        kinds = {"cluster": "cluster/{}"}
    elif call.operation.startswith("List") or call.operation == "DescribeTaskDefinition":
        return ANY
    return named(call, where, kinds)


# --- iam

_IAM_WHOLE_ACCOUNT = re.compile(
    r".*(AccountPasswordPolicy|AccountSummary|AccountAuthorizationDetails|CredentialReport|AccountAlias(es)?)"
    r"|List(Users|Roles|Groups|Policies|InstanceProfiles|VirtualMFADevices|ServerCertificates)"
)


_SERVICE_ROLES = {
    "config.amazonaws.com": "AWSServiceRoleForConfig",
}


def _iam(call: Call, where: Where) -> Arns:
    if _IAM_WHOLE_ACCOUNT.fullmatch(call.operation):
        return ANY
    params, backend = call.params, iam_backends[where.account_id][where.partition]
    start = f"arn:{where.partition}:iam::{where.account_id}"
    path = params.get("Path", "/")
    holders: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
        ("RoleName", "role", {role.name: role for role in backend.roles.values()}),
        # Before the user: a membership is changed at the group.
        ("GroupName", "group", backend.groups),
        ("UserName", "user", {user.name: user for user in backend.users.values()}),
        ("InstanceProfileName", "instance-profile", backend.instance_profiles),
    )
    if call.operation in ("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"):
        holders = holders[-1:]  # about the profile, whatever the role
    for parameter, kind, known in holders:
        if name := params.get(parameter):
            holder = known.get(name)
            return (holder.arn if holder else f"{start}:{kind}{path}{name}",)
    if arn := params.get("PolicyArn"):
        return (arn,)
    if service := params.get("AWSServiceName"):
        return (f"{start}:role/aws-service-role/{service}/{_SERVICE_ROLES[service]}",)
    if name := params.get("PolicyName"):
        return (f"{start}:policy{path}{name}",)
    if call.operation in ("GetUser", "ListAccessKeys", "CreateAccessKey", "ListMFADevices"):
        return (where.entity_arn,)  # without a name they are about the caller
    if key_id := params.get("AccessKeyId"):
        owners = [
            u.arn for u in backend.users.values() if any(k.access_key_id == key_id for k in u.access_keys)
        ]
        # Of a key that is nobody's here IAM learns no user; the service itself refuses it then.
        return tuple(owners) or (f"{start}:user/",)
    return ()


# --- kms


def _kms(call: Call, where: Where) -> Arns:
    if call.operation in ("CreateKey", "ListKeys", "ListAliases", "GenerateRandom"):
        return ANY
    start = f"arn:{where.partition}:kms:{call.region}:{where.account_id}"
    found = []
    if (alias := call.params.get("AliasName", "")).startswith("alias/"):
        found.append(f"{start}:{alias}")
    if key := call.params.get("KeyId") or call.params.get("TargetKeyId"):
        # A call that names an alias is authorised on the key behind it.
        backend = kms_backends[where.account_id][call.region]
        if "alias/" in key:
            key = backend.get_key_id_from_alias(backend.get_alias_name(key)) or "unknown"
        found.append(key if key.startswith("arn:") else f"{start}:key/{key}")
    return tuple(found)


# --- lambda


def _lambda(call: Call, where: Where) -> Arns:
    if call.operation == "ListEventSourceMappings" or (
        call.operation.startswith("List")
        and "FunctionName" not in call.params
        and "Resource" not in call.params
    ):
        return ANY
    return named(call, where, {"FunctionName": "function:{}"})


# --- logs


def _logs(call: Call, where: Where) -> Arns:
    start = f"arn:{where.partition}:logs:{call.region}:{where.account_id}:log-group:"
    # Who lists groups is asked for the group without a name.
    group = "" if call.operation == "DescribeLogGroups" else call.params.get("logGroupName")
    return () if group is None else (f"{start}{group}:log-stream:",)


# --- organizations


def _organizations(call: Call, where: Where) -> Arns:
    about = (
        call.params.get("ChildId") or call.params.get("ResourceId") or call.params.get("OrganizationalUnitId")
    )
    if about is not None:
        # AWS's own account of them all is the management account, whoever asks.
        owner, _ = organizations_backends.master_accounts.get(where.account_id, (where.account_id, ""))
        organization = organizations_backends[owner][where.partition].org
        kind = {"r": "root", "o": "ou"}.get(str(about)[0], "account")
        within = organization.id if organization else "o-none"
        return (f"arn:{where.partition}:organizations::{owner}:{kind}/{within}/{about}",)
    return ANY if call.operation.startswith(("List", "DescribeOrganization")) else ()


# --- s3


def _s3(call: Call, where: Where) -> Arns:
    bucket = call.params.get("Bucket")
    if bucket is None:
        return ANY
    start = f"arn:{where.partition}:s3:::{bucket}"
    if call.operation == "DeleteObjects":
        return tuple(f"{start}/{item['Key']}" for item in call.params["Delete"]["Objects"])
    key = call.params.get("Key")
    return (start if key is None else f"{start}/{key}",)


def _s3control(call: Call, where: Where) -> Arns:
    return ANY if call.operation.endswith("PublicAccessBlock") else ()


# --- sns, sqs


def _sns(call: Call, where: Where) -> Arns:
    if call.operation in ("ListTopics", "ListSubscriptions"):
        return ANY
    if call.operation == "GetSubscriptionAttributes":
        # Of a subscription IAM knows the topic.
        return (str(call.params.get("SubscriptionArn", "")).rpartition(":")[0],)
    return named(call, where, {"TopicArn": "{}", "TargetArn": "{}", "Name": "{}", "ResourceArn": "{}"})


def _sqs(call: Call, where: Where) -> Arns:
    if call.operation == "ListQueues":
        return ANY
    name = call.params.get("QueueName") or str(call.params.get("QueueUrl", "")).rsplit("/", 1)[-1]
    return (f"arn:{where.partition}:sqs:{call.region}:{where.account_id}:{name}",) if name else ()


# --- ssm


def _ssm(call: Call, where: Where) -> Arns:
    kinds = {"Name": "document/{}"} if call.operation.endswith("DocumentPermission") else {}
    if call.operation == "GetParameter":
        # The first slash of a name is the one after the kind; a version or label after a colon is no part of it.
        name = str(call.params["Name"]).removeprefix("/").partition(":")[0]
        return (f"arn:{where.partition}:ssm:{call.region}:{where.account_id}:parameter/{name}",)
    return named(call, where, kinds)


# --- sts


def _sts(call: Call, where: Where) -> Arns:
    arn = call.params.get("RoleArn")
    return (arn,) if arn else ANY


def _nothing_narrower(_call: Call, _where: Where) -> Arns:
    """For services that AWS authorises on no resource in particular."""
    return ANY


FINDERS: Mapping[str, Finder] = {
    "config": _nothing_narrower,
    "resourcegroupstaggingapi": _nothing_narrower,
    "route53domains": _nothing_narrower,
    "cloudtrail": _cloudtrail,
    "cloudwatch": _cloudwatch,
    "dynamodb": _dynamodb,
    "ec2": ec2,
    "ecs": _ecs,
    "ecr": table({"repositoryName": "repository/{}"}),
    "eks": table({"name": "cluster/{}"}),
    "elb": table({"LoadBalancerName": "loadbalancer/{}"}),
    "firehose": table({"DeliveryStreamName": "deliverystream/{}"}),
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "organizations": _organizations,
    "rds": table(
        {
            "DBInstanceIdentifier": "db:{}",
            "DBClusterIdentifier": "cluster:{}",
            "DBSnapshotIdentifier": "snapshot:{}",
            "DBClusterSnapshotIdentifier": "cluster-snapshot:{}",
            "ResourceName": "{}",
        }
    ),
    "s3": _s3,
    "s3control": _s3control,
    "secretsmanager": table({"SecretId": "secret:{}"}),
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "sts": _sts,
}

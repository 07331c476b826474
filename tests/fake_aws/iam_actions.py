"""Which IAM actions a call needs, spelled as IAM spells them, where that differs from the API's name.

A section per service; add yours at its place in the alphabet. Sources: AWS's Service Authorization
Reference, and for S3 the page on permissions of S3 API operations.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.wire import Call

# botocore's service name -> prefix of its IAM actions, where they differ.
PREFIXES: Mapping[str, str] = {
    "accessanalyzer": "access-analyzer",
    "amp": "aps",
    "apigatewayv2": "apigateway",
    "cloudwatch": "cloudwatch",
    "dynamodbstreams": "dynamodb",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "opensearch": "es",
    "opensearchserverless": "aoss",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sesv2": "ses",
    "stepfunctions": "states",
}

# service:Operation -> what IAM calls it.
NAMES: Mapping[str, str] = {
    # lambda
    "lambda:GetLayerVersionByArn": "lambda:GetLayerVersion",
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    # s3
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteBucketAnalyticsConfiguration": "s3:PutAnalyticsConfiguration",
    "s3:DeleteBucketCors": "s3:PutBucketCORS",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketIntelligentTieringConfiguration": "s3:PutIntelligentTieringConfiguration",
    "s3:DeleteBucketInventoryConfiguration": "s3:PutInventoryConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketMetricsConfiguration": "s3:PutMetricsConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketReplication": "s3:PutReplicationConfiguration",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketAnalyticsConfiguration": "s3:GetAnalyticsConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketIntelligentTieringConfiguration": "s3:GetIntelligentTieringConfiguration",
    "s3:GetBucketInventoryConfiguration": "s3:GetInventoryConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketMetricsConfiguration": "s3:GetMetricsConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:PutBucketAccelerateConfiguration": "s3:PutAccelerateConfiguration",
    "s3:PutBucketAnalyticsConfiguration": "s3:PutAnalyticsConfiguration",
    "s3:PutBucketCors": "s3:PutBucketCORS",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketIntelligentTieringConfiguration": "s3:PutIntelligentTieringConfiguration",
    "s3:PutBucketInventoryConfiguration": "s3:PutInventoryConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketMetricsConfiguration": "s3:PutMetricsConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutBucketReplication": "s3:PutReplicationConfiguration",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:UploadPart": "s3:PutObject",
    # s3control
    "s3control:DeletePublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "s3control:PutPublicAccessBlock": "s3:PutAccountPublicAccessBlock",
    # sns, sqs
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

# Checked besides the call's own action, and named after no operation of any API.
PERMISSION_ONLY = frozenset({
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "iam:PassRole", "s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:GetObjectVersionAcl",
    "s3:PutObjectVersionAcl", "s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging",
    "s3:BypassGovernanceRetention", "sts:SetSourceIdentity",
})  # fmt: skip

_ROLE_PARAMETER = re.compile(r"role(_?arn)?$|^serviceRole$|PermissionArn$", re.IGNORECASE)


def iam_action(service: str, operation: str) -> str:
    """The IAM action of an operation: the first one that AWS checks."""
    return NAMES.get(f"{service}:{operation}") or f"{PREFIXES.get(service, service)}:{operation}"


@functools.cache
def real_actions(prefix: str) -> frozenset[str]:
    """Every IAM action of a prefix, derived from botocore's service models and the tables above.

    Empty for a prefix no service has.
    """
    services = {prefix, *(service for service, theirs in PREFIXES.items() if theirs == prefix)}
    found = {action for action in PERMISSION_ONLY if action.startswith(f"{prefix}:")}
    for service in services & set(_available_services()):
        if PREFIXES.get(service, service) == prefix:
            found |= {iam_action(service, name) for name in get_service_model(service).operation_names}
    return frozenset(found)


@functools.cache
def _available_services() -> tuple[str, ...]:
    return tuple(botocore.session.get_session().get_available_services())


def own_action(call: Call) -> str:
    """The IAM action of this very call, which can depend on its parameters."""
    if PREFIXES.get(call.service, call.service) == "apigateway":
        return f"apigateway:{call.method}"  # API Gateway is authorised by HTTP verb
    if call.service == "s3" and call.params.get("VersionId"):
        versioned = re.sub(r"Object", "ObjectVersion", iam_action(call.service, call.operation))
        if versioned in PERMISSION_ONLY:
            return versioned
    return iam_action(call.service, call.operation)


def also_needed(call: Call) -> Iterator[tuple[str, str | None]]:
    """Further actions AWS checks for this call, each with the resource it is checked on."""
    params = call.params
    if call.service == "ec2" and params.get("TagSpecifications") and call.operation != "CreateTags":
        # Tags on creation are a right of their own; nothing is created without it.
        for specification in params["TagSpecifications"]:
            if specification.get("Tags"):
                kind = specification.get("ResourceType", "*")
                # ARNs of images and snapshots leave the account out.
                owner = "" if kind in ("image", "snapshot") else "{account}"
                yield "ec2:CreateTags", f"arn:{{partition}}:ec2:{call.region}:{owner}:{kind}/*"
    if call.name == "ec2:CreateFlowLogs" and params.get("LogDestinationType") == "s3":
        yield "logs:CreateLogDelivery", "*"
    if call.name == "ec2:DeleteFlowLogs":
        live = ec2_backends[call.account_id][call.region].flow_logs
        if any(log.log_destination_type == "s3" for log in live.values() if log.id in params["FlowLogIds"]):
            yield "logs:DeleteLogDelivery", "*"
    if call.service == "iam" and call.operation.startswith("Create") and params.get("Tags"):
        kind = call.operation.removeprefix("Create")
        yield f"iam:Tag{kind}", f"arn:{{partition}}:iam::{{account}}:{_iam_kind(kind)}/*"
    if call.service == "kms" and call.operation == "CreateKey" and params.get("Tags"):
        yield "kms:TagResource", f"arn:{{partition}}:kms:{call.region}:{{account}}:key/*"
    if call.name == "secretsmanager:UpdateSecret" and ":key/" in params.get("KmsKeyId", ""):
        # The secret is encrypted anew with the caller's rights on the customer's key.
        for action in ("GenerateDataKey", "Decrypt", "Encrypt"):
            yield f"kms:{action}", params["KmsKeyId"]
    if call.service == "kms" and call.operation == "CreateKey" and params.get("Policy"):
        # Whoever brings a policy must be able to change it later, or AWS fears that nobody can.
        yield "kms:PutKeyPolicy", f"arn:{{partition}}:kms:{call.region}:{{account}}:key/*"
    if call.name in ("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"):
        for layer in params.get("Layers") or ():
            yield "lambda:GetLayerVersion", layer
    if call.name == "sqs:CreateQueue" and params.get("tags"):
        name = params.get("QueueName", "*")
        yield "sqs:TagQueue", f"arn:{{partition}}:sqs:{call.region}:{{account}}:{name}"
    if call.name in _PUT_ROLES_ON_INSTANCES:
        for role in _roles_for_instances(call):
            yield "iam:PassRole", role
    if call.name == "network-firewall:UpdateLoggingConfiguration":
        yield from _log_delivery(params["LoggingConfiguration"])
    if call.service not in ("iam", "sts"):
        for role in sorted(set(_roles(params))):
            yield "iam:PassRole", role


def _log_delivery(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What AWS's log delivery asks of the caller, as Network Firewall's guide lists it for each destination."""
    for name in (
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
    ):
        yield f"logs:{name}", "*"
    for each in configuration.get("LogDestinationConfigs", ()):
        match each["LogDestinationType"]:
            case "S3":
                bucket = f"arn:{{partition}}:s3:::{each['LogDestination']['bucketName']}"
                yield from (("s3:GetBucketPolicy", bucket), ("s3:PutBucketPolicy", bucket))
            case "CloudWatchLogs":
                for name in ("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"):
                    yield f"logs:{name}", "*"
            case _:
                role = "role/aws-service-role/delivery.logs.amazonaws.com/AWSServiceRoleForLogDelivery"
                yield "iam:CreateServiceLinkedRole", f"arn:{{partition}}:iam::{{account}}:{role}"
                stream = each["LogDestination"]["deliveryStream"]
                yield (
                    "firehose:TagDeliveryStream",
                    f"arn:{{partition}}:firehose:*:{{account}}:deliverystream/{stream}",
                )


# service:Operation -> the service principal that gets the role, where it is not the called service.
PASSED_TO: Mapping[str, str] = {
    "ec2:CreateFlowLogs": "vpc-flow-logs.amazonaws.com",
    "iam:AddRoleToInstanceProfile": "ec2.amazonaws.com",
}

# Calls that hand EC2 the role of an instance profile without naming its ARN.
_PUT_ROLES_ON_INSTANCES = frozenset({
    "ec2:AssociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation",
    "iam:AddRoleToInstanceProfile",
})  # fmt: skip


def _roles_for_instances(call: Call) -> Iterator[str]:
    backend = iam_backends[call.account_id][get_partition(call.region)]
    if name := call.params.get("RoleName"):
        yield from (role.arn for role in backend.get_roles() if role.name == name)
    wanted = call.params.get("IamInstanceProfile") or {}
    for profile in backend.get_instance_profiles():
        if wanted.get("Arn") == profile.arn or wanted.get("Name") == profile.name:
            yield from (role.arn for role in profile.roles)


def passed_to(call: Call) -> str:
    """The service principal a role in the call's parameters is handed to."""
    return PASSED_TO.get(call.name, f"{PREFIXES.get(call.service, call.service)}.amazonaws.com")


def _iam_kind(word: str) -> str:
    return {"InstanceProfile": "instance-profile", "VirtualMFADevice": "mfa"}.get(word, word.lower())


def _roles(value: Any, key: str = "") -> Iterator[str]:
    """ARNs of roles handed to a service, however deep in the parameters."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _roles(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _roles(inner, key)
    elif (
        isinstance(value, str)
        and _ROLE_PARAMETER.search(key)
        and re.match(r"arn:[\w-]+:iam::\d+:role/", value)
    ):
        yield value

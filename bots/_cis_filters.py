"""What the CIS benchmark wants to be told about, as filter patterns over CloudTrail's records.

The patterns have the form that CIS from 1.4 on, Security Hub and the usual scanners all accept: no
terms more and none fewer, and where CIS names an event source it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field

from bots._words import Word

FilterName = Literal[
    "UnauthorizedApiCalls",
    "NoMfaConsoleLogins",
    "RootAccountLogins",
    "IamPolicyChanges",
    "CloudTrailConfigurationChanges",
    "FailedConsoleLogins",
    "DisabledOrDeletedCmks",
    "S3BucketPolicyChanges",
    "AwsConfigChanges",
    "SecurityGroupChanges",
    "NetworkAccessControlListChanges",
    "NetworkGatewayChanges",
    "RouteTableChanges",
    "VpcChanges",
    "OrganizationsChanges",
]
NAMES: tuple[FilterName, ...] = get_args(FilterName)
FilterNames = Annotated[
    tuple[Literal[FilterName, "all"], ...],
    Field(min_length=1, description=f"event classes to watch: {', '.join(NAMES)}, or all"),
    Word(rest=True),
]


def chosen(words: FilterNames) -> tuple[FilterName, ...]:
    """The event classes that are named, in CIS's order; every one if ``all`` is among the words."""
    return tuple(name for name in NAMES if name in words or "all" in words)


def _events(names: str) -> str:
    return " || ".join(f"($.eventName = {name})" for name in names.split())


def _of(source: str, names: str) -> str:
    return f"{{ ($.eventSource = {source}.amazonaws.com) && ({_events(names)}) }}"


def _any(names: str) -> str:
    return f"{{ {_events(names)} }}"


PATTERNS: Mapping[FilterName, str] = {
    "UnauthorizedApiCalls": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    "NoMfaConsoleLogins": (
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") '
        '&& ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }'
    ),
    "RootAccountLogins": (
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS '
        '&& $.eventType != "AwsServiceEvent" }'
    ),
    "IamPolicyChanges": _of(
        "iam",
        "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy CreatePolicy "
        "DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy "
        "DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
    ),
    "CloudTrailConfigurationChanges": _any("CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging"),
    "FailedConsoleLogins": '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    "DisabledOrDeletedCmks": _of("kms", "DisableKey ScheduleKeyDeletion"),
    "S3BucketPolicyChanges": _of(
        "s3",
        "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy "
        "DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
    ),
    "AwsConfigChanges": _of(
        "config",
        "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
    ),
    "SecurityGroupChanges": _any(
        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
        "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup"
    ),
    "NetworkAccessControlListChanges": _any(
        "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry "
        "ReplaceNetworkAclAssociation"
    ),
    "NetworkGatewayChanges": _any(
        "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway "
        "DeleteInternetGateway DetachInternetGateway"
    ),
    "RouteTableChanges": _of(
        "ec2",
        "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute "
        "DisassociateRouteTable",
    ),
    "VpcChanges": _any(
        "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
        "DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc "
        "DisableVpcClassicLink EnableVpcClassicLink"
    ),
    "OrganizationsChanges": _of(
        "organizations",
        "AcceptHandshake AttachPolicy CancelHandshake CreateAccount CreateOrganization CreateOrganizationalUnit "
        "CreatePolicy DeclineHandshake DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy "
        "DisablePolicyType EnableAllFeatures EnablePolicyType InviteAccountToOrganization LeaveOrganization "
        "MoveAccount RemoveAccountFromOrganization UpdateOrganizationalUnit UpdatePolicy",
    ),
}


def same_pattern(one: str, other: str) -> bool:
    """Whether two patterns say the same, blanks and quotation marks aside."""
    return _bare(one) == _bare(other)


def _bare(pattern: str) -> str:
    return "".join(letter for letter in pattern if not letter.isspace() and letter != '"')

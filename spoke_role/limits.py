"""What the spoke role may never do, whatever else is attached to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from bots._bot import AnyBot
from spoke_role.documents import PARTITION, Document, Statement, document, own_policies, role

# Writing to a role or to a policy; reading them is harmless. PassRole hands a role to a service.
ROLE_CHANGES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
POLICY_CHANGES = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:TagPolicy",
    "iam:UntagPolicy",
)
ATTACHING = ("iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy")

# Ways to new powers or new credentials: identities and trust, secrets, and code that runs as another role. Whatever
# of it no bot declares is denied outright, so that it stays denied when somebody attaches another policy to the role.
# A pattern that matches what a bot declares is left out as a whole. Not among them: kms:CreateGrant, which EC2 asks
# for in the caller's name when it starts an instance with an encrypted volume.
ESCALATIONS = (
    "account:*",
    "airflow:*",
    "amplify:*",
    "apprunner:*",
    "autoscaling:*",
    "batch:*",
    "bedrock-agentcore:*",
    "cloudformation:*",
    "cloudshell:*",
    "codebuild:*",
    "codedeploy:*",
    "codepipeline:*",
    "codestar:*",
    "cognito-identity:*",
    "datapipeline:*",
    "ec2-instance-connect:*",
    "ec2:*LaunchTemplate*",
    "ec2:CreateFleet",
    "ec2:GetPasswordData",
    "ec2:ModifyInstanceAttribute",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "ec2:RequestSpot*",
    "ec2:RunInstances",
    "ecs:CreateService",
    "ecs:ExecuteCommand",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:StartTask",
    "eks:*AccessEntry",
    "eks:*PodIdentityAssociation",
    "eks:AssociateAccessPolicy",
    "elasticbeanstalk:*",
    "elasticmapreduce:*",
    "events:PutTargets",
    "glue:*",
    "iam:*DelegationRequest",
    "iam:*OpenIDConnectProvider*",
    "iam:*SAMLProvider",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:ChangePassword",
    "iam:CreateAccessKey",
    "iam:CreateInstanceProfile",
    "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:CreateVirtualMFADevice",
    "iam:DeactivateMFADevice",
    "iam:EnableMFADevice",
    "iam:EnableOrganizationsRoot*",
    "iam:PutGroupPolicy",
    "iam:ResetServiceSpecificCredential",
    "iam:ResyncMFADevice",
    "iam:UpdateAssumeRolePolicy",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
    "imagebuilder:*",
    "iot:CreateRoleAlias",
    "lambda:AddPermission",
    "lambda:Create*",
    "lambda:Invoke*",
    "lambda:UpdateFunctionCode",
    "lightsail:*",
    "organizations:*",
    "pipes:*",
    "proton:*",
    "redshift-serverless:GetCredentials",
    "redshift:GetClusterCredentials*",
    "rolesanywhere:*",
    "sagemaker:*",
    "scheduler:*",
    "secretsmanager:*SecretValue",
    "ssm:*Association*",
    "ssm:*Command*",
    "ssm:*Maintenance*",
    "ssm:*Session",
    "ssm:GetParameter*",
    "ssm:StartAutomationExecution",
    "sso:*",
    "states:*",
    "sts:Assume*",
    "sts:GetFederationToken",
    "transfer:*",
)

# Roles the organization's own administrators and StackSets come in by. Whoever may change one of them
# is an administrator of the account.
DOORS = (
    "AWSCloudFormationStackSetExecutionRole",
    "AWSControlTowerExecution",
    "OrganizationAccountAccessRole",
    "stacksets-exec-*",
)
# Managed policies of AWS that make an administrator of whoever gets them.
ADMINISTRATORS = ("AdministratorAccess", "IAMFullAccess", "PowerUserAccess")


def limits(bots: Iterable[AnyBot]) -> Document:
    """Denials that hold for every resource, one policy long."""
    declared = {action for bot in bots for action in bot.actions}
    undeclared = [pattern for pattern in ESCALATIONS if not any(_covers(pattern, each) for each in declared)]
    roles = ("${RoleName}", *DOORS)
    attached = [f"arn:{PARTITION}:iam::aws:policy/{name}" for name in ADMINISTRATORS]
    return document([
        _deny("NotItselfNorTheDoors", ROLE_CHANGES, [*map(role, roles), _hub_role()]),
        _deny("NotItsOwnPolicies", POLICY_CHANGES, [own_policies()]),
        _deny("NoAdministrators", ATTACHING, ["*"])
        | {"Condition": {"ArnLike": {"iam:PolicyARN": [*attached, own_policies()]}}},
        _deny("NoNewPowers", undeclared, ["*"]),
        _deny("NotTheHubsKey", ["kms:*"], [_hubs("kms", "key/*")])
        | {"Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/${HubRoleName}"]}}},
        _deny("NotWhatTheHubStandsOn", ["*"], _hub_resources()),
    ])  # fmt: skip


def _covers(pattern: str, action: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _deny(sid: str, actions: Sequence[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": resources}


def _hub_role() -> str:
    return f"arn:{PARTITION}:iam::${{HubAccountId}}:role/${{HubRoleName}}*"


def _hub_resources() -> list[str]:
    """Everything deploy/hub.yaml makes begins with the hub role's name, the two topics and the key excepted. The
    archive's bucket has the name it gets where none is given."""
    hub = "${HubRoleName}*"
    return [
        _hubs("cloudformation", f"stack/{hub}/*"),
        _hubs("cloudwatch", f"alarm:{hub}"),
        _hubs("dynamodb", f"table/{hub}"),
        _hubs("firehose", f"deliverystream/{hub}"),
        _hubs("kms", f"alias/{hub}"),
        _hubs("lambda", f"function:{hub}"),
        _hubs("logs", f"log-group:/aws/lambda/{hub}"),
        _hubs("logs", f"log-group:{hub}"),
        f"arn:{PARTITION}:s3:::remediation-hub-reports-${{HubAccountId}}-*",
        _hubs("sns", hub),
        _hubs("sns", "${InputTopicName}"),
        _hubs("sns", "${OutputTopicName}"),
        _hubs("sqs", hub),
        # The stack this role itself comes from, in a StackSet or by hand.
        "${AWS::StackId}",
    ]


def _hubs(service: str, name: str) -> str:
    return f"arn:{PARTITION}:{service}:*:${{HubAccountId}}:{name}"

"""Known ways from a role's rights to more rights: shut, or opened knowingly by what a bot has to do."""

from __future__ import annotations

import json
import re

import pytest

from bots._catalogue import names
from spoke_role.limits import limits
from spoke_role.policy import select
from tests.fake_aws.strict_iam import Request, Word, spoken
from tests.spoke_role.reading import substituted

EVERY = select(names())
ELSEWHERE = "arn:aws:x:::somewhere"

# What published research on IAM counts as a way up, the first action of each: new credentials, changed rights or
# trust, code that runs as a role that is passed or is there already, other accounts.
KNOWN_WAYS = re.findall(r"\S+", """
    iam:CreateAccessKey iam:CreateLoginProfile iam:UpdateLoginProfile iam:CreateServiceSpecificCredential
    iam:ResetServiceSpecificCredential iam:UploadSSHPublicKey iam:UploadSigningCertificate iam:ChangePassword
    iam:DeactivateMFADevice iam:EnableMFADevice iam:ResyncMFADevice iam:CreateVirtualMFADevice iam:CreateUser
    iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:CreatePolicy iam:AttachUserPolicy
    iam:AttachGroupPolicy iam:AttachRolePolicy iam:PutUserPolicy iam:PutGroupPolicy iam:PutRolePolicy
    iam:AddUserToGroup iam:DeleteUserPolicy iam:DetachUserPolicy iam:DeleteRolePolicy iam:DetachRolePolicy
    iam:DeleteGroupPolicy iam:DeleteUserPermissionsBoundary iam:DeleteRolePermissionsBoundary
    iam:PutUserPermissionsBoundary iam:PutRolePermissionsBoundary iam:UpdateAssumeRolePolicy iam:CreateRole
    iam:PassRole iam:AddRoleToInstanceProfile iam:CreateInstanceProfile iam:CreateSAMLProvider
    iam:UpdateSAMLProvider iam:CreateOpenIDConnectProvider iam:UpdateOpenIDConnectProviderThumbprint
    iam:AddClientIDToOpenIDConnectProvider iam:CreateDelegationRequest iam:AcceptDelegationRequest
    iam:EnableOrganizationsRootSessions iam:EnableOrganizationsRootCredentialsManagement sts:AssumeRole
    sts:AssumeRoot sts:AssumeRoleWithSAML sts:AssumeRoleWithWebIdentity sts:GetFederationToken
    rolesanywhere:CreateProfile rolesanywhere:CreateTrustAnchor cognito-identity:SetIdentityPoolRoles
    sso:CreateAccountAssignment sso:PutInlinePolicyToPermissionSet organizations:LeaveOrganization
    account:PutAlternateContact account:StartPrimaryEmailUpdate ec2:RunInstances ec2:RequestSpotInstances
    ec2:RequestSpotFleet ec2:CreateFleet ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate
    ec2:ModifyInstanceAttribute ec2:AssociateIamInstanceProfile ec2:ReplaceIamInstanceProfileAssociation
    ec2:GetPasswordData ec2-instance-connect:SendSSHPublicKey ec2-instance-connect:SendSerialConsoleSSHPublicKey
    autoscaling:CreateLaunchConfiguration autoscaling:UpdateAutoScalingGroup lambda:CreateFunction
    lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:CreateEventSourceMapping
    lambda:CreateFunctionUrlConfig lambda:InvokeFunction lambda:AddPermission cloudformation:CreateStack
    cloudformation:UpdateStack cloudformation:ExecuteChangeSet cloudformation:UpdateStackSet
    glue:CreateDevEndpoint glue:UpdateDevEndpoint glue:CreateJob glue:UpdateJob glue:CreateSession
    datapipeline:CreatePipeline datapipeline:PutPipelineDefinition codestar:CreateProject
    codestar:AssociateTeamMember codebuild:CreateProject codebuild:UpdateProject codebuild:StartBuild
    codepipeline:CreatePipeline codedeploy:CreateDeployment sagemaker:CreateNotebookInstance
    sagemaker:CreatePresignedNotebookInstanceUrl sagemaker:CreateTrainingJob sagemaker:CreateProcessingJob
    sagemaker:UpdateNotebookInstanceLifecycleConfig ecs:RegisterTaskDefinition ecs:RunTask ecs:StartTask
    ecs:CreateService ecs:UpdateService ecs:ExecuteCommand ssm:SendCommand ssm:StartSession ssm:ResumeSession
    ssm:StartAutomationExecution ssm:CreateAssociation ssm:RegisterTaskWithMaintenanceWindow
    states:CreateStateMachine states:UpdateStateMachine scheduler:CreateSchedule events:PutTargets
    pipes:CreatePipe apprunner:CreateService batch:RegisterJobDefinition elasticmapreduce:RunJobFlow
    elasticbeanstalk:UpdateEnvironment eks:CreateAccessEntry eks:AssociateAccessPolicy
    eks:CreatePodIdentityAssociation amplify:CreateApp bedrock-agentcore:CreateCodeInterpreter
    imagebuilder:CreateImageRecipe iot:CreateRoleAlias transfer:CreateUser airflow:CreateWebLoginToken
    cloudshell:CreateEnvironment lightsail:DownloadDefaultKeyPair proton:CreateService
    secretsmanager:GetSecretValue ssm:GetParameter redshift:GetClusterCredentials
""")  # fmt: skip

# What bots need to do their work, and what holds it in. A session has the rights of one bot only; nothing here
# reaches the spoke role itself, its policies, the roles administrators come in by, or administrators' policies.
OPEN = {
    "ec2:AssociateIamInstanceProfile",
    "ecs:UpdateService",
    "iam:AddRoleToInstanceProfile",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:DeleteGroupPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateLoginProfile",
    "lambda:UpdateFunctionConfiguration",
}


def word(action: str, resource: str = ELSEWHERE) -> Word:
    """What the limits of the role for all bots, optional ones too, say."""
    document = substituted(json.dumps(limits(EVERY)))
    return spoken([document], Request(action=action, resource=resource, context={}))


@pytest.mark.parametrize("action", KNOWN_WAYS)
def test_a_known_way_up_is_shut_unless_a_bot_has_to_go_it(action: str) -> None:
    assert word(action) is (Word.SILENT if action in OPEN else Word.DENY)


def test_what_stands_open_is_what_bots_declare() -> None:
    declared = {action for bot in EVERY for action in bot.actions}
    assert {action for action in KNOWN_WAYS if action in declared} == OPEN


def test_a_role_without_bots_that_change_identities_leaves_few_ways_open() -> None:
    mild = [bot for bot in EVERY if not any(action.startswith("iam:") for action in bot.writes)]
    declared = {action for bot in mild for action in bot.actions}
    assert declared & set(KNOWN_WAYS) == {"ecs:UpdateService", "lambda:UpdateFunctionConfiguration"}
    assert len(mild) > len(EVERY) / 2


@pytest.mark.parametrize("action", sorted(OPEN & {
    "iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
    "iam:PassRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:CreateRole",
}))  # fmt: skip
@pytest.mark.parametrize("role", ["Dome9CloudBots", "OrganizationAccountAccessRole", "stacksets-exec-1"])
def test_what_stands_open_does_not_reach_the_role_itself_nor_the_administrators_doors(
    action: str, role: str
) -> None:
    assert word(action, f"arn:aws:iam::222233334444:role/{role}") is Word.DENY

"""What the spoke role may do and what it may never do, made from the bots' headers.

Nothing here is AWS's to answer: documents go in as data and come out as data. ARNs are written for
CloudFormation's ``Fn::Sub``: ``${AWS::Partition}``, ``${AWS::AccountId}`` and the template's parameters.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bots import _catalogue
from bots._bot import AnyBot, Risk
from bots._grants import Grant, grants

Statement = dict[str, Any]
Document = dict[str, Any]

# IAM's quotas: characters of a managed policy without white space, and managed policies of one role.
POLICY_CHARACTERS = 6144
MANAGED_POLICIES = 10

PARTITION = "${AWS::Partition}"
ACCOUNT = "${AWS::AccountId}"

# The longest text that can take the place of each name, for measuring.
LONGEST = {
    "AWS::Partition": "aws-us-gov",
    "AWS::AccountId": "0" * 12,
    "AWS::StackId": "s" * 256,
    "HubAccountId": "0" * 12,
    "HubRoleName": "h" * 48,
    "RoleName": "r" * 64,
    "InputTopicName": "i" * 64,
    "OutputTopicName": "o" * 64,
}

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

# Ways to new powers or new credentials. Whatever of it no bot declares is denied outright, so that it
# stays denied when somebody attaches another policy to the role.
ESCALATIONS = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreateSAMLProvider",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:CreateVirtualMFADevice",
    "iam:DeactivateMFADevice",
    "iam:EnableMFADevice",
    "iam:PutGroupPolicy",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateOpenIDConnectProviderThumbprint",
    "iam:UpdateSAMLProvider",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
    "organizations:LeaveOrganization",
    "sts:AssumeRole",
    "sts:AssumeRoot",
    "sts:GetFederationToken",
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


class TooLarge(Exception):
    """The permissions do not fit into IAM's quotas."""


def select(
    names: Iterable[str] | None = None,
    max_risk: Risk | None = None,
    catalogue: _catalogue.Catalogue | None = None,
) -> tuple[AnyBot, ...]:
    """Bots by name (or alias), at most of a risk; by default all but the optional ones. Alphabetical, each once.

    Args:
        catalogue: the bots there are; this project's by default.

    Raises:
        UnknownBot: a name that no bot has.
        BrokenBot: one of a user's own bots cannot be loaded.
    """
    known = catalogue or _catalogue.Catalogue()
    wanted = map(known.bot_named, known.names() if names is None else names)
    found = {bot.name: bot for bot in wanted if names is not None or not bot.optional}
    return tuple(
        found[name] for name in sorted(found) if max_risk is None or found[name].risk.rank <= max_risk.rank
    )


def document(statements: Sequence[Statement]) -> Document:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def size(policy: Document) -> int:
    """Characters as IAM counts them, white space left out, with the longest values filled in."""
    text = json.dumps(policy, separators=(",", ":"))
    for name, value in LONGEST.items():
        text = text.replace(f"${{{name}}}", value)
    return len(re.sub(r"\s", "", text))


def allowances(bots: Iterable[AnyBot]) -> tuple[Document, ...]:
    """What the bots may do: as many managed policies as it takes, one less than a role may have.

    Raises:
        TooLarge: it takes more.
    """
    policies: list[Document] = []
    statements: list[Statement] = []
    for single in _single(grants(bots)):
        longer = _with(statements, single)
        if size(document(longer)) > POLICY_CHARACTERS:
            policies.append(document(statements))
            longer = _with([], single)
        statements = longer
    if statements:
        policies.append(document(statements))
    if len(policies) >= MANAGED_POLICIES:
        raise TooLarge(
            f"the bots' permissions fill {len(policies)} managed policies and a role takes {MANAGED_POLICIES}, "
            "one of them with the limits; choose fewer bots"
        )
    return tuple(policies)


def _single(granted: Iterable[Grant]) -> Iterator[Statement]:
    for grant in granted:
        statement = grant.statement(partition=PARTITION, account=ACCOUNT)
        for action in grant.actions:
            yield {**statement, "Action": [action]}


def _with(statements: list[Statement], single: Statement) -> list[Statement]:
    """The statements and one more action, in the last one if that is about the same resources."""
    last = statements[-1] if statements else None
    if last is not None and {**last, "Action": single["Action"]} == single:
        return [*statements[:-1], {**last, "Action": [*last["Action"], *single["Action"]]}]
    return [*statements, single]


def limits(bots: Iterable[AnyBot]) -> Document:
    """What the role may never do, whatever else is attached to it."""
    declared = {action for bot in bots for action in bot.actions}
    undeclared = [action for action in ESCALATIONS if action not in declared]
    roles = ("${RoleName}", *DOORS)
    attached = [f"arn:{PARTITION}:iam::aws:policy/{name}" for name in ADMINISTRATORS]
    return document([
        _deny("NotItselfNorTheDoors", ROLE_CHANGES, [*map(_role, roles), _hub_role()]),
        _deny("NotItsOwnPolicies", POLICY_CHANGES, [_own_policies()]),
        _deny("NoAdministrators", ATTACHING, ["*"])
        | {"Condition": {"ArnLike": {"iam:PolicyARN": [*attached, _own_policies()]}}},
        _deny("NoNewPowers", undeclared, ["*"]),
        _deny("NotWhatTheHubStandsOn", ["*"], _hub_resources()),
    ])  # fmt: skip


def _deny(sid: str, actions: Sequence[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": resources}


def _role(name: str) -> str:
    return f"arn:{PARTITION}:iam::{ACCOUNT}:role/{name}"


def _hub_role() -> str:
    return f"arn:{PARTITION}:iam::${{HubAccountId}}:role/${{HubRoleName}}*"


def _own_policies() -> str:
    return f"arn:{PARTITION}:iam::{ACCOUNT}:policy/${{RoleName}}-*"


def _hub_resources() -> list[str]:
    """Everything deploy/hub.yaml makes begins with the hub role's name, the two topics excepted."""
    hub = "${HubRoleName}*"
    return [
        _hubs("cloudformation", f"stack/{hub}/*"),
        _hubs("cloudwatch", f"alarm:{hub}"),
        _hubs("dynamodb", f"table/{hub}"),
        _hubs("lambda", f"function:{hub}"),
        _hubs("logs", f"log-group:/aws/lambda/{hub}"),
        _hubs("sns", hub),
        _hubs("sns", "${InputTopicName}"),
        _hubs("sns", "${OutputTopicName}"),
        _hubs("sqs", hub),
        # The stack this role itself comes from, in a StackSet or by hand.
        "${AWS::StackId}",
    ]


def _hubs(service: str, name: str) -> str:
    return f"arn:{PARTITION}:{service}:*:${{HubAccountId}}:{name}"


def version(policies: Iterable[Document]) -> str:
    """Twelve digits that change when, and only when, the permissions do."""
    text = json.dumps(list(policies), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]

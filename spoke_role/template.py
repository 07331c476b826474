"""The CloudFormation template of the spoke role, as text that a reviewer can read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from bots._bot import AnyBot
from spoke_role.documents import Document, Statement
from spoke_role.policy import LIMITS, choice, policies, version
from spoke_role.tags import BOTS_TAG, CHOSEN_POLICY, OPT_OUT_POLICY, VERSION_TAG

# CreateStack and CreateStackSet take no longer text; a longer one would have to be fetched from S3.
TEMPLATE_BYTES = 51_200

FRAME = r"""# Generated from the headers in bots/ by `python -m spoke_role.generate`; do not edit.
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  The role a remediation hub enters this account with. It may do what the hub's bots declare and
  nothing else, and only the hub's own role can enter it. Deploy it as a StackSet with
  service-managed permissions to all accounts to protect. StackSets leave out the management
  account; there, and in the hub's own account, deploy it as a plain stack.

Parameters:
  HubAccountId:
    Type: String
    Description: The account the hub runs in.
    AllowedPattern: "^[0-9]{12}$"
    ConstraintDescription: must be a 12-digit account id
  HubRoleName:
    Type: String
    Description: Name of the hub's role, the output HubRoleName of the hub's stack.
    Default: remediation-hub
    AllowedPattern: "^[A-Za-z0-9_-]{3,48}$"
    ConstraintDescription: must be a role name of 3 to 48 letters, digits, - and _
  # Not NoEcho: an external id is a name the two sides agree on, not a secret. It stands in the trust
  # policy for all to read, and when the hub cannot get in, people must be able to compare the two.
  ExternalId:
    Type: String
    Description: What the hub has to say to be let in; the same as in the hub's stack.
    MinLength: 2
    MaxLength: 256
    AllowedPattern: "^[A-Za-z0-9_+=,.@:/-]+$"
    ConstraintDescription: must be 2 to 256 letters, digits and _+=,.@:/-
  OrganizationId:
    Type: String
    Description: Only callers of this organization are let in (o-...). Empty where there is none.
    Default: ""
    AllowedPattern: "^(o-[a-z0-9]{10,32})?$"
    ConstraintDescription: must be empty or an organization's id such as o-exampleorgid
  RoleName:
    Type: String
    Description: Name of the role; the same in every account.
    Default: Dome9CloudBots
    MaxLength: 64
    AllowedPattern: "^[A-Za-z0-9_+=,.@-]+$"
    ConstraintDescription: must be a role name
  InputTopicName:
    Type: String
    Description: Name of the hub's topic of findings, which this role must never touch.
    Default: d9-findings
    AllowedPattern: "^[A-Za-z0-9_-]{1,64}$"
  OutputTopicName:
    Type: String
    Description: Name of the hub's topic of reports, which this role must never touch.
    Default: remediationOutput
    AllowedPattern: "^[A-Za-z0-9_-]{1,64}$"
  PermissionsBoundaryArn:
    Type: String
    Description: Managed policy that limits the role further, for organizations that ask for one on every role.
    Default: ""
    AllowedPattern: "^(arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+)?$"

Conditions:
  InOrganization: !Not [!Equals [!Ref OrganizationId, ""]]
  HasBoundary: !Not [!Equals [!Ref PermissionsBoundaryArn, ""]]

Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Description: !Sub "Entered by the remediation hub of account ${HubAccountId}"
      MaxSessionDuration: 3600
      PermissionsBoundary: !If [HasBoundary, !Ref PermissionsBoundaryArn, !Ref "AWS::NoValue"]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          # The principal is the hub's account and the condition is the hub's role. Naming the role as
          # the principal would be no narrower: IAM refuses the name of a role that does not exist yet,
          # and once it is deleted and made again it is, under the same name, no longer the one meant.
          - Sid: OnlyTheHub
            Effect: Allow
            Principal:
              AWS: !Sub "arn:${AWS::Partition}:iam::${HubAccountId}:root"
            Action: sts:AssumeRole
            Condition:
              ArnEquals:
                aws:PrincipalArn: !Sub "arn:${AWS::Partition}:iam::${HubAccountId}:role/${HubRoleName}"
              StringEquals:
                Fn::If:
                  - InOrganization
                  - sts:ExternalId: !Ref ExternalId
                    aws:PrincipalOrgID: !Ref OrganizationId
                  - sts:ExternalId: !Ref ExternalId
          # The hub signs its sessions with the id of the run, for CloudTrail. This lets nobody in by
          # itself. It is a statement of its own because sts:ExternalId is a key of AssumeRole alone.
          - Sid: SayingForWhichRun
            Effect: Allow
            Principal:
              AWS: !Sub "arn:${AWS::Partition}:iam::${HubAccountId}:root"
            Action: sts:SetSourceIdentity
            Condition:
              ArnEquals:
                aws:PrincipalArn: !Sub "arn:${AWS::Partition}:iam::${HubAccountId}:role/${HubRoleName}"
      # Read by the hub and by `hub doctor`. The role itself may not change them.
      Tags:
        - Key: "@VERSION_TAG@"
          Value: "@VERSION@"
        - Key: "@BOTS_TAG@"
          Value: "@BOTS@"

@POLICIES@
Outputs:
  RoleArn:
    Description: The role the hub enters this account with.
    Value: !GetAtt Role.Arn
  PermissionsVersion:
    Description: Changes when, and only when, the permissions do.
    Value: "@VERSION@"
"""

COMMENTS = {
    LIMITS: "What the role may never do, whatever else is attached to it. In place before the permissions are.",
    OPT_OUT_POLICY: "The resources it leaves alone: reads them, changes nothing. See docs/spoke-role.md.",
    CHOSEN_POLICY: "The bots the role was made for. Sessions are called after the bot they are of.",
}


class TooLong(Exception):
    """CloudFormation would not take the template as text."""


def render(bots: Sequence[AnyBot]) -> str:
    """The template that allows what the bots declare.

    Raises:
        TooLarge: the permissions do not fit into IAM's quotas.
        TooLong: the text does not fit into a CloudFormation call.
    """
    documents = policies(bots)
    denying = ", ".join(_logical_id(name) for name in documents if name in COMMENTS)
    filled = {
        "@VERSION_TAG@": VERSION_TAG,
        "@VERSION@": version(documents.values()),
        "@BOTS_TAG@": BOTS_TAG,
        "@BOTS@": choice(bots),
        "@POLICIES@": "\n".join(
            "\n".join(_policy(name, each, after=denying)) + "\n" for name, each in documents.items()
        ),
    }
    text = FRAME
    for mark, value in filled.items():
        text = text.replace(mark, value)
    if len(text.encode()) > TEMPLATE_BYTES:
        raise TooLong(
            f"the template has {len(text.encode())} bytes and CloudFormation takes {TEMPLATE_BYTES}; choose fewer bots"
        )
    return text


def _policy(name: str, policy: Document, *, after: str) -> Iterator[str]:
    """A managed policy attached to the role, as lines of the template."""
    if name in COMMENTS:
        yield f"  # {COMMENTS[name]}"
    yield f"  {_logical_id(name)}:"
    yield "    Type: AWS::IAM::ManagedPolicy"
    if name not in COMMENTS:
        yield f"    DependsOn: [{after}]"
    yield "    Properties:"
    yield f'      ManagedPolicyName: !Sub "${{RoleName}}-{name}"'
    yield "      Roles:"
    yield "        - !Ref Role"
    yield "      PolicyDocument:"
    yield '        Version: "2012-10-17"'
    yield "        Statement:"
    for statement in policy["Statement"]:
        yield from _statement(statement)


def _logical_id(name: str) -> str:
    words = "".join(map(str.title, name.split("-")))
    return words if name in COMMENTS else f"Permissions{words}"


def _statement(statement: Statement) -> Iterator[str]:
    """A statement, a list's dashes right below its key: CloudFormation counts blanks too."""
    dash = "- "
    for key, value in statement.items():
        if key == "Condition":
            yield f"          {key}:"
            yield from _condition(value)
        elif not isinstance(value, list):
            yield f"        {dash}{key}: {value}"
        elif len(value) == 1:
            yield f"        {dash}{key}: [{_scalar(value[0], quoted=True)}]"
        else:
            yield f"        {dash}{key}:"
            yield from (f"          - {_scalar(item)}" for item in value)
        dash = "  "


def _condition(condition: dict[str, dict[str, list[str]]]) -> Iterator[str]:
    for operator, keys in condition.items():
        yield f"            {operator}:"
        for key, values in keys.items():
            yield f"              {key}:"
            yield from (f"              - {_scalar(value)}" for value in values)


def _scalar(text: str, *, quoted: bool = False) -> str:
    if "${" in text:
        return f"!Sub {json.dumps(text)}"
    # A star begins an alias, and true is no text.
    return json.dumps(text) if quoted or "*" in text or text == "true" else text

"""The policies a CloudFormation template makes, with its functions worked out by examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT = "111122223333"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/remediation-hub/2b7c",
    "AWS::StackName": "remediation-hub",
    "AWS::URLSuffix": "amazonaws.com",
}
# Parameters without a default, and those whose default would leave the policy's part empty.
EXAMPLES = {
    "ExternalId": "an-external-id",
    "HubAccountId": ACCOUNT,
    "KeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-0000-4000-8000-000000000000",
    "OrganizationId": "o-exampleorgid",
    "OutputTopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:remediationOutput",
    "PublisherAccounts": "222233334444",
    "PublisherPrincipals": "arn:aws:iam::333344445555:role/scanner",
    "Rules": "s3://rules-of-the-hub/rules.yaml",
    "WorkerPrincipal": f"arn:aws:iam::{ACCOUNT}:role/worker",
}
# Where resources keep policies: type -> properties. Those of trust policies name no resource.
KEPT = {
    "AWS::DynamoDB::Table": ("ResourcePolicy",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "Policies"),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
}
ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:us-east-1:{account}:table/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:us-east-1:{account}:key/{name}",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:us-east-1:{account}:deliverystream/{name}",
    "AWS::Lambda::Function": "lambda:us-east-1:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:us-east-1:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:us-east-1:{account}:{name}",
    "AWS::SQS::Queue": "sqs:us-east-1:{account}:{name}",
}
BY_ARN = ("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic")  # what Ref gives of them
NOTHING = object()  # AWS::NoValue


@dataclass(frozen=True, slots=True)
class Found:
    """A policy of a template: where it stands, and the document as AWS would get it."""

    where: str
    document: str


def policies(template: Mapping[str, Any]) -> Iterator[Found]:
    """All of them, with every condition true and with every condition false; equal ones once."""
    seen = set()
    for truth in (True, False):
        reading = _Reading(template, truth)
        for name, resource in template["Resources"].items():
            for kept in KEPT.get(resource["Type"], ()):
                value = reading.value(resource.get("Properties", {}).get(kept, NOTHING))
                for document in _documents(value, reading.arn(name)):
                    found = Found(name, json.dumps(document))
                    if found not in seen:
                        seen.add(found)
                        yield found


def _documents(value: Any, arn: str) -> Iterator[dict[str, Any]]:
    """The policies within a property: itself, or those of a list of named ones.

    Args:
        arn: of what they are kept by: the resource of a trust policy, which names none, and what a key's policy
            means by ``*``.
    """
    if value is NOTHING:
        return
    for each in value if isinstance(value, list) else [value]:
        document = each.get("PolicyDocument", each)
        statements = [
            {**one, "Resource": arn} if _about_its_keeper(one, arn) else one for one in document["Statement"]
        ]
        yield {**document, "Statement": statements}


def _about_its_keeper(statement: Mapping[str, Any], arn: str) -> bool:
    named = statement.get("Resource", statement.get("NotResource"))
    return named is None or (named == "*" and ":kms:" in arn)


@dataclass(frozen=True, slots=True)
class _Reading:
    template: Mapping[str, Any]
    truth: bool

    def value(self, given: Any) -> Any:
        """The value with CloudFormation's functions worked out."""
        if isinstance(given, list):
            return [each for each in map(self.value, given) if each is not NOTHING]
        if not isinstance(given, dict):
            return given
        match given:
            case {"Ref": "AWS::NoValue"}:
                return NOTHING
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), *attribute]}:
                return self._attribute(name, ".".join(attribute))
            case {"Fn::Sub": str(text)}:
                return self._sub(text, {})
            case {"Fn::Sub": [str(text), dict(more)]}:
                return self._sub(text, more)
            case {"Fn::If": [_, yes, no]}:
                return self.value(yes if self.truth else no)
            case {"Fn::Select": [index, of]}:
                return self.value(of)[int(index)]
            case {"Fn::Split": [sign, text]}:
                return str(self.value(text)).split(sign)
            case {"Fn::Join": [sign, parts]}:
                return str(sign).join(self.value(parts))
            case {"Fn::FindInMap": [mapping, *_]}:
                # Any entry will do.
                first = next(iter(self.template["Mappings"][mapping].values()))
                return next(iter(first.values()))
        found = {key: self.value(each) for key, each in given.items()}
        return {key: each for key, each in found.items() if each is not NOTHING}

    def _ref(self, name: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        resource = self.template["Resources"].get(name)
        if resource is None:
            default = self.template["Parameters"][name].get("Default")
            return EXAMPLES.get(name) or str(default or name)
        return self._attribute(name, "Arn") if resource["Type"] in BY_ARN else name.lower()

    def _attribute(self, name: str, attribute: str) -> str:
        return self.arn(name) if attribute.endswith("Arn") else name.lower()

    def arn(self, name: str) -> str:
        """Of a resource of the template; of one that has none, "arn"."""
        kind = self.template["Resources"][name]["Type"]
        return "arn:aws:" + ARNS[kind].format(account=ACCOUNT, name=name.lower()) if kind in ARNS else "arn"

    def _sub(self, text: str, more: Mapping[str, Any]) -> str:
        def filled(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            if found[1] in more:
                return str(self.value(more[found[1]]))
            if found[1].startswith("!"):
                return f"${{{found[1][1:]}}}"
            return self._attribute(name, attribute) if attribute else self._ref(name)

        return re.sub(r"\$\{([^}]+)\}", filled, text)

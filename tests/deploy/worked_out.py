"""A template worked out for some parameters, as CloudFormation would: conditions, rules and every function.

Resources are not made. What CloudFormation would learn from making them (ARNs, URLs) is what AWS documents
for the names they are given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

HUB = "111122223333"
REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
_NOTHING = object()  # AWS::NoValue

# How a resource's ARN ends, by type, after arn:PARTITION:SERVICE:REGION:ACCOUNT:, and what names it.
_ARNS = {
    "AWS::Athena::WorkGroup": ("athena", "workgroup/{}", "Name"),
    "AWS::DynamoDB::Table": ("dynamodb", "table/{}", "TableName"),
    "AWS::Events::Rule": ("events", "rule/{}", "Name"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "deliverystream/{}", "DeliveryStreamName"),
    "AWS::Lambda::Function": ("lambda", "function:{}", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*", "LogGroupName"),
    "AWS::SNS::Topic": ("sns", "{}", "TopicName"),
    "AWS::SQS::Queue": ("sqs", "{}", "QueueName"),
}


@dataclass(frozen=True)
class WorkedOut:
    """One template for one set of parameters.

    Attributes:
        template: parsed, functions in their long form.
        given: parameters; the others get their defaults.
    """

    template: Mapping[str, Any]
    given: Mapping[str, str]
    partition: str = "aws"
    account_id: str = HUB

    @property
    def region(self) -> str:
        return REGIONS[self.partition]

    @cached_property
    def parameters(self) -> dict[str, str]:
        declared = self.template["Parameters"]
        assert self.given.keys() <= declared.keys(), "no such parameter"
        values = {name: self.given.get(name, each.get("Default")) for name, each in declared.items()}
        missing = [name for name, value in values.items() if value is None]
        assert not missing, f"without a value: {missing}"
        return {name: str(value) for name, value in values.items()}

    @property
    def resources(self) -> set[str]:
        """The logical ids of what is made."""
        return {
            name
            for name, each in self.template["Resources"].items()
            if "Condition" not in each or self.holds({"Condition": each["Condition"]})
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Of a resource that is made."""
        assert name in self.resources, f"{name} is not made"
        found: dict[str, Any] = self.value(self.template["Resources"][name]["Properties"])
        return found

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type that are made."""
        types = {name: each["Type"] for name, each in self.template["Resources"].items()}
        return {name: self.properties(name) for name in sorted(self.resources) if types[name] == kind}

    @property
    def outputs(self) -> dict[str, str]:
        return {
            name: str(self.value(each["Value"]))
            for name, each in self.template["Outputs"].items()
            if "Condition" not in each or self.holds({"Condition": each["Condition"]})
        }

    @property
    def refusals(self) -> list[str]:
        """What the rules say against these parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self.template.get("Rules", {}).values()
            if "RuleCondition" not in rule or self.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.holds(assertion["Assert"])
        ]

    def holds(self, condition: Mapping[str, Any]) -> bool:
        match condition:
            case {"Condition": name}:
                return self.holds(self.template["Conditions"][name])
            case {"Fn::Equals": [left, right]}:
                return str(self.value(left)) == str(self.value(right))
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": inner}:
                return all(self.holds(each) for each in inner)
            case {"Fn::Or": inner}:
                return any(self.holds(each) for each in inner)
        raise AssertionError(f"no condition: {condition}")

    def value(self, value: Any) -> Any:
        """The value with every function worked out."""
        if isinstance(value, list):
            found = [self.value(item) for item in value]
            return [item for item in found if item is not _NOTHING]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": str(name)}:
                return self._ref(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(name, attribute)
            case {"Fn::Sub": str(text)}:
                return self._filled(text, {})
            case {"Fn::Sub": [text, names]}:
                return self._filled(text, self.value(names))
            case {"Fn::If": [condition, yes, no]}:
                return self.value(yes if self.holds({"Condition": condition}) else no)
            case {"Fn::Join": [separator, items]}:
                return separator.join(map(str, self.value(items)))
            case {"Fn::Split": [separator, text]}:
                return str(self.value(text)).split(separator)
            case {"Fn::Select": [index, items]}:
                return self.value(items)[int(index)]
            case {"Fn::FindInMap": [name, first, second]}:
                return self.template["Mappings"][name][self.value(first)][self.value(second)]
        worked = {name: self.value(item) for name, item in value.items()}
        assert not any(name.startswith("Fn::") for name in worked), f"unknown function: {value}"
        return {name: item for name, item in worked.items() if item is not _NOTHING}

    def _filled(self, text: str, names: Mapping[str, str]) -> str:
        def one(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in names:
                return str(names[name])
            if "." in name:
                return str(self._attribute(*name.split(".", 1)))
            return str(self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", one, text)

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": self.account_id,
            "AWS::NoValue": _NOTHING,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self._kind(name)
        match kind:
            case "AWS::SNS::Topic":
                return self._attribute(name, "Arn")
            case "AWS::SQS::Queue":
                host = f"https://sqs.{self.region}.{pseudo['AWS::URLSuffix']}"
                return f"{host}/{self.account_id}/{self._name(name)}"
            case "AWS::KMS::Key":
                return self._attribute(name, "Arn").rpartition("/")[2]
        return self._name(name)

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self._kind(name)
        if attribute in ("QueueName", "TopicName"):
            return self._name(name)
        assert attribute == "Arn", f"{name}.{attribute}"
        start = f"arn:{self.partition}"
        match kind:
            case "AWS::IAM::Role":
                return f"{start}:iam::{self.account_id}:role/{self._name(name)}"
            case "AWS::S3::Bucket":
                return f"{start}:s3:::{self._name(name)}"
            case "AWS::KMS::Key":
                return f"{start}:kms:{self.region}:{self.account_id}:key/{name.lower()}"
        service, ending, _ = _ARNS[kind]
        return f"{start}:{service}:{self.region}:{self.account_id}:{ending.format(self._name(name))}"

    def _kind(self, name: str) -> str:
        assert name in self.resources, f"{name} is not made, but named"
        return str(self.template["Resources"][name]["Type"])

    def _name(self, name: str) -> str:
        kind = self._kind(name)
        named_by = {
            "AWS::Glue::Database": "DatabaseInput",
            "AWS::IAM::Role": "RoleName",
            "AWS::Logs::LogStream": "LogStreamName",
            "AWS::S3::Bucket": "BucketName",
        } | {each: names for each, (_, _, names) in _ARNS.items()}
        found = self.properties(name).get(named_by[kind], f"stack-{name.lower()}-1a2b3c")
        return str(found["Name"] if isinstance(found, dict) else found)

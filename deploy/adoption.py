"""Takes what a former hub has left behind into the stack of a new one: its journal goes on.

Nothing can be created under a name that is taken, so a new stack first imports what there is; all else is an
update after that. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-new-stack.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from deploy.calls import code
from deploy.session import Aws
from deploy.template import Template

JOURNAL = "Journal"
DEAD_LETTERS = "DeadLetterQueue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A resource of a former stack. ``identifier`` is what CloudFormation knows one of its type by."""

    resource: str
    type: str
    identifier: Mapping[str, str]

    @property
    def request(self) -> dict[str, Any]:
        """As ``ResourcesToImport`` takes it."""
        return {
            "ResourceType": self.type,
            "LogicalResourceId": self.resource,
            "ResourceIdentifier": dict(self.identifier),
        }


async def left_behind(aws: Aws, template: Template, values: Mapping[str, str]) -> tuple[Left, ...]:
    """The journal and the dead-letter queue under the names this hub would have."""
    found = []
    table = _name(template, JOURNAL, "TableName", values)
    if await has_table(aws, table):
        found.append(Left(resource=JOURNAL, type="AWS::DynamoDB::Table", identifier={"TableName": table}))
    if url := await queue_url(aws, _name(template, DEAD_LETTERS, "QueueName", values)):
        found.append(Left(resource=DEAD_LETTERS, type="AWS::SQS::Queue", identifier={"QueueUrl": url}))
    return tuple(found)


def _name(template: Template, resource: str, key: str, values: Mapping[str, str]) -> str:
    """A resource's name, which the template makes of parameters alone."""
    match template["Resources"][resource]["Properties"][key]:
        case {"Ref": str(name)}:
            return values[name]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)
        case plain:
            return str(plain)


def import_template(template: Template, resources: Collection[str]) -> str:
    """The template cut down to these resources, as an import wants it: no outputs, and nothing that refers to
    what is not there yet. The update that follows says the rest."""
    absent = set(template["Resources"]) - set(resources)

    def cut(declared: Mapping[str, Any]) -> dict[str, Any]:
        properties = declared["Properties"]
        kept = {key: value for key, value in properties.items() if not absent & set(_referred(value))}
        return {**declared, "Properties": kept}

    return json.dumps(
        {
            "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
            "Parameters": template["Parameters"],
            "Conditions": template["Conditions"],
            "Resources": {name: cut(template["Resources"][name]) for name in resources},
        }
    )


def _referred(value: Any) -> Iterator[str]:
    """Names a value refers to."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            for each in value.values():
                yield from _referred(each)
        case list():
            for each in value:
                yield from _referred(each)


async def has_table(aws: Aws, name: str) -> bool:
    """Whether there is a table of that name."""
    try:
        await (await aws.client("dynamodb")).describe_table(TableName=name)
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            return False
        raise
    return True


async def queue_url(aws: Aws, name: str) -> str:
    """Where the queue of that name is; "" when there is none."""
    try:
        found = await (await aws.client("sqs")).get_queue_url(QueueName=name)
    except ClientError as error:
        if no_queue(error):
            return ""
        raise
    return str(found["QueueUrl"])


def no_queue(error: ClientError) -> bool:
    """Whether SQS says that there is no such queue, in the words of its old protocol or of its new one."""
    return code(error) in ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")

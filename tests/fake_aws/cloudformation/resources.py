"""One resource of a stack: made, changed, replaced, removed, and why not."""

from __future__ import annotations

import copy
import functools
import uuid
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends
from moto.cloudformation import parsing
from moto.cloudwatch.models import cloudwatch_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tests.fake_aws.cloudformation import identities, kinds
from tests.fake_aws.cloudformation.kind import Kind
from tests.fake_aws.cloudformation.templates import resolved

identities.install()
# Types known by their being imported.
assert kinds


class Failed(Exception):
    """A resource could not be made, changed or removed; the text is what the stack's event says."""


@dataclass(slots=True)
class Made:
    """A resource there is: what it was made of, and moto's object for it."""

    logical_id: str
    kind: str
    declared: dict[str, Any]
    properties: dict[str, Any]
    resource: Any

    @property
    def physical_id(self) -> str:
        return str(self.resource.physical_resource_id)

    @property
    def kept(self) -> bool:
        """Whether it outlives its stack."""
        return str(self.declared.get("DeletionPolicy", "")).startswith("Retain")


def wanted(stack: Any, logical_id: str) -> dict[str, Any] | None:
    """The resource as the template has it; None when its condition does not hold."""
    declared: dict[str, Any] = stack.template_dict["Resources"][logical_id]
    condition = declared.get("Condition")
    if condition and not stack.resource_map.lazy_condition_map[condition]:
        return None
    return declared


def properties_of(stack: Any, declared: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resolved(declared.get("Properties") or {}, stack.resource_map)
    return found


def make(stack: Any, logical_id: str, declared: dict[str, Any]) -> Made | None:
    """None for types nobody knows, of which moto warns.

    Raises:
        Failed: as the service says.
    """
    kind, name = declared["Type"], logical_id
    try:
        plain = copy.deepcopy(declared)
        plain.setdefault("Properties", {})
        found = parsing.parse_resource_and_generate_name(logical_id, plain, stack.resource_map)
        if not found:
            return None
        model, filled, name = found
        _check_free(stack, kind, name)
        more = {"LogicalId": logical_id, "StackId": stack.stack_id, "ResourceType": kind}
        resource = model.create_from_cloudformation_json(
            name, copy.deepcopy(filled), stack.account_id, stack.region_name, **more
        )
    except Failed:
        raise
    except Exception as error:
        raise Failed(_reason(error, kind, name)) from error
    resource.cf_resource_type, resource.logical_resource_id = kind, logical_id
    stack.resource_map._parsed_resources[logical_id] = resource
    return Made(logical_id, kind, copy.deepcopy(declared), filled["Properties"], resource)


def change(stack: Any, made: Made, declared: dict[str, Any]) -> tuple[Made, Made | None]:
    """The resource as it is now, and the one it replaces, which goes when all else is done.

    Raises:
        Failed: as the service says.
    """
    properties = properties_of(stack, declared)
    if declared["Type"] != made.kind or replaced_for(made.kind, made.properties, properties):
        name = parsing.resource_name_property_from_type(made.kind) or _NAMES.get(made.kind)
        if name and properties.get(name) and properties[name] == made.properties.get(name):
            raise Failed(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[name]} and update the stack again."
            )
        new = make(stack, made.logical_id, declared)
        return (new, made) if new else (made, None)
    model = parsing.resource_class_from_type(made.kind)
    filled = {**copy.deepcopy(declared), "Properties": copy.deepcopy(properties)}
    try:
        resource = model.update_from_cloudformation_json(
            original_resource=made.resource,
            new_resource_name=made.physical_id,
            cloudformation_json=filled,
            account_id=stack.account_id,
            region_name=stack.region_name,
        )
    except Exception as error:
        raise Failed(_reason(error, made.kind, made.physical_id)) from error
    resource = resource or made.resource
    resource.cf_resource_type, resource.logical_resource_id = made.kind, made.logical_id
    stack.resource_map._parsed_resources[made.logical_id] = resource
    return Made(made.logical_id, made.kind, copy.deepcopy(declared), properties, resource), None


_NAMES = {"AWS::IAM::ManagedPolicy": "ManagedPolicyName"}


def remove(stack: Any, made: Made) -> None:
    """
    Raises:
        Failed: as the service says. What is gone already is no failure.
    """
    filled = {**copy.deepcopy(made.declared), "Properties": made.properties}
    try:
        if isinstance(made.resource, Kind):
            made.resource.remove(made.properties)
        else:
            stack.resource_map._delete_resource(made.resource, filled)
    except Exception as error:
        if not _means_gone(error):
            raise Failed(_reason(error, made.kind, made.physical_id)) from error


# --- what a change means


def replaced_for(kind: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The properties whose change takes a new resource."""
    fixed = _fixed_properties(kind)
    return [name for name in changed_properties(before, after) if name in fixed]


def changed_properties(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@functools.cache
def _fixed_properties(kind: str) -> frozenset[str]:
    """From CloudFormation's own schemas, which cfn-lint brings along."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    paths = [path.split("/") for path in schema.get("createOnlyProperties", [])]
    return frozenset(path[2] for path in paths if len(path) == 3)


# --- what services say


def _check_free(stack: Any, kind: str, name: str) -> None:
    """moto hands out what is there already where CloudFormation refuses."""
    account, region = stack.account_id, stack.region_name
    there = {
        "AWS::SQS::Queue": lambda: name in sqs_backends[account][region].queues,
        "AWS::SNS::Topic": lambda: any(
            arn.rsplit(":", 1)[-1] == name for arn in sns_backends[account][region].topics
        ),
        "AWS::Lambda::Function": lambda: name in lambda_backends[account][region]._lambdas._functions,
        "AWS::CloudWatch::Alarm": lambda: name in cloudwatch_backends[account][region].alarms,
        "AWS::CloudWatch::Dashboard": lambda: name in cloudwatch_backends[account][region].dashboards,
    }.get(kind)
    if there and there():
        raise Failed(_handler_said(_already(kind, name), "AlreadyExists"))


def _already(kind: str, name: str) -> str:
    return f"Resource of type '{kind}' with identifier '{name}' already exists."


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return str(getattr(error, "code", None) or getattr(error, "error_type", None) or type(error).__name__)


def _means_gone(error: Exception) -> bool:
    words = (_code(error), type(error).__name__)
    return any(
        word in name for name in words for word in ("NotFound", "NoSuch", "NonExistent", "DoesNotExist")
    )


def _reason(error: Exception, kind: str, name: str) -> str:
    text, code = str(getattr(error, "message", None) or error), _code(error)
    if isinstance(error, ClientError):
        text = str(error.response["Error"]["Message"])
    if "Exist" in code and not _means_gone(error):
        return _handler_said(_already(kind, name), "AlreadyExists")
    if _means_gone(error):
        return _handler_said(text, "NotFound")
    if "LimitExceeded" in code:
        return _handler_said(text, "ServiceLimitExceeded")
    known = "Invalid" in code or "Malformed" in code or "Validation" in code
    return _handler_said(text, "InvalidRequest" if known else "GeneralServiceException")


def _handler_said(text: str, code: str) -> str:
    return f'Resource handler returned message: "{text}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'

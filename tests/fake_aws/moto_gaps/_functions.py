"""Lambda functions: revisions, updates that take time, tracing, layers of others. Called by `lambda`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends

from tests.fake_aws.strict_iam import Request, Rights, Word
from tests.fake_aws.wire import Answer, Call, refusal, with_body

MOST_TAGS = 50


def inside(account_id: str, name: str, region: str = "us-east-1") -> Any:
    """moto's own function, for states that moto never shows by itself: ``update_status`` (InProgress,
    Failed), ``state`` and ``provisioned`` (names of versions and aliases). None if there is none."""
    functions = lambda_backends[account_id][region]._lambdas._functions
    found = functions.get(unquote(name).rsplit(":function:", 1)[-1].split(":")[0])
    return found["latest"] if found else None


def before(call: Call) -> Answer | None:
    if call.operation == "GetLayerVersionByArn":
        return _layer(call)
    if call.operation == "TagResource":
        return _too_many_tags(call)
    function = inside(call.account_id, call.params.get("FunctionName", ""), call.region)
    if function is None:
        return None
    match call.operation:
        case "UpdateFunctionConfiguration":
            return _update(call, function)
        case "ListProvisionedConcurrencyConfigs":
            # moto knows no provisioned concurrency.
            found = [
                {"FunctionArn": f"{function.function_arn}:{each}", "Status": "READY"}
                for each in getattr(function, "provisioned", ())
            ]
            return _answer({"ProvisionedConcurrencyConfigs": found})
        case "PutFunctionConcurrency" if getattr(function, "provisioned", ()):
            text = "Reserved concurrency cannot be less than provisioned concurrency."
            return refusal(call, "InvalidParameterValueException", text, status=400)
        case _:
            return None


def after(call: Call, answer: Answer) -> Answer:
    """moto shows no RevisionId and has every update done at once."""
    if call.operation != "GetFunctionConfiguration":
        return answer
    function = inside(call.account_id, call.params["FunctionName"], call.region)
    return with_body(answer, _configuration(function))


def _configuration(function: Any) -> dict[str, Any]:
    status = getattr(function, "update_status", "Successful")
    return {**function.get_configuration(), "RevisionId": _revision(function), "LastUpdateStatus": status}


def _revision(function: Any) -> str:
    if not hasattr(function, "revision"):
        function.revision = str(uuid4())
    return str(function.revision)


def _update(call: Call, function: Any) -> Answer:
    """AWS takes one update at a time and only of the revision it is meant for. It looks whether a role may
    send traces, and whether the caller may read each layer, whoever published it. moto does none of that,
    knows layers of the own account only and ignores TracingConfig."""
    params = dict(call.params)
    revision, named = params.pop("RevisionId", None), params.pop("FunctionName")
    if getattr(function, "update_status", "") == "InProgress":
        text = f"The operation cannot be performed at this time. An update is in progress for {named}"
        return refusal(call, "ResourceConflictException", text, status=409)
    if revision not in (None, _revision(function)):
        text = "The RevisionId provided does not match the latest RevisionId."
        return refusal(call, "PreconditionFailedException", text, status=412)
    tracing = params.pop("TracingConfig", function.tracing_config)
    if tracing["Mode"] == "Active" and not _may_trace(function):
        text = "The provided execution role does not have permissions to call PutTraceSegments on XRAY"
        return refusal(call, "InvalidParameterValueException", text, status=400)
    layers = params.pop("Layers", None)
    for arn in layers or ():
        if isinstance(refused := _readable_layer(call, arn), Answer):
            return refused
    if layers is not None:
        function.layers = [{"Arn": arn, "CodeSize": _readable_layer(call, arn).code_size} for arn in layers]
    function.tracing_config = tracing
    function.update_configuration(params)
    function.revision = str(uuid4())
    function.update_status = "Successful"
    return _answer(_configuration(function))


def _may_trace(function: Any) -> bool:
    role = iam_backends[function.account_id]["aws"].get_role_by_arn(function.role)
    managed = [
        version.document
        for policy in role.managed_policies.values()
        for version in policy.versions
        if version.is_default
    ]
    request = Request(action="xray:PutTraceSegments", resource="*", context={})
    return Rights(identity=(*role.policies.values(), *managed)).say(request) is Word.ALLOW


def _layer(call: Call) -> Answer:
    """moto does not know this call."""
    found = _readable_layer(call, call.params["Arn"])
    return found if isinstance(found, Answer) else _answer(found.get_layer_version())


def _readable_layer(call: Call, arn: str) -> Any:
    """moto's layer version, or AWS's refusal: it was deleted or never there, or is not shared."""
    _, _, _, region, owner, _, name, version = arn.split(":")
    layer = lambda_backends[owner][region]._layers._layers.get(name)
    found = layer.layer_versions.get(version) if layer else None
    if found is None:
        return refusal(call, "ResourceNotFoundException", f"Layer version {arn} does not exist.", status=404)
    who = json.dumps([statement["Principal"] for statement in found.policy.statements])
    if owner != call.account_id and not ('"*"' in who or call.account_id in who):
        text = f"not authorized to perform: lambda:GetLayerVersion on resource: {arn}"
        return refusal(call, "AccessDeniedException", text)
    return found


def _too_many_tags(call: Call) -> Answer | None:
    """moto takes any number of tags."""
    function = inside(call.account_id, call.params["Resource"], call.region)
    if function is None or len({**function.tags, **call.params["Tags"]}) <= MOST_TAGS:
        return None
    text = f"The number of tags exceeds {MOST_TAGS}."
    return refusal(call, "InvalidParameterValueException", text, status=400)


def _answer(found: dict[str, Any]) -> Answer:
    return Answer(200, (("Content-Type", "application/json"),), json.dumps(found).encode())

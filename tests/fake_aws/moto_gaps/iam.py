"""IAM."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.moto_gaps import _iam_roles
from tests.fake_aws.wire import Answer, Call, refusal, with_body

ATTACHED_AT_MOST = 10  # managed policies, unless AWS raises an account's quota
# Characters of all inline policies together, white space not counted.
INLINE_AT_MOST = {"user": 2048, "role": 10240}
REPORT_LASTS = timedelta(hours=4)
_OWNED_BY_AWS = ("/aws-service-role/", "/aws-reserved/")


def inside(account_id: str, partition: str = "aws") -> Any:
    """moto's IAM of an account."""
    return iam_backends[account_id][partition]


def aws_managed(account_id: str, name: str, document: dict[str, Any], *, path: str = "/") -> str:
    """ARN of a policy of AWS's own. moto has them all or, faster, none; tests make those they need."""
    now = datetime.now(UTC).isoformat()
    data = {
        "Arn": f"arn:aws:iam::aws:policy{path}{name}", "Path": path, "CreateDate": now, "UpdateDate": now,
        "DefaultVersionId": "v1", "Document": document,
    }  # fmt: skip
    policy = AWSManagedPolicy.from_data(name, account_id, "us-east-1", data)
    inside(account_id).managed_policies[policy.arn] = policy
    return str(policy.arn)


def before(call: Call) -> Answer | None:
    check = _CHECKS.get(call.operation)
    answer = check(call, inside(call.account_id, get_partition(call.region))) if check else None
    return answer or _iam_roles.before(call)


def after(call: Call, answer: Answer) -> Answer:
    backend = inside(call.account_id, get_partition(call.region))
    match call.operation:
        case "GenerateCredentialReport":
            backend.report_time = getattr(backend, "report_time", None) or datetime.now(UTC)
        case "GetCredentialReport":
            return _with_time(answer, backend.report_time)
        case _:
            pass
    return answer


def _with_time(answer: Answer, moment: datetime) -> Answer:
    """moto's report is always of 2015."""
    root = ET.fromstring(answer.body)
    for element in root.iter():
        if element.tag.endswith("GeneratedTime"):
            element.text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return with_body(answer, root)


def _generate(_call: Call, backend: Any) -> None:
    """moto makes one report for good. AWS starts a new one when the last is four hours old."""
    made = getattr(backend, "report_time", None)
    if made is not None and datetime.now(UTC) - made > REPORT_LASTS:
        backend.report_time = backend.credential_report = None


def _of_somebody_here(call: Call, backend: Any) -> Answer | None:
    """moto looks into all accounts, and says NoSuchEntity where AWS says AccessDenied."""
    key_id = call.params["AccessKeyId"]
    if any(user.has_access_key(key_id) for user in backend.users.values()):
        return None
    text = f"User: {call.caller} is not authorized to perform: iam:{call.operation} on resource: access key {key_id}"
    return refusal(call, "AccessDenied", text)


def _new_password_only(call: Call, backend: Any) -> Answer | None:
    """moto forgets the password when a call leaves it out; AWS keeps it."""
    user = backend.users.get(call.params["UserName"])
    if "Password" in call.params or user is None or not user.password:
        return None
    user.password_reset_required = bool(
        call.params.get("PasswordResetRequired", user.password_reset_required)
    )
    return _done(call)


def _done(call: Call) -> Answer:
    """A success that says nothing."""
    text = f"<{call.operation}Response><ResponseMetadata/></{call.operation}Response>"
    return Answer(200, (("Content-Type", "text/xml"),), text.encode())


def _holder(call: Call, backend: Any) -> tuple[str, Any]:
    if name := call.params.get("UserName"):
        return "user", backend.users.get(name)
    roles = {role.name: role for role in backend.roles.values()}
    return "role", roles.get(call.params["RoleName"])


def _attach(call: Call, backend: Any) -> Answer | None:
    """moto knows no quota, and attaches a policy again and again."""
    kind, holder = _holder(call, backend)
    if holder is None:
        return None
    if refused := _owned_by_aws(call, backend):
        return refused
    policy = backend.managed_policies.get(call.params["PolicyArn"])
    if policy is not None and not policy.is_attachable:
        text = f"Policy {policy.arn} is not attachable."
        return refusal(call, "PolicyNotAttachable", text, status=400)
    if call.params["PolicyArn"] in holder.managed_policies:
        return _done(call)
    if len(holder.managed_policies) >= ATTACHED_AT_MOST:
        text = f"Cannot exceed quota for PoliciesPer{kind.title()}: {ATTACHED_AT_MOST}"
        return refusal(call, "LimitExceeded", text, status=409)
    return None


def _put(call: Call, backend: Any) -> Answer | None:
    """moto takes inline policies of any length."""
    kind, holder = _holder(call, backend)
    if holder is None:
        return None
    if refused := _owned_by_aws(call, backend):
        return refused
    all_texts = {**holder.policies, call.params["PolicyName"]: call.params["PolicyDocument"]}
    size = sum(len(json.dumps(json.loads(text), separators=(",", ":"))) for text in all_texts.values())
    if size > INLINE_AT_MOST[kind]:
        text = f"Maximum policy size of {INLINE_AT_MOST[kind]} bytes exceeded for {kind} {holder.name}"
        return refusal(call, "LimitExceeded", text, status=409)
    return None


def _owned_by_aws(call: Call, backend: Any) -> Answer | None:
    """moto lets everybody change the roles of AWS's services and of IAM Identity Center."""
    _, holder = _holder(call, backend)
    if holder is None or not holder.path.startswith(_OWNED_BY_AWS):
        return None
    text = f"Cannot perform the operation on the protected role '{holder.name}'"
    return refusal(call, "UnmodifiableEntity", text, status=400)


_CHECKS: dict[str, Callable[[Call, Any], Answer | None]] = {
    "AttachRolePolicy": _attach,
    "AttachUserPolicy": _attach,
    "DeleteRolePolicy": _owned_by_aws,
    "DetachRolePolicy": _owned_by_aws,
    "GenerateCredentialReport": _generate,
    "GetAccessKeyLastUsed": _of_somebody_here,
    "PutRolePolicy": _put,
    "PutUserPolicy": _put,
    "UpdateLoginProfile": _new_password_only,
}

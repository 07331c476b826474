"""IAM's roles, boundaries, attachments and instance profiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.wire import Answer, Call, refusal

ATTACHED_AT_MOST = 10  # managed policies on one identity
LONGEST_ROLE_NAME = 64
PAGE = 100  # entities, unless a call asks for fewer
_OF_AWS = ("/aws-service-role/", "/aws-reserved/")
_ROLE_WRITES = re.compile(
    "(Attach|Detach|Put|Delete|Update|Tag|Untag)(Role|AssumeRole)(Policy|PermissionsBoundary)?"
)
_HOLDERS = {"RoleName": "Role", "UserName": "User", "GroupName": "Group"}


def backend(call: Call) -> Any:
    """moto's IAM of the caller's account."""
    return iam_backends[call.account_id][get_partition(call.region)]


def _role(call: Call) -> Any:
    return next((r for r in backend(call).get_roles() if r.name == call.params.get("RoleName")), None)


def before(call: Call) -> Answer | None:
    if _ROLE_WRITES.fullmatch(call.operation) and (role := _role(call)) and role.path.startswith(_OF_AWS):
        # moto lets everybody write to them.
        text = f"Cannot perform the operation on the protected role '{role.name}'"
        return refusal(call, "UnmodifiableEntity", text, status=400)
    answer = _ANSWERS.get(call.operation)
    return answer(call) if answer else None


def _no_such(call: Call, what: str) -> Answer:
    return refusal(call, "NoSuchEntity", f"{what} cannot be found.", status=404)


def _done(call: Call, result: str = "") -> Answer:
    name = call.operation
    inner = f"<{name}Result>{result}</{name}Result>" if result else ""
    text = (
        f'<{name}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">{inner}'
        f"<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></{name}Response>"
    )
    return Answer(200, (("Content-Type", "text/xml"),), text.encode())


def _quota(call: Call) -> Answer | None:
    """moto attaches any number of policies, and the same one again as often as asked."""
    parameter, kind = next((p, k) for p, k in _HOLDERS.items() if p in call.params)
    found = {
        "Role": lambda: _role(call),
        "User": lambda: backend(call).users.get(call.params["UserName"]),
        "Group": lambda: backend(call).groups.get(call.params["GroupName"]),
    }[kind]()
    if found is None:
        return _no_such(call, f"The {kind.lower()} with name {call.params[parameter]}")
    if call.params["PolicyArn"] in found.managed_policies:
        return _done(call)
    if len(found.managed_policies) >= ATTACHED_AT_MOST:
        text = f"Cannot exceed quota for PoliciesPer{kind}: {ATTACHED_AT_MOST}"
        return refusal(call, "LimitExceeded", text, status=409)
    return None


def _entities(call: Call) -> Answer:
    """moto looks at the first hundred roles only, pages nothing, and knows neither boundaries nor usage."""
    params, known = call.params, backend(call)
    arn, usage = params["PolicyArn"], params.get("PolicyUsageFilter")
    if arn not in known.managed_policies:
        return _no_such(call, f"Policy {arn}")
    holders = [
        *(("PolicyGroups", "Group", group) for group in known.groups.values()),
        *(("PolicyRoles", "Role", role) for role in known.get_roles()),
        *(("PolicyUsers", "User", user) for user in known.users.values()),
    ]
    found = [
        (listed, kind, holder)
        for listed, kind, holder in holders
        if params.get("EntityFilter") in (None, kind)
        and holder.path.startswith(params.get("PathPrefix") or "/")
        and (
            (usage != "PermissionsBoundary" and arn in holder.managed_policies)
            or (usage != "PermissionsPolicy" and boundary(holder) == arn)
        )
    ]
    start = int(params.get("Marker") or 0)
    end = start + int(params.get("MaxItems") or PAGE)
    texts: dict[str, str] = {"PolicyGroups": "", "PolicyRoles": "", "PolicyUsers": ""}
    for listed, kind, holder in found[start:end]:
        name = f"<{kind}Name>{escape(holder.name)}</{kind}Name><{kind}Id>{holder.id}</{kind}Id>"
        texts[listed] += f"<member>{name}</member>"
    more = f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>" if end < len(found) else ""
    lists = "".join(f"<{listed}>{members}</{listed}>" for listed, members in texts.items())
    return _done(call, lists + (more or "<IsTruncated>false</IsTruncated>"))


def boundary(holder: Any) -> str | None:
    """ARN of the permissions boundary of moto's role, user or group."""
    found = getattr(holder, "permissions_boundary", None)
    return found["PermissionsBoundaryArn"] if found else None


def _bind(call: Call) -> Answer | None:
    """moto takes a boundary that does not exist, and knows none of users."""
    arn = call.params["PermissionsBoundary"]
    if arn not in backend(call).managed_policies:
        return _no_such(call, f"Policy {arn}")
    if call.operation == "PutRolePermissionsBoundary":
        return None
    user = backend(call).users.get(call.params["UserName"])
    if user is None:
        return _no_such(call, f"The user with name {call.params['UserName']}")
    # moto shows whatever a user has of what GetUser can answer.
    user.permissions_boundary = {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": arn,
    }
    return _done(call)


def _unbind_user(call: Call) -> Answer:
    user = backend(call).users.get(call.params["UserName"])
    if user is None or boundary(user) is None:
        return _no_such(call, f"The permissions boundary of {call.params['UserName']}")
    user.permissions_boundary = None
    return _done(call)


def _create_role(call: Call) -> Answer | None:
    """moto takes names and tags that AWS refuses."""
    name, tags = call.params["RoleName"], call.params.get("Tags") or ()
    if len(name) > LONGEST_ROLE_NAME:
        text = f"1 validation error detected: Value at 'roleName' is longer than {LONGEST_ROLE_NAME}"
        return refusal(call, "ValidationError", text, status=400)
    if any(tag["Key"].lower().startswith("aws:") for tag in tags):
        text = "The tag keys prefixed with aws: are reserved for AWS use"
        return refusal(call, "InvalidInput", text, status=400)
    if name.lower() in {role.name.lower() for role in backend(call).get_roles()}:
        return refusal(call, "EntityAlreadyExists", f"Role with name {name} already exists.", status=409)
    return None


def _profiles_of_role(call: Call) -> Answer | None:
    """moto has an empty list for roles that do not exist."""
    if _role(call) is None:
        return _no_such(call, f"The role with name {call.params['RoleName']}")
    return None


def _remove_from_profile(call: Call) -> Answer | None:
    """moto breaks down when the role is not in the profile."""
    profile = backend(call).instance_profiles.get(call.params["InstanceProfileName"])
    if profile is None or _role(call) not in profile.roles:
        return _no_such(call, f"{call.params['RoleName']} in {call.params['InstanceProfileName']}")
    return None


_ANSWERS: Mapping[str, Callable[[Call], Answer | None]] = {
    "AttachGroupPolicy": _quota,
    "AttachRolePolicy": _quota,
    "AttachUserPolicy": _quota,
    "CreateRole": _create_role,
    "DeleteUserPermissionsBoundary": _unbind_user,
    "ListEntitiesForPolicy": _entities,
    "ListInstanceProfilesForRole": _profiles_of_role,
    "PutRolePermissionsBoundary": _bind,
    "PutUserPermissionsBoundary": _bind,
    "RemoveRoleFromInstanceProfile": _remove_from_profile,
}

"""Roles and managed policies of stacks. moto makes them, but changes and removes next to nothing of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.iam.exceptions import DeleteConflictException, LimitExceededException, NotFoundException
from moto.iam.models import IAMBackend, ManagedPolicy, Role, iam_backends
from moto.utilities.utils import get_partition

ATTACHED_AT_MOST = 10  # managed policies on one role
POLICY_AT_MOST = 6144  # characters of a managed policy, white space not counted
VERSIONS_AT_MOST = 5

Properties = Mapping[str, Any]


def install() -> None:
    """In moto's models, for this process."""
    Role.create_from_cloudformation_json = staticmethod(_create_role)
    Role.update_from_cloudformation_json = staticmethod(_update_role)
    Role.delete_from_cloudformation_json = staticmethod(_delete_role)
    ManagedPolicy.create_from_cloudformation_json = staticmethod(_create_policy)
    ManagedPolicy.update_from_cloudformation_json = staticmethod(_update_policy)
    ManagedPolicy.delete_from_cloudformation_json = staticmethod(_delete_policy)
    # moto knows the type of no attribute of a policy.
    ManagedPolicy.get_cfn_attribute = _policy_attribute
    ManagedPolicy.has_cfn_attr = staticmethod(lambda attr: attr in ("PolicyArn", "PolicyId"))


def _iam(account_id: str, region: str) -> IAMBackend:
    return iam_backends[account_id][get_partition(region)]


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


# --- roles


def _create_role(name: str, declared: Any, account_id: str, region: str, **_: Any) -> Any:
    properties, backend = declared["Properties"], _iam(account_id, region)
    _find_boundary(backend, properties)
    role = backend.create_role(
        role_name=properties.get("RoleName", name),
        assume_role_policy_document=_text(properties["AssumeRolePolicyDocument"]),
        path=properties.get("Path", "/"),
        permissions_boundary=properties.get("PermissionsBoundary"),
        description=properties.get("Description", ""),
        tags=properties.get("Tags", []),
        max_session_duration=properties.get("MaxSessionDuration", 3600),
    )
    try:
        _give(backend, role, properties)
    except Exception:
        _take(backend, role)
        backend.delete_role(role.name)
        raise
    return role


def _find_boundary(backend: Any, properties: Properties) -> None:
    arn = properties.get("PermissionsBoundary")
    if arn and arn not in backend.managed_policies:
        raise NotFoundException(f"Scope ARN: {arn} does not exist or is not attachable.")


def _give(backend: Any, role: Any, properties: Properties) -> None:
    for policy in properties.get("Policies", []):
        role.put_policy(policy["PolicyName"], _text(policy["PolicyDocument"]))
    for arn in properties.get("ManagedPolicyArns", []):
        _attach(backend, role, arn)
    role.declared = properties


def _take(backend: Any, role: Any) -> None:
    """What the template gave; the rest was given by others."""
    declared: Properties = getattr(role, "declared", {})
    for policy in declared.get("Policies", []):
        role.policies.pop(policy["PolicyName"], None)
    for arn in declared.get("ManagedPolicyArns", []):
        _detach(backend, role, arn)


def _attach(backend: Any, role: Any, arn: str) -> None:
    if arn not in backend.managed_policies:
        raise NotFoundException(f"Policy {arn} does not exist or is not attachable.")
    if arn in role.managed_policies:
        return
    if len(role.managed_policies) >= ATTACHED_AT_MOST:
        raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {ATTACHED_AT_MOST}")
    backend.managed_policies[arn].attach_to(role)


def _detach(backend: Any, role: Any, arn: str) -> None:
    if arn in role.managed_policies:
        role.managed_policies[arn].detach_from(role)


def _update_role(
    *, original_resource: Any, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
) -> Any:
    properties, backend = cloudformation_json["Properties"], _iam(account_id, region_name)
    role = backend.get_role(original_resource.name)
    _find_boundary(backend, properties)
    backend.update_assume_role_policy(role.name, _text(properties["AssumeRolePolicyDocument"]))
    role.description = properties.get("Description", "")
    role.max_session_duration = properties.get("MaxSessionDuration", 3600)
    role.permissions_boundary_arn = properties.get("PermissionsBoundary")
    role.tags = [dict(tag) for tag in properties.get("Tags", [])]
    _take(backend, role)
    _give(backend, role, properties)
    return role


def _delete_role(name: str, declared: Any, account_id: str, region: str) -> None:
    backend = _iam(account_id, region)
    role = backend.get_role(name)
    if others := set(role.managed_policies) - set(declared["Properties"].get("ManagedPolicyArns", [])):
        text = "Cannot delete entity, must detach all policies first."
        raise DeleteConflictException(f"{text} ({', '.join(sorted(others))})")
    _take(backend, role)
    backend.delete_role(name)


# --- managed policies


def _check_size(document: str) -> None:
    if len("".join(document.split())) > POLICY_AT_MOST:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {POLICY_AT_MOST}")


def _create_policy(name: str, declared: Any, account_id: str, region: str, **_: Any) -> Any:
    properties, backend = declared["Properties"], _iam(account_id, region)
    document = _text(properties["PolicyDocument"])
    _check_size(document)
    policy = backend.create_policy(
        description=properties.get("Description", ""),
        path=properties.get("Path", "/"),
        policy_document=document,
        policy_name=properties.get("ManagedPolicyName", name),
        tags=properties.get("Tags", []),
    )
    try:
        _hold(backend, policy, properties)
    except Exception:
        _let_go(policy, properties)
        backend.delete_policy(policy.arn)
        raise
    return policy


def _holders(backend: Any, properties: Properties) -> list[Any]:
    return [
        *(backend.get_role(name) for name in properties.get("Roles", [])),
        *(backend.get_user(name) for name in properties.get("Users", [])),
        *(backend.get_group(name) for name in properties.get("Groups", [])),
    ]


def _hold(backend: Any, policy: Any, properties: Properties) -> None:
    policy.held_by = []
    for holder in _holders(backend, properties):
        _attach(backend, holder, policy.arn)
        policy.held_by.append(holder)


def _let_go(policy: Any, properties: Properties) -> None:
    for holder in getattr(policy, "held_by", []):
        if policy.arn in holder.managed_policies:
            policy.detach_from(holder)


def _update_policy(
    *, original_resource: Any, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
) -> Any:
    properties, backend = cloudformation_json["Properties"], _iam(account_id, region_name)
    policy = backend.get_policy(original_resource.arn)
    document = _text(properties["PolicyDocument"])
    if document != next(each.document for each in policy.versions if each.is_default):
        _check_size(document)
        if len(policy.versions) >= VERSIONS_AT_MOST:
            policy.versions.remove(next(each for each in policy.versions if not each.is_default))
        backend.create_policy_version(policy.arn, document, "true")
    policy.tags = {tag["Key"].lower(): dict(tag) for tag in properties.get("Tags", [])}
    _let_go(policy, properties)
    _hold(backend, policy, properties)
    return policy


def _delete_policy(name: str, declared: Any, account_id: str, region: str) -> None:
    backend = _iam(account_id, region)
    policy = backend.get_policy(name)
    _let_go(policy, declared["Properties"])
    if policy.attachment_count > 0:
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    backend.delete_policy(policy.arn)


def _policy_attribute(self: Any, name: str) -> str:
    return str(self.arn if name == "PolicyArn" else self.id)

"""Says yes or no to a call, with the policies as they stand in the fake AWS at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.s3.models import s3_backends

from tests.fake_aws.iam_actions import also_needed, own_action, passed_to
from tests.fake_aws.iam_arns import Where
from tests.fake_aws.iam_resources import resources
from tests.fake_aws.principals import Principal
from tests.fake_aws.resource_policies import carried
from tests.fake_aws.resource_tags import tags_of
from tests.fake_aws.strict_iam import Request, Rights, Word, spoken
from tests.fake_aws.wire import Call


class Denied(Exception):
    """The call is refused; ``action`` is the one that was missing, ``because`` is why in AWS's words."""

    def __init__(self, principal: Principal, action: str, resource: str | None, because: str) -> None:
        super().__init__(
            f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {because}"
        )
        self.action = action


@dataclass(frozen=True, slots=True)
class _Asked:
    action: str
    resource: str | None


def authorise(call: Call, principal: Principal) -> None:
    """
    Raises:
        Denied: some action the call needs is not allowed.
    """
    if call.name == "sts:GetCallerIdentity":
        return  # nothing can forbid it
    rights = rights_of(principal)
    if call.name == "sts:AssumeRole":
        _authorise_entry(call, principal, rights)
        return
    where = Where(
        account_id=principal.account_id, partition=principal.partition, entity_arn=principal.entity_arn
    )
    context = _context(call, principal)
    asked = [_Asked(own_action(call), resource) for resource in resources(call, where)]
    for action, resource in also_needed(call):
        filled = resource and resource.format(partition=where.partition, account=where.account_id)
        asked.append(_Asked(action, filled))
    by_tags = any("aws:ResourceTag/" in text for text in rights.identity)
    for one in asked:
        more = _extra(one.action, call) | _of_resource(one.resource, call, principal)
        more |= _resource_tags(one.resource, principal) if by_tags else {}
        request = Request(action=one.action, resource=one.resource, context=context | more)
        word = _with_resource_policy(rights.say(request), request, call, principal)
        if word is not Word.ALLOW:
            raise Denied(principal, one.action, one.resource, _because(rights, request, word))


def _because(rights: Rights, request: Request, word: Word) -> str:
    """As AWS words it: the kind of policy, and of a managed one that denies its ARN."""
    kind, text = rights.why(request)
    if word is Word.SILENT:
        return f"because no {kind or 'resource-based policy'} allows the {request.action} action"
    if not text:
        return "with an explicit deny in a resource-based policy"
    arn = f": {rights.arns[text]}" if text in rights.arns else ""
    return f"with an explicit deny in {'an' if kind.startswith('i') else 'a'} {kind}{arn}"


def _resource_tags(resource: str | None, principal: Principal) -> dict[str, str | tuple[str, ...]]:
    tags = tags_of(resource or "", principal.account_id)
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def rights_of(principal: Principal) -> Rights:
    """The caller's policies, boundary, session policies and SCPs, read now: a change is felt at once."""
    backend = iam_backends[principal.account_id][principal.partition]
    boundary: str | None = None
    managed: dict[str, str] = {}
    if principal.is_session:
        try:
            role = backend.get_role_by_arn(principal.entity_arn)
        except NotFoundException:
            return Rights(identity=())  # the role was deleted under the session
        managed = {_default_text(each): arn for arn, each in role.managed_policies.items()}
        identity = [*role.policies.values(), *managed]
        if role.permissions_boundary_arn:
            boundary = _default_text(backend.get_policy(role.permissions_boundary_arn))
    else:
        user = backend.get_user(principal.name)
        holders: list[Any] = [user, *backend.get_groups_for_user(principal.name)]
        identity = [text for holder in holders for text in holder.policies.values()]
        managed = {_default_text(p): arn for holder in holders for arn, p in holder.managed_policies.items()}
        identity += managed
    return Rights(
        identity=tuple(identity),
        arns=managed,
        boundary=boundary,
        session=principal.session_policies,
        service_control=tuple(_service_control(principal)),
    )


def managed_policy(arn: str, account_id: str, partition: str) -> str:
    """The text of a managed policy by its ARN."""
    return _default_text(iam_backends[account_id][partition].get_policy(arn))


def _default_text(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def _service_control(principal: Principal) -> Iterator[tuple[str, ...]]:
    """SCPs attached to the account itself and to every unit above it. The management account has none."""
    owner = organizations_backends.master_accounts.get(principal.account_id)
    if owner is None or owner[0] == principal.account_id:
        return
    backend = organizations_backends[owner[0]][owner[1]]
    holders: dict[str, Any] = {holder.id: holder for holder in [*backend.accounts, *backend.ou]}
    holder = holders.get(principal.account_id)
    while holder is not None:
        kept = [each for each in holder.attached_policies if each.type == "SERVICE_CONTROL_POLICY"]
        yield tuple(str(each.content) for each in kept)
        holder = holders.get(holder.parent_id)


def organization_of(account_id: str) -> str | None:
    """The id of the organization an account belongs to."""
    owner = organizations_backends.master_accounts.get(account_id, (account_id, "aws"))
    organization = organizations_backends[owner[0]][owner[1]].org
    return str(organization.id) if organization else None


def _context(call: Call, principal: Principal) -> dict[str, str | tuple[str, ...]]:
    context: dict[str, str | tuple[str, ...]] = {
        "aws:PrincipalAccount": principal.account_id,
        "aws:PrincipalArn": principal.entity_arn,
        "aws:PrincipalType": "AssumedRole" if principal.is_session else "User",
        "aws:RequestedRegion": call.region,
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
    }
    if principal.is_session:
        # With temporary credentials the key is always there; no test signs in with MFA.
        context["aws:MultiFactorAuthPresent"] = "false"
        context["aws:userid"] = f"AROAEXAMPLEROLE00000:{principal.arn.rpartition('/')[2]}"
    else:
        context["aws:username"] = principal.name
    if principal.source_identity:
        context["aws:SourceIdentity"] = principal.source_identity
    if organization := organization_of(principal.account_id):
        context["aws:PrincipalOrgID"] = organization
    for name, value in _tags(call):
        context[f"aws:RequestTag/{name}"] = value
    if names := tuple(name for name, _ in _tags(call)):
        context["aws:TagKeys"] = names
    return context


def _of_resource(resource: str | None, call: Call, principal: Principal) -> dict[str, str | tuple[str, ...]]:
    """Whose the resource is. ARNs of buckets do not say it, and many actions are about no resource."""
    bucket = call.params.get("Bucket") if call.service == "s3" else None
    named = (resource or "").split(":", 5)[4:5]
    if bucket in s3_backends.bucket_accounts:
        owner = str(s3_backends.bucket_accounts[bucket][1])
    else:
        owner = named[0] if named and named[0].isdecimal() else principal.account_id
    found: dict[str, str | tuple[str, ...]] = {"aws:ResourceAccount": owner}
    if organization := organization_of(owner):
        found["aws:ResourceOrgID"] = organization
    return found


def _tags(call: Call) -> Iterator[tuple[str, str]]:
    groups: Iterable[Any] = [call.params.get("Tags") or []]
    groups = [*groups, *(s.get("Tags", []) for s in call.params.get("TagSpecifications") or [])]
    for tags in groups:
        pairs = tags.items() if isinstance(tags, dict) else [(t.get("Key"), t.get("Value")) for t in tags]
        for name, value in pairs:
            yield str(name), str(value or "")


def _extra(action: str, call: Call) -> dict[str, str | tuple[str, ...]]:
    """Condition keys of single services."""
    params, found = call.params, dict[str, str | tuple[str, ...]]()
    if action.startswith("iam:"):
        for key, parameter in (
            ("iam:PolicyARN", "PolicyArn"),
            ("iam:PermissionsBoundary", "PermissionsBoundary"),
        ):
            if value := params.get(parameter):
                found[key] = value
    if action == "iam:PassRole":
        found["iam:PassedToService"] = passed_to(call)
    if action == "ec2:CreateTags" and call.operation != "CreateTags":
        found["ec2:CreateAction"] = call.operation
    return found


def _with_resource_policy(word: Word, request: Request, call: Call, principal: Principal) -> Word:
    """What remains after the bucket's, topic's or queue's own policy has spoken."""
    if (itself := carried(call)) is None:
        return word
    heard = Word.SILENT
    if itself.document:
        heard = spoken([itself.document], request, principals=_names(principal))
    if Word.DENY in (word, heard):
        return Word.DENY
    if itself.owner != principal.account_id:
        # What is another account's needs both sides' consent.
        return Word.ALLOW if word is heard is Word.ALLOW else Word.SILENT
    return Word.ALLOW if Word.ALLOW in (word, heard) else Word.SILENT


def _names(principal: Principal) -> tuple[str, ...]:
    """Every name a policy may use for the caller."""
    root = f"arn:{principal.partition}:iam::{principal.account_id}:root"
    return (principal.arn, principal.entity_arn, principal.account_id, root)


def _authorise_entry(call: Call, principal: Principal, rights: Rights) -> None:
    """Both sides must agree: the caller's rights and the role's trust policy."""
    arn = str(call.params["RoleArn"])
    context = _context(call, principal) | _of_resource(arn, call, principal)
    if identity := call.params.get("SourceIdentity"):
        context["sts:SourceIdentity"] = identity
    if external_id := call.params.get("ExternalId"):
        context["sts:ExternalId"] = external_id
    context["sts:RoleSessionName"] = call.params["RoleSessionName"]
    actions = ["sts:AssumeRole"]
    actions += ["sts:SetSourceIdentity"] if call.params.get("SourceIdentity") else []
    actions += ["sts:TagSession"] if call.params.get("Tags") else []
    trust = _trust_of(arn)
    for action in actions:
        request = Request(action=action, resource=arn, context=context)
        if trust is None or (word := _entry_word(request, principal, rights, trust)) is not Word.ALLOW:
            explicit = trust is not None and word is Word.DENY
            raise Denied(principal, action, arn, "with an explicit deny" if explicit else "")


def _entry_word(request: Request, principal: Principal, rights: Rights, trust: str) -> Word:
    said = rights.say(request)
    heard = spoken([trust], request, principals=_names(principal))
    if Word.DENY in (said, heard):
        return Word.DENY
    same_account = str(request.resource).split(":")[4] == principal.account_id
    if same_account and heard is Word.ALLOW and rights.session is None and rights.boundary is None:
        # A trust policy of the same account that names the caller itself is enough without any other.
        exact = (principal.arn, principal.entity_arn)
        if spoken([trust], request, principals=exact) is Word.ALLOW:
            return Word.ALLOW
    return Word.ALLOW if said is heard is Word.ALLOW else Word.SILENT


def _trust_of(arn: str) -> str | None:
    found = re.match(r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}):role/", arn)
    if found is None:
        return None
    try:
        role = iam_backends[found["account"]][found["partition"]].get_role_by_arn(arn)
    except NotFoundException:
        return None
    text = str(role.assume_role_policy_document)
    return unquote(text) if text.startswith("%") else text

"""Who may enter a spoke role, by its trust policy. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.doctor.policies import ANYBODY, Document, Granted, account_of, granted
from hub.doctor.words import Line, ok, warning

_ARN = "aws:principalarn"
_ORGANIZATION = "aws:principalorgid"
_EXTERNAL_ID = "sts:externalid"
_DEPLOY = "deploy the spoke role's template in place of it: `hub deploy spokes`"


@dataclass(frozen=True, slots=True)
class Hub:
    """Whom a spoke role should trust: the hub's role, and the organization it is in, "" if not known."""

    account_id: str
    role: str
    organization: str


def judge(document: Document, hub: Hub) -> list[Line]:
    """What is to be said of a trust policy that let the hub in; one line when all is well."""
    doors = list(granted(document, "sts:AssumeRole"))
    lines: list[Line] = []
    if any(map(_for_everybody, doors)):
        seen = "everybody in every account who may call sts:AssumeRole gets in"
        lines.append(warning("trust", seen, _DEPLOY))
    elif any(_for_the_account(door, hub) for door in doors):
        seen = (
            "everybody of the hub's account who may call sts:AssumeRole gets in, not the hub's role alone "
            "(as roles of the old project)"
        )
        lines.append(warning("trust", seen, _DEPLOY))
    if others := sorted({other for door in doors for other in _others(door, hub)}):
        lines.append(warning("trust", "others than the hub's role get in", _DEPLOY, answer=", ".join(others)))
    if any(_EXTERNAL_ID not in door.asked for door in doors):
        lines.append(warning("trust", "no ExternalId is asked for", _DEPLOY))
    if hub.organization and any(_ORGANIZATION not in door.asked for door in doors):
        seen = f"aws:PrincipalOrgID is not asked for, {hub.organization} is not the limit"
        lines.append(warning("trust", seen, "give the spoke stacks the parameter OrganizationId"))
    if not any(granted(document, "sts:SetSourceIdentity")):
        seen = "the hub may not say for which run it comes: CloudTrail has the session's name alone"
        lines.append(warning("trust", seen, _DEPLOY))
    asked = ["the hub's role alone", "ExternalId", *(["aws:PrincipalOrgID"] if hub.organization else [])]
    return lines or [ok("trust", f"asks for {', '.join(asked)}")]


def _for_everybody(door: Granted) -> bool:
    return ANYBODY in door.principals and _ARN not in door.asked and _ORGANIZATION not in door.asked


def _for_the_account(door: Granted, hub: Hub) -> bool:
    return _ARN not in door.asked and any(account_of(name) == hub.account_id for name in door.principals)


def _others(door: Granted, hub: Hub) -> Iterator[str]:
    """Whom it lets in beside the hub's account or role."""
    arn = re.compile(rf"arn:[a-z-]+:iam::{hub.account_id}:role/(?:[^*?]*/)?{re.escape(hub.role)}")
    if (arns := door.asked.get(_ARN)) is not None:
        # Whatever the principal is: only these get in.
        yield from (name for name in arns if not arn.fullmatch(name))
        return
    for name in door.principals:
        if name == ANYBODY and _ORGANIZATION in door.asked:
            yield "everybody of the organization"
        elif name != ANYBODY and account_of(name) != hub.account_id and not arn.fullmatch(name):
            yield name

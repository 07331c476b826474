"""Who may approve, as patterns of the ARNs that people have.

Source: STS GetCallerIdentity and IAM's table of principals: ``iam::ACCOUNT:user/PATH/NAME``, ``iam::ACCOUNT:root``,
``sts::ACCOUNT:assumed-role/ROLE/SESSION`` (without the role's path), ``sts::ACCOUNT:federated-user/NAME``.
"""

from __future__ import annotations

import re

from hub.rules import globs
from hub.rules.nodes import shown

EXAMPLE = "arn:*:sts::111122223333:assumed-role/Security/*"
_COMES = {"iam": ("user/", "root"), "sts": ("assumed-role/", "federated-user/")}


def wrong_with(text: str) -> tuple[str, str]:
    """What is wrong with a pattern of ARNs, "" if nothing is, and what was meant."""
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        meant = f"write it as STS tells it, as in {EXAMPLE!r}; leave approvers out for whoever may write to the journal"
        return f"{shown(text)} is no ARN", meant
    _, partition, service, region, account, name = parts
    if not globs.is_pattern(account) and not re.fullmatch(r"[0-9]{12}", account):
        return f"account {shown(account)} in {shown(text)} is not 12 digits", f"as in {EXAMPLE!r}"
    if region and not globs.is_pattern(region):
        return f"{shown(text)} names the region {shown(region)}", "ARNs of people have none: leave it empty"
    if service == "iam" and name.startswith("role/"):
        # Whoever uses a role is told by its session.
        meant = f"arn:{partition}:sts::{account}:assumed-role/{name.rpartition('/')[2]}/*"
        return f"{shown(text)} is a role, and people are told by its sessions", f"did you mean {meant!r}?"
    if service == "sts" and re.fullmatch(r"assumed-role/[^/*]+", name):
        return f"{shown(text)} names no session of the role", f"did you mean '{text}/*'?"
    if not (globs.is_pattern(service) or name.startswith(("*", *_COMES.get(service, ())))):
        return f"{shown(text)} is no ARN that a person has", f"as in {EXAMPLE!r}"
    return "", ""

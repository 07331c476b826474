"""A domain registered with Route 53, as its registrar knows it."""

from __future__ import annotations

import re
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone

# The registrar has one code for what it does not like and for what is not this account's.
NOT_OURS = ("InvalidInput",)
NO_SUCH_SETTING = ("UnsupportedTLD", "TLDRulesViolation")
_NAME = re.compile(r"(?=.{3,255}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")


def domain_name(target: Target) -> str:
    """The name as the registrar writes it: small ASCII letters (punycode), no dot at the end.

    Raises:
        CannotFix: it is no domain name.
    """
    name = target.id.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            name = ""
    if not _NAME.fullmatch(name):
        raise CannotFix(
            f"{target.id[:80]!r} is no domain name; the finding must name the domain, as example.com"
        )
    return name


async def registration(aws: Aws, target: Target) -> dict[str, Any]:
    """What the registrar says of the domain.

    Raises:
        CannotFix: it is no domain name, or the account is in a partition without a registrar.
        TargetGone: the domain is not registered in this account.
    """
    name = domain_name(target)
    if aws.partition != "aws":
        raise CannotFix(f"Route 53 registers no domains in the partition {aws.partition}")
    found = await aws.find("route53domains", "GetDomainDetail", absent=NOT_OURS, DomainName=name)
    if found is None:
        raise TargetGone(f"domain {name} is not registered in account {aws.account_id}")
    return found


def not_offered(name: str, setting: str) -> CannotFix:
    """What to raise when the registry of the domain does not know a setting."""
    return CannotFix(f"the registry of .{name.rsplit('.', 1)[-1]} offers no {setting} for {name}")

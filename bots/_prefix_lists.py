"""What rules without a network of their own let in: members of groups, networks of prefix lists."""

from __future__ import annotations

from collections.abc import Iterable

from bots._aws import Aws, together
from bots._bot import on
from bots._rules import Rule, cidr, contains, named

# A list can be AWS's own or shared by another account.
LIST = ("arn:{partition}:ec2:*:*:prefix-list/*",)
READS = on(LIST, "ec2:GetManagedPrefixListEntries")


async def unjudged(aws: Aws, rules: Iterable[Rule], network: str) -> tuple[str, ...]:
    """Notes about those of the rules that have no network to compare with the given one."""
    others = sorted(rule for rule in rules if not rule.is_network)
    lists = [rule for rule in others if rule.source.startswith("pl-")]
    reaches = await together(*(_reach(aws, rule.source, network) for rule in lists))
    notes = tuple(
        f"left for a person to judge: {rule}; {reach}" for rule, reach in zip(lists, reaches, strict=True)
    )
    if groups := [rule for rule in others if rule not in lists]:
        notes += (f"open for members of groups, whatever their addresses: {named(groups)}",)
    return notes


async def _reach(aws: Aws, prefix_list: str, network: str) -> str:
    found = aws.pages("ec2", "GetManagedPrefixListEntries", items="Entries", PrefixListId=prefix_list)
    entries = [cidr(entry["Cidr"]) async for entry in found]
    outside = sum(not contains(network, entry) for entry in entries)
    return f"{outside} of the list's {len(entries)} networks lie outside {network}"

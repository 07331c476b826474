"""From a finding to its steps: which bot, with which parameters, on which resource. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bots._bot import AnyBot, Params, Target
from bots._catalogue import BrokenBot, Catalogue, UnknownBot
from bots._words import BadWords, parse
from hub.aws import regions
from hub.aws.arns import parse as parse_arn
from hub.flow.ids import derived_id
from hub.model import AccountFacts, Action, Finding, Step
from hub.rules.decide import Due

MAX_TARGET_CHARACTERS = 2048
UNKNOWN = AccountFacts()


class _Problem(Exception):
    """Why a due bot cannot be run; the text goes into the report."""


def plan(
    finding: Finding,
    due: Sequence[Due],
    *,
    partition: str,
    catalogue: Catalogue,
    facts: AccountFacts = UNKNOWN,
) -> tuple[Step, ...]:
    """A step for every bot that is due, in that order, the same bot and words once.

    Args:
        due: what the finding and the rules ask for, and what rules refuse.
        partition: the hub's own partition, for findings that name no region.
        catalogue: the bots there are.
        facts: what is known of the finding's account, for guards.
    """
    steps: dict[str, Step] = {}
    for step in _steps(finding, due, partition, catalogue, facts):
        steps.setdefault(step.run_id, step)
    return tuple(steps.values())


def _steps(
    finding: Finding, due: Sequence[Due], partition: str, catalogue: Catalogue, facts: AccountFacts
) -> Iterator[Step]:
    for each in due:
        action = each.action
        bot: AnyBot | None = None
        try:
            bot = _bot(action, catalogue)
            params = _params(bot, action)
            _check_account(finding)
            target = _target(finding, bot, partition)
        except _Problem as problem:
            yield Step(
                run_id=_run_id(finding, bot.name if bot else action.bot, action),
                finding=finding,
                action=action,
                bot=bot,
                problem=str(problem),
                decided_by=each.decided_by,
            )
        else:
            yield Step(
                run_id=_run_id(finding, bot.name, action),
                finding=finding,
                action=action,
                bot=bot,
                params=params,
                target=target,
                decided_by=each.decided_by,
                refusal=each.refusal,
                needs_approval=each.needs_approval,
                facts=facts,
            )


def _run_id(finding: Finding, bot: str, action: Action) -> str:
    parts = (finding.occurrence, bot, *action.args, action.suggested_policy or "")
    # The length goes first, so that no two lists of words run together into one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return derived_id(text)


def _bot(action: Action, catalogue: Catalogue) -> AnyBot:
    if not action.bot:
        raise _Problem("the action names no bot; write the bot's name first, then its parameters")
    try:
        return catalogue.bot_named(action.bot)
    except (UnknownBot, BrokenBot) as error:
        raise _Problem(str(error)) from error


def _params(bot: AnyBot, action: Action) -> Params:
    try:
        params: Params = parse(bot.params, action.args, suggested_policy=action.suggested_policy)
    except BadWords as error:
        raise _Problem(f"{bot.name}: {error}") from error
    return params


def _check_account(finding: Finding) -> None:
    if finding.vendor.strip().casefold() not in ("aws", ""):
        raise _Problem(
            f"the finding is about a cloud of vendor {finding.vendor[:40]!r}; this hub works in AWS accounts only"
        )
    if not re.fullmatch(r"[0-9]{12}", finding.account_id):
        raise _Problem(f"account id {finding.account_id[:40]!r} is not 12 digits")


def _target(finding: Finding, bot: AnyBot, partition: str) -> Target:
    region = _region(finding, bot, partition)
    try:
        found = bot.target(finding.entity, finding.account_id)
    except LookupError as error:
        raise _Problem(f"{error.args[0]}, so {bot.name} does not know what to work on") from error
    if len(found) > MAX_TARGET_CHARACTERS or not found.isprintable():
        raise _Problem("the resource's id is too long or holds control characters")
    arn = parse_arn(found)
    # Of policies that AWS itself writes, "aws" is the account.
    if arn is not None and arn.account not in ("", "aws", finding.account_id):
        raise _Problem(
            f"the resource belongs to account {arn.account[:40]!r}, the finding is about {finding.account_id}"
        )
    return Target(
        account_id=finding.account_id,
        region=region,
        partition=regions.partition_of(region),
        type=bot.acts_on,
        id=found,
        name=finding.entity_name or "",
        entity=bot.kept_of(finding.entity),
        event_time=finding.event_time,
        occurrence=finding.occurrence,
        rule=finding.rule,
        rule_document=finding.rule_document,
    )


def _region(finding: Finding, bot: AnyBot, partition: str) -> str:
    try:
        region = regions.resolve(finding.region)
    except ValueError as error:
        raise _Problem(str(error)) from error
    if region is None or region == regions.GLOBAL:
        return regions.home_region(partition)
    if regions.partition_of(region) != partition:
        raise _Problem(
            f"region {region} is in partition {regions.partition_of(region)}, this hub works in {partition}; "
            "a hub of its own is needed there"
        )
    return regions.home_region(partition) if bot.is_global else region

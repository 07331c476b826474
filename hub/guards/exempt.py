"""Resources and accounts that are left alone until a day is over: by the rules file, or by a tag of their own.

The tag is `spoke_role.tags.EXEMPT_TAG`, its value the day and the reason: ``2026-12-31 migration under way``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

from hub.entity import tags
from hub.guards import CountsNothing, CurrentRules, Proposal
from hub.guards.tags_now import TagsNow
from hub.guards.where import Entries, Narrowing
from hub.model import Decision, Step, Verdict
from hub.rules.guard_model import Exemption
from hub.rules.properties import Property, TagProperty
from spoke_role.tags import EXEMPT_TAG

LONGEST_ECHO = 256  # AWS's limit for a tag's value
_VALUE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[\s:,;]+(.*))?", re.DOTALL)


class Exempt:
    """By the entries of the rules file, the tags that the finding tells of, and the account's tags.

    Args:
        now: the time, aware.
        account_tags: tags of accounts can be looked up (the hub works for an organization), which is done where
            the file has exemptions. Where an account's are then not known, it may be exempt, so nothing is done.
    """

    name = "exempt"

    def __init__(self, rules: CurrentRules, now: Callable[[], datetime], *, account_tags: bool) -> None:
        self._entries = Entries(rules, "exemptions", lambda current: current.exemptions, _of_resource)
        self._rules = rules
        self._now = now
        self._account_tags = account_tags

    async def judge(self, step: Step) -> Verdict | None:
        today = self._now().astimezone(UTC).date()
        account, facts = step.finding.account_id, step.facts
        fits = [fit for fit in self._entries.about(step) if today <= fit.entry.until]
        for fit in fits:
            if not fit.unknown:
                return _no(
                    self.name,
                    f"{_resource(step)} is exempt until the end of {fit.entry.until} (UTC) by {fit.place}: "
                    f"{fit.entry.comment}; take the entry out to have it fixed before",
                )
        tagged = _by_tag(self.name, _resource(step), tags(step.finding.entity), today)
        if tagged is None and facts.tags is not None:
            tagged = _by_tag(self.name, f"account {account}", facts.tags.items(), today)
        if tagged is not None:
            return tagged
        unknown = fits[0].unknown if fits else ""
        if self._account_tags and facts.tags is None and self._rules().exemptions:
            unknown = unknown or f"the tags of account {account} could not be looked up"
        if unknown:
            return Verdict(
                decision=Decision.UNREACHABLE,
                guard=self.name,
                why=f"{unknown}, so nobody can tell whether {_resource(step)} is exempt, and nothing was done; "
                "send the finding again when they can be",
            )
        return None


class ExemptNow(CountsNothing):
    """By the resource's tags as they are now: a scanner's copy may be hours old.

    Where they cannot be known nothing is said. The finding's copy was asked before, and was all there is; else no
    resource of a type without tags could be fixed.
    """

    name = "exempt now"

    def __init__(self, tags_now: TagsNow) -> None:
        self._tags_now = tags_now

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """
        Raises:
            AwsError: AWS throttled or did not answer; then nothing may be changed.
        """
        found = await self._tags_now.of(proposal)
        if found is None:
            return None
        what = proposal.run.target_id or _resource(proposal.step)
        return _by_tag(self.name, what, found.items(), proposal.now.astimezone(UTC).date())


def _by_tag(guard: str, what: str, found: Iterable[tuple[str, str]], today: date) -> Verdict | None:
    for key, value in found:
        # As the opt-out tag is compared: the key's case does not count.
        if key.casefold() != EXEMPT_TAG:
            continue
        carries = f"{what} carries the tag {key}={value[:LONGEST_ECHO]!r}"
        until = _day(value)
        if until is None:
            return _no(
                guard,
                f"{carries}, which does not begin with a day, so the hub leaves it alone for good; write it as in "
                "'2026-12-31 migration under way', or take the tag off, and send the finding again",
            )
        if today <= until:
            return _no(
                guard,
                f"{carries}, so the hub leaves it alone until the end of that day (UTC); take the tag off and send "
                "the finding again to have it fixed before",
            )
    return None


def _day(value: str) -> date | None:
    """The day that a tag's value begins with; None if there is none."""
    match = _VALUE.fullmatch(value.strip())
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _of_resource(entries: Sequence[Exemption]) -> Narrowing:
    """What exemptions ask of the resource, as rules do. What a look found counts like what the finding names."""
    ids = Property([entry.entity_ids for entry in entries], remembers=False)
    names = Property([entry.entity_names for entry in entries], remembers=False)
    types = Property([entry.entity_types for entry in entries], folded=True)
    tagged = TagProperty([entry.entity_tags for entry in entries])

    def narrowed(step: Step, among: int) -> int:
        assert step.target is not None
        finding, target = step.finding, step.target
        among = ids.met(finding.entity_id or "", target.id, among=among)
        among = names.met(finding.entity_name or "", target.name, among=among)
        among = types.met(str(finding.entity.get("type") or ""), target.type, among=among)
        return tagged.met(tags(finding.entity), among) if among & tagged.wanting else among

    return narrowed


def _resource(step: Step) -> str:
    assert step.target is not None
    return step.target.id


def _no(guard: str, why: str) -> Verdict:
    return Verdict(decision=Decision.REFUSE, guard=guard, why=why)

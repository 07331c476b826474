"""Resources that a tool owns, as their tags tell: what the hub changes there, the tool's next run puts back.

CloudFormation tags what it makes, under keys nobody else may use. Terraform leaves tags to whoever writes the code,
so what people write most often is looked for; entries of the rules file can name their own.

AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""

from __future__ import annotations

import re
from typing import Final

from hub.entity import tags
from hub.guards import CountsNothing, CurrentRules, Proposal
from hub.guards.tags_now import TagsNow
from hub.guards.where import Entries, Fit, as_seen, deciding
from hub.model import Decision, Verdict
from hub.rules.guard_model import Managed, TagPatterns
from hub.rules.properties import TagProperty, numbers

Tags = tuple[tuple[str, str], ...]

STACK_NAME: Final = "aws:cloudformation:stack-name"
STACK_ID: Final = "aws:cloudformation:stack-id"
# Keys are compared without case and without what separates their words: ManagedBy, managed_by, managed-by.
# These tell of Terraform when their value begins with one of its names ...
TERRAFORM_OWNERS: Final = frozenset(
    {"managedby", "maintainedby", "provisionedby", "deployedby", "createdby", "createdwith", "createdusing"}
    | {
        "provisioner",
        "provisioningtool",
        "deploymenttool",
        "managementtool",
        "tool",
        "iac",
        "iactool",
        "source",
    }
)
TERRAFORM_NAMES: Final = ("terraform", "opentofu", "terragrunt")
# ... and these whatever it is, if it does not say no.
TERRAFORM_MARKS: Final = frozenset(
    {"terraform", "terraformed", "terraformmanaged", "managedbyterraform", "isterraform", "tfmanaged"}
    | {"terraformworkspace", "terraformmodule", "terraformproject", "terraformstate", "terraformstack"}
    | {
        "terraformrepo",
        "terraformpath",
        "tfworkspace",
        "tfmodule",
        "tfproject",
        "tfstate",
        "tfstack",
        "tfrepo",
    }
    | {"opentofu", "terragrunt"}
)
SAYS_NO: Final = frozenset({"false", "no", "0", "none", "off"})
LONGEST_ECHO = 256  # AWS's limit for a tag's value
_SEPARATORS = re.compile(r"[\W_]+")
_CAREFUL = ("fix", "warn", "report")  # in rising order


class ManagedResources(CountsNothing):
    """The first entry that is about step and owner decides; where none is, nothing is said.

    An entry with ``by`` is about what that tool owns as far as the hub can tell, one with ``tags`` about what
    carries any of them, one with both about either, and one with neither about what any tool owns. Where it cannot
    be known which entry decides, the most careful word counts that may be right.
    """

    name = "managed"

    def __init__(self, rules: CurrentRules, tags_now: TagsNow) -> None:
        self._entries = Entries(rules, "managed", lambda current: current.managed)
        self._tags_now = tags_now

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """
        Raises:
            AwsError: AWS throttled or did not answer; then nothing may be changed.
        """
        step = as_seen(proposal)
        about = self._entries.about(step)
        if not about:
            return None
        assert step.target is not None
        found = await self._tags_now.of(proposal)
        carried = tuple(tags(step.finding.entity) if found is None else found.items())
        owned = [fit for fit in about if _owner(fit.entry, carried)]
        may_decide = list(deciding(owned))
        if not may_decide:
            return None
        fit = max(may_decide, key=lambda each: _CAREFUL.index(each.entry.then))
        owner = f"{step.target.id} belongs to {_owner(fit.entry, carried)}"
        because = f"{fit.place}: {fit.entry.comment}"
        if fit.entry.then == "fix":
            return None
        if fit.entry.then == "warn":
            return self._say(
                Decision.GO,
                f"{owner}, whose next run may take the fix back; change it in its code too; {because}",
            )
        if (unknown := _unsure(may_decide)) is not None:
            return self._say(
                Decision.UNREACHABLE,
                f"{owner}, and {unknown}, so nobody can tell whether it may be fixed, and nothing was changed; "
                f"change it in its code, or send the finding again when they can be; {because}",
            )
        return self._say(
            Decision.REFUSE,
            f"{owner}, whose next run would take any fix back; change it in its code; {because}",
        )

    def _say(self, decision: Decision, why: str) -> Verdict:
        return Verdict(decision=decision, guard=self.name, why=why)


def _unsure(may_decide: list[Fit[Managed]]) -> str | None:
    """What is not known, if another word than "report" may be right."""
    if all(fit.entry.then == "report" for fit in may_decide) and not may_decide[-1].unknown:
        return None
    return next(fit.unknown for fit in may_decide if fit.unknown)


def _owner(entry: Managed, carried: Tags) -> str:
    """Whose the resource is, if it is one of those that the entry is about; "" if it is none."""
    if entry.by == "cloudformation":
        found = _stack(carried)
    elif entry.by == "terraform":
        found = _terraform(carried)
    else:
        # Who names tags only means another tool.
        found = "" if entry.tags else _stack(carried) or _terraform(carried)
    return found or _tagged(entry.tags, carried)


def _stack(carried: Tags) -> str:
    named = dict(carried)
    return next(
        (
            f"CloudFormation stack {named[key][:LONGEST_ECHO]}"
            for key in (STACK_NAME, STACK_ID)
            if key in named
        ),
        "",
    )


def _terraform(carried: Tags) -> str:
    for key, value in carried:
        plain, said = _SEPARATORS.sub("", key.casefold()), value.strip().casefold()
        if (plain in TERRAFORM_OWNERS and said.startswith(TERRAFORM_NAMES)) or (
            plain in TERRAFORM_MARKS and said not in SAYS_NO
        ):
            return f"Terraform (tag {key[:LONGEST_ECHO]}={value[:LONGEST_ECHO]!r})"
    return ""


def _tagged(wanted: TagPatterns, carried: Tags) -> str:
    """The first of the entry's own tags that the resource carries."""
    met = TagProperty([(each,) for each in wanted]).met(carried, (1 << len(wanted)) - 1)
    return next((f"whoever set its tag {wanted[number][0]}" for number in numbers(met)), "")

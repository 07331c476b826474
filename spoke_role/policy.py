"""The policies of the spoke role, made from the bots' headers.

Nothing here is AWS's to answer: documents go in as data and come out as data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence

from bots import _catalogue
from bots._bot import AnyBot, Risk
from bots._grants import grants, session_of
from spoke_role.documents import (
    ACCOUNT,
    MANAGED_POLICIES,
    PARTITION,
    POLICY_CHARACTERS,
    Document,
    Statement,
    TooLarge,
    document,
    own_policies,
    packed,
    role,
    size,
)
from spoke_role.guard_reads import GUARD_READS
from spoke_role.limits import limits
from spoke_role.opt_out import opted_out
from spoke_role.tags import ALL_BOTS, CHOSEN_POLICY, OPT_OUT_POLICY

LIMITS = "limits"
IAM, EC2 = "iam", "ec2"


def select(
    names: Iterable[str] | None = None,
    max_risk: Risk | None = None,
    catalogue: _catalogue.Catalogue | None = None,
) -> tuple[AnyBot, ...]:
    """Bots by name (or alias), at most of a risk; by default all but the optional ones. Alphabetical, each once.

    Args:
        catalogue: the bots there are; this project's by default.

    Raises:
        UnknownBot: a name that no bot has.
        BrokenBot: one of a user's own bots cannot be loaded.
    """
    known = catalogue or _catalogue.Catalogue()
    wanted = map(known.bot_named, known.names() if names is None else names)
    found = {bot.name: bot for bot in wanted if names is not None or not bot.optional}
    return tuple(
        found[name] for name in sorted(found) if max_risk is None or found[name].risk.rank <= max_risk.rank
    )


def choice(bots: Sequence[AnyBot]) -> str:
    """Whose permissions they are, as the role's tag says it: of all bots, of all up to a risk, or of a number."""
    if tuple(bots) == select():
        return ALL_BOTS
    for risk in Risk:
        if tuple(bots) == select(max_risk=risk):
            return f"at most {risk}"
    return f"{len(bots)} chosen"


def only_these(bots: Sequence[AnyBot]) -> Document:
    """Denies everything to the sessions of other bots, told by the names the hub gives them.

    Leaving out their rights is not enough: what a bot needs for an undo is another one's destruction.

    Raises:
        TooLarge: the names do not fit into a policy.
    """
    # What aws:userid is like in them.
    sessions = [f"*:{session_of(bot.name)}.*" for bot in bots]
    harmless = [action for statement in about_itself() for action in statement["Action"]]
    made = document([
        {
            "Sid": "NotForOtherBots",
            "Effect": "Deny",
            "NotAction": harmless,
            "Resource": ["*"],
            "Condition": {"StringNotLike": {"aws:userid": sessions}},
        }
    ])  # fmt: skip
    if size(made) > POLICY_CHARACTERS:
        raise TooLarge(f"the names of {len(bots)} bots do not fit into a policy; choose fewer bots, or all")
    return made


def about_itself() -> tuple[Statement, ...]:
    """What the role may read whatever its bots: itself, so that drift shows, and which regions are open."""
    return (
        {
            "Sid": "ReadsItself",
            "Effect": "Allow",
            "Action": ["iam:GetRole", "iam:ListAttachedRolePolicies"],
            "Resource": [role("${RoleName}")],
        },
        {
            "Sid": "ReadsItsPolicies",
            "Effect": "Allow",
            "Action": ["iam:GetPolicy", "iam:GetPolicyVersion"],
            "Resource": [own_policies()],
        },
        {"Sid": "ReadsRegions", "Effect": "Allow", "Action": ["ec2:DescribeRegions"], "Resource": ["*"]},
    )


def allowances(bots: Iterable[AnyBot]) -> dict[str, Document]:
    """What the role may do, by what the policies' names end with: read about itself, read what the hub's guards
    ask for, and what the bots declare.

    An action is in the policy of its service whatever else is allowed, so that an upgrade never moves it from
    one policy to another: CloudFormation changes them one by one, and in between it would be in neither. Where a
    group outgrows one policy it has more, and only there actions can move.
    """
    groups: dict[str, list[Statement]] = {IAM: list(about_itself())}
    for grant in grants(bots, also=GUARD_READS):
        statement = grant.statement(partition=PARTITION, account=ACCOUNT)
        for action in grant.actions:
            groups.setdefault(_group(action), []).append({**statement, "Action": [action]})
    return dict(named for group in sorted(groups) for named in _numbered(group, packed(groups[group])))


def _numbered(name: str, documents: Sequence[Document]) -> Iterator[tuple[str, Document]]:
    for number, each in enumerate(documents, 1):
        yield (name if number == 1 else f"{name}-{number}"), each


def _group(action: str) -> str:
    service = action.partition(":")[0]
    if service in (IAM, EC2):
        return service
    return "a-to-k" if service < "l" else "l-to-z"


def policies(bots: Sequence[AnyBot]) -> dict[str, Document]:
    """Every managed policy of the role, by what its name ends with. What denies comes before what allows.

    Raises:
        TooLarge: there are more than a role may have.
    """
    found = {LIMITS: limits(bots)} | dict(_numbered(OPT_OUT_POLICY, opted_out(bots)))
    if bots and choice(bots) != ALL_BOTS:
        found[CHOSEN_POLICY] = only_these(bots)
    found |= allowances(bots)
    if len(found) > MANAGED_POLICIES:
        raise TooLarge(
            f"the bots' permissions fill {len(found)} managed policies, those that only deny included, and a "
            f"role takes {MANAGED_POLICIES}; choose fewer bots"
        )
    return found


def version(documents: Iterable[Document]) -> str:
    """Twelve digits that change when, and only when, the permissions do."""
    text = json.dumps(list(documents), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def version_of(bots: Sequence[AnyBot]) -> str:
    """The version of the role for these bots, which it carries as a tag and its stack as an output."""
    return version(policies(bots).values())

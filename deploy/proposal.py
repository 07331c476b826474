"""A change of a stack between being worked out and being made: somebody looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.calls import until
from deploy.change_set import ChangeSet, propose
from deploy.errors import DeploymentFailed
from deploy.parameters import Values
from deploy.session import Aws
from deploy.stack import Stack, find

# What is left of a creation or deletion that failed. Nothing can be made of such a stack; it can be deleted.
REMAINS = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
_STUCK = ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change of a stack that nobody has made yet.

    Attributes:
        before: the stack as it is; None when it is yet to be made.
        made: names of parameters whose values were found or made up, not given.
        change_set: None when nothing would change.
    """

    before: Stack | None
    values: Values
    made: tuple[str, ...]
    change_set: ChangeSet | None

    @property
    def imports(self) -> bool:
        """Whether this only takes in what a former stack has left; the rest is another change."""
        return self.change_set is not None and self.change_set.kind == "IMPORT"

    @property
    def changed_values(self) -> list[tuple[str, str, str]]:
        """Name, value now and value to be of every parameter that changes. New ones have no value now."""
        now = self.before.parameters if self.before else {}
        wanted = self.values.all
        return [
            (name, now.get(name, ""), wanted[name])
            for name in sorted(wanted)
            if now.get(name) != wanted[name]
        ]


async def proposed(
    aws: Aws,
    *,
    name: str,
    before: Stack | None,
    template: Mapping[str, str],
    values: Values,
    made: Iterable[str] = (),
    imported: Sequence[Mapping[str, Any]] = (),
) -> Proposal:
    """Have AWS work out what the template with these values would change.

    Args:
        before: the stack as `present` found it.
        template: ``TemplateBody`` or ``TemplateURL``.
        imported: resources there are, for a stack that begins with them.

    Raises:
        DeploymentFailed: AWS cannot or will not.
    """
    change_set = await propose(
        await aws.client("cloudformation"),
        stack_name=name,
        template=template,
        parameters=values.request,
        kind="IMPORT" if imported else "CREATE" if before is None else "UPDATE",
        imported=imported,
        patience=aws.patience,
    )
    return Proposal(before=before, values=values, made=tuple(sorted(made)), change_set=change_set)


async def present(aws: Aws, name: str) -> Stack | None:
    """The stack once AWS is done with what it is doing to it; None where there is none.

    Raises:
        DeploymentFailed: it is in a state only its owner can get it out of.
    """
    cloudformation = await aws.client("cloudformation")
    if await find(cloudformation, name) is None:
        return None

    async def idle() -> tuple[Stack | None] | None:
        stack = await find(cloudformation, name)
        return None if stack is not None and stack.busy else (stack,)

    (stack,) = await until(idle, f"stack {name}", aws.patience)
    if stack is not None and stack.status in _STUCK:
        raise DeploymentFailed(
            f"stack {name} is stuck ({stack.status}: {stack.reason}); once the cause is gone, "
            f"`aws cloudformation continue-update-rollback --stack-name {name}` gets it out"
        )
    return stack

"""Inline policies of users, roles and groups: read, deleted, put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from bots._all_or_none import Change, IamChange, Write
from bots._aws import Aws, together
from bots._bot import Before
from bots._identities import NO_SUCH, Identity, listing, some
from bots._managed import as_text
from bots._policies import statements


class Inline(Before):
    """The inline policies that a bot deletes."""

    policies: dict[str, str]  # name -> document


async def inline_names(aws: Aws, who: Identity) -> list[str]:
    """
    Raises:
        TargetGone: there is no such user, role or group.
    """
    return sorted(await listing(aws, who, f"List{who.kind}Policies", items="PolicyNames"))


async def inline_document(aws: Aws, who: Identity, name: str) -> str | None:
    """None if there is no such policy."""
    answer = await aws.find("iam", f"Get{who.kind}Policy", absent=NO_SUCH, PolicyName=name, **who.words)
    return None if answer is None else as_text(answer["PolicyDocument"])


async def inline_documents(aws: Aws, who: Identity, names: Iterable[str]) -> dict[str, str]:
    """Document by name, of those that are there."""
    names = tuple(names)
    documents = await together(*(inline_document(aws, who, name) for name in names))
    return {name: text for name, text in zip(names, documents, strict=True) if text is not None}


async def inline_policies(aws: Aws, who: Identity) -> dict[str, str]:
    """Every document by name, in the order of the names.

    Raises:
        TargetGone: there is no such user, role or group.
    """
    return await inline_documents(aws, who, await inline_names(aws, who))


def setting(who: Identity, name: str, document: str | None) -> Write:
    """The call after which the identity has the policy, or none of that name."""
    named = {**who.words, "PolicyName": name}
    if document is None:
        return Write(f"Delete{who.kind}Policy", named)
    return Write(f"Put{who.kind}Policy", {**named, "PolicyDocument": document})


async def have(aws: Aws, who: Identity, name: str, document: str | None) -> None:
    """Make what `setting` says so; a policy that is gone already needs no deleting."""
    write = setting(who, name, document)
    await aws.find("iam", write.operation, absent=NO_SUCH if document is None else (), **write.params)


def removals(who: Identity, policies: Mapping[str, str]) -> list[IamChange]:
    """Deleting the inline policies; turned, putting them back."""
    return [
        IamChange(setting(who, name, None), setting(who, name, document))
        for name, document in policies.items()
    ]


def rewriting(
    aws: Aws, who: Identity, goal: Mapping[str, str | None], *, was: Mapping[str, str]
) -> list[Change]:
    """Giving the policies the goal's documents, None for none, where they have others."""
    return [
        Change(partial(have, aws, who, name, document), partial(have, aws, who, name, was.get(name)))
        for name, document in goal.items()
        if was.get(name) != document
    ]


def denies(document: str) -> bool:
    """Whether some statement denies."""
    return any(statement.get("Effect") == "Deny" for statement in statements(document))


def only_denies(document: str) -> bool:
    """Whether no statement allows: without the policy its holder could do more."""
    return all(statement.get("Effect") == "Deny" for statement in statements(document))


def denial_notes(policies: Mapping[str, str]) -> tuple[str, ...]:
    """What a person should know of policies that take something away as long as they are there."""
    denying = [name for name, document in policies.items() if denies(document)]
    if not denying:
        return ()
    return (f"what {some(denying)} denied is no longer denied by it: without it access may be wider",)


def parting_notes(found: Mapping[str, str]) -> tuple[str, ...]:
    """What a person should know when those of the policies go that do not only deny."""
    notes = [
        f"inline policy {name} stays: it only denies" for name, text in found.items() if only_denies(text)
    ]
    notes += [
        f"inline policy {name} also denies something, which nothing denies without it"
        for name, text in found.items()
        if denies(text) and not only_denies(text)
    ]
    return tuple(notes)

"""What a spoke role's permissions are: by the version it says, or by the documents it has."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bots._aws import AwsError, together
from hub.aws.account import SpokeAccount
from hub.aws.errors import DENIED
from hub.doctor.asking import unseen
from hub.doctor.versions import Versions
from hub.doctor.words import By, Line, Rights, warning
from spoke_role import coverage
from spoke_role.guard_reads import GUARD_READS
from spoke_role.policy import policies

_Judgement = tuple[dict[str, tuple[str, ...]], tuple[str, ...], coverage.Drift]
"""What bots lack, what guards lack, and in what the documents differ from the expected ones."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Permissions:
    """Judges roles by the versions this hub makes, and remembers what it has read.

    Attributes:
        names: what names in templates stand for in every account.
    """

    versions: Versions
    names: Mapping[str, str]
    _read: dict[str, Rights] = field(default_factory=dict)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    _judged: dict[str, _Judgement] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, version: str) -> AsyncIterator[None]:
        """Roles of one version come one by one, so that what the first one's policies say is known to the
        others. Roles that say none, or one this hub makes, do not wait."""
        if not version or self.versions.get(version):
            yield
            return
        async with self._turns.setdefault(version, asyncio.Lock()):
            yield

    def by_version(self, version: str) -> Rights | None:
        """What a role of this version allows; None if this hub neither makes it nor has read one before."""
        known = self.versions.get(version)
        if known is None:
            read = self._read.get(version)
            return replace(read, by=By.ANOTHER) if read else None
        has = {bot.name for bot in known.bots}
        wanted = self.versions.wanted
        lacking = {bot.name: () for bot in wanted if bot.name not in has}
        return Rights(version=version, by=By.VERSION, bots=len(wanted), lacking=lacking)

    def label(self, version: str) -> str:
        """Which bots a version of this hub's is for, "" if this hub does not make it."""
        known = self.versions.get(version)
        return known.label if known else ""

    def by_documents(
        self, version: str, documents: Sequence[Mapping[str, Any]], *, partition: str, account: str
    ) -> Rights:
        """What these documents allow, and in what they differ from what the version says they are, or from
        those of all bots where this hub does not make that version."""
        lacking, guards_lack, drift = self._judge(version, documents, partition, account)
        rights = Rights(
            version=version,
            by=By.DOCUMENTS,
            bots=len(self.versions.wanted),
            lacking=lacking,
            added=drift.added,
            gone=drift.gone,
            guards_lack=guards_lack,
        )
        if version and not self.versions.get(version):
            self._read[version] = rights
        return rights

    def _judge(
        self, version: str, documents: Sequence[Mapping[str, Any]], partition: str, account: str
    ) -> _Judgement:
        # A thousand accounts have the same documents but for their own number and their stack's id.
        text = json.dumps([version, *documents], sort_keys=True)
        like = _UUID.sub("", text.replace(account, ""))
        judged = self._judged.get(like)
        if judged is None:
            found, wanted = coverage.rules(documents), self.versions.wanted
            allowed = coverage.Allowed(found)
            lacking = allowed.lacking(wanted, partition=partition, account=account)
            unread = tuple(sorted(allowed.without(GUARD_READS, partition=partition, account=account)))
            if (known := self.versions.get(version)) is None:
                # A role for some chosen bots is known by the version that just these give.
                self.versions.learn(version, tuple(bot for bot in wanted if bot.name not in lacking))
                known = self.versions.get(version)
            expected = policies(known.bots if known else wanted)
            names = {**self.names, "AWS::Partition": partition, "AWS::AccountId": account}
            judged = self._judged[like] = (
                lacking,
                unread,
                coverage.drift(found, list(expected.values()), names),
            )
        return judged


async def read_documents(aws: SpokeAccount, role: str) -> tuple[list[dict[str, Any]], list[Line]]:
    """The policy documents of a role, and lines about what could not be read.

    Raises:
        AwsError: the role's own managed policies could not be read.
    """
    attached = [
        each
        async for each in aws.pages(
            "iam", "ListAttachedRolePolicies", items="AttachedPolicies", RoleName=role
        )
    ]
    managed = await together(*(_managed(aws, each, role) for each in attached))
    inline, lines = await _inline(aws, role)
    closed = [each["PolicyName"] for each, read in zip(attached, managed, strict=True) if read is None]
    if closed:
        seen = f"somebody attached {', '.join(sorted(closed))}, which the role may not read"
        lines.append(warning("other policies", seen, "detach what the spoke role's template does not make"))
    return [*filter(None, managed), *inline], lines


async def _managed(aws: SpokeAccount, attached: Mapping[str, str], role: str) -> dict[str, Any] | None:
    """The document; None for a policy that is not of the role's template and may not be read."""
    arn = attached["PolicyArn"]
    try:
        policy = (await aws.call("iam", "GetPolicy", PolicyArn=arn))["Policy"]
        request = {"PolicyArn": arn, "VersionId": policy["DefaultVersionId"]}
        answer = await aws.call("iam", "GetPolicyVersion", **request)
    except AwsError as error:
        if error.code in DENIED and not attached["PolicyName"].startswith(f"{role}-"):
            return None
        raise
    document: dict[str, Any] = answer["PolicyVersion"]["Document"]
    return document


async def _inline(aws: SpokeAccount, role: str) -> tuple[list[dict[str, Any]], list[Line]]:
    try:
        names = [
            name async for name in aws.pages("iam", "ListRolePolicies", items="PolicyNames", RoleName=role)
        ]
        found = await together(
            *(aws.call("iam", "GetRolePolicy", RoleName=role, PolicyName=name) for name in names)
        )
    except AwsError as error:
        # The template makes no inline policies, so the rights it gives do not include reading them.
        return [], [unseen("inline policies", error)]
    return [answer["PolicyDocument"] for answer in found], []

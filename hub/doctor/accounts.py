"""One account: may the hub work there, can it get in, who else can, and what may it do inside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import AnyBot, Before, Bot, NoParams, Risk, Undo, account, on
from hub.aws.account import SpokeAccount
from hub.aws.accounts import Accounts
from hub.aws.directory import Member
from hub.aws.errors import DENIED
from hub.aws.regions import home_region
from hub.doctor import entry, trust
from hub.doctor.asking import unseen
from hub.doctor.permissions import Permissions, read_documents
from hub.doctor.rights import told
from hub.doctor.stack_sets import Instances
from hub.doctor.words import (
    DEPLOY_SPOKES,
    AccountHealth,
    Line,
    Rights,
    Standing,
    State,
    ok,
    unknown,
    warning,
)
from hub.errors import SpokeError
from hub.settings import Settings
from spoke_role.tags import VERSION_TAG

AskInstances = Callable[[], Awaitable[Instances]]


def eyes(role: str) -> AnyBot:
    """All that doctor does in an account, in a bot's words: its sessions are narrowed to it."""
    return Bot(
        name="doctor",
        acts_on="AWS::IAM::Role",
        target=account(),
        params=NoParams,
        before=Before,
        reads=(
            *on(
                (f"arn:{{partition}}:iam::{{account}}:role/{role}",),
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ),
            # Managed policies of AWS's own, too: somebody may have attached one.
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "ec2:DescribeRegions",
        ),
        writes=(),
        risk=Risk.ADDITIVE,
        undo=Undo.none("doctor changes nothing"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Looks at accounts, one at a time or many side by side.

    Attributes:
        trusted: whom roles should trust.
        instances: asks StackSets, once for all; only when an account cannot be entered.
        deep: read the policies even where the version is known.
        run_id: CloudTrail's source identity of all sessions of this look.
    """

    settings: Settings
    accounts: Accounts
    partition: str
    trusted: trust.Hub
    permissions: Permissions
    instances: AskInstances
    deep: bool
    run_id: str

    async def examine(self, facts: Member) -> AccountHealth:
        """Everything about the account that can be seen; never raises for what AWS answers."""
        if (outside := self._outside(facts)) is not None:
            return outside
        if facts.account_id == self.trusted.account_id and not self.settings.own_account_by_role:
            return self._own(facts)
        try:
            entered = await self.accounts.enter(
                facts.account_id,
                self.settings.region,
                self.partition,
                bot=eyes(self.settings.role_name),
                run_id=self.run_id,
            )
        except SpokeError as error:
            instances = await self.instances()
            why = entry.line(error, instances.of.get(facts.account_id), instances)
            seen = why.state is not State.UNKNOWN
            return _health(facts, Standing.NOT_PROTECTED if seen else Standing.NOT_KNOWN, [why])
        role = await self._role(entered)
        rights, about_rights = await self._rights(entered, role)
        regions, about_regions = await _regions(entered)
        lines = [ok("role", "can be entered"), *self._about(role), *about_rights, about_regions]
        return _health(facts, Standing.PROTECTED, lines, rights=rights, regions=regions)

    def _outside(self, facts: Member) -> AccountHealth | None:
        if not facts.active:
            seen = f"{facts.state.lower().replace('_', ' ')} in AWS Organizations, the hub does not enter it"
            return _health(facts, Standing.NOT_ACTIVE, [ok("account", seen)])
        if self.settings.accounts and facts.account_id not in self.settings.accounts:
            return _health(
                facts, Standing.EXCLUDED, [ok("account", "excluded: HUB_ACCOUNTS does not list it")]
            )
        return None

    @staticmethod
    def _own(facts: Member) -> AccountHealth:
        seen = "not looked: the hub works in its own account with its own credentials, not by a spoke role"
        do = "deploy the spoke role there, too, and set HUB_OWN_ACCOUNT_BY_ROLE=true"
        return _health(facts, Standing.NOT_KNOWN, [unknown("role", seen, do)])

    async def _role(self, entered: SpokeAccount) -> Mapping[str, Any] | AwsError:
        try:
            iam = entered.at(home_region(self.partition))
            answer = await iam.call("iam", "GetRole", RoleName=self.settings.role_name)
        except AwsError as error:
            return error
        role: Mapping[str, Any] = answer["Role"]
        return role

    def _about(self, role: Mapping[str, Any] | AwsError) -> list[Line]:
        if isinstance(role, AwsError):
            return [unseen("trust", role)]
        lines = trust.judge(role["AssumeRolePolicyDocument"], self.trusted)
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        if boundary:
            name = boundary.rsplit("/", 1)[-1]
            lines.append(
                unknown(
                    "permissions boundary",
                    f"there is one ({name}); what it takes away from the role was not looked at",
                    "compare it with the bots' permissions by hand",
                )
            )
        return lines

    async def _rights(
        self, entered: SpokeAccount, role: Mapping[str, Any] | AwsError
    ) -> tuple[Rights | None, list[Line]]:
        if isinstance(role, AwsError):
            if role.code in DENIED:
                seen = "older than this hub: the role may not read about itself"
                return None, [warning("permissions", seen, DEPLOY_SPOKES)]
            return None, [unseen("permissions", role)]
        version = next((tag["Value"] for tag in role.get("Tags", ()) if tag["Key"] == VERSION_TAG), "")
        if self.deep:
            return await self._read(entered, version)
        async with self.permissions.turn(version):
            rights = self.permissions.by_version(version)
            if rights is None:
                return await self._read(entered, version)
        return rights, [told(rights, self.permissions.label(version))]

    async def _read(self, entered: SpokeAccount, version: str) -> tuple[Rights | None, list[Line]]:
        try:
            iam = entered.at(home_region(self.partition))
            documents, lines = await read_documents(iam, self.settings.role_name)
        except AwsError as error:
            return None, [unseen("permissions", error)]
        rights = self.permissions.by_documents(
            version, documents, partition=self.partition, account=entered.account_id
        )
        return rights, [told(rights, self.permissions.label(version)), *lines]


async def _regions(entered: Aws) -> tuple[tuple[str, ...] | None, Line]:
    """The opt-in regions the account uses; all others it has anyway."""
    try:
        answer = await entered.call(
            "ec2", "DescribeRegions", Filters=[{"Name": "opt-in-status", "Values": ["opted-in"]}]
        )
    except AwsError as error:
        return None, unseen("regions", error)
    found = tuple(sorted(each["RegionName"] for each in answer["Regions"]))
    return found, ok("regions", f"opted in to {', '.join(found)}" if found else "opted in to no region")


def _health(facts: Member, standing: Standing, lines: list[Line], **more: Any) -> AccountHealth:
    return AccountHealth(
        account_id=facts.account_id, name=facts.name, standing=standing, lines=tuple(lines), **more
    )

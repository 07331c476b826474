"""The StackSet of the spoke role: what it is, where it has stacks, and the operations that change that.

AWS works on one operation of a StackSet at a time. An operation that is under way, also one of an earlier
run or of a colleague, is waited for; nothing here ever stops one.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import ClientError

from deploy.calls import PATIENCE, Patience, code, items, said, until
from deploy.errors import DeploymentFailed
from deploy.instances import Instance, Missed, Target
from deploy.stack import CAPABILITIES

CallAs = Literal["SELF", "DELEGATED_ADMIN"]
Model = Literal["SERVICE_MANAGED", "SELF_MANAGED"]
# How many accounts are done, of how many.
Count = Callable[[int, int], None]

_ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
# Every account gets its chance, also after some have failed.
GOING_ON = {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a StackSet says that its stacks are."""

    template: str
    parameters: Mapping[str, str]
    model: Model
    admin_role: str = ""
    execution_role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSets:
    """A StackSet by name, through a client of its administrator.

    Attributes:
        call_as: DELEGATED_ADMIN when the client's account administers StackSets for the management account.
        count: told how far an operation is.
    """

    cloudformation: Any
    name: str
    call_as: CallAs = "SELF"
    patience: Patience = PATIENCE
    count: Count | None = field(default=None, compare=False)

    @property
    def _which(self) -> dict[str, str]:
        return {"StackSetName": self.name, "CallAs": self.call_as}

    async def definition(self) -> Definition | None:
        """What the StackSet says; None where there is none."""
        try:
            found = (await self.cloudformation.describe_stack_set(**self._which))["StackSet"]
        except ClientError as error:
            if code(error) == "StackSetNotFoundException":
                return None
            raise DeploymentFailed(f"StackSet {self.name}: {said(error)}") from error
        if found["Status"] != "ACTIVE":
            return None
        return Definition(
            template=found.get("TemplateBody", ""),
            parameters={p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters") or ()},
            model=found.get("PermissionModel", "SELF_MANAGED"),
            admin_role=found.get("AdministrationRoleARN", ""),
            execution_role=found.get("ExecutionRoleName", ""),
        )

    async def instances(self) -> tuple[Instance, ...]:
        """Where it has stacks, by account and region."""
        found = [
            Instance(
                account_id=each["Account"],
                region=each["Region"],
                status=each["Status"],
                detail=(each.get("StackInstanceStatus") or {}).get("DetailedStatus", ""),
                reason=each.get("StatusReason") or "",
                unit_id=each.get("OrganizationalUnitId") or "",
            )
            async for each in items(self.cloudformation, "list_stack_instances", "Summaries", **self._which)
        ]
        return tuple(sorted(found, key=lambda each: (each.account_id, each.region)))

    async def units(self) -> frozenset[str]:
        """Ids of the OUs whose new accounts get a stack by themselves."""
        request, found = dict(self._which), set()
        while True:
            page = await self.cloudformation.list_stack_set_auto_deployment_targets(**request)
            found |= {each["OrganizationalUnitId"] for each in page["Summaries"]}
            if not page.get("NextToken"):
                return frozenset(found)
            request["NextToken"] = page["NextToken"]

    async def create(self, template: str, parameters: Sequence[Mapping[str, Any]], **model: Any) -> None:
        """Make the StackSet; it has no stacks yet.

        Args:
            model: ``PermissionModel`` and what goes with it.
        """
        try:
            await self.cloudformation.create_stack_set(**self._which, **_body(template, parameters), **model)
        except ClientError as error:
            raise DeploymentFailed(f"StackSet {self.name}: {said(error)}") from error

    async def update(
        self, template: str, parameters: Sequence[Mapping[str, Any]], **model: Any
    ) -> tuple[Missed, ...]:
        """Change the StackSet and all its stacks; the accounts where that failed."""
        request = {**_body(template, parameters), **model, "OperationPreferences": GOING_ON}
        return await self._operate("update_stack_set", **request)

    async def add(self, target: Target, region: str) -> tuple[Missed, ...]:
        """Bring stacks into accounts; those where that failed."""
        return await self._operate("create_stack_instances", **self._about(target, region))

    async def refresh(self, target: Target, region: str) -> tuple[Missed, ...]:
        """Try again where stacks are not as the StackSet says; the accounts where that failed."""
        return await self._operate("update_stack_instances", **self._about(target, region))

    async def take_away(self, target: Target, region: str, *, retain: bool = False) -> tuple[Missed, ...]:
        """Delete stacks from accounts; those where that failed.

        Args:
            retain: only let go of them; what they made stays in the accounts.
        """
        return await self._operate(
            "delete_stack_instances", **self._about(target, region), RetainStacks=retain
        )

    async def delete(self) -> None:
        """Delete the StackSet, which has no stacks any more."""
        try:
            await self.cloudformation.delete_stack_set(**self._which)
        except ClientError as error:
            if code(error) != "StackSetNotFoundException":
                raise DeploymentFailed(f"StackSet {self.name}: {said(error)}") from error

    async def under_way(self) -> str | None:
        """Id of the operation AWS is working on, if any."""
        async for each in items(self.cloudformation, "list_stack_set_operations", "Summaries", **self._which):
            if each["Status"] not in _ENDED:
                return str(each["OperationId"])
        return None

    async def wait_for_others(self) -> None:
        """Wait for an operation that is under way, if there is one."""
        if operation := await self.under_way():
            await self._over(operation)

    @staticmethod
    def _about(target: Target, region: str) -> dict[str, Any]:
        return {**target.request, "Regions": [region], "OperationPreferences": GOING_ON}

    async def _operate(self, call: str, **request: Any) -> tuple[Missed, ...]:
        """Start an operation as soon as AWS lets us, and wait for it."""

        async def start() -> str | None:
            try:
                started = await getattr(self.cloudformation, call)(**self._which, **request)
            except ClientError as error:
                if code(error) not in ("OperationInProgressException", "StaleRequestException"):
                    raise DeploymentFailed(f"StackSet {self.name}: {said(error)}") from error
                await self.wait_for_others()
                return None
            return str(started["OperationId"])

        operation = await until(start, f"an earlier operation of StackSet {self.name}", self.patience)
        return await self._ended(operation)

    async def _ended(self, operation: str) -> tuple[Missed, ...]:
        """Wait for an operation; the accounts where it failed.

        Raises:
            DeploymentFailed: it failed as a whole.
        """
        ended, results = await self._over(operation)
        missed = tuple(
            Missed(
                account_id=each.get("Account", ""),
                region=each.get("Region", ""),
                reason=each.get("StatusReason") or each["Status"].lower(),
            )
            for each in results
            if each["Status"] in ("FAILED", "CANCELLED")
        )
        if ended["Status"] != "SUCCEEDED" and not missed:
            reason = ended.get("StatusReason") or "AWS gives no reason"
            raise DeploymentFailed(f"StackSet {self.name}: {ended['Status'].lower()}: {reason}")
        return missed

    async def _over(self, operation: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The operation when it is over, however it ended, and what it says of each account."""
        request = {**self._which, "OperationId": operation}

        async def look() -> dict[str, Any] | None:
            found: dict[str, Any] = (await self.cloudformation.describe_stack_set_operation(**request))[
                "StackSetOperation"
            ]
            if found["Status"] in _ENDED:
                return found
            if self.count is not None:
                results = await self._results(request)
                self.count(
                    sum(each["Status"] not in ("PENDING", "RUNNING") for each in results), len(results)
                )
            return None

        ended = await until(look, f"StackSet {self.name}", self.patience)
        results = await self._results(request)
        if self.count is not None:
            self.count(len(results), len(results))
        return ended, results

    async def _results(self, request: Mapping[str, str]) -> list[dict[str, Any]]:
        name = "list_stack_set_operation_results"
        return [each async for each in items(self.cloudformation, name, "Summaries", **request)]


def _body(template: str, parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"TemplateBody": template, "Parameters": list(parameters), "Capabilities": CAPABILITIES}

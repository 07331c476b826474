"""The archive's stack: what it has to know of the hub's, and the change that would make it so."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.errors import InputWrong
from deploy.parameters import settle
from deploy.proposal import Proposal, proposed
from deploy.session import Aws
from deploy.stack import Stack
from deploy.template import archive_template, parse

# Parameters of the archive and the hub's outputs that tell them.
_TOLD = {
    "HubName": "HubName",
    "OutputTopicArn": "OutputTopicARN",
    "AlarmTopicArn": "AlarmTopicARN",
    "RoleName": "RoleName",
    "KeyArn": "EncryptionKeyArn",
}


async def prepare(
    aws: Aws, *, name: str, hub: Stack, before: Stack | None, given: Mapping[str, str]
) -> Proposal:
    """Work out what the given values would change. What the hub's stack tells follows it, unless given.

    Args:
        before: the archive's stack as `present` found it.

    Raises:
        InputWrong: the values do not fit the template, or this hub has nothing that could be archived.
        DeploymentFailed: AWS cannot or will not.
    """
    if hub.parameters.get("OutputMode") == "text":
        raise InputWrong(
            f"stack {hub.name} reports as text, which nobody could query: hub deploy hub -P OutputMode=JSON"
        )
    missing = [output for output in ("OutputTopicARN", "HubName") if output not in hub.outputs]
    if missing:
        raise InputWrong(f"stack {hub.name} does not tell its {missing[0]}: bring it up to date first")
    told = {name: hub.outputs.get(output, "") for name, output in _TOLD.items()}
    told["PermissionsBoundaryArn"] = hub.parameters.get("PermissionsBoundaryArn", "")
    text = archive_template()
    values = settle(parse(text), {**told, **given}, before.parameters if before else None)
    return await proposed(
        aws,
        name=name,
        before=before,
        template={"TemplateBody": text},
        values=values,
        made=told.keys() - given,
    )

"""What to do after the hub's stack is there, as commands ready to be pasted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from deploy.parameters import declared
from deploy.stack import Stack
from deploy.template import parse, role_template

# Parameters that hub and spoke roles share. The rest of the roles' are told by the hub's outputs.
_SHARED = ("ExternalId", "OrganizationId", "RoleName", "InputTopicName", "OutputTopicName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do and why."""

    why: str
    command: str


def spoke_parameters(hub: Stack, account_id: str) -> dict[str, str]:
    """What the spoke roles have to know of this hub: their parameters."""
    told = {name: hub.parameters[name] for name in _SHARED if name in hub.parameters}
    return {"HubAccountId": account_id, "HubRoleName": hub.outputs["HubRoleName"], **told}


def after_hub(hub: Stack, account_id: str, region: str) -> list[Step]:
    """The way from a hub to accounts it may enter."""
    known = declared(parse(role_template()))
    told = spoke_parameters(hub, account_id)
    words = [
        f"-P {name}={shlex.quote(value)}" for name, value in told.items() if known[name].default != value
    ]
    here = Step(
        why="The hub works in its own account through a spoke role too; as this account:",
        command=f"hub deploy spokes --here --region {region}",
    )
    if hub.parameters.get("DeploymentMode") != "multi":
        return [here]
    everywhere = Step(
        why="Let it into the accounts of an OU, as the management account or a delegated administrator of StackSets:",
        command=f"hub deploy spokes --ou /Workloads --region {region} {' '.join(words)}",
    )
    return [everywhere, here]

"""The hub itself: who it is, what its settings miss, and whether what it stands on is as it should be."""

from __future__ import annotations

from dataclasses import dataclass

from bots._aws import together
from hub.aws.accounts import HubIdentity
from hub.doctor import function, journal, queue, topics
from hub.doctor.words import Line, ok, warning
from hub.settings import DeploymentMode, Settings


@dataclass(frozen=True, slots=True)
class Me:
    """Who doctor calls AWS as. ``role`` is "" for anybody but a role's session."""

    account_id: str
    partition: str
    arn: str
    role: str


async def me(identity: HubIdentity) -> Me:
    """
    Raises:
        SpokeError: AWS does not say.
    """
    caller = await identity.caller()
    arn = caller["Arn"]
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    role = rest.split("/")[0] if kind == "assumed-role" else ""
    return Me(caller["Account"], arn.split(":")[1], arn, role)


async def look(settings: Settings, identity: HubIdentity, who: Me) -> list[Line]:
    """Everything about the hub but its clock."""
    table = settings.journal.removeprefix("dynamodb:")
    seen: queue.Queue | None = None
    about_queue: list[Line] = []
    if settings.queue_url:
        seen, about_queue = await queue.look(identity, settings.queue_url)
    looks = [topics.look(identity, seen, settings.report_topic_arn)]
    if table != settings.journal:
        looks.append(journal.look(identity, table))
    if who.role:
        # Role, table and function have one name, the stack's HubName.
        looks.append(function.look(identity, who.role, seen))
    others = await together(*looks)
    return [_who(who), *_settings(settings), *about_queue, *(line for found in others for line in found)]


def _who(who: Me) -> Line:
    if who.role:
        return ok("hub", f"role {who.role} of account {who.account_id}")
    return warning(
        "hub",
        f"{who.arn} is no role, and spoke roles let in the hub's role alone",
        "run doctor as the hub's role, the output HubRoleArn of the hub's stack",
    )


def _settings(settings: Settings) -> list[Line]:
    missing = [
        (settings.queue_url, "HUB_QUEUE_URL", "no worker can take findings from it"),
        (settings.report_topic_arn, "HUB_REPORT_TOPIC_ARN", "reports go into the log only"),
        (settings.external_id, "HUB_EXTERNAL_ID", "spoke roles of the template ask for it"),
    ]
    lines = [
        warning("settings", f"{name} is not set: {so}", f"set {name}")
        for value, name, so in missing
        if not value
    ]
    if settings.dry_run:
        seen = "HUB_DRY_RUN is true: findings are looked at, nothing is fixed"
        lines.append(warning("settings", seen, "set HUB_DRY_RUN=false once the reports look right"))
    if settings.deployment_mode is DeploymentMode.MULTI and not settings.own_account_by_role:
        lines.append(
            warning(
                "settings",
                "HUB_OWN_ACCOUNT_BY_ROLE is not true: the hub works in its own account with its own rights, "
                "and the role of its stack has none there",
                "deploy the spoke role there, too, and set HUB_OWN_ACCOUNT_BY_ROLE=true",
            )
        )
    if not settings.journal.startswith("dynamodb:"):
        lines.append(
            warning(
                "settings",
                f"the journal is kept {'in memory' if settings.journal == 'memory' else 'in a file of this machine'}: "
                "other workers do not see it",
                "set HUB_JOURNAL=dynamodb:TABLE, the output TableName of the hub's stack",
            )
        )
    return lines or [ok("settings", "nothing is missing")]

"""What AWS's no means for the person who reads the report: who said it, and what to do about it.

Only AWS knows why it refuses. Its messages name the action, the kind of policy and, within an organization, the
policy; not all of its services write them. What they leave open is said to be open. See "Troubleshoot access denied
error messages" in the IAM user guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bots._aws import AwsError
from bots._catalogue import names
from hub.flow.explain import explain
from hub.flow.kit import Kit
from hub.model import Outcome, Run
from spoke_role.current import VERSION
from spoke_role.tags import ALL_BOTS, CHOSEN_POLICY, OPT_OUT_POLICY, OPT_OUT_TAG, OPT_OUT_VALUE

_ACTION = re.compile(r"not authorized to perform: (?P<action>[a-z0-9-]+:\w+)")
_KIND = r"(?P<kind>[\w -]*?(?:policy|boundary))"
_EXPLICIT = re.compile(
    rf"with an explicit deny(?: in an? {_KIND}(?:: (?P<arn>arn:\S+?)(?=[.,;]?(?:\s|$)))?)?"
)
_IMPLICIT = re.compile(rf"because no {_KIND} allows")
_IDENTITY = "identity-based policy"
_SESSION = "session policy"
_TAG = f"{OPT_OUT_TAG}={OPT_OUT_VALUE}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What AWS's message says. "" is what it leaves open.

    ``kind`` is the kind of policy, ``arn`` the policy that denies.
    """

    action: str = ""
    explicit: bool = False
    kind: str = ""
    arn: str = ""


def read(message: str) -> Refusal:
    """The refusal behind the text of an error."""
    found = _ACTION.search(message)
    action = found["action"] if found else ""
    if explicit := _EXPLICIT.search(message):
        return Refusal(action, True, explicit["kind"] or "", explicit["arn"] or "")
    implicit = _IMPLICIT.search(message)
    return Refusal(action, kind=implicit["kind"] if implicit else "")


async def told(kit: Kit, run: Run, error: BaseException) -> tuple[Outcome, str]:
    """`explain`, and for a call that was denied in the finding's account what to do about it.

    The role of the account is read for it, once in a while at most; if it cannot be, that is said.
    """
    outcome, text = explain(error)
    if outcome is Outcome.DENIED and isinstance(error, AwsError):
        text += f"; {await _advice(kit, run, read(error.message))}"
    return outcome, text


async def _advice(kit: Kit, run: Run, refusal: Refusal) -> str:
    what = refusal.action or "this call"
    if refusal.explicit:
        return _forbidden(kit, run, refusal, what)
    if refusal.kind == _SESSION:
        return f"{run.bot} does not declare {what}, so its session has no right to it: please report this"
    if refusal.kind not in ("", _IDENTITY):
        return f"the account's {refusal.kind} does not allow {what}; the spoke role cannot change that"
    return await _lacking(kit, run, what, certain=refusal.kind == _IDENTITY)


def _forbidden(kit: Kit, run: Run, refusal: Refusal, what: str) -> str:
    """About an explicit deny, which nothing that allows can outweigh."""
    if refusal.kind not in ("", _IDENTITY):
        by = f" ({refusal.arn})" if refusal.arn else ""
        return f"a {refusal.kind}{by} forbids {what}; the spoke role cannot change that"
    own = refusal.arn.partition(f":policy/{kit.settings.role_name}-")[2]
    opted_out = (
        f"the resource, or another one the call is about, carries the tag {_TAG}: take the tag off (or set it to "
        "false) and send the finding again to have it fixed"
    )
    if own.startswith(OPT_OUT_POLICY):
        return (
            f"the spoke role leaves alone what is opted out: {opted_out}, unless the call was about that tag"
        )
    if own.startswith(CHOSEN_POLICY):
        return (
            f"the spoke role was made for a part of the bots, and {run.bot} is not among them. If it is to work there, "
            "`hub deploy spokes` with it among them"
        )
    if own:
        return f"{what} on this resource is among what the spoke role may never do ({refusal.arn})"
    if refusal.arn:
        return f"policy {refusal.arn} of the spoke role, which is none of this hub's, forbids {what}"
    return (
        f"something forbids {what}, and AWS does not say what. Perhaps {opted_out}. Or the spoke role may never do "
        "it to this resource, or a policy outside the role forbids it"
    )


async def _lacking(kit: Kit, run: Run, what: str, *, certain: bool) -> str:
    """About something that no policy allows, or of which AWS says nothing else."""
    if run.account_id == await kit.identity.account_id() and not kit.settings.own_account_by_role:
        return f"the hub works in its own account with its own rights, and they lack {what}"
    lacks = f"the spoke role lacks {what}" if certain else f"the spoke role may lack {what}"
    role = await kit.roles.of(run)
    here = "its permissions version could not be read"
    if role is not None:
        here = f"it is at permissions version {role.version}" if role.version else "it carries no version"
    if run.bot not in names() or kit.catalogue.bot_named(run.bot).optional:
        return (
            f"{lacks}: {here}, and has what {run.bot} needs only if that bot was named when it was rendered: "
            f"`hub deploy spokes --bots ...` with {run.bot} among them"
        )
    if role is not None and (role.version, role.bots) == (VERSION, ALL_BOTS):
        if certain:
            return (
                f"the spoke role is at permissions version {VERSION}, this hub's, and has {what} for the resources its "
                "bots are made for; this is none of them, or the role's policies were changed by hand"
            )
        return (
            f"the spoke role is at permissions version {VERSION}, this hub's, which has {what}: something else denies "
            "it. Look for a service control policy, a permissions boundary, the resource's own policy, or the tag "
            f"{_TAG} on something the call is about"
        )
    if role is not None and role.bots not in ("", ALL_BOTS):
        return (
            f"{lacks}: {here}, made for a part of the bots ({role.bots}). If {run.bot} is to work there, "
            f"`hub deploy spokes` with it among them; the role for all bots is at version {VERSION}"
        )
    return (
        f"{lacks}: {here}; version {VERSION}, this hub's, has it: `hub deploy spokes` brings the role there"
    )

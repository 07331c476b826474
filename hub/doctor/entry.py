"""Why a spoke role could not be entered, as far as AWS's answer tells.

AWS does not say whether a role exists to somebody who may not enter it, nor which condition of a trust
policy did not hold. Where the answer leaves it open, so does the line; StackSets may know more.
Source: "Troubleshoot access denied error messages" in the IAM User Guide.
"""

from __future__ import annotations

import re

from bots._aws import AwsError
from hub.aws.errors import EXPIRED, THROTTLED
from hub.doctor.stack_sets import Instance, Instances
from hub.doctor.words import DEPLOY_HUB, DEPLOY_SPOKES, Line, failed, unknown
from hub.errors import SpokeError

_POLICY = re.compile(
    r"(service control|resource control|role trust|identity-based|session|vpc endpoint) polic|permissions boundary",
    re.IGNORECASE,
)
_SUBJECT = "role"


def line(error: SpokeError, instance: Instance | None, instances: Instances) -> Line:
    """What is to be said of an account that could not be entered.

    Args:
        instance: the account's stack instance, None if it has none or nobody knows.
        instances: whether StackSets could be asked at all.
    """
    answer = error.__cause__
    if not isinstance(answer, AwsError):
        return failed(_SUBJECT, "cannot be entered", "see AWS's answer", answer=str(error))
    told = _by_code(answer) or _by_policy(answer)
    if told is None and answer.code == "AccessDenied":
        told = _by_stack(instance, instances)
    if told is None:
        seen, do = f"cannot be entered: {answer.code}", "see AWS's answer"
    else:
        seen, do = told
    words = "; ".join(filter(None, [answer.message, instance.told if instance else ""]))
    if answer.code in THROTTLED or answer.code == "Network":
        return unknown(_SUBJECT, seen, do, answer=words)
    return failed(_SUBJECT, seen, do, answer=words)


def _by_code(answer: AwsError) -> tuple[str, str] | None:
    if answer.code == "RegionDisabledException":
        return (
            f"cannot be entered: STS is not activated in {answer.region} for that account",
            "activate the region's STS endpoint in the account's IAM settings, or run the hub in another region",
        )
    if answer.code in THROTTLED:
        return "not looked: AWS throttled AssumeRole", "run doctor again when less is going on"
    if answer.code == "Network":
        return "not looked: STS could not be reached", "look at the network, run doctor again"
    if answer.code in EXPIRED | {"InvalidClientTokenId", "UnrecognizedClientException"}:
        return (
            "cannot be entered: the hub's own credentials are not valid",
            "give doctor the hub's credentials",
        )
    return None


def _by_policy(answer: AwsError) -> tuple[str, str] | None:
    """The kind of policy that said no, where AWS names it."""
    found = _POLICY.search(answer.message)
    match (found[1] or "boundary").lower() if found else "":
        case "service control":
            return (
                "cannot be entered: a service control policy forbids it",
                "allow sts:AssumeRole for the hub's role in the SCPs of the hub's account",
            )
        case "resource control":
            return (
                "cannot be entered: a resource control policy forbids it",
                "allow the hub's role in the RCPs over that account",
            )
        case "role trust":
            return (
                "the role is there, its trust policy does not let this hub in",
                "compare HUB_EXTERNAL_ID, the hub's account and role, and the organization with the stack's parameters",
            )
        case "identity-based" | "session" | "boundary" as kind:
            return (
                f"cannot be entered: the hub's own role may not ({kind})",
                f"{DEPLOY_HUB} (DeploymentMode, OrganizationId, RoleName)",
            )
    return None


def _by_stack(instance: Instance | None, instances: Instances) -> tuple[str, str]:
    if instance is not None and not instance.current:
        return (
            f"cannot be entered: its stack instance is {instance.status}",
            "mend what the stack's reason names, then `hub deploy spokes`",
        )
    if instance is not None:
        return (
            "cannot be entered, though its stack is up to date: another ExternalId or hub in the stack's parameters, "
            "an SCP, or the role was changed or deleted by hand",
            "compare the stack's parameters with this hub's; where they are right, "
            "`hub deploy spokes --again ACCOUNT` makes the role anew",
        )
    if instances.asked:
        return (
            "cannot be entered, and the StackSet has no stack there: the role is missing",
            f"{DEPLOY_SPOKES}, or put the account into an OU of the StackSet",
        )
    return (
        "cannot be entered: the role is missing, or its trust policy does not let this hub in "
        "(role, ExternalId, organization), or an SCP forbids it; AWS does not say which",
        "look whether the account is in the StackSet, then compare HUB_EXTERNAL_ID with the stack's: "
        "`hub deploy status`",
    )

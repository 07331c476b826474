"""What to do about the reasons StackSets give for an account that was missed."""

from __future__ import annotations

import re

_ADVICE = (
    (
        r"already exists",
        "something of that name is there already: delete it, or choose another RoleName (hub and spokes)",
    ),
    # IAM calls the boundary of a role that is made its scope.
    (r"scope arn", "the permissions boundary is missing there: bring it into the account first"),
    (
        r"AWSCloudFormationStackSetExecutionRole|execution role|should be trusted|AssumeRole",
        "StackSets cannot get in: activate trusted access again, or mend the execution role",
    ),
    (r"service control policy|explicit deny", "an SCP forbids it: let StackSets' execution role through"),
    (r"suspended", "the account is suspended: exclude it, or close the matter"),
    (r"limit|quota", "a quota of the account is used up: raise it, then run the same again"),
    (r"throttl|rate exceeded", "AWS was busy: run the same again"),
    (r"cancelled", "the operation was called off before its turn: run the same again"),
    (
        r"not authorized|access ?denied|permission",
        "StackSets' role in the account lacks that permission: grant it",
    ),
)


def advice(reason: str) -> str:
    """A sentence for the person; to look at the stack where nothing better is known."""
    for pattern, text in _ADVICE:
        if re.search(pattern, reason, re.IGNORECASE):
            return text
    return "look at the stack's events in that account, then run the same again"

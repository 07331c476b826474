"""Why the hub could not enter is told as far as AWS's answer goes, and no farther."""

from __future__ import annotations

import pytest

from bots._aws import AwsError
from hub.doctor.entry import line
from hub.doctor.stack_sets import Instance, Instances
from hub.doctor.words import State
from hub.errors import SpokeError, SpokeUnreachable

ROLE = "arn:aws:iam::222233334444:role/Dome9CloudBots"
USER = "User: arn:aws:sts::111122223333:assumed-role/remediation-hub/hub is not authorized to perform:"
ENTER = f"{USER} sts:AssumeRole on resource: {ROLE}"


def error(message: str = ENTER, code: str = "AccessDenied") -> SpokeError:
    found = SpokeUnreachable("the role could not be entered")
    found.__cause__ = AwsError(
        service="sts", operation="AssumeRole", region="eu-west-1", code=code, message=message, status=403
    )
    return found


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (" with an explicit deny in a service control policy", "a service control policy forbids it"),
        (" because no service control policy allows the sts:AssumeRole action", "a service control policy"),
        (" with an explicit deny in a resource control policy", "a resource control policy forbids it"),
        (
            " because no role trust policy allows the sts:AssumeRole action",
            "its trust policy does not let this hub in",
        ),
        (" because no identity-based policy allows the sts:AssumeRole action", "the hub's own role may not"),
        (" because no permissions boundary allows the sts:AssumeRole action", "the hub's own role may not"),
    ],
)
def test_the_kind_of_policy_aws_names_is_told(why: str, told: str) -> None:
    found = line(error(ENTER + why), None, Instances())
    assert told in found.seen
    assert found.state is State.FAILED
    assert found.answer == ENTER + why


def test_where_aws_names_none_it_is_left_open() -> None:
    found = line(error(), None, Instances())
    assert "the role is missing, or its trust policy" in found.seen
    assert "AWS does not say which" in found.seen


def test_a_region_without_sts_is_told() -> None:
    found = line(error("STS is not activated", "RegionDisabledException"), None, Instances())
    assert "STS is not activated in eu-west-1" in found.seen


@pytest.mark.parametrize("code", ["Throttling", "Network"])
def test_what_passes_by_itself_is_unknown_and_not_failed(code: str) -> None:
    assert line(error("later", code), None, Instances()).state is State.UNKNOWN


def test_an_answer_nobody_foresaw_is_shown() -> None:
    found = line(error("the policy is too large", "PackedPolicyTooLarge"), None, Instances())
    assert (found.seen, found.answer) == (
        "cannot be entered: PackedPolicyTooLarge",
        "the policy is too large",
    )


def test_an_entry_that_failed_otherwise_is_shown() -> None:
    found = line(SpokeUnreachable("STS answered with a session of another account"), None, Instances())
    assert "another account" in found.answer


def test_the_stack_set_says_that_there_is_no_role() -> None:
    assert "the role is missing" in line(error(), None, Instances(asked=True)).seen


def test_the_stack_sets_own_reason_is_told() -> None:
    instance = Instance("OUTDATED", "Resource handler returned: Role already exists")
    found = line(error(), instance, Instances(asked=True))
    assert "its stack instance is OUTDATED" in found.seen
    assert "already exists" in found.answer


def test_a_stack_that_is_up_to_date_rules_out_that_it_was_never_deployed() -> None:
    found = line(error(), Instance("CURRENT", ""), Instances(asked=True))
    assert "though its stack is up to date" in found.seen


def test_what_aws_says_goes_before_what_the_stack_set_says() -> None:
    refused = f"{ENTER} with an explicit deny in a service control policy"
    assert "service control" in line(error(refused), None, Instances(asked=True)).seen

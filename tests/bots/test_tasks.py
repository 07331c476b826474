"""Which roles a finding means and which tasks run under them: `bots._tasks`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bots._bot import CannotFix, Target
from bots._tasks import SERVICE, Task, first_stop, names_role, role_names, stop_notes

ACCOUNT = "222233334444"
START = f"arn:aws:iam::{ACCOUNT}:role"
TARGET = Target(account_id=ACCOUNT, region="us-east-1", partition="aws", type="AWS::ECS::Cluster", id="")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{START}/admin", ("admin",)),
        (f"{START}/apps/web/admin", ("admin",)),
        (f"{START}/a,b", ("a,b",)),
        (f"{START}/a,b,{START}/x/c", ("a,b", "c")),
        (f"{START}/a, {START}/b,{START}/a", ("a", "b")),
        (f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/app:1,{START}/a", ("a",)),
    ],
)
def test_a_finding_names_one_role_or_several(text: str, names: tuple[str, ...]) -> None:
    assert role_names(replace(TARGET, id=text)) == names


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("admin", "not the ARN of an IAM role"),
        (f"arn:aws:iam::{ACCOUNT}:user/admin", "not the ARN of an IAM role"),
        (f"{START}/a,arn:aws:iam::111122223333:role/b", "belongs to account 111122223333"),
    ],
)
def test_what_is_no_role_of_the_account_is_refused(text: str, why: str) -> None:
    with pytest.raises(CannotFix, match=why):
        role_names(replace(TARGET, id=text))


@pytest.mark.parametrize(
    ("found", "match", "named"),
    [
        ({"taskRoleArn": f"{START}/x/admin"}, "any", True),
        ({"executionRoleArn": f"{START}/admin"}, "any", True),
        ({"taskRoleArn": "admin"}, "task", True),
        ({"taskRoleArn": f"{START}/admin"}, "execution", False),
        ({"executionRoleArn": f"{START}/admin"}, "task", False),
        ({"executionRoleArn": f"{START}/administrator"}, "any", False),
        ({}, "any", False),
    ],
)
def test_roles_are_compared_by_their_names(found: dict[str, Any], match: Any, named: bool) -> None:
    assert names_role(found, ("admin",), match) is named


def test_a_task_that_was_stopped_for_another_reason_is_no_mark() -> None:
    assert first_stop([{"stoppedReason": "x (report 1)"}, {"stoppingAt": 7}, {}], "(report 1)") is None


def _task(number: int, group: str) -> Task:
    return Task(
        arn=f"task-{number}",
        cluster="web",
        definition="app:1",
        group=group,
        started_by="",
        launch_type="",
        capacity_provider="",
        instance="",
        subnets=(),
        overrides={},
    )


def test_a_service_is_told_of_once_and_a_long_list_is_cut() -> None:
    api = [_task(number, f"{SERVICE}api") for number in range(3)]
    assert stop_notes(api, lambda _: "starts others") == ("service api of web starts others",)
    alone = [_task(number, "family:app") for number in range(12)]
    notes = stop_notes(alone, lambda _: "")
    assert len(notes) == 11
    assert notes[0] == "task task-0 belongs to no service and does not come back"
    assert notes[-1] == "and 2 more such notes"

"""Operations of StackSets: a step at every look, one at a time, and what comes of accounts that fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_aws.stack_set_estate import (
    EVERYBODY,
    Estate,
    only,
    refusal,
)

REGION = ["us-east-1"]


def test_an_operation_runs_while_it_is_looked_at_and_results_come_account_by_account(estate: Estate) -> None:
    for _ in range(2):
        estate.account(estate.upper)
    estate.create()
    operation = estate.begin(estate.upper, OperationPreferences={})
    seen = []
    while True:
        status = estate.operation(operation)["Status"]
        seen.append((status, sorted(status for status, _ in estate.results(operation).values())))
        if status != "RUNNING":
            break
    assert seen == [
        ("RUNNING", ["PENDING", "RUNNING"]),
        ("RUNNING", ["RUNNING", "SUCCEEDED"]),
        ("SUCCEEDED", ["SUCCEEDED", "SUCCEEDED"]),
    ]
    found = estate.operation(operation)
    assert found["Action"] == "CREATE"
    assert found["EndTimestamp"] >= found["CreationTimestamp"]


@pytest.mark.parametrize(
    ("preferences", "at_once"),
    [
        ({}, 1),
        ({"MaxConcurrentCount": 3, "FailureToleranceCount": 1}, 2),
        (
            {
                "MaxConcurrentCount": 3,
                "FailureToleranceCount": 0,
                "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
            },
            3,
        ),
        ({"MaxConcurrentPercentage": 50, "FailureTolerancePercentage": 100}, 2),
        (EVERYBODY, 4),
    ],
)
def test_no_more_accounts_are_worked_on_than_preferences_allow(
    estate: Estate, preferences: dict[str, Any], at_once: int
) -> None:
    for _ in range(4):
        estate.account(estate.upper)
    estate.create()
    operation = estate.begin(estate.upper, OperationPreferences=preferences)
    estate.operation(operation)
    at_work = [each for each, _ in estate.results(operation).values() if each == "RUNNING"]
    assert len(at_work) == at_once


def test_one_operation_at_a_time(estate: Estate) -> None:
    estate.account(estate.upper)
    estate.create()
    operation = estate.begin(estate.upper)
    with pytest.raises(Exception, match="OperationInProgressException") as refused:
        estate.update("new")
    assert "Another Operation on StackSet" in str(refused.value)
    estate.done(operation)
    assert estate.done(estate.update("new")) == "SUCCEEDED"


def test_the_same_request_again_is_the_same_operation_and_another_by_its_id_is_refused(
    estate: Estate,
) -> None:
    account = estate.account(estate.upper)
    estate.create()
    assert estate.begin(estate.upper, OperationId="once") == "once"
    assert estate.begin(estate.upper, OperationId="once") == "once"
    estate.done("once")
    operations = estate.stack_sets.list_stack_set_operations(StackSetName="guards")["Summaries"]
    assert [each["OperationId"] for each in operations] == ["once"]
    asked: dict[str, Any] = {
        "StackSetName": "guards",
        "Regions": REGION,
        "RetainStacks": False,
        "DeploymentTargets": {"OrganizationalUnitIds": [estate.upper]},
        "OperationId": "once",
    }
    code, _ = refusal(estate.stack_sets.delete_stack_instances, **asked)
    assert code == "OperationIdAlreadyExistsException"
    assert set(estate.instances()) == {account}


def test_an_account_that_fails_says_why_is_rolled_back_and_others_go_on(estate: Estate) -> None:
    taken, free = estate.account(estate.upper), estate.account(estate.upper)
    estate.take_the_name(taken)
    estate.create()
    operation = estate.begin(estate.upper)
    assert estate.done(operation) == "SUCCEEDED"  # as many may fail as like
    results = estate.results(operation)
    assert results[free] == ("SUCCEEDED", "")
    status, reason = results[taken]
    assert status == "FAILED"
    assert reason.startswith("ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, ResourceStatusReason:")
    assert "Resource of type 'AWS::IAM::Role' with identifier 'Guard' already exists." in reason
    found = estate.instances()
    assert (found[taken]["Status"], found[free]["Status"]) == ("OUTDATED", "CURRENT")
    assert found[taken]["StackInstanceStatus"] == {"DetailedStatus": "FAILED"}
    assert found[taken]["StatusReason"] == reason
    assert estate.stacks(taken) == []
    assert estate.roles(taken) == ["Guard"]


def test_a_failed_account_gets_its_stack_at_the_next_try(estate: Estate) -> None:
    account = estate.account(estate.upper)
    estate.take_the_name(account)
    estate.create()
    estate.deploy(estate.upper)
    estate.aws.admin(account).client("iam").delete_role(RoleName="Guard")
    assert estate.deploy(estate.upper) == "SUCCEEDED"
    assert estate.instances()[account]["Status"] == "CURRENT"
    assert "StatusReason" not in estate.instances()[account]
    assert only(estate.stacks(account))["StackStatus"] == "CREATE_COMPLETE"


def test_more_failures_than_tolerated_end_the_operation_and_cancel_the_rest(estate: Estate) -> None:
    accounts = [estate.account(estate.upper) for _ in range(3)]
    estate.take_the_name(accounts[0])
    estate.create()
    operation = estate.begin(estate.upper, OperationPreferences={"FailureToleranceCount": 0})
    assert estate.done(operation) == "FAILED"
    results = estate.results(operation)
    assert [results[each][0] for each in accounts] == ["FAILED", "CANCELLED", "CANCELLED"]
    found = estate.instances()[accounts[1]]
    assert (found["Status"], found["StackInstanceStatus"]["DetailedStatus"]) == ("OUTDATED", "CANCELLED")
    assert estate.roles(accounts[1]) == []


def test_a_stopped_operation_leaves_the_rest_undone(estate: Estate) -> None:
    accounts = [estate.account(estate.upper) for _ in range(3)]
    estate.create()
    operation = estate.begin(estate.upper, OperationPreferences={})
    estate.operation(operation)  # one begins
    estate.stack_sets.stop_stack_set_operation(StackSetName="guards", OperationId=operation)
    assert estate.done(operation) == "STOPPED"
    assert [estate.results(operation)[each][0] for each in accounts] == [
        "SUCCEEDED",
        "CANCELLED",
        "CANCELLED",
    ]
    assert [estate.roles(each) for each in accounts] == [["Guard"], [], []]
    stop = estate.stack_sets.stop_stack_set_operation
    assert refusal(stop, StackSetName="guards", OperationId=operation)[0] == "InvalidOperationException"

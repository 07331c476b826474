"""From nothing to thirty accounts under protection and back, through the commands and under enforced IAM."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

from spoke_role.current import VERSION
from tests.deploy.cycle import HUB, ROLE, Cycle, finding, new_cycle
from tests.deploy.estate import ROLE_YAML
from tests.fake_aws.server import FakeAws

# What an earlier release's role is like: another version, without what one bot needs.
EARLIER = "0123456789ab"
NEW_BOT, NEW_ACTION = "s3_block_all_public_access", "s3:GetBucketPublicAccessBlock"


@pytest.fixture
def cycle(aws: FakeAws, monkeypatch: pytest.MonkeyPatch, deploy: Callable[..., Result]) -> Cycle:
    return new_cycle(aws, monkeypatch, deploy)


def test_an_organization_is_brought_under_protection_kept_there_and_left_as_it_was(cycle: Cycle) -> None:
    assert len(cycle.everywhere) == 30
    before = {account: cycle.left(account) for account in cycle.everywhere}
    with cycle.monkeypatch.context() as earlier:
        earlier.setattr("hub.cli.deploy.rollout.rendered", lambda *_: earlier_role())
        hub_and_spokes_are_deployed(cycle)
    joined = cycle.account("/Workloads/Production/Shop/Web")
    with cycle.worker():
        findings_are_fixed_everywhere(cycle)
        an_earlier_spoke_says_what_it_lacks_and_an_upgrade_brings_it(cycle, joined)
        doctor_and_status_find_all_well(cycle)
        doctor_tells_of_a_lost_role_and_it_is_brought_back(cycle)
        a_subset_denies_what_destroys(cycle, joined)
    nothing_but_the_journal_is_left(cycle, {joined: [], **before})


def earlier_role() -> str:
    lines = [line for line in ROLE_YAML.splitlines() if line.strip() != f"- {NEW_ACTION}"]
    return "\n".join(lines).replace(VERSION, EARLIER)


def hub_and_spokes_are_deployed(cycle: Cycle) -> None:
    words = ("DeploymentMode=multi", "Compute=none", "DryRun=false")
    made = cycle.deploy("hub", *(each for word in words for each in ("-P", word)))
    assert made["status"] == "CREATE_COMPLETE"
    cycle.know_the_hub()
    rolled_out = cycle.deploy("spokes", "--ou", "/")["stack_set"]
    assert sorted([*rolled_out["new"], cycle.management]) == sorted(cycle.everywhere)
    assert rolled_out["missed"] == []
    # StackSets leave out the management account, and it knows of the hub only what it is told.
    made = cycle.deploy("spokes", "--here", *cycle.told(), by=cycle.management)["here"]
    assert made["status"] == "CREATE_COMPLETE"


def findings_are_fixed_everywhere(cycle: Cycle) -> None:
    """Also in the account that came when all was deployed."""
    assert len(cycle.everywhere) == 31
    buckets = cycle.buckets(cycle.everywhere, "plain")
    entries = cycle.settle([finding(*each, "s3_enable_versioning") for each in buckets.items()])
    assert {account: entry["Outcome"] for account, entry in entries.items()} == dict.fromkeys(
        buckets, "fixed"
    )
    assert all(cycle.is_versioned(*each) for each in buckets.items())


def an_earlier_spoke_says_what_it_lacks_and_an_upgrade_brings_it(cycle: Cycle, account: str) -> None:
    bucket = cycle.buckets([account], "open")[account]
    denied = cycle.settle([finding(account, bucket, NEW_BOT)])[account]
    assert denied["Outcome"] == "denied"
    assert f"it is at permissions version {EARLIER}; version {VERSION}" in denied["Bot message"]
    status, found = cycle.doctor()
    assert (status, found["summary"]["standing"]["protected"]) == (1, 31)
    upgraded = cycle.deploy("spokes", "--ou", "/")["stack_set"]
    assert sorted([*upgraded["updated"], cycle.management]) == sorted(cycle.everywhere)
    assert upgraded["permissions"]["gained"] == [NEW_BOT]
    cycle.deploy("spokes", "--here", by=cycle.management)
    assert cycle.settle([finding(account, bucket, NEW_BOT)])[account]["Outcome"] == "fixed"


def doctor_and_status_find_all_well(cycle: Cycle) -> None:
    status, found = cycle.doctor()
    bad = {each["account"]: each["lines"] for each in found["accounts"] if each["state"] != "ok"}
    assert (status, bad) == (0, {})
    status, found = cycle.status()
    assert status == 0, found


def doctor_tells_of_a_lost_role_and_it_is_brought_back(cycle: Cycle) -> None:
    account = cycle.accounts["/Sandbox"][0]
    iam = cycle.aws.admin(account).client("iam")
    for each in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=each["PolicyArn"])
    iam.delete_role(RoleName=ROLE)
    status, found = cycle.doctor()
    lost = [each["account"] for each in found["accounts"] if each["standing"] == "not protected"]
    assert (status, lost) == (1, [account])
    # The stack is as CloudFormation left it, so it takes another one.
    cycle.take_out_of_the_stack_set(account)
    assert cycle.deploy("spokes", "--ou", "/")["stack_set"]["new"] == [account]
    assert cycle.doctor("--account", account)[0] == 0


def a_subset_denies_what_destroys(cycle: Cycle, account: str) -> None:
    sns = cycle.aws.admin(account).client("sns")
    topic = sns.create_topic(Name="kept")["TopicArn"]
    lost = cycle.deploy("spokes", "--ou", "/", "--max-risk", "config-change")["stack_set"]["permissions"][
        "lost"
    ]
    assert "sns_topic_delete" in lost
    assert "s3_enable_versioning" not in lost
    entry = cycle.settle([finding(account, topic, "sns_topic_delete")])[account]
    assert (entry["Outcome"], entry["Changed"]) == ("denied", False)
    assert topic in [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    bucket = cycle.buckets([account], "later")[account]
    assert cycle.settle([finding(account, bucket, "s3_enable_versioning")])[account]["Outcome"] == "fixed"


def nothing_but_the_journal_is_left(cycle: Cycle, before: dict[str, list[str]]) -> None:
    removed = cycle.deploy("remove")
    assert (removed["kept"], removed["missed"]) == ({"journal": HUB}, [])
    cycle.deploy("remove", by=cycle.management)
    assert {account: cycle.left(account) for account in before} == before
    assert cycle.left_of_the_hub() == {"tables": [HUB]}
    rows = cycle.aws.admin(cycle.security).client("dynamodb").scan(TableName=HUB, Select="COUNT")
    assert rows["Count"] >= len(before)

"""A denied call: who said no, what is lacking, which version has it, and what to do."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace

import pytest

from hub.app import Hub, open_hub
from hub.flow.denied import Refusal, read
from hub.model import Message, Outcome, Run
from spoke_role.current import VERSION
from spoke_role.policy import select
from spoke_role.tags import BOTS_TAG, VERSION_TAG
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws, allow, deny, policy
from tests.hub.messages import message

USER = "User: arn:aws:sts::222233334444:assumed-role/Dome9CloudBots/hub.x.1 is not authorized to perform: "
PUT = "s3:PutBucketVersioning"
LACKS = f"the spoke role lacks {PUT}: "
ITSELF = allow("iam:GetRole", resource="arn:aws:iam::*:role/Dome9CloudBots")
READS = allow("s3:GetBucketVersioning", "s3:ListBucket")
SCP = "arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-0a1b2c3d"
OPT_OUT = "arn:aws:iam::222233334444:policy/Dome9CloudBots-opt-out"


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (
            f"{USER}{PUT} on resource: arn:aws:s3:::data because no identity-based policy allows the {PUT} action",
            Refusal(PUT, kind="identity-based policy"),
        ),
        (
            f'{USER}{PUT} on resource: "arn:aws:s3:::data" with an explicit deny in a service control policy: {SCP}',
            Refusal(PUT, True, "service control policy", SCP),
        ),
        (
            "You are not authorized to perform this operation. "
            f"{USER}ec2:StopInstances on resource: arn:aws:ec2:us-east-1:222233334444:instance/i-1 with an explicit "
            f"deny in an identity-based policy: {OPT_OUT}. Encoded authorization failure message: Lb3x-y",
            Refusal("ec2:StopInstances", True, "identity-based policy", OPT_OUT),
        ),
        (
            f"{USER}ec2:StopInstances on resource: x with an explicit deny in an identity-based policy. Encoded a",
            Refusal("ec2:StopInstances", True, "identity-based policy"),
        ),
        (f"{USER}{PUT} on resource: x with an explicit deny", Refusal(PUT, True)),
        (
            f"{USER}{PUT} because no permissions boundary allows the {PUT} action",
            Refusal(PUT, kind="permissions boundary"),
        ),
        ("Access Denied", Refusal()),
        ("You are not authorized to perform this operation.", Refusal()),
    ],
)
def test_awss_messages_are_read_in_each_of_their_forms(said: str, understood: Refusal) -> None:
    assert read(said) == understood


async def settled(
    aws: FakeAws, hub_settings: MakeSettings, *statements: Mapping[str, object], **tags: str
) -> Run:
    """The run of a finding about a bucket, in an account whose role has these rights and tags."""
    spoke = aws.spoke({"remediation": policy(*statements)})
    name = bucket(spoke)
    tag(spoke, **tags)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        run = await only(hub, message(spoke.account_id, "s3_enable_versioning", id=name))
    if run.outcome is Outcome.DENIED:
        assert "Status" not in spoke.client("s3").get_bucket_versioning(Bucket=name)
    return run


def bucket(spoke: Admin) -> str:
    name = f"data-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=name)
    return name


def tag(spoke: Admin, version: str = "", bots: str = "") -> None:
    tags = [{"Key": k, "Value": v} for k, v in ((VERSION_TAG, version), (BOTS_TAG, bots)) if v]
    spoke.client("iam").tag_role(RoleName="Dome9CloudBots", Tags=tags)


async def only(hub: Hub, asked: Message) -> Run:
    report = await hub.settle(asked)
    assert report is not None
    [run] = report.runs
    return run


async def test_an_older_role_is_told_by_its_version_and_what_brings_the_right_one(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    run = await settled(hub_environment, hub_settings, READS, ITSELF, version="0123456789ab", bots="all")
    assert run.outcome is Outcome.DENIED
    assert LACKS + "it is at permissions version 0123456789ab; " in run.message
    assert f"version {VERSION}, this hub's, has it: `hub deploy spokes` brings the role there" in run.message


async def test_a_role_from_before_there_were_versions_is_told_as_such(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    run = await settled(hub_environment, hub_settings, READS, ITSELF)
    assert f"{LACKS}it carries no version; version {VERSION}, this hub's, has it" in run.message


async def test_a_role_that_may_not_be_read_is_no_reason_for_another_error(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    run = await settled(hub_environment, hub_settings, READS, version="0123456789ab")
    assert run.outcome is Outcome.DENIED
    assert f"{LACKS}its permissions version could not be read; version {VERSION}" in run.message


async def test_a_role_made_for_some_bots_is_not_called_old(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    run = await settled(
        hub_environment, hub_settings, READS, ITSELF, version="0123456789ab", bots="at most additive"
    )
    assert "made for a part of the bots (at most additive)" in run.message
    assert "If s3_enable_versioning is to work there, `hub deploy spokes` with it among them" in run.message


async def test_a_current_role_is_not_to_be_updated(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    run = await settled(hub_environment, hub_settings, READS, ITSELF, version=VERSION, bots="all")
    assert f"the spoke role is at permissions version {VERSION}, this hub's" in run.message
    assert "changed by hand" in run.message
    assert "hub deploy" not in run.message


async def test_an_explicit_deny_without_its_policys_name_is_left_open(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    run = await settled(hub_environment, hub_settings, READS, ITSELF, allow(PUT), deny(PUT))
    assert run.outcome is Outcome.DENIED
    assert f"something forbids {PUT}, and AWS does not say what. Perhaps the resource" in run.message
    assert "carries the tag remediation-hub:opt-out=true" in run.message
    assert "hub deploy" not in run.message


async def test_the_roles_limits_are_told_from_what_is_opted_out(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    aws, told = hub_environment, {}
    for name in ("limits", "opt-out", "chosen", "theirs"):
        spoke = aws.spoke({"remediation": policy(READS, ITSELF, allow(PUT))})
        iam = spoke.client("iam")
        full = f"Dome9CloudBots-{name}" if name != "theirs" else name
        made = iam.create_policy(PolicyName=full, PolicyDocument=policy(deny(PUT)))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="Dome9CloudBots", PolicyArn=made)
        asked = message(spoke.account_id, "s3_enable_versioning", id=bucket(spoke))
        async with open_hub(hub_settings(spoke.account_id)) as hub:
            told[name] = (await only(hub, asked)).message
    assert "is among what the spoke role may never do" in told["limits"]
    assert "the spoke role leaves alone what is opted out" in told["opt-out"]
    assert "take the tag off" in told["opt-out"]
    assert "made for a part of the bots, and s3_enable_versioning is not among them" in told["chosen"]
    assert "is none of this hub's" in told["theirs"]


async def test_a_boundary_is_blamed_rather_than_the_role(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = hub_environment.spoke(
        {"remediation": policy(READS, ITSELF, allow(PUT))}, boundary=policy(READS, ITSELF)
    )
    asked = message(spoke.account_id, "s3_enable_versioning", id=bucket(spoke))
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        run = await only(hub, asked)
    assert f"the account's permissions boundary does not allow {PUT}" in run.message


async def test_the_role_is_read_once_for_many_denials_and_never_for_a_fix(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    aws = hub_environment
    spoke = aws.spoke({"remediation": policy(READS, ITSELF)})
    name = bucket(spoke)

    def looks() -> int:
        return [call.name for call in aws.calls(spoke.account_id)].count("iam:GetRole")

    async with open_hub(hub_settings(spoke.account_id)) as hub:
        asked = message(spoke.account_id, "s3_enable_versioning", id=name)
        runs = await asyncio.gather(*(only(hub, replace(asked, nonce=str(number))) for number in range(3)))
        assert {run.outcome for run in runs} == {Outcome.DENIED}
        assert looks() == 1
        aws.allow_only(spoke, policy(READS, ITSELF, allow(PUT)))
        fixed = await only(hub, replace(asked, nonce="again"))
        assert fixed.outcome is Outcome.FIXED
    assert looks() == 1


async def test_a_bot_that_is_not_in_the_role_by_default_is_told_by_its_name(
    hub_environment: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = next(bot for bot in select() if bot.name == "s3_enable_versioning")
    monkeypatch.setattr(bot, "optional", True)
    spoke = hub_environment.spoke({"remediation": policy(READS, ITSELF)})
    tag(spoke, VERSION, "all")
    asked = message(spoke.account_id, bot.name, id=bucket(spoke))
    async with open_hub(hub_settings(spoke.account_id, optional_bots=(bot.name,))) as hub:
        run = await only(hub, asked)
    assert "`hub deploy spokes --bots ...` with s3_enable_versioning among them" in run.message


async def test_the_hubs_own_rights_are_meant_where_no_role_is_entered(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    name = f"own-{secrets.token_hex(6)}"
    hub_environment.admin(HUB_ACCOUNT).client("s3").create_bucket(Bucket=name)
    async with open_hub(hub_settings(HUB_ACCOUNT)) as hub:
        run = await only(hub, message(HUB_ACCOUNT, "s3_enable_versioning", id=name))
    assert run.outcome is Outcome.DENIED
    assert "the hub works in its own account with its own rights, and they lack" in run.message

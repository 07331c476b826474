"""Scenes of `bots.acl_revert_modification`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots._acl_entries import Entry, as_request
from bots._bot import CannotFix, Check, TargetGone, TryLater
from bots._words import BadWords, parse
from bots.acl_revert_modification import Slot, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.moto_gaps.config import record
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

WHEN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
DAY = timedelta(days=1)
MALLORY = "arn:aws:iam::222233334444:user/mallory"
HUB = "arn:aws:sts::222233334444:assumed-role/Dome9CloudBots/hub.acl_revert_modification.0123456789ab"
ANYWHERE = "0.0.0.0/0"
OFFICE = "203.0.113.0/24"


def _entry(source: str = OFFICE, number: int = 90, **more: Any) -> Entry:
    egress = more.pop("egress", False)
    ssh = {"action": "allow", "protocol": "6", "low": 22, "high": 22}
    return Entry(number=number, source=source, egress=egress, **{**ssh, **more})


SSH_OFFICE = _entry()
SSH_ANYWHERE = _entry(ANYWHERE)


def _acl(admin: Admin) -> Planted:
    ec2 = admin.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    acl_id = ec2.create_network_acl(VpcId=vpc_id)["NetworkAcl"]["NetworkAclId"]
    return Planted(entity={"id": acl_id, "type": "NetworkACL"}, event_time=f"{WHEN:%Y-%m-%dT%H:%M:%SZ}")


def _logged_as(entry: Entry, acl_id: str, *, deleted: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"networkAclId": acl_id, "egress": entry.egress, "ruleNumber": entry.number}
    if deleted:
        return found
    kind = entry.protocol in ("1", "58")
    ends = {"from": entry.low, "to": entry.high}
    return {
        **found,
        "ruleAction": entry.action,
        "aclProtocol": entry.protocol,
        "portRange": ends if entry.protocol in ("6", "17") else {},
        "icmpTypeCode": {"type": entry.low, "code": entry.high} if kind else {},
        "ipv6CidrBlock" if ":" in entry.source else "cidrBlock": entry.source,
    }


def _do(
    admin: Admin,
    planted: Planted,
    verb: str,
    entry: Entry,
    at: datetime = WHEN,
    *,
    caller: str = MALLORY,
    really: bool = True,
    error: str | None = None,
) -> None:
    """Somebody changes an entry, and CloudTrail notes it. ``really``: False for what only the log knows."""
    acl_id, ec2 = planted.entity["id"], admin.client("ec2")
    if really:
        if verb == "Delete":
            ec2.delete_network_acl_entry(NetworkAclId=acl_id, RuleNumber=entry.number, Egress=entry.egress)
        else:
            change = {"Create": ec2.create_network_acl_entry, "Replace": ec2.replace_network_acl_entry}[verb]
            change(NetworkAclId=acl_id, **as_request(entry))
    log_call(
        admin.account_id,
        "us-east-1",
        f"{verb}NetworkAclEntry",
        at=at,
        request=_logged_as(entry, acl_id, deleted=verb == "Delete"),
        resources=(acl_id,),
        caller=caller,
        error=error,
    )


def _created(admin: Admin) -> Planted:
    planted = _acl(admin)
    _do(admin, planted, "Create", SSH_ANYWHERE)
    return planted


def _replaced(admin: Admin) -> Planted:
    planted = _acl(admin)
    _do(admin, planted, "Create", _entry("198.51.100.0/24"), WHEN - 3 * DAY, caller="")
    _do(admin, planted, "Replace", SSH_OFFICE, WHEN - 2 * DAY, caller="")
    # The same number the other way, and another one: neither is meant.
    _do(admin, planted, "Create", _entry(ANYWHERE, egress=True), WHEN - DAY)
    _do(admin, planted, "Create", _entry(ANYWHERE, 91), WHEN - DAY)
    _do(admin, planted, "Replace", SSH_ANYWHERE)
    return planted


def _deleted_default(admin: Admin) -> Planted:
    """Nobody ever made the entry by a call; AWS Config has seen it."""
    made = _acl(admin)
    mine = [{"Name": "default", "Values": ["true"]}]
    (vpc_id,) = {
        acl["VpcId"]
        for acl in admin.client("ec2").describe_network_acls(NetworkAclIds=[made.entity["id"]])["NetworkAcls"]
    }
    mine.append({"Name": "vpc-id", "Values": [vpc_id]})
    (default,) = admin.client("ec2").describe_network_acls(Filters=mine)["NetworkAcls"]
    planted = Planted(entity={"id": default["NetworkAclId"]}, event_time=made.event_time)
    _record(admin, planted, WHEN - 200 * DAY, ANYWHERE)
    _record(admin, planted, WHEN + timedelta(minutes=5))
    _do(admin, planted, "Delete", _entry(ANYWHERE, 100, protocol="-1"))
    return planted


def _record(admin: Admin, planted: Planted, at: datetime, *sources: str) -> None:
    entries = [
        {"cidrBlock": source, "egress": egress, "protocol": "-1", "ruleAction": "allow", "ruleNumber": 100}
        for source in sources
        for egress in (True, False)
    ]
    kind = "AWS::EC2::NetworkAcl"
    record(admin.account_id, "us-east-1", kind, planted.entity["id"], {"entries": entries}, at=at)


def _observe(admin: Admin, planted: Planted) -> Any:
    (acl,) = admin.client("ec2").describe_network_acls(NetworkAclIds=[planted.entity["id"]])["NetworkAcls"]
    entries = sorted(acl["Entries"], key=lambda entry: (entry["Egress"], entry["RuleNumber"]))
    return {**acl, "Entries": entries}


def _live(admin: Admin, planted: Planted, number: int = 90) -> list[dict[str, Any]]:
    entries = _observe(admin, planted)["Entries"]
    return [entry for entry in entries if entry["RuleNumber"] == number and not entry["Egress"]]


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "acl-0123456789abcdef0"}, event_time=f"{WHEN:%Y-%m-%dT%H:%M:%SZ}")


def _overtaken(admin: Admin) -> Planted:
    planted = _replaced(admin)
    _do(admin, planted, "Replace", _entry("192.0.2.0/24"), WHEN + timedelta(minutes=1), caller="")
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="replaced", plant=_replaced, observe=_observe, missing=_missing),
        Scene(name="created", plant=_created, observe=_observe, region="us_east_1"),
        Scene(name="default entry deleted", plant=_deleted_default, observe=_observe),
        Scene(
            name="changed since by somebody else",
            plant=_overtaken,
            observe=_observe,
            refusal="changed again since by somebody else",
        ),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def _looked_at(aws: FakeAws, admin: Admin, planted: Planted, **more: Any) -> Check[Any]:
    async with alone(bot, aws, admin, planted, **more) as one:
        return await one.check()


async def test_the_last_good_version_of_that_very_entry_comes_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _replaced(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert (await one.fix()).compliant
    assert seen.before == Slot(egress=False, number=90, entry=SSH_ANYWHERE, prior=SSH_OFFICE)
    assert str(SSH_OFFICE) in seen.why
    assert str(SSH_ANYWHERE) in seen.why
    assert seen.notes == ("the entry put back allows traffic",)
    assert [entry["CidrBlock"] for entry in _live(admin, planted)] == [OFFICE]
    assert [entry["CidrBlock"] for entry in _live(admin, planted, 91)] == [ANYWHERE]


@pytest.mark.parametrize(
    "entry",
    [
        _entry("2001:db8::/32", protocol="58", low=128, high=0),
        _entry(protocol="1", low=-1, high=-1, action="deny"),
        _entry(protocol="-1", low=-1, high=-1),
        _entry(protocol="17", low=0, high=65535),
        _entry(protocol="47", low=-1, high=-1),
    ],
    ids=str,
)
async def test_entries_of_every_kind_come_back_as_they_were(aws: FakeAws, entry: Entry) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", entry, WHEN - DAY)
    before = _observe(admin, planted)
    _do(admin, planted, "Delete", entry)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _observe(admin, planted) == before


async def test_calls_that_failed_are_no_changes(aws: FakeAws) -> None:
    """A refused duplicate must not cost the entry that was there."""
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", SSH_OFFICE, WHEN - DAY)
    _do(admin, planted, "Create", SSH_ANYWHERE, really=False, error="Client.NetworkAclEntryAlreadyExists")
    with pytest.raises(CannotFix, match="CloudTrail shows no"):
        await _looked_at(aws, admin, planted)


async def test_a_log_that_lags_is_asked_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    with pytest.raises(TryLater):
        await _looked_at(aws, admin, _acl(admin), now=WHEN + timedelta(minutes=5))


async def test_of_several_changes_the_nearest_to_the_findings_time_is_meant(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", _entry(ANYWHERE, 80), WHEN - timedelta(seconds=20))
    _do(admin, planted, "Create", _entry(ANYWHERE, 90), WHEN + timedelta(seconds=1))
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
    assert _live(admin, planted, 90) == []
    assert len(_live(admin, planted, 80)) == 1


async def test_of_two_entries_changed_in_one_second_neither_is_guessed_at(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", _entry(ANYWHERE, 80))
    _do(admin, planted, "Create", _entry(ANYWHERE, 90, egress=True))
    with pytest.raises(
        CannotFix, match="inbound entry 80, outbound entry 90 were changed in the same second"
    ):
        await _looked_at(aws, admin, planted)


async def test_the_hubs_own_revert_is_not_reverted_when_it_is_reported_in_turn(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", SSH_ANYWHERE, WHEN - timedelta(minutes=20))
    _do(admin, planted, "Delete", SSH_ANYWHERE, caller=HUB)
    seen = await _looked_at(aws, admin, planted)
    assert seen.compliant
    assert "the hub itself" in seen.why
    # A person is not taken for the hub by the name of a user.
    other = _acl(admin)
    _do(admin, other, "Create", SSH_ANYWHERE, caller=HUB.replace("assumed-role", "federated-user"))
    assert not (await _looked_at(aws, admin, other)).compliant


async def test_what_the_hub_put_back_once_is_put_back_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", _entry("192.0.2.0/24"), WHEN - 2 * DAY)
    _do(admin, planted, "Replace", SSH_OFFICE, WHEN - DAY, caller=HUB)
    _do(admin, planted, "Replace", SSH_ANYWHERE)
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
    assert [entry["CidrBlock"] for entry in _live(admin, planted)] == [OFFICE]


async def test_a_change_that_a_person_took_back_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _replaced(admin)
    _do(admin, planted, "Replace", SSH_OFFICE, WHEN + timedelta(minutes=1), caller="")
    assert (await _looked_at(aws, admin, planted)).compliant


async def test_later_changes_by_the_same_hands_go_as_well(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    _do(admin, planted, "Create", SSH_OFFICE, WHEN - DAY, caller="")
    _do(admin, planted, "Delete", SSH_OFFICE)
    _do(admin, planted, "Create", SSH_ANYWHERE, WHEN + timedelta(minutes=2))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert [entry["CidrBlock"] for entry in _live(admin, planted)] == [OFFICE]


@pytest.mark.parametrize("recorded", ["nothing", "without the entry", "too late", "emptied"])
async def test_what_nobody_has_kept_is_not_guessed_at(aws: FakeAws, recorded: str) -> None:
    admin = aws.fresh_account()
    planted = _acl(admin)
    if recorded == "without the entry":
        _record(admin, planted, WHEN - DAY)
    if recorded == "too late":
        _record(admin, planted, WHEN + timedelta(minutes=5), OFFICE)
    if recorded == "emptied":
        _do(admin, planted, "Create", _entry(ANYWHERE, 100), WHEN - 2 * DAY)
        _do(admin, planted, "Delete", _entry(ANYWHERE, 100), WHEN - DAY)
    _do(admin, planted, "Delete", _entry(ANYWHERE, 100), really=False)
    with pytest.raises(CannotFix, match="neither in the last 90 days of CloudTrail nor in AWS Config"):
        await _looked_at(aws, admin, planted)


async def test_an_undo_shows_the_change_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _created(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        assert (await one.undo(was)).before == was
    assert len(_live(admin, planted)) == 1


@pytest.mark.parametrize("named", ["vpc-0123456789abcdef0", "acl-1", "x" * 300])
async def test_what_is_no_acls_id_is_refused_unasked(aws: FakeAws, named: str) -> None:
    admin = aws.fresh_account()
    with pytest.raises(CannotFix, match="not the id of a network ACL"):
        await _looked_at(aws, admin, Planted(entity={"id": named}))
    assert aws.calls(admin.account_id) == ()


async def test_a_finding_without_a_time_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    with pytest.raises(CannotFix, match="alertWindowStartTime"):
        await _looked_at(aws, admin, Planted(entity=_created(admin).entity))


async def test_an_acl_that_does_not_exist_is_gone(aws: FakeAws) -> None:
    with pytest.raises(TargetGone, match="acl-0123456789abcdef0 does not exist in us-east-1"):
        await _looked_at(aws, aws.fresh_account(), _missing(aws.fresh_account()))

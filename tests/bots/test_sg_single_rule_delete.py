"""Scenes of `bots.sg_single_rule_delete`, and what only this bot does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._closing import Closing
from bots._words import BadWords, parse
from bots.sg_single_rule_delete import Opened, Wish, bot
from tests.bots.alone import Alone, alone
from tests.bots.meddled import Meddled
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import shared
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ANYWHERE = "0.0.0.0/0"
OFFICE = "203.0.113.0/24"
SSH = "split=true protocol=TCP scope=0.0.0.0/0 direction=inbound port=22"
WALKTHROUGH = "split=false protocol=TCP scope=0.0.0.0/0 direction=inbound port=22"

pytestmark = pytest.mark.usefixtures("hub_environment")


def _permission(protocol: str, low: int, high: int, *networks: str, description: str = "") -> dict[str, Any]:
    more = {"Description": description} if description else {}
    four = [{"CidrIp": network, **more} for network in networks if ":" not in network]
    six = [{"CidrIpv6": network, **more} for network in networks if ":" in network]
    sides = {"IpRanges": four, "Ipv6Ranges": six}
    ports = {} if protocol == "-1" else {"FromPort": low, "ToPort": high}
    return {"IpProtocol": protocol, **ports, **{name: side for name, side in sides.items() if side}}


def _tcp(low: int, high: int | None = None, *networks: str, description: str = "") -> dict[str, Any]:
    high = low if high is None else high
    return _permission("tcp", low, high, *(networks or (ANYWHERE,)), description=description)


def _group(
    admin: Admin, *permissions: dict[str, Any], words: str = SSH, tags: dict[str, str] | None = None
) -> Planted:
    """A group open inbound as said, every rule with the tags."""
    ec2 = admin.client("ec2")
    group = ec2.create_security_group(GroupName="dome9-test-sg", Description="web servers")["GroupId"]
    pairs = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    more = {"TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": pairs}]} if pairs else {}
    if permissions:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions), **more)
    entity = {"id": group, "name": "dome9-test-sg", "type": "SecurityGroup"}
    return Planted(entity=entity, words=tuple(words.split()))


def _rules(admin: Admin, planted: Planted) -> list[dict[str, Any]]:
    """Every rule as EC2 describes it, ids included."""
    pages = admin.client("ec2").get_paginator("describe_security_group_rules")
    filters = [{"Name": "group-id", "Values": [planted.entity["id"]]}]
    return [rule for page in pages.paginate(Filters=filters) for rule in page["SecurityGroupRules"]]


def _observe(admin: Admin, planted: Planted) -> Any:
    group = admin.client("ec2").describe_security_groups(GroupIds=[planted.entity["id"]])["SecurityGroups"][0]
    rules = [
        {name: rule[name] for name in rule if name != "SecurityGroupRuleId"}
        for rule in _rules(admin, planted)
    ]
    return {
        "name": group["GroupName"],
        "description": group["Description"],
        "tags": group.get("Tags", []),
        "rules": sorted(rules, key=repr),
    }


def _open(admin: Admin, planted: Planted, *, outbound: bool = False) -> list[str]:
    """The rules of one direction, in short: ``tcp 22-22 0.0.0.0/0``."""
    return sorted(
        " ".join(
            (
                rule["IpProtocol"],
                f"{rule['FromPort']}-{rule['ToPort']}",
                rule.get("CidrIpv4") or rule.get("CidrIpv6") or "other",
            )
        )
        for rule in _rules(admin, planted)
        if rule["IsEgress"] == outbound
    )


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "sg-0123456789abcdef0", "type": "SecurityGroup"}, words=tuple(SSH.split()))


def _walkthrough(admin: Admin) -> Planted:
    return _group(admin, _tcp(80), _tcp(22), words=WALKTHROUGH)


def _ssh_in_a_range(admin: Admin) -> Planted:
    tags = {"team": "web", "cost center": "R & D"}
    return _group(admin, _tcp(0, 1023, ANYWHERE, OFFICE, description="old web farm"), tags=tags)


def _mail_out(admin: Admin) -> Planted:
    """A new group lets everything out; closing a port of that leaves TCP, UDP and ICMP."""
    return _group(admin, words="true * 0.0.0.0/0 outbound 25")


def _shared(admin: Admin) -> Planted:
    return shared(admin, _walkthrough(admin))


def scenes() -> list[Scene]:
    return [
        Scene(name="SSH beside HTTP", plant=_walkthrough, observe=_observe, missing=_missing),
        Scene(name="SSH inside a tagged range", plant=_ssh_in_a_range, observe=_observe),
        Scene(name="mail in all outbound traffic", plant=_mail_out, observe=_observe),
        Scene(name="shared by another account", plant=_shared, observe=_observe, refusal="444455556666"),
    ]


# --- the words


@pytest.mark.parametrize(
    "words",
    [
        "split=true protocol=TCP scope=0.0.0.0/0 direction=inbound port=22",
        "true TCP 0.0.0.0/0 inbound 22",
        "true tcp 0.0.0.0/0 INBOUND port=22",
        "port:22 direction:Inbound scope:0.0.0.0/0 protocol:Tcp split:TRUE",
        "Split=True Protocol=tcp Scope=203.0.113.7/0 Direction=inbound Port=022",
    ],
)
def test_all_spellings_mean_the_same(words: str) -> None:
    wish = parse(Wish, words.split())
    assert wish.direction == "inbound"
    assert wish.closing == Closing(scope=ANYWHERE, protocol="TCP", port=22, split=True)


@pytest.mark.parametrize(
    ("scope", "same"),
    [("::/0", "::/0"), ("2001:DB8::1/32", "2001:db8::/32"), ("203.0.113.9/32", "203.0.113.9/32")],
)
def test_networks_of_both_families_are_taken_by_position_and_by_name(scope: str, same: str) -> None:
    for word in (scope, f"scope={scope}", f"scope:{scope}"):
        assert parse(Wish, ["true", "*", word, "outbound", "53"]).scope == same


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("yes TCP 0.0.0.0/0 inbound 22", "split"),
        ("treu TCP 0.0.0.0/0 inbound 22", "split"),
        ("true ICMP 0.0.0.0/0 inbound 22", "protocol"),
        ("true TCP 0.0.0.0 inbound 22", "scope"),
        ("true TCP 0.0.0.0/33 inbound 22", "scope"),
        ("true TCP everywhere inbound 22", "scope"),
        ("true TCP 0.0.0.0/0 ingress 22", "direction"),
        ("true TCP 0.0.0.0/0 inbound 65536", "port"),
        ("true TCP 0.0.0.0/0 inbound -1", "port"),
        ("true TCP 0.0.0.0/0 inbound ssh", "port"),
        ("true TCP 0.0.0.0/0 inbound", "port must be given"),
        ("true ALL 0.0.0.0/0 inbound", "port must be given"),
        ("false * 0.0.0.0/0 inbound", "port must be given"),
        ("true TCP 0.0.0.0/0", "direction"),
        ("", "split"),
        ("true TCP 0.0.0.0/0 inbound 22 23", "one too many"),
        ("true TCP 0.0.0.0/0 inbound prot=22", "prot"),
    ],
)
def test_words_that_could_mean_something_else_are_refused(words: str, about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words.split())


def test_only_all_traffic_without_split_needs_no_port() -> None:
    assert parse(Wish, ["false", "all", ANYWHERE, "inbound"]).port is None


# --- what stays and what goes


async def _fixed(aws: FakeAws, admin: Admin, planted: Planted) -> tuple[Opened, Opened]:
    """Fix it, prove it, show that an undo takes it back, and fix again; the snapshots before and after."""
    seen = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        after = await one.fix()
        assert after.compliant, after.why
        assert (await one.undo(was)).before == was
        assert _observe(admin, planted) == seen
        assert (await one.fix()).before == after.before
    assert isinstance(was, Opened)
    assert isinstance(after.before, Opened)
    return was, after.before


CASES: dict[str, tuple[list[dict[str, Any]], str, list[str]]] = {
    "the public walkthrough": ([_tcp(80), _tcp(22)], WALKTHROUGH, ["tcp 80-80 0.0.0.0/0"]),
    "the start of a range": ([_tcp(22, 30)], SSH, ["tcp 23-30 0.0.0.0/0"]),
    "the end of a range": ([_tcp(20, 22)], SSH, ["tcp 20-21 0.0.0.0/0"]),
    "the middle of a range": ([_tcp(0, 65535)], SSH, ["tcp 0-21 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0"]),
    "the last port": (
        [_tcp(0, 65535)],
        "true TCP 0.0.0.0/0 inbound 65535",
        ["tcp 0-65534 0.0.0.0/0"],
    ),
    "all candidates": (
        [_tcp(22), _tcp(0, 65535)],
        SSH,
        ["tcp 0-21 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0"],
    ),
    "a remainder is there": (
        [_tcp(0, 65535), _tcp(0, 21)],
        SSH,
        ["tcp 0-21 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0"],
    ),
    "both remainders are there": (
        [_tcp(0, 65535), _tcp(0, 21), _tcp(23, 65535)],
        SSH,
        ["tcp 0-21 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0"],
    ),
    "port 0 means open on all ports": (
        [_tcp(443), _tcp(0, 65535), _tcp(1, 65535), _tcp(0, 1023)],
        "true TCP 0.0.0.0/0 inbound 0",
        ["tcp 0-1023 0.0.0.0/0", "tcp 443-443 0.0.0.0/0"],
    ),
    "another protocol": ([_tcp(53), _permission("udp", 53, 53, ANYWHERE)], "false UDP 0.0.0.0/0 inbound 53",
        ["tcp 53-53 0.0.0.0/0"],
    ),
    "ICMP type 3 is not port 3": (
        [_permission("icmp", 3, 3, ANYWHERE), _tcp(3)],
        "true * 0.0.0.0/0 inbound 3",
        ["icmp 3-3 0.0.0.0/0"],
    ),
    "only the network itself": (
        [_tcp(22, 22, ANYWHERE, OFFICE, "::/0")],
        SSH,
        ["tcp 22-22 203.0.113.0/24", "tcp 22-22 ::/0"],
    ),
    "IPv6": ([_tcp(0, 100, "::/0", ANYWHERE)], "true TCP 0::0/0 inbound 22",
        ["tcp 0-100 0.0.0.0/0", "tcp 0-21 ::/0", "tcp 23-100 ::/0"],
    ),
    "all traffic, whole": (
        [_permission("-1", -1, -1, ANYWHERE), _tcp(22)],
        "split=false protocol=ALL scope=0.0.0.0/0 direction=inbound port=0",
        ["tcp 22-22 0.0.0.0/0"],
    ),
    "all traffic, without a port": (
        [_permission("-1", -1, -1, ANYWHERE)],
        "split=false protocol=ALL scope=0.0.0.0/0 direction=inbound",
        [],
    ),
    "all IPv6 traffic and TCP": (
        [_permission("-1", -1, -1, "::/0"), _tcp(20, 22, "::/0")],
        "true * ::/0 inbound 22",
        ["icmpv6 -1--1 ::/0", "tcp 0-21 ::/0", "tcp 20-21 ::/0", "tcp 23-65535 ::/0", "udp 0-21 ::/0",
         "udp 23-65535 ::/0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("permissions", "words", "left"), CASES.values(), ids=CASES)
async def test_only_the_port_is_closed_and_an_undo_opens_it_again(
    aws: FakeAws, permissions: list[dict[str, Any]], words: str, left: list[str]
) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, *permissions, words=words)
    await _fixed(aws, admin, planted)
    assert _open(admin, planted) == left
    assert _open(admin, planted, outbound=True) == ["-1 -1--1 0.0.0.0/0"]


async def test_outbound_all_traffic_keeps_tcp_udp_and_icmp(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _mail_out(admin)
    await _fixed(aws, admin, planted)
    assert _open(admin, planted, outbound=True) == [
        "icmp -1--1 0.0.0.0/0", "tcp 0-24 0.0.0.0/0", "tcp 26-65535 0.0.0.0/0", "udp 0-24 0.0.0.0/0",
        "udp 26-65535 0.0.0.0/0",
    ]  # fmt: skip


async def test_remainders_keep_description_and_tags_and_one_keeps_the_id(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _ssh_in_a_range(admin)
    ids = {rule["SecurityGroupRuleId"] for rule in _rules(admin, planted)}
    await _fixed(aws, admin, planted)
    remainders = [
        rule for rule in _rules(admin, planted) if rule.get("CidrIpv4") == ANYWHERE and not rule["IsEgress"]
    ]
    assert [rule["Description"] for rule in remainders] == ["old web farm"] * 2
    for rule in remainders:
        assert {tag["Key"]: tag["Value"] for tag in rule["Tags"]} == {"team": "web", "cost center": "R & D"}
    assert sum(rule["SecurityGroupRuleId"] in ids for rule in remainders) == 1


async def test_a_deleted_rule_comes_back_with_description_and_tags(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(22, description="bastion"), tags={"team": "web"})
    await _fixed(aws, admin, planted)
    assert _open(admin, planted) == []


async def test_tags_that_only_aws_may_give_are_not_copied_to_a_new_rule(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), tags={"team": "web"})
    (rule,) = [rule["SecurityGroupRuleId"] for rule in _rules(admin, planted) if not rule["IsEgress"]]
    backend = ec2_backends[admin.account_id]["us-east-1"]
    group = backend.get_security_group_from_id(planted.entity["id"])
    group.get_rule(rule).add_tags({"aws:cloudformation:stack-name": "shop"})
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    tags = [
        sorted(tag["Key"] for tag in rule.get("Tags", ()))
        for rule in _rules(admin, planted)
        if not rule["IsEgress"]
    ]
    assert sorted(tags) == [["aws:cloudformation:stack-name", "team"], ["team"]]


async def test_rules_with_different_tags_are_split_in_one_run(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), tags={"team": "web"})
    ec2 = admin.client("ec2")
    ec2.authorize_security_group_ingress(GroupId=planted.entity["id"], IpPermissions=[_tcp(10, 30)])
    await _fixed(aws, admin, planted)
    assert _open(admin, planted) == [
        "tcp 0-21 0.0.0.0/0", "tcp 10-21 0.0.0.0/0", "tcp 23-30 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0",
    ]  # fmt: skip


async def test_the_live_rules_count_and_not_the_copy_in_the_finding(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(80), words=WALKTHROUGH)
    planted.entity["inboundRules"] = [{"protocol": "TCP", "port": 22, "portTo": 22, "scope": ANYWHERE}]
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.compliant
        assert (await one.check()).why == seen.why  # texts do not pile up from run to run


async def test_another_accounts_group_is_not_called_right_either(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = shared(admin, _group(admin, _tcp(80), words=WALKTHROUGH))
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="shared by account 444455556666"):
            await one.check()


async def test_the_offending_rule_is_found_on_a_later_page(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin)
    group_id = planted.entity["id"]
    backend = ec2_backends[admin.account_id]["us-east-1"]
    # A group with a raised quota; moto's is fixed.
    many = [("443", f"10.{n // 256}.{n % 256}.0/24") for n in range(1000)]
    backend.get_security_group_from_id(group_id).ingress_rules += [
        SecurityGroupRule(backend, "tcp", group_id, port, port, {"CidrIp": network}, is_egress=False)
        for port, network in [*many, ("22", ANYWHERE)]
    ]
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert len(_open(admin, planted)) == 1000


async def test_what_happened_to_other_networks_since_does_not_stand_in_the_way_of_an_undo(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 100))
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        fixed = await one.fix()
        admin.client("ec2").authorize_security_group_ingress(
            GroupId=planted.entity["id"], IpPermissions=[_tcp(22, 22, OFFICE)]
        )
        assert (await one.check()).before == fixed.before
        assert (await one.undo(was)).before == was
    assert _open(admin, planted) == ["tcp 0-100 0.0.0.0/0", "tcp 22-22 203.0.113.0/24"]


# --- what a person should know


async def _notes(aws: FakeAws, admin: Admin, planted: Planted) -> str:
    async with alone(bot, aws, admin, planted) as one:
        return "\n".join((await one.check()).notes)


async def test_every_other_way_in_is_reported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(22, 22, ANYWHERE, "::/0"), _permission("-1", -1, -1, ANYWHERE))
    ec2, group_id = admin.client("ec2"), planted.entity["id"]
    members = {**_tcp(22), "IpRanges": [], "UserIdGroupPairs": [{"GroupId": group_id}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[members])
    notes = await _notes(aws, admin, planted)
    assert "tcp 22, ::/0" in notes
    assert "all traffic, 0.0.0.0/0" in notes
    assert group_id in notes
    assert "tcp 22, 0.0.0.0/0" not in notes  # that one is closed


async def test_without_split_a_wider_range_is_left_and_reported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 1023), words=WALKTHROUGH)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert "stays open inbound" in seen.notes[0]
    assert "tcp 0-1023, 0.0.0.0/0" in seen.notes[0]
    assert _open(admin, planted) == ["tcp 0-1023 0.0.0.0/0"]


async def test_protocols_that_cannot_be_kept_are_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    assert "GRE" in await _notes(aws, admin, _mail_out(admin))


async def test_a_group_of_a_stack_is_told_apart(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(22))
    group = ec2_backends[admin.account_id]["us-east-1"].get_security_group_from_id(planted.entity["id"])
    group.add_tags({"aws:cloudformation:stack-name": "shop"})
    assert "managed by shop" in await _notes(aws, admin, planted)


async def test_long_lists_of_rules_are_cut(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, *(_tcp(0, port) for port in range(22, 34)))
    async with alone(bot, aws, admin, planted) as one:
        assert "7 more" in (await one.check()).why


# --- when it does not go smoothly


async def _fix_meddled(one: Alone, operation: str, happens: Callable[[], None], times: int = 1) -> Meddled:
    wish = parse(Wish, one.words)
    before = (await one.check()).before
    assert isinstance(before, Opened)
    account = Meddled(one.account, operation, happens, times)
    await bot.run_fix(account, one.target, wish, before)
    return account


async def test_a_full_group_is_refused_and_left_as_it_was(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), *(_tcp(443, 443, f"10.0.{n}.0/24") for n in range(59)))
    seen = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="no room for 1 more inbound rules"):
            await one.fix()
    assert _observe(admin, planted) == seen


async def test_the_last_free_place_is_enough_for_a_split_and_its_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), *(_tcp(443, 443, f"10.0.{n}.0/24") for n in range(58)))
    await _fixed(aws, admin, planted)
    assert len(_open(admin, planted)) == 60


async def test_a_full_group_has_room_to_shrink_a_range(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(20, 22), *(_tcp(443, 443, f"10.0.{n}.0/24") for n in range(59)))
    await _fixed(aws, admin, planted)
    assert len(_open(admin, planted)) == 60


async def test_of_a_full_group_nothing_stays_added_when_only_a_part_fits(aws: FakeAws) -> None:
    """Two differently tagged rules take two calls; the second finds the group full."""
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), tags={"team": "web"})
    more = [_tcp(10, 30), *(_tcp(443, 443, f"10.0.{n}.0/24") for n in range(57))]
    admin.client("ec2").authorize_security_group_ingress(GroupId=planted.entity["id"], IpPermissions=more)
    seen = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="no room"):
            await one.fix()
    assert _observe(admin, planted) == seen


@pytest.mark.parametrize("action", ["ec2:ModifySecurityGroupRules", "ec2:RevokeSecurityGroupIngress"])
async def test_a_later_write_that_would_be_denied_stops_the_first(aws: FakeAws, action: str) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), _tcp(22))
    seen = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        _take_away(admin, action)
        with pytest.raises(AwsError, match="UnauthorizedOperation"):
            await one.fix()
    assert _observe(admin, planted) == seen
    written = [call for call in aws.calls(admin.account_id) if call.is_write and call.error is None]
    assert written == []


def _take_away(admin: Admin, action: str) -> None:
    admin.client("iam").put_role_policy(
        RoleName="bot-alone",
        PolicyName="not-this",
        PolicyDocument=f'{{"Version": "2012-10-17", "Statement": '
        f'[{{"Effect": "Deny", "Action": "{action}", "Resource": "*"}}]}}',
    )


async def test_remainders_are_taken_back_when_the_range_cannot_be_cut_after_all(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _mail_out(admin)
    seen = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="UnauthorizedOperation"):
            await _fix_meddled(
                one, "ModifySecurityGroupRules", lambda: _take_away(admin, "ec2:ModifySecurityGroupRules")
            )
    assert _observe(admin, planted) == seen


async def test_remainders_of_a_range_already_cut_stay_when_another_rule_has_vanished(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), _tcp(22))
    (exact,) = [rule["SecurityGroupRuleId"] for rule in _rules(admin, planted) if rule["FromPort"] == 22]
    async with alone(bot, aws, admin, planted) as one:
        await _fix_meddled(
            one,
            "RevokeSecurityGroupIngress",
            lambda: admin.client("ec2").revoke_security_group_ingress(
                GroupId=planted.entity["id"], SecurityGroupRuleIds=[exact]
            ),
        )
        assert (await one.check()).compliant
    assert _open(admin, planted) == ["tcp 0-21 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0"]


async def test_a_rule_that_vanished_meanwhile_leaves_no_remainders_behind(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535), _tcp(80))
    rule = next(rule for rule in _rules(admin, planted) if rule["ToPort"] == 65535)
    async with alone(bot, aws, admin, planted) as one:
        await _fix_meddled(
            one,
            "ModifySecurityGroupRules",
            lambda: admin.client("ec2").revoke_security_group_ingress(
                GroupId=planted.entity["id"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
            ),
        )
        assert (await one.check()).compliant
    assert _open(admin, planted) == ["tcp 80-80 0.0.0.0/0"]


async def test_a_remainder_somebody_else_just_added_is_planned_around(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(0, 65535))
    async with alone(bot, aws, admin, planted) as one:
        await _fix_meddled(
            one,
            "AuthorizeSecurityGroupIngress",
            lambda: admin.client("ec2").authorize_security_group_ingress(
                GroupId=planted.entity["id"], IpPermissions=[_tcp(23, 65535)]
            ),
        )
        assert (await one.check()).compliant
    assert _open(admin, planted) == ["tcp 0-21 0.0.0.0/0", "tcp 23-65535 0.0.0.0/0"]


async def test_a_group_that_never_keeps_still_is_given_up_unchanged(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _group(admin, _tcp(22))
    ec2, group_id = admin.client("ec2"), planted.entity["id"]

    def replaced() -> None:
        (rule,) = [rule for rule in _rules(admin, planted) if not rule["IsEgress"]]
        ec2.revoke_security_group_ingress(
            GroupId=group_id, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
        )
        ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[_tcp(22)])

    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="keeps changing"):
            await _fix_meddled(one, "RevokeSecurityGroupIngress", replaced, times=2)
        assert not (await one.check()).compliant
        account = await _fix_meddled(one, "RevokeSecurityGroupIngress", replaced, times=1)
        assert account.called.count("RevokeSecurityGroupIngress") == 2
        assert (await one.check()).compliant


async def test_a_group_deleted_meanwhile_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _walkthrough(admin)
    async with alone(bot, aws, admin, planted) as one:
        admin.client("ec2").delete_security_group(GroupId=planted.entity["id"])
        with pytest.raises(TargetGone, match=planted.entity["id"]):
            await one.check()

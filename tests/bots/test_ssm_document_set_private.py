"""Scenes of `bots.ssm_document_set_private`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.core.utils import utcnow
from moto.ssm.models import AccountPermission, ssm_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.ssm_document_set_private import Sharing, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
ONE, TWO = "222233334444", "333344445555"
CONTENT = json.dumps({"schemaVersion": "2.2", "description": "restart", "mainSteps": []})


def _document(
    admin: Admin,
    *accounts: str,
    words: tuple[str, ...] = (),
    region: str = "us-east-1",
    version: str = "$ALL",
) -> Planted:
    ssm = admin.client("ssm", region)
    ssm.create_document(Name="Restart", Content=CONTENT, DocumentType="Command")
    _share(admin, *accounts, region=region, version=version)
    return Planted(entity={"name": "Restart", "id": "Restart"}, words=words, notes={"region": region})


def _share(admin: Admin, *accounts: str, region: str = "us-east-1", version: str = "$ALL") -> None:
    for start in range(0, len(accounts), 20):
        admin.client("ssm", region).modify_document_permission(
            Name="Restart",
            PermissionType="Share",
            AccountIdsToAdd=list(accounts[start : start + 20]),
            SharedDocumentVersion=version,
        )


def _observe(admin: Admin, planted: Planted) -> Any:
    ssm = admin.client("ssm", planted.notes["region"])
    found = ssm.describe_document_permission(Name="Restart", PermissionType="Share", MaxResults=200)
    return {
        "content": ssm.get_document(Name="Restart")["Content"],
        "shared": sorted(
            (each["AccountId"], each["SharedDocumentVersion"]) for each in found["AccountSharingInfoList"]
        ),
    }


def _accounts(admin: Admin, planted: Planted) -> list[str]:
    return [account for account, _ in _observe(admin, planted)["shared"]]


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"name": "NeverMade"})


def scenes() -> list[Scene]:
    return [
        Scene(name="public", plant=lambda admin: _document(admin, "all"), observe=_observe, missing=_missing),
        Scene(
            name="document of AWS",
            plant=lambda admin: Planted(entity={"name": "AWS-RunShellScript"}),
            observe=lambda _admin, _planted: None,
            refusal="belongs to AWS",
        ),
    ]


@pytest.mark.parametrize(
    "words",
    [
        (f"AccountIdToAdd={ONE},{TWO}",),
        (f"accountIdsToAdd:{ONE},{TWO}",),
        (f"AccountIdToAdd={ONE},", TWO),
        (f"{ONE},{TWO}",),
    ],
)
def test_accounts_are_given_in_one_list(words: tuple[str, ...]) -> None:
    assert parse(Wish, words).account_id_to_add == (ONE, TWO)
    assert parse(Wish, ()).account_id_to_add == ()


@pytest.mark.parametrize("account", ["all", "22223333444", "2222333344445"])
def test_what_is_no_account_is_refused_before_anything_is_asked(account: str) -> None:
    with pytest.raises(BadWords, match="account_id_to_add"):
        parse(Wish, [f"AccountIdToAdd={ONE},{account}"])


@pytest.mark.usefixtures("hub_environment")
async def test_given_accounts_get_or_keep_the_document_and_all_others_lose_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _document(admin, ONE, "444455556666", region=ELSEWHERE, version="$LATEST")
    before = _observe(admin, planted)
    arn = f"arn:aws:ssm:{ELSEWHERE}:{admin.account_id}:document/Restart"
    words = (f"AccountIdToAdd={TWO},{ONE},{admin.account_id}",)
    async with alone(bot, aws, admin, Planted(entity={"id": arn}, words=words)) as one:
        was = await one.check()
        assert was.region == ELSEWHERE
        assert (await one.fix()).compliant
        assert _observe(admin, planted)["shared"] == [(ONE, "$LATEST"), (TWO, "$DEFAULT")]
        assert (await one.undo(was.before)).before == was.before
    assert _observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_long_lists_are_read_in_pages_and_written_in_parts(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    many = [f"9000000000{number:02}" for number in range(70)]
    planted = _document(admin, *many[:30], version="$DEFAULT")
    _share(admin, *many[30:])
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert was.why.endswith("900000000065 and 65 more")
        assert (await one.fix()).compliant
        assert _accounts(admin, planted) == []
        # As after an undo that was cut off: it goes on where it stopped.
        _share(admin, *many[:5], version="$DEFAULT")
        assert (await one.undo(was.before)).before == was.before
    assert _observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_everybody_is_removed_as_aws_spells_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _document(admin, words=(f"AccountIdToAdd={ONE}",))
    (document,) = ssm_backends[admin.account_id]["us-east-1"]._documents.values()
    document.permissions["All"] = AccountPermission("All", "$DEFAULT", utcnow())
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert was.why == "document Restart is shared with everybody"
        assert isinstance(was.before, Sharing)
        assert was.before.accounts == (("All", "$DEFAULT"),)
        assert (await one.fix()).compliant
    assert _accounts(admin, planted) == [ONE]


@pytest.mark.usefixtures("hub_environment")
async def test_documents_of_others_are_told_from_missing_ones(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = "arn:aws:ssm:us-east-1:222233334444:document/Theirs"
    async with alone(bot, aws, admin, Planted(entity={"id": arn})) as one:
        with pytest.raises(CannotFix, match="belongs to account 222233334444"):
            await one.check()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        for code, raised in (
            ("InvalidDocumentOperation", CannotFix), ("InternalServerError", AwsError), (None, TargetGone),
        ):  # fmt: skip
            if code is not None:
                aws.fail(admin.account_id, "ssm:DescribeDocumentPermission", code)
            with pytest.raises(raised):
                await one.check()

"""Bots a user wrote, beside the built-in ones: in the new shape, in the old shape, and broken."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from bots import _own
from bots._aws import AwsError
from bots._bot import CannotFix, Risk
from bots._catalogue import BrokenBot, Catalogue, UnknownBot, names
from hub.app import Hub, open_hub
from hub.aws.account import SpokeAccount
from hub.aws.clients import Clients, Keys
from hub.aws.old_bots import run_in_thread
from hub.aws.throttle import Pacer
from hub.errors import SettingsWrong
from hub.model import Message, Outcome, Report
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy
from tests.hub.messages import finding, message
from tests.hub.rules.files import everything_allowed

NEW = '''
"""Put a note on a bucket.

After: the bucket has a tag.
Caution: none.
"""
from bots._bot import Before, Bot, Check, NoParams, Risk, Undo, entity

class Tagged(Before):
    tags: tuple[str, ...]

bot = Bot(
    name="{name}", acts_on="AWS::S3::Bucket", target=entity("id"), params=NoParams, before=Tagged,
    reads=("s3:GetBucketTagging",), writes=("s3:PutBucketTagging",), risk=Risk.ADDITIVE,
    undo=Undo.none("a note stays"), optional={optional},
)

@bot.check
async def check(aws, target, params):
    found = await aws.find("s3", "GetBucketTagging", absent=("NoSuchTagSet",), Bucket=target.id)
    tags = tuple(tag["Key"] for tag in found["TagSet"]) if found else ()
    return Check(compliant="noted" in tags, before=Tagged(tags=tags), why=f"tags: {{tags}}")

@bot.fix
async def fix(aws, target, params, before):
    tags = [{{"Key": "noted", "Value": "yes"}}]
    await aws.call("s3", "PutBucketTagging", Bucket=target.id, Tagging={{"TagSet": tags}})
'''

OLD = """
def run_action(boto_session, rule, entity, params):
    iam = boto_session.client("iam")
    iam.create_group(GroupName=params[0])
    where = f"{entity['cloud_account_id']} in {boto_session.region_name}"
    return f"made {params} for {rule['name']}/{rule['severity']} of {where}"
"""

CHECK = """
def check(boto_session, rule, entity, params):
    groups = boto_session.client("iam").list_groups()["Groups"]
    return params[0] in [group["GroupName"] for group in groups]
"""

RIGHTS = policy(
    allow("iam:CreateGroup", "iam:ListGroups", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:ListBucket"),
    allow("s3:GetBucketVersioning", "s3:PutBucketVersioning"),
)


@pytest.fixture(autouse=True)
def no_module_stays() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("own_bots.")]:
        del sys.modules[name]


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")


def groups(admin: Admin) -> list[str]:
    return [group["GroupName"] for group in admin.client("iam").list_groups()["Groups"]]


@asynccontextmanager
async def hub_with(folder: Path, spoke: Admin, settings: MakeSettings, **more: object) -> AsyncIterator[Hub]:
    more = {"rules": everything_allowed(folder.parent), **more}
    async with open_hub(settings(spoke.account_id, bots_folder=str(folder), **more)) as hub:
        yield hub


def told(report: Report | None) -> list[tuple[Outcome | None, str]]:
    assert report is not None
    return [(run.outcome, run.message) for run in report.runs]


async def test_a_bot_in_the_new_shape_is_checked_fixed_and_proven_like_any_other(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "note_bucket", NEW.format(name="note_bucket", optional=False))
    bucket = f"notes-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=bucket)
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        [(outcome, text)] = told(await hub.settle(message(spoke.account_id, "note_bucket", id=bucket)))
    assert outcome is Outcome.FIXED, text
    assert spoke.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"] == [
        {"Key": "noted", "Value": "yes"}
    ]


async def test_an_old_bot_gets_a_session_of_the_account_the_rule_the_entity_and_its_words_only(
    tmp_path: Path, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "make_group", OLD)
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        sent = message(
            spoke.account_id, "make_group readers exec_function_arn=x", id="i-1", region="eu_west_1"
        )
        report = await hub.settle(sent)
    [(outcome, text)] = told(report)
    assert outcome is Outcome.UNPROVEN
    assert f"made ['readers'] for a rule/High of {spoke.account_id} in eu-west-1" in text
    assert "offers no check" in text
    assert report is not None
    assert report.runs[0].changed, "nobody can know, so the worst is assumed"
    assert groups(spoke) == ["readers"]
    assert {call.account_id for call in aws.calls(spoke.account_id)} == {spoke.account_id}


async def test_an_old_bot_with_a_check_is_proven_by_it(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "make_group", OLD + CHECK)
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        first = told(await hub.settle(message(spoke.account_id, "make_group readers", key="1")))
        again = told(await hub.settle(message(spoke.account_id, "make_group readers", key="2")))
    assert first[0][0] is Outcome.FIXED, first
    assert again == [(Outcome.COMPLIANT, "make_group says it is right")]


async def test_an_old_bot_gets_the_suggested_policy_as_its_last_word(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "say", "def run_action(session, rule, entity, params):\n    return repr(params)\n")
    document = finding(spoke.account_id, "say hello")
    document["remediationActions"].insert(0, json.dumps({"SuggestedRole": '{"Statement": []}'}))
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        [(_, text)] = told(await hub.settle(Message(body=json.dumps(document))))
    assert """['hello', 'SuggestedPolicy:{"Statement": []}']""" in text


async def test_actions_an_old_bot_declares_narrow_its_session(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "make_group", OLD + 'actions = ("iam:ListGroups",)\n')
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        [(outcome, text)] = told(await hub.settle(message(spoke.account_id, "make_group readers")))
    assert outcome is Outcome.DENIED, text
    assert groups(spoke) == []


async def test_broken_bots_stop_neither_the_hub_nor_the_other_bots_of_a_finding(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "torn", "def broken(:\n")
    write(tmp_path, "quits", "raise SystemExit(3)\n")
    write(tmp_path, "empty", "")
    write(tmp_path, "misnamed", NEW.format(name="other", optional=False))
    write(tmp_path, "raises", "def run_action(*_):\n    raise ValueError('password=hunter2')\n")
    write(tmp_path, "leaves", "def run_action(*_):\n    raise SystemExit(1)\n")
    bucket = f"fine-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=bucket)
    asked = ("torn", "quits", "empty", "misnamed", "raises", "leaves", "s3_enable_versioning")
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        found = told(await hub.settle(message(spoke.account_id, *asked, id=bucket)))
    outcomes = [outcome for outcome, _ in found]
    assert outcomes == [*[Outcome.INVALID] * 4, Outcome.FAILED, Outcome.FAILED, Outcome.FIXED], found
    texts = [text for _, text in found]
    assert "torn cannot be loaded: SyntaxError" in texts[0]
    assert "quits cannot be loaded: SystemExit" in texts[1]
    assert "neither a `bot` nor a function `run_action`" in texts[2]
    assert "its header calls it 'other'" in texts[3]
    assert "hunter2" not in texts[4]
    assert "ValueError" in texts[4] or "RuntimeError" in texts[4]


async def test_an_old_bot_that_is_refused_a_call_ends_denied(
    tmp_path: Path, aws: FakeAws, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "make_group", OLD)
    spoke = aws.spoke({"none": policy(allow("s3:ListBucket"))})
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        [(outcome, text)] = told(await hub.settle(message(spoke.account_id, "make_group readers")))
    assert outcome is Outcome.DENIED
    assert "CreateGroup" in text


async def test_a_name_of_the_hub_means_the_hubs_bot_and_optional_ones_must_be_allowed(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    write(tmp_path, "s3_enable_versioning", OLD)
    write(tmp_path, "note_bucket", NEW.format(name="note_bucket", optional=True))
    bucket = f"mine-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=bucket)
    sent = message(spoke.account_id, "s3_enable_versioning", "note_bucket", id=bucket)
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        found = told(await hub.settle(sent))
    assert [outcome for outcome, _ in found] == [Outcome.FIXED, Outcome.REFUSED]
    assert "HUB_OPTIONAL_BOTS" in found[1][1]
    async with hub_with(tmp_path, spoke, hub_settings, optional_bots=("note_bucket",)) as hub:
        found = told(await hub.settle(message(spoke.account_id, "note_bucket", id=bucket)))
    assert [outcome for outcome, _ in found] == [Outcome.FIXED]


async def test_the_folder_must_exist(tmp_path: Path, spoke: Admin, hub_settings: MakeSettings) -> None:
    with pytest.raises(SettingsWrong, match="HUB_BOTS_FOLDER: there is no folder"):
        async with hub_with(tmp_path / "missing", spoke, hub_settings):
            pass


def test_bots_of_installed_packages_are_found_by_their_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_package.py").write_text(OLD, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = (EntryPoint("theirs", "their_package", _own.ENTRY_POINTS),)
    monkeypatch.setattr(_own, "entry_points", lambda *, group: points if group == _own.ENTRY_POINTS else ())
    found = _own.catalogue()
    assert set(found.names()) == {"theirs", *names()}
    bot = found.bot_named("theirs")
    assert (bot.name, bot.risk, bot.undo.degree) == ("theirs", Risk.DESTRUCTIVE, "none")
    assert found.bot_named("theirs") is bot, "loaded once"


def test_problems_of_a_header_are_all_named(tmp_path: Path) -> None:
    text = NEW.format(name="Odd", optional=False).replace("@bot.check", "").replace("@bot.fix", "")
    write(tmp_path, "odd", text.replace('Undo.none("a note stays")', "Undo.exact()"))
    with pytest.raises(BrokenBot) as caught:
        _own.catalogue(str(tmp_path)).bot_named("odd")
    for problem in ("calls it 'Odd'", "no check", "no fix", "declares undo exact and has no undo"):
        assert problem in str(caught.value)


def test_a_name_findings_cannot_write_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "odd-name", NEW.format(name="odd-name", optional=False))
    with pytest.raises(BrokenBot, match="small letters, digits and _"):
        _own.catalogue(str(tmp_path)).bot_named("odd-name")


def test_unknown_names_get_the_close_ones_of_both_kinds(tmp_path: Path) -> None:
    write(tmp_path, "note_bucket", OLD)
    with pytest.raises(UnknownBot, match="did you mean note_bucket"):
        _own.catalogue(str(tmp_path)).bot_named("note_buckets")
    with pytest.raises(UnknownBot, match="did you mean s3_enable_versioning"):
        Catalogue().bot_named("s3_enable_versionin")


def account(region: str = "us-east-1") -> SpokeAccount:
    keys = Keys("222233334444", "key", "secret", None)
    return SpokeAccount("222233334444", region, "aws", keys, "tests", Clients(), Pacer(1))


async def test_a_thread_that_hangs_is_left_behind_and_the_loop_goes_on() -> None:
    import threading

    go = threading.Event()
    with pytest.raises(CannotFix, match=r"did not end within 0 seconds"):
        await run_in_thread(account(), lambda session: go.wait(), (), seconds=0.01)
    go.set()
    # What the thread says now is heard by nobody and disturbs nobody.
    await asyncio.sleep(0)
    assert await run_in_thread(account("eu-west-1"), lambda session: session.region_name, ()) == "eu-west-1"


async def test_trouble_with_the_network_is_told_as_such() -> None:
    def unreachable(session: object) -> None:
        client = session.client("iam", endpoint_url="http://127.0.0.1:9")  # type: ignore[attr-defined]
        client.meta.config.retries["total_max_attempts"] = 1
        client.list_groups()

    with pytest.raises(AwsError) as caught:
        await run_in_thread(account(), unreachable, ())
    assert caught.value.code == "Network"


async def test_a_bot_that_is_gone_cannot_take_its_work_back(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    from hub.flow.way_back import NothingToUndo

    write(tmp_path, "make_group", OLD)
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        report = await hub.settle(message(spoke.account_id, "make_group readers"))
        assert report is not None
        without = Hub(replace(hub.kit, catalogue=Catalogue()))
        with pytest.raises(NothingToUndo, match="of a bot that is not there now"):
            await without.undo(report.runs[0].run_id)


async def test_the_bot_the_documentation_shows_works(
    tmp_path: Path, spoke: Admin, hub_settings: MakeSettings
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "own-bots.md").read_text(encoding="utf-8")
    write(tmp_path, "team_tag_owner", page.split("```python\n")[1].split("```")[0])
    bucket = f"owned-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=bucket)
    async with hub_with(tmp_path, spoke, hub_settings) as hub:
        [(outcome, text)] = told(await hub.settle(message(spoke.account_id, "team_tag_owner", id=bucket)))
    assert outcome is Outcome.FIXED, text
    tags = spoke.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert tags == [{"Key": "Owner", "Value": "nobody yet"}]

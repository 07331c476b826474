"""What every bot of the catalogue must keep, shown through the whole hub on the scenes of its test file.

Nothing here names a bot: a new file in bots/ is under contract at once, and one without scenes fails.
"""

from __future__ import annotations

import importlib
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from bots import _catalogue
from bots._bot import AnyBot
from bots._grants import PASS_ROLE, grants
from bots._words import parse
from hub.app import Hub, open_hub
from hub.flow import due
from hub.flow.looking import look
from hub.flow.normalise import normalise
from hub.flow.rehearse import Rehearsal, rehearse
from hub.flow.way_back import NothingToUndo
from hub.guards.mode import Mode
from hub.guards.optional import Optional
from hub.model import Message, Outcome, Run
from hub.rules.guard_model import GuardRules
from tests.bots.rehearsed import assert_sent_as_told
from tests.bots.scene import Planted, Scene
from tests.conftest import spoke_settings
from tests.fake_aws.admin import Admin
from tests.fake_aws.iam_actions import also_needed, own_action, real_actions
from tests.fake_aws.server import FakeAws, policy
from tests.fake_aws.wire import Call

READ = re.compile(r"[a-z0-9-]+:(BatchGet|Get|List|Describe|Lookup)[A-Z]\w*")
PLAYS = 3000  # accounts a worker may use up
_count = itertools.count()


def _scenes(name: str) -> list[Scene]:
    module = f"tests.bots.test_{name}"
    try:
        found: list[Scene] = importlib.import_module(module).scenes()
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return []  # test_every_bot_has_scenes tells
    return found


BOTS = [pytest.param(_catalogue.bot_named(name), id=name) for name in _catalogue.names()]
SCENES = [(_catalogue.bot_named(name), scene) for name in _catalogue.names() for scene in _scenes(name)]


def _param(bot: AnyBot, scene: Scene) -> object:
    return pytest.param(bot, scene, id=f"{bot.name}-{scene.name.replace(' ', '_')}")


VIOLATIONS = [_param(bot, scene) for bot, scene in SCENES if not scene.blocked]
REFUSALS = [_param(bot, scene) for bot, scene in SCENES if scene.blocked]
MISSING = [_param(bot, scene) for bot, scene in SCENES if scene.missing is not None]
ACTIONS = [
    pytest.param(_catalogue.bot_named(name), action, id=f"{name}-{action}")
    for name in _catalogue.names()
    for action in _catalogue.bot_named(name).actions
]


def spoke_policy(bot: AnyBot, *, without: str = "", account_id: str) -> str:
    """The rights the bot declares, less one."""
    return policy(
        *(grant.statement(partition="aws", account=account_id) for grant in grants([bot], without=without))
    )


def finding(bot: AnyBot, scene: Scene, planted: Planted, account_id: str) -> Message:
    """A finding nobody has sent before."""
    number = next(_count)
    entity = {"region": scene.region, **planted.entity}
    more: dict[str, object] = {}
    if planted.event_time is not None:
        logged = json.dumps({"alertWindowStartTime": planted.event_time})
        more["additionalFields"] = [{"name": "logic_data", "value": logged}]
    actions = [" ".join((bot.name, *planted.words))]
    if planted.suggested_policy is not None:
        actions.insert(0, json.dumps({"SuggestedRole": json.dumps(planted.suggested_policy)}))
    return Message(
        body=json.dumps(
            {
                "reportTime": f"2026-03-20T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
                "status": "Failed",
                "rule": {"name": f"a rule for {bot.name}", "complianceTags": "", "severity": "High"},
                "account": {"id": account_id, "vendor": "AWS"},
                "region": scene.region,
                "entity": entity,
                "findingKey": f"key-{account_id}-{number}",
                "remediationActions": actions,
                **more,
            }
        )
    )


@dataclass(slots=True)
class Play:
    """One scene in an account of its own, and a hub that may enter it."""

    bot: AnyBot
    scene: Scene
    admin: Admin
    aws: FakeAws
    hub: Hub

    def message(self, planted: Planted) -> Message:
        """A new finding about it."""
        return finding(self.bot, self.scene, planted, self.admin.account_id)

    async def find(self, planted: Planted) -> Run:
        """Send one finding; the one run it leads to."""
        return await self.settle(self.message(planted))

    async def settle(self, sent: Message) -> Run:
        report = await self.hub.settle(sent)
        assert report is not None, "the hub saw nothing to do in the finding"
        assert len(report.runs) == 1
        return report.runs[0]

    async def rehearsed(self, sent: Message) -> Rehearsal:
        """What a fix would call."""
        heard = normalise(sent)
        (step,) = await due.steps(self.hub.kit, await due.asked(self.hub.kit, heard))
        seen = await look(self.hub.kit, step)
        assert step.target is not None
        there = step if seen.check.target_id is None else step.at(seen.check.target_id)
        assert there.target is not None
        return await rehearse(self.bot, seen.account, there.target, step.params, seen.check.before)

    async def undo(self, run: Run) -> Run:
        report = await self.hub.undo(run.run_id)
        assert len(report.runs) == 1
        return report.runs[0]

    def calls(self) -> tuple[Call, ...]:
        """All calls of the hub in the account so far."""
        return self.aws.calls(self.admin.account_id)

    def writes(self) -> list[Call]:
        return [call for call in self.calls() if call.is_write]


@dataclass(frozen=True, slots=True)
class Stage:
    """One hub for all plays, as in production: its clients cost more than a scene. Accounts are never shared."""

    aws: FakeAws
    hub: Hub
    accounts: Iterator[str]
    environment: Mapping[str, str]

    def play(self, bot: AnyBot, scene: Scene, *, without: str = "", dry_run: bool = False) -> Play:
        account_id = next(self.accounts)
        rights = spoke_policy(bot, without=without, account_id=account_id)
        admin = self.aws.spoke({"remediation": rights}, account_id=account_id)
        kit = self.hub.kit
        optional = Optional((bot.name,))
        guards = [optional if isinstance(guard, Optional) else guard for guard in kit.guards]
        mode = Mode(GuardRules, dry_run=dry_run)
        guards = [mode if isinstance(guard, Mode) else guard for guard in guards]
        # Bots are shown here as they are let loose; who has to allow them has tests of its own.
        kit = replace(kit, guards=tuple(guards), undo_guards=tuple(guards), change_guards=())
        return Play(bot, scene, admin, self.aws, Hub(kit))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(aws: FakeAws) -> AsyncIterator[Stage]:
    accounts = [aws.fresh_account().account_id for _ in range(PLAYS)]
    environment = {"AWS_ENDPOINT_URL": aws.endpoint, **aws.hub_credentials()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        async with open_hub(spoke_settings(*accounts)) as hub:
            yield Stage(aws, hub, iter(accounts), environment)


@pytest.fixture
def in_the_hubs_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub makes clients when it first needs them, whichever test that is in."""
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)


def on_stage(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """For tests that play a scene: in the event loop of the one hub, in its environment."""
    in_loop: Callable[..., Awaitable[None]] = pytest.mark.asyncio(loop_scope="module")(test)
    marked: Callable[..., Awaitable[None]] = pytest.mark.usefixtures("in_the_hubs_environment")(in_loop)
    return marked


def actions_of(calls: Iterable[Call]) -> set[str]:
    """Every IAM action the calls needed."""
    found = set()
    for call in calls:
        found.add(own_action(call))
        found |= {action for action, _ in also_needed(call)}
    return found


# --- the header


@pytest.mark.parametrize("bot", BOTS)
def test_the_header_tells_a_reviewer_everything(bot: AnyBot) -> None:
    module = importlib.import_module(f"bots.{bot.name}")
    assert module.__name__ == f"bots.{bot.name}", "a bot is called as its file"
    assert module.bot is bot
    assert module.__doc__ is not None
    assert "After:" in module.__doc__
    assert "Caution:" in module.__doc__
    assert re.fullmatch(r"AWS::[A-Za-z0-9]*::[A-Za-z0-9]+", bot.acts_on)
    assert not set(bot.aliases) & set(_catalogue.names())
    assert bot._check is not None
    assert bot._fix is not None
    name, *words = bot.examples[0].split()
    assert name == bot.name
    parse(bot.params, tuple(words))


@pytest.mark.parametrize("bot", BOTS)
def test_declared_rights_are_real_iam_actions_declared_once(bot: AnyBot) -> None:
    assert len(set(bot.actions)) == len(bot.actions)
    assert bot.writes, "a bot that needs no right to write can fix nothing"
    unreal = [action for action in bot.actions if action not in real_actions(action.partition(":")[0])]
    assert not unreal, f"AWS knows no such actions: {unreal}"
    assert [a for a in bot.reads if not READ.fullmatch(a)] == []
    assert [a for a in bot.writes if READ.fullmatch(a)] == []


@pytest.mark.parametrize("bot", BOTS)
def test_resources_narrow_declared_actions_in_any_partition_and_account(bot: AnyBot) -> None:
    assert set(bot.resources) <= set(bot.actions)
    assert PASS_ROLE not in bot.resources, "say in `passes` which roles go to which service"
    assert (PASS_ROLE in bot.writes) == bool(bot.passes)
    for patterns in (*bot.resources.values(), *bot.passes.values()):
        assert patterns
        for pattern in patterns:
            assert pattern.startswith("arn:{partition}:"), pattern
            assert not re.search(r"[{}]|\d{12}", pattern.format(partition="aws-cn", account="A")), pattern


@pytest.mark.parametrize("bot", BOTS)
def test_undo_is_declared_as_it_is_written(bot: AnyBot) -> None:
    assert (bot._undo is None) == (bot.undo.degree == "none")
    assert (bot.undo.expects is not None) == (bot.undo.degree == "nearest")
    assert bool(bot.undo.why) == (bot.undo.degree != "exact")


@pytest.mark.parametrize("bot", BOTS)
def test_every_bot_has_scenes(bot: AnyBot) -> None:
    scenes = _scenes(bot.name)
    assert any(not scene.blocked for scene in scenes), f"tests/bots/test_{bot.name}.py offers no violation"
    assert len({scene.name for scene in scenes}) == len(scenes)
    if bot.acts_on != "AWS::::Account":
        assert any(scene.missing for scene in scenes), "no scene says what a missing resource looks like"


# --- the behaviour


@on_stage
@pytest.mark.parametrize(("bot", "scene"), VIOLATIONS)
async def test_a_dry_run_looks_with_declared_reads_and_changes_nothing(
    bot: AnyBot, scene: Scene, stage: Stage
) -> None:
    play = stage.play(bot, scene, dry_run=True)
    planted = scene.plant(play.admin)
    before = scene.observe(play.admin, planted)
    run = await play.find(planted)
    assert run.outcome is Outcome.WOULD_FIX, run.message
    assert scene.observe(play.admin, planted) == before
    assert play.writes() == []
    assert actions_of(play.calls()) <= set(bot.reads)


@on_stage
@pytest.mark.parametrize(("bot", "scene"), VIOLATIONS)
async def test_a_violation_is_rehearsed_without_a_write_fixed_as_told_proven_left_alone_and_taken_back(
    bot: AnyBot, scene: Scene, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is drawn by lot is to be the same in the rehearsal and in the fix.
    monkeypatch.setattr("secrets.choice", lambda of: of[0])
    play = stage.play(bot, scene)
    planted = scene.plant(play.admin)
    before = scene.observe(play.admin, planted)
    sent = play.message(planted)
    rehearsal = await play.rehearsed(sent)
    assert rehearsal.calls, rehearsal.why
    assert bool(rehearsal.why) != rehearsal.whole
    assert play.writes() == []
    assert scene.observe(play.admin, planted) == before
    run = await play.settle(sent)
    assert run.outcome is Outcome.FIXED, run.message
    assert_sent_as_told(rehearsal, play.writes())
    assert run.changed
    assert run.message
    assert scene.observe(play.admin, planted) != before, "observe() does not see what the bot changes"
    _snapshots_survive_json(bot, run)

    written = len(play.writes())
    again = await play.find(planted)
    assert again.outcome is Outcome.COMPLIANT, again.message
    assert len(play.writes()) == written

    await _taken_back(play, planted, run, before)
    assert actions_of(play.calls()) <= set(bot.actions)


def _snapshots_survive_json(bot: AnyBot, run: Run) -> None:
    for saved in (run.before, run.after):
        assert saved is not None
        read = bot.before.model_validate(json.loads(json.dumps(saved)))
        assert read.model_dump(mode="json") == saved


async def _taken_back(play: Play, planted: Planted, run: Run, before: object) -> None:
    if play.bot.undo.degree == "none":
        written = len(play.writes())
        with pytest.raises(NothingToUndo):
            await play.undo(run)
        assert len(play.writes()) == written
        return
    back = await play.undo(run)
    assert back.outcome is Outcome.RESTORED, back.message
    assert back.undo_of == run.run_id
    saved = play.bot.before.model_validate(run.before)
    assert back.after == play.bot.expected_after_undo(saved).model_dump(mode="json")
    if play.bot.undo.degree == "exact":
        assert play.scene.observe(play.admin, planted) == before


@on_stage
@pytest.mark.parametrize(("bot", "scene"), REFUSALS)
async def test_what_the_bot_must_not_touch_is_refused_and_left_as_it_was(
    bot: AnyBot, scene: Scene, stage: Stage
) -> None:
    play = stage.play(bot, scene)
    planted = scene.plant(play.admin)
    before = scene.observe(play.admin, planted)
    run = await play.find(planted)
    assert run.outcome is Outcome.REFUSED, run.message
    assert scene.refusal is not None
    assert scene.refusal in run.message
    assert scene.observe(play.admin, planted) == before
    assert play.writes() == []


@on_stage
@pytest.mark.parametrize(("bot", "scene"), MISSING)
async def test_a_missing_resource_is_told_apart_and_nothing_is_written(
    bot: AnyBot, scene: Scene, stage: Stage
) -> None:
    assert scene.missing is not None
    play = stage.play(bot, scene)
    run = await play.find(scene.missing(play.admin))
    assert run.outcome is Outcome(scene.when_missing), run.message
    assert not run.changed
    assert play.writes() == []


@on_stage
@pytest.mark.parametrize(("bot", "action"), ACTIONS)
async def test_each_declared_action_is_needed_and_its_denial_changes_nothing(
    bot: AnyBot, action: str, stage: Stage
) -> None:
    for scene in _scenes(bot.name):
        if scene.blocked:
            continue
        if await _denied(stage.play(bot, scene, without=action), action):
            return
    pytest.fail(
        f"no scene of {bot.name} needs {action}: the declaration is superfluous, or a scene is missing"
    )


async def _denied(play: Play, action: str) -> bool:
    """Whether fixing or undoing the scene ended denied; what was there is still there then."""
    planted = play.scene.plant(play.admin)
    before = play.scene.observe(play.admin, planted)
    run = await play.find(planted)
    assert run.outcome in (Outcome.DENIED, Outcome.FIXED), f"{play.scene.name}: {run.outcome}: {run.message}"
    if run.outcome is Outcome.DENIED:
        if action in play.bot.reads:
            # A refused write wrote nothing: AWS may ask for a right to read where it sets something up.
            assert [call.name for call in play.calls() if call.is_write and call.error is None] == []
    elif play.bot.undo.degree == "none":
        return False
    else:
        before = play.scene.observe(play.admin, planted)
        run = await play.undo(run)
        assert run.outcome in (Outcome.DENIED, Outcome.RESTORED), f"{play.scene.name}: {run.message}"
        if run.outcome is Outcome.RESTORED:
            return False
    assert play.scene.observe(play.admin, planted) == before
    assert not run.changed
    assert any(call.error is not None and action in actions_of([call]) for call in play.calls())
    return True

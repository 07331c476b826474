"""Scenes of `bots.ecs_reboot`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._aws import AwsError
from bots._words import BadWords, parse
from bots.ecs_reboot import Running, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.tasks import ROLE, cluster, define, finding, nobody, observe, role, run, running, service
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


def _two_under_the_role(admin: Admin) -> Planted:
    """In two clusters, one by its task role and one by its execution role, beside one under another role."""
    cluster(admin, "web")
    cluster(admin, "batch")
    run(admin, define(admin, "api", task=role(admin)), startedBy="ops")
    run(admin, define(admin, "job", execution=role(admin)), where="batch")
    run(admin, define(admin, "plain", task=role(admin, "plain")))
    return finding(admin)


def scenes() -> list[Scene]:
    return [
        Scene(
            name="two tasks under the role",
            plant=_two_under_the_role,
            observe=observe,
            missing=nobody,
            when_missing="compliant",
        ),
        Scene(
            name="no role named",
            plant=lambda _: Planted(entity={"id": "admin"}),
            observe=observe,
            refusal="not the ARN of an IAM role",
        ),
    ]


def test_words_are_given_by_name() -> None:
    wish = parse(Wish, ["match=task", "reason=too many rights"])
    assert (wish.match, wish.reason) == ("task", "too many rights")
    assert parse(Wish, []) == Wish(reason=None, match="any")
    for word in ("task", "match=both", "reason=" + "x" * 201):
        with pytest.raises(BadWords):
            parse(Wish, [word])


@pytest.mark.usefixtures("hub_environment")
async def test_only_tasks_under_the_role_are_stopped_and_all_about_them_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _two_under_the_role(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.touches == (("AWS::IAM::Role", ROLE),)
        assert isinstance(seen.before, Running)
        assert [(task.group, task.started_by) for task in seen.before.tasks] == [
            ("family:job", ""),
            ("family:api", "ops"),
        ]
        assert len(seen.notes) == 2
        assert (await one.fix()).before == Running(tasks=())
    assert (len(running(admin, "web")), len(running(admin, "batch"))) == (1, 0)


@pytest.mark.usefixtures("hub_environment")
async def test_a_task_started_with_other_roles_than_its_definition_runs_under_those(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    cluster(admin)
    spared = run(
        admin, define(admin, "api", task=role(admin)), overrides={"taskRoleArn": role(admin, "plain")}
    )
    run(admin, define(admin, "plain"), overrides={"executionRoleArn": role(admin)})
    async with alone(bot, aws, admin, finding(admin)) as one:
        assert (await one.saying("match=task").check()).compliant
        assert (await one.fix()).compliant
    assert running(admin) == [spared]


@pytest.mark.usefixtures("hub_environment")
async def test_what_a_service_starts_in_their_place_is_left_running(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    cluster(admin)
    definition = define(admin, "api", task=role(admin))
    service(admin, "api", definition, desired=2)
    old = {run(admin, definition, group="service:api") for _ in range(2)}
    async with alone(bot, aws, admin, finding(admin, "reason=too many rights")) as one:
        seen = await one.check()
        assert len(seen.notes) == 1
        assert seen.notes[0].endswith("starts new tasks with the same role")
        after = await one.fix()
        assert after.compliant
        assert after.why.endswith("; 2 more were started since the reboot")
    new = set(running(admin))
    assert len(new) == 2
    assert not new & old
    told = admin.client("ecs").describe_tasks(cluster="web", tasks=sorted(old))["tasks"]
    assert all(task["stoppedReason"].startswith("too many rights (report one-report-") for task in told)


@pytest.mark.usefixtures("hub_environment")
async def test_a_fix_that_broke_off_stops_the_rest_and_not_what_was_started_meanwhile(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    cluster(admin)
    definition = define(admin, "api", task=role(admin))
    service(admin, "api", definition, desired=2)
    old = {run(admin, definition, group="service:api") for _ in range(2)}
    aws.fail(admin.account_id, "ecs:StopTask", "ServerException")
    async with alone(bot, aws, admin, finding(admin)) as one:
        with pytest.raises(AwsError, match="ServerException"):
            await one.fix()
        half = set(running(admin))
        assert len(half & old) == 1
        assert (await one.fix()).compliant
    assert len(set(running(admin)) & half) == 1


@pytest.mark.usefixtures("hub_environment")
async def test_a_task_that_has_ended_by_itself_is_no_failure(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _two_under_the_role(admin)
    aws.fail(admin.account_id, "ecs:StopTask", "InvalidParameterException")
    async with alone(bot, aws, admin, planted) as one:
        assert not (await one.fix()).compliant
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_defect_while_stopping_is_not_hidden(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = aws.fresh_account()
    planted = _two_under_the_role(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(type(one.account), "find", broken)
        with pytest.raises(RuntimeError, match="a defect"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)


@pytest.mark.usefixtures("hub_environment")
async def test_tasks_beyond_the_first_page_are_found(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    cluster(admin)
    plain, bad = define(admin, "plain"), define(admin, "api", task=role(admin))
    for _ in range(10):
        admin.client("ecs").run_task(cluster="web", taskDefinition=plain, launchType="FARGATE", count=10)
    run(admin, bad)
    async with alone(bot, aws, admin, finding(admin)) as one:
        assert (await one.fix()).compliant
    assert len(admin.client("ecs").list_tasks(cluster="web", desiredStatus="STOPPED")["taskArns"]) == 1

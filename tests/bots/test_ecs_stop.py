"""Scenes of `bots.ecs_stop`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots._words import BadWords, parse
from bots.ecs_stop import Stopped, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.tasks import ROLE, cluster, define, finding, nobody, observe, role, run, running, service
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.ecs import inside
from tests.fake_aws.server import FakeAws


def _host(admin: Admin) -> str:
    """A container instance by its ARN."""
    server = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    document = json.dumps({"instanceId": server["Instances"][0]["InstanceId"]})
    made = admin.client("ecs").register_container_instance(cluster="web", instanceIdentityDocument=document)
    return str(made["containerInstance"]["containerInstanceArn"])


def _on_a_host(admin: Admin, *words: str) -> Planted:
    """A service under the role on the only instance of a cluster, beside a task under no role."""
    cluster(admin)
    host = _host(admin)
    bad, plain = define(admin, "api", task=role(admin)), define(admin, "plain")
    named = service(admin, "api", bad)
    run(admin, bad, kind="EC2", group="service:api")
    run(admin, plain, kind="EC2")
    return finding(admin, *words, host=host, service=named)


def _on_fargate(admin: Admin, *words: str) -> Planted:
    cluster(admin)
    bad = define(admin, "api", execution=role(admin))
    named = service(admin, "api", bad, desired=2, launchType="FARGATE")
    for _ in range(2):
        run(admin, bad, group="service:api")
    return finding(admin, *words, service=named)


def _services(admin: Admin) -> dict[str, int]:
    found = admin.client("ecs").describe_services(cluster="web", services=["api", "plain"])["services"]
    return {each["serviceName"]: each["desiredCount"] for each in found}


def _state(admin: Admin, host: str) -> str:
    ecs = admin.client("ecs")
    found = ecs.describe_container_instances(cluster="web", containerInstances=[host])
    return str(found["containerInstances"][0]["status"])


def scenes() -> list[Scene]:
    return [
        Scene(
            name="service on an instance",
            plant=lambda admin: _on_a_host(admin, "scaleServices"),
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


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ([], Wish(scale_services=False, drain=True, match="any")),
        (["scaleServices"], Wish(scale_services=True)),
        (["scale_services=true", "drain=false"], Wish(scale_services=True, drain=False)),
        (["match=execution"], Wish(match="execution")),
    ],
)
def test_words_are_flags_or_given_by_name(words: list[str], wish: Wish) -> None:
    assert parse(Wish, words) == wish


@pytest.mark.parametrize("word", ["false", "drain=no", "match=both"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(BadWords):
        parse(Wish, [word])


@pytest.mark.usefixtures("hub_environment")
async def test_the_instance_is_drained_so_that_the_service_finds_no_room_and_taken_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _on_a_host(admin)
    host = planted.notes["host"]
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.touches == (("AWS::IAM::Role", ROLE),)
        assert seen.notes[0] == f"draining {host} moves or ends 1 other tasks"
        assert seen.notes[1].endswith(
            "starts its tasks anew wherever there is room, unless scaleServices is written behind the bot's name"
        )
        after = await one.fix()
        assert after.compliant
        assert (_state(admin, host), len(running(admin))) == ("DRAINING", 1)
        assert _services(admin) == {"api": 1}
        assert isinstance(seen.before, Stopped)
        assert (await one.undo(seen.before)).before == one.bot.expected_after_undo(seen.before)
    assert _state(admin, host) == "ACTIVE"


@pytest.mark.usefixtures("hub_environment")
async def test_on_fargate_only_a_service_that_is_to_run_none_stays_down(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _on_fargate(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert len(seen.notes) == 1
        assert "starts its tasks anew on Fargate" in seen.notes[0]
        assert not (await one.fix()).compliant
        scaling = one.saying("scaleServices")
        was = (await scaling.check()).before
        after = await scaling.fix()
        assert after.compliant
        assert after.why.endswith("and services are to run 0")
        assert (_services(admin), running(admin)) == ({"api": 0}, [])
        assert (await scaling.undo(was)).before == one.bot.expected_after_undo(was)
    assert _services(admin) == {"api": 2}


@pytest.mark.usefixtures("hub_environment")
async def test_a_service_between_two_tasks_is_scaled_as_well_and_daemons_and_others_are_not(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    cluster(admin)
    bad = define(admin, "api", task=role(admin))
    service(admin, "api", bad, desired=3)
    service(admin, "plain", define(admin, "plain"))
    service(admin, "agent", bad, schedulingStrategy="DAEMON")
    external = {"deploymentController": {"type": "EXTERNAL"}}
    admin.client("ecs").create_service(cluster="web", serviceName="external", desiredCount=1, **external)
    admin.client("ecs").create_task_set(cluster="web", service="external", taskDefinition=bad)
    async with alone(bot, aws, admin, finding(admin, "scaleServices")) as one:
        seen = await one.check()
        assert isinstance(seen.before, Stopped)
        assert [(each.arn.rsplit("/", 1)[-1], each.desired) for each in seen.before.services] == [
            ("api", 3),
            ("external", 1),
        ]
        assert (await one.fix()).compliant
    assert _services(admin) == {"api": 0, "plain": 1}


@pytest.mark.usefixtures("hub_environment")
async def test_instances_are_left_alone_if_asked_for_or_if_they_cannot_be_drained(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _on_a_host(admin, "drain=false")
    host = planted.notes["host"]
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert isinstance(seen.before, Stopped)
        assert (seen.before.to_drain, seen.before.draining) == ((), ())
        inside(admin.account_id).container_instances["web"][host.rsplit("/", 1)[-1]].status = "REGISTERING"
        seen = await one.saying().check()
        assert isinstance(seen.before, Stopped)
        assert (seen.before.to_drain, seen.before.draining) == ((), ())
        assert (await one.saying("drain=false", "scaleServices").fix()).compliant
    assert _state(admin, host) == "REGISTERING"


@pytest.mark.usefixtures("hub_environment")
async def test_an_instance_that_ecs_does_not_drain_stops_everything_and_nothing_stays_changed(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    planted = _on_a_host(admin, "scaleServices")
    was = observe(admin, planted)
    backend = inside(admin.account_id)
    backend.undrainable = (planted.notes["host"],)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="does not set these container instances to DRAINING"):
            await one.fix()
    assert observe(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_if_some_tasks_cannot_be_stopped_the_rest_stays_stopped_and_drained(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _on_a_host(admin, "scaleServices")
    run(admin, "api", kind="EC2", group="service:api")
    aws.fail(admin.account_id, "ecs:StopTask", "ServerException")
    async with alone(bot, aws, admin, planted) as one:
        first = (await one.check()).before
        with pytest.raises(AwsError, match="ServerException"):
            await one.fix()
        assert _state(admin, planted.notes["host"]) == "DRAINING"
        assert len(running(admin)) == 2
        assert (await one.fix()).compliant
        assert (await one.undo(first)).before == one.bot.expected_after_undo(first)


@pytest.mark.usefixtures("hub_environment")
async def test_what_is_gone_by_the_time_of_an_undo_does_not_stop_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _on_a_host(admin, "scaleServices")
    other = _host(admin)
    run(admin, "api", kind="EC2", group="service:api")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        inside(admin.account_id).container_instances["web"].pop(other.rsplit("/", 1)[-1])
        admin.client("ecs").delete_service(cluster="web", service="api")
        await one.bot.run_undo(one.account, one.target, was)
    assert _state(admin, planted.notes["host"]) == "ACTIVE"


@pytest.mark.usefixtures("hub_environment")
async def test_more_services_and_instances_than_fit_into_a_call_are_all_seen(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    cluster(admin)
    bad = define(admin, "api", task=role(admin))
    host = _host(admin)
    backend: Any = inside(admin.account_id)
    server = backend.container_instances["web"][host.rsplit("/", 1)[-1]].ec2_instance_id
    for number in range(11):
        service(admin, f"api-{number}", bad)
        task = run(admin, bad, kind="EC2")
        another = backend.register_container_instance("web", server)
        backend.tasks["web"][task].container_instance_arn = another.container_instance_arn
    async with alone(bot, aws, admin, finding(admin, "scaleServices")) as one:
        assert (await one.fix()).compliant
    states = {
        each.container_instance_arn: each.status for each in backend.container_instances["web"].values()
    }
    assert states.pop(host) == "ACTIVE"
    assert set(states.values()) == {"DRAINING"}
    assert {each.desired_count for each in backend.services.values()} == {0}

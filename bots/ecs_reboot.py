"""Stop every ECS task that runs under the IAM role of a finding, so that services start new ones.

After: tasks of the region that ran under the role, as their execution or their task role, are stopping or
stopped: ECS is told to and finishes by itself. Tasks started since are not touched again.
Caution: all tasks of a service are stopped at once, so it is down until ECS has started others. These have the
same role: a reboot does not cure the finding. Tasks no service runs do not come back; what is needed to
run them anew is kept, the values of their environment overrides included.
Finding: ecs_reboot
Finding: ecs_reboot match=task
"""

from typing import Annotated

from pydantic import Field

from bots import _tasks
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._tasks import MatchWord, Task
from bots._words import Word

LONGEST_REASON = 200  # characters; ECS takes 255 with the mark behind it


class Wish(Params):
    reason: Annotated[
        str | None,
        Field(max_length=LONGEST_REASON, description="why, for those who look at a stopped task"),
        Word(positional=False),
    ] = None
    match: MatchWord = "any"


class Running(Before):
    tasks: tuple[Task, ...]


bot = Bot(
    name="ecs_reboot",
    acts_on="AWS::ECS::Cluster",
    target=entity("id"),
    params=Wish,
    before=Running,
    reads=_tasks.READS,
    writes=on(_tasks.TASKS, "ecs:StopTask"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.none("a stopped task does not start again; services have started others"),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Running]:
    roles = _tasks.role_names(target)
    where = await _tasks.clusters(aws)
    found = await _tasks.running(aws, where, roles, params.match)
    old = found
    if found:
        # What ECS started after this finding's first stop has taken the place of something stopped.
        since = _tasks.first_stop(await _tasks.stopped(aws, where), _mark(target))
        old = [task for task in found if since is None or task["createdAt"] <= since]
    before = Running(tasks=_tasks.kept(old))
    new = len(found) - len(old)
    return Check(
        compliant=not old,
        before=before,
        why=f"{len(old)} running tasks are under {', '.join(roles)} in {aws.region}"
        + (f"; {new} more were started since the reboot" if new else ""),
        notes=_tasks.stop_notes(before.tasks, lambda _task: "starts new tasks with the same role"),
        touches=_tasks.as_touched(roles),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Running) -> None:
    reason = params.reason or f"rebooted because of the rule {target.rule}"[:LONGEST_REASON]
    for wrong in await _tasks.stop(aws, before.tasks, f"{reason} {_mark(target)}"):
        raise wrong


def _mark(target: Target) -> str:
    """By which the tasks are known again that were stopped because of this report of the finding."""
    return f"(report {target.occurrence[:40]})"

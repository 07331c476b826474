"""Roll a customer managed policy back: its default version goes, the newest one before it takes its place.

After: the version in force when the finding was made is deleted and the newest older one is the default.
Caution: everybody with the policy, or with it as a boundary, feels the change at once; an older version may
also allow more, which is reported. Stacks and Terraform see drift.

Which version is the bad one does not show: any default version can be it. So fix leaves a tag on the policy,
see `bots._rollback`. While the version it put in force is the default, every finding about the policy is
settled: none rolls back twice. When somebody makes another version the default, a new finding may roll that
one back. A finding that knows when the call behind it was made never touches a version made later.
"""

from bots._all_or_none import make_in_iam
from bots._aws import Aws, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity
from bots._identities import some
from bots._managed import AWS_OWN, holders_of, owner_of, version_document
from bots._rollback import READS, WRITES, backwards, forwards, versions_of
from bots._trail import WINDOW, event_time
from bots._wide import allowed_actions


class Default(Before):
    document: str  # of the default version; numbers of versions never come back, so they are not compared
    mark: str | None


bot = Bot(
    name="iam_delete_default_policy_version",
    acts_on="AWS::IAM::ManagedPolicy",
    target=entity("arn", "id"),
    params=NoParams,
    before=Default,
    reads=READS,
    writes=WRITES,
    risk=Risk.DESTRUCTIVE,
    undo=Undo.nearest(
        "the deleted version's text is in force again, but under a new number: AWS gives none twice",
        expects=lambda was: was,
    ),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Default]:
    if owner_of(aws, target.id) == AWS_OWN:
        raise CannotFix(f"{target.id} is AWS's own policy: detach it, or use a policy of your own instead")
    versions = await versions_of(aws, target.id)
    document = await version_document(aws, target.id, versions.default)
    before = Default(document=document, mark=versions.mark)
    settled = versions.settled(event_time(target) + WINDOW if target.event_time else None)
    if settled is not None:
        return Check(compliant=True, before=before, why=settled)
    bad, good = versions.rollback()
    holders, successor = await together(holders_of(aws, target.id), version_document(aws, target.id, good))
    more = allowed_actions(successor) - allowed_actions(document)
    return Check(
        compliant=False,
        before=before,
        why=f"version {bad} is to be taken back and {good} to be in force; {target.id} is on "
        f"{some(who.name for who in holders) or 'nobody'}",
        notes=(f"{good} allows what {bad} does not name: {some(more)}",) if more else (),
        touches=tuple(who.touched for who in holders),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Default) -> None:
    await make_in_iam(aws, forwards(target.id, await versions_of(aws, target.id), before.mark))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Default) -> None:
    versions = await versions_of(aws, target.id)
    await make_in_iam(aws, backwards(target.id, versions, before.document, before.mark))

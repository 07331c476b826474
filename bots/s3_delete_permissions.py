"""Delete a bucket's policy, and every grant of its ACL but the owner's.

After: only identities of the owner's account get at the bucket, by IAM policies of their own.
Caution: what the policy denied (plain HTTP, calls without MFA) is no longer denied. A bucket that lets an
AWS service or log delivery in is refused: it would silently stop receiving.
"""

from bots._aws import Aws, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import Acl, change_access, read_acl
from bots._policies import deleted_principals, services_let_in, statements
from bots._s3 import BUCKET, OwnBucket, bucket_home, bucket_name, own_bucket, read_policy


class Access(Before):
    region: str
    policy: str | None  # None: there is none
    acl: Acl


bot = Bot(
    name="s3_delete_permissions",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Access,
    reads=on(BUCKET, "s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:GetBucketOwnershipControls"),
    writes=on(BUCKET, "s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketAcl"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Access]:
    name = bucket_name(target)
    home, (policy, acl) = await bucket_home(aws, target, _read)
    if services := services_let_in(policy):
        raise CannotFix(
            f"the policy of bucket {name} lets {', '.join(sorted(services))} in, which would stop working: "
            "delete the statements that are not meant by hand"
        )
    acl.refuse_log_writers(name)
    said = statements(policy)
    found = [f"its policy ({len(said)} statements)"] if policy is not None else []
    found += [f"its ACL ({len(acl.to_others)} grants to others)"] if acl.to_others else []
    return Check(
        compliant=not found,
        before=Access(region=home.region, policy=policy, acl=acl),
        why=f"bucket {name} is opened by {' and '.join(found) or 'neither policy nor ACL'}",
        region=home.region,
        notes=_notes(policy),
    )


async def _read(home: Aws, bucket: OwnBucket) -> tuple[str | None, Acl]:
    return await together(read_policy(home, bucket), read_acl(home, bucket))


def _notes(policy: str | None) -> tuple[str, ...]:
    notes = []
    if denied := sum(statement.get("Effect") == "Deny" for statement in statements(policy)):
        notes.append(f"statements of the policy that deny something go as well: {denied}")
    if gone := deleted_principals(policy):
        notes.append(
            f"no undo can bring the policy back as it is, for it names deleted principals: {', '.join(gone)}"
        )
    return tuple(notes)


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Access) -> None:
    home, bucket = aws.at(before.region), own_bucket(aws, target)
    await change_access(home, bucket, (before.policy, before.acl), (None, before.acl.alone))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Access) -> None:
    home, bucket = aws.at(before.region), own_bucket(aws, target)
    await change_access(home, bucket, (None, before.acl.alone), (before.policy, before.acl))

"""Take a user out of the group that a logged AddUserToGroup call put it in.

After: the user is no member of the group and has none of its rights, unless from elsewhere.
Caution: the call is looked up in CloudTrail, which shows it up to 20 minutes late and for 90 days. What
added the user may do so again; sessions of roles the user has assumed go on.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, on
from bots._identities import GROUPS, NAMED, NO_SUCH, USERS, identity, listing
from bots._trail import ACTION, LoggedCall, the_call


class Membership(Before):
    group: str
    member: bool


bot = Bot(
    name="iam_user_detach",
    acts_on="AWS::IAM::User",
    target=NAMED,
    params=NoParams,
    before=Membership,
    reads=(ACTION, *on(USERS, "iam:ListGroupsForUser")),
    writes=on(GROUPS, "iam:RemoveUserFromGroup", "iam:AddUserToGroup"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Membership]:
    who = identity(aws, target, "User")
    groups = [each["GroupName"] for each in await listing(aws, who, "ListGroupsForUser", items="Groups")]

    def put_in(call: LoggedCall) -> str | None:
        # The log has names as the caller wrote them; IAM does not tell upper from lower case.
        same = str(call.request.get("userName")).lower() == who.name.lower()
        return str(call.request["groupName"]) if same else None

    added = await the_call(aws, target, "AddUserToGroup", put_in)
    wanted = added.request["groupName"]
    group = next((name for name in groups if name.lower() == wanted.lower()), wanted)
    member = group in groups
    return Check(
        compliant=not member,
        before=Membership(group=group, member=member),
        why=f"{who} is a member of group {group}"
        if member
        else f"{who} is in no group {group}: it left, or the group was renamed or deleted",
        notes=(
            f"{added.caller or 'somebody'} added {who} to group {group}; what was automated may be repeated",
        ),
        target_id=who.name,
        touches=(("AWS::IAM::Group", group),),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Membership) -> None:
    who = identity(aws, target, "User")
    await aws.find("iam", "RemoveUserFromGroup", absent=NO_SUCH, GroupName=before.group, **who.words)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Membership) -> None:
    who = identity(aws, target, "User")
    await aws.call("iam", "AddUserToGroup", GroupName=before.group, **who.words)

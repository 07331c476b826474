"""Stop sharing an image with everybody.

After: the image's launch permissions no longer name the group all; accounts, organizations and
organizational units it is shared with by name keep it.
Caution: others who launch the image without a share of their own no longer can. Copies in other regions and
the snapshots behind the image have permissions of their own and are not looked at.
"""

from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on

IMAGE = ("arn:{partition}:ec2:*::image/*",)  # ARNs of images leave the account out
GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
EVERYBODY = ("Group", "all")
NAMED_AT_MOST = 5


class Shares(Before):
    """Whom the image is shared with, as pairs of the kind, in AWS's words, and the name."""

    launch: tuple[tuple[str, str], ...]


bot = Bot(
    name="ami_set_to_private",
    acts_on="AWS::EC2::Image",
    target=entity("id"),
    params=NoParams,
    before=Shares,
    reads=("ec2:DescribeImages", "ec2:DescribeImageAttribute"),
    writes=on(IMAGE, "ec2:ModifyImageAttribute"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Shares]:
    image = await _image(aws, target)
    answer = await aws.call("ec2", "DescribeImageAttribute", ImageId=target.id, Attribute="launchPermission")
    launch = sorted(pair for each in answer["LaunchPermissions"] for pair in each.items())
    public = EVERYBODY in launch
    others = [name for kind, name in launch if (kind, name) != EVERYBODY]
    return Check(
        compliant=not public,
        before=Shares(launch=tuple(launch)),
        why=f"image {target.id} is {'public' if public else 'not public'}{_shared_with(others)}",
        notes=_notes(image) if public else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Shares) -> None:
    await aws.call("ec2", "ModifyImageAttribute", **_all(target, "Remove"))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Shares) -> None:
    added = await aws.find(
        "ec2", "ModifyImageAttribute", absent=("OperationNotPermitted",), **_all(target, "Add")
    )
    if added is None:
        raise CannotFix(
            f"AWS does not let {target.id} be public: public access to images is blocked in {aws.region}, and "
            "somebody would have to lift that first"
        )


def _all(target: Target, change: str) -> dict[str, Any]:
    # One grantee in one element: AWS leaves open what several mean.
    return {"ImageId": target.id, "LaunchPermission": {change: [dict([EVERYBODY])]}}


async def _image(aws: Aws, target: Target) -> dict[str, Any]:
    """
    Raises:
        TargetGone: there is no such image, or it is another account's and private.
        CannotFix: it is another account's.
    """
    answer = await aws.find("ec2", "DescribeImages", absent=GONE, ImageIds=[target.id], IncludeDisabled=True)
    if answer is None or not answer["Images"]:
        raise TargetGone(f"image {target.id} does not exist in {aws.region}")
    image: dict[str, Any] = answer["Images"][0]
    if image["OwnerId"] != aws.account_id:
        raise CannotFix(
            f"image {target.id} belongs to account {image['OwnerId']}: only its owner can make it private"
        )
    return image


def _shared_with(others: list[str]) -> str:
    if not others:
        return ""
    more = f" and {len(others) - NAMED_AT_MOST} more" if len(others) > NAMED_AT_MOST else ""
    return f"; it is shared by name with {', '.join(others[:NAMED_AT_MOST])}{more}"


def _notes(image: dict[str, Any]) -> tuple[str, ...]:
    disks = [each["Ebs"] for each in image.get("BlockDeviceMappings", ()) if "Ebs" in each]
    snapshots = sorted(ebs["SnapshotId"] for ebs in disks if ebs.get("SnapshotId"))
    return tuple(f"snapshot {each} may be public on its own" for each in snapshots)

"""Stop sharing an image with everybody.

After: the image's launch permissions no longer name the group all; accounts, organizations and
organizational units it is shared with by name keep it.
Caution: others who launch the image without a share of their own no longer can. Copies in other regions and
the snapshots behind the image have permissions of their own and are not looked at.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._machine_images import EVERYBODY, IMAGE, find_image, for_everybody, shares_of, snapshots_behind
from bots._sentences import some


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
    image = await find_image(aws, target)
    launch = await shares_of(aws, target)
    public = EVERYBODY in launch
    others = some(name for kind, name in launch if (kind, name) != EVERYBODY)
    return Check(
        compliant=not public,
        before=Shares(launch=launch),
        why=f"image {target.id} is {'public' if public else 'not public'}"
        + (f"; it is shared by name with {others}" if others else ""),
        notes=tuple(f"snapshot {each} may be public on its own" for each in snapshots_behind(image))
        if public
        else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Shares) -> None:
    await aws.call("ec2", "ModifyImageAttribute", **for_everybody(target, "Remove"))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Shares) -> None:
    added = await aws.find(
        "ec2", "ModifyImageAttribute", absent=("OperationNotPermitted",), **for_everybody(target, "Add")
    )
    if added is None:
        raise CannotFix(
            f"AWS does not let {target.id} be public: public access to images is blocked in {aws.region}, and "
            "somebody would have to lift that first"
        )

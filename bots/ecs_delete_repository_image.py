"""Delete a container image from its ECR repository, with all its tags.

After: nobody can pull the image any more.
Caution: there is no way back once ECR has collected the layers. What runs from the image goes on running and
cannot be started anew. Copies in other regions, accounts and registries stay; a pull-through cache
fetches the image again. Of an index, the images it lists stay.
"""

from bots import _registry
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity_or_account
from bots._images import ENTITY_KEYS, Image


class Kept(Before):
    """All that ECR knows of the image. The manifest makes it anew as long as its layers exist."""

    region: str
    repository: str
    digest: str  # "" if the finding names a tag that does not exist
    tags: tuple[str, ...] = ()
    media_type: str = ""
    manifest: str = ""  # "": the image is gone


bot = Bot(
    name="ecs_delete_repository_image",
    acts_on="AWS::ECR::Repository",
    target=entity_or_account("id", "repositoryName"),
    params=NoParams,
    before=Kept,
    reads=_registry.READS,
    writes=_registry.WRITES,
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none(
        "ECR collects the layers of a deleted image; until then PutImage with the kept manifest brings it back "
        "under each of the kept tags"
    ),
    entity_keys=ENTITY_KEYS,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Kept]:
    image = await _registry.meant(aws, target)
    home = aws.at(image.region or aws.region)
    detail = await _registry.described(home, image)
    if detail is None:
        return _seen(home, image, Kept(region=home.region, repository=image.repository, digest=image.digest))
    before = Kept(
        region=home.region,
        repository=image.repository,
        digest=detail["imageDigest"],
        tags=tuple(sorted(detail.get("imageTags", ()))),
        media_type=detail.get("imageManifestMediaType", ""),
        manifest=await _registry.manifest(home, image.repository, detail),
    )
    return _seen(home, image, before)


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Kept) -> None:
    await _registry.delete(aws.at(before.region), before.repository, before.digest)


def _seen(home: Aws, image: Image, before: Kept) -> Check[Kept]:
    gone = not before.manifest
    name = image.name if gone else f"{before.repository}@{before.digest}"
    tags = ", ".join(before.tags) or "none"
    return Check(
        compliant=gone,
        before=before,
        why=f"image {name} does not exist" if gone else f"image {name} exists, its tags: {tags}",
        region=home.region,
        notes=()
        if gone or image.digest
        else (f"the finding names the tag {image.tag} only, which may have moved since",),
        target_id=f"arn:{home.partition}:ecr:{home.region}:{home.account_id}:repository/{name}",
    )

"""Delete a container image from its ECR repository, with all its tags.

After: nobody can pull the image any more.
Caution: there is no way back once ECR has collected the layers. What runs from the image goes on running and
cannot be started anew. Copies in other regions, accounts and registries stay; a pull-through cache
fetches the image again. Of an index, the images it lists stay.
"""

from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity_or_account, on
from bots._images import ENTITY_KEYS, Image, of_call, of_finding
from bots._trail import ACTION, LoggedCall, the_call

REPOSITORY = ("arn:{partition}:ecr:*:{account}:repository/*",)
GONE = ("RepositoryNotFoundException", "ImageNotFoundException")
LOOKED_AT = "DescribeImageScanFindings"


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
    reads=(ACTION, *on(REPOSITORY, "ecr:DescribeImages", "ecr:BatchGetImage")),
    writes=on(REPOSITORY, "ecr:BatchDeleteImage"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none(
        "ECR collects the layers of a deleted image; until then PutImage with the kept manifest brings it back "
        "under each of the kept tags"
    ),
    entity_keys=ENTITY_KEYS,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Kept]:
    image = await _image(aws, target)
    home = aws.at(image.region or aws.region)
    repository = {"registryId": aws.account_id, "repositoryName": image.repository}
    answer = await home.find("ecr", "DescribeImages", absent=GONE, imageIds=[image.image_id], **repository)
    if answer is None:
        return _seen(home, image, Kept(region=home.region, repository=image.repository, digest=image.digest))
    detail = answer["imageDetails"][0]
    before = Kept(
        region=home.region,
        repository=image.repository,
        digest=detail["imageDigest"],
        tags=tuple(sorted(detail.get("imageTags", ()))),
        media_type=detail.get("imageManifestMediaType", ""),
        manifest=await _manifest(home, detail, repository),
    )
    return _seen(home, image, before)


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Kept) -> None:
    answer = await aws.at(before.region).call(
        "ecr",
        "BatchDeleteImage",
        registryId=aws.account_id,
        repositoryName=before.repository,
        # By its digest alone, or only a tag would go.
        imageIds=[{"imageDigest": before.digest}],
    )
    for failure in answer.get("failures", ()):
        if failure["failureCode"] != "ImageNotFound":
            raise CannotFix(
                f"ECR keeps {before.repository}@{before.digest}: {failure['failureCode']}: "
                f"{failure.get('failureReason', '')}; an image that an index lists goes after the index"
            )


async def _image(aws: Aws, target: Target) -> Image:
    """The image by the finding or, where that names none, by the logged look at its scan findings."""
    told = of_finding(target)
    if told.is_named:
        return told

    def about(call: LoggedCall) -> str | None:
        image = of_call(call, told, aws.account_id)
        return image.name if image else None

    call = await the_call(aws.at(told.region or aws.region), target, LOOKED_AT, about)
    return of_call(call, told, aws.account_id) or told


async def _manifest(home: Aws, detail: dict[str, Any], repository: dict[str, str]) -> str:
    answer = await home.call(
        "ecr",
        "BatchGetImage",
        imageIds=[{"imageDigest": detail["imageDigest"]}],
        # ECR turns other kinds of manifests into the kinds that are asked for.
        acceptedMediaTypes=[detail["imageManifestMediaType"]],
        **repository,
    )
    if not answer["images"]:
        raise CannotFix(
            f"ECR does not hand out the manifest of {detail['imageDigest']}, so nothing could be kept of the image"
        )
    return str(answer["images"][0]["imageManifest"])


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

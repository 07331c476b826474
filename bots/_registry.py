"""ECR: the image a finding means, what ECR hands out of it, and its deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, on
from bots._images import Image, of_call, of_finding
from bots._trail import ACTION, LoggedCall, the_call

REPOSITORY = ("arn:{partition}:ecr:*:{account}:repository/*",)
READS = (ACTION, *on(REPOSITORY, "ecr:DescribeImages", "ecr:BatchGetImage"))
WRITES = on(REPOSITORY, "ecr:BatchDeleteImage")
GONE = ("RepositoryNotFoundException", "ImageNotFoundException")
LOOKED_AT = "DescribeImageScanFindings"


async def meant(aws: Aws, target: Target) -> Image:
    """The image by the finding or, where that names none, by the logged look at its scan findings."""
    told = of_finding(target)
    if told.is_named:
        return told

    def about(call: LoggedCall) -> str | None:
        image = of_call(call, told, aws.account_id)
        return image.name if image else None

    call = await the_call(aws.at(told.region or aws.region), target, LOOKED_AT, about)
    return of_call(call, told, aws.account_id) or told


async def described(home: Aws, image: Image) -> dict[str, Any] | None:
    """The image as ECR describes it, None if there is no such image."""
    answer = await home.find(
        "ecr", "DescribeImages", absent=GONE, imageIds=[image.image_id], **_where(home, image.repository)
    )
    if answer is None:
        return None
    found: dict[str, Any] = answer["imageDetails"][0]
    return found


async def manifest(home: Aws, repository: str, found: Mapping[str, Any]) -> str:
    """
    Raises:
        CannotFix: ECR does not hand it out.
    """
    answer = await home.call(
        "ecr",
        "BatchGetImage",
        imageIds=[{"imageDigest": found["imageDigest"]}],
        # ECR turns other kinds of manifests into the kinds that are asked for.
        acceptedMediaTypes=[found["imageManifestMediaType"]],
        **_where(home, repository),
    )
    if not answer["images"]:
        raise CannotFix(
            f"ECR does not hand out the manifest of {found['imageDigest']}, so nothing could be kept of the image"
        )
    return str(answer["images"][0]["imageManifest"])


async def delete(home: Aws, repository: str, digest: str) -> None:
    """Delete the image with all its tags.

    Raises:
        CannotFix: ECR keeps it.
    """
    # By its digest alone, or only a tag would go.
    only = [{"imageDigest": digest}]
    answer = await home.call("ecr", "BatchDeleteImage", imageIds=only, **_where(home, repository))
    for failure in answer.get("failures", ()):
        if failure["failureCode"] != "ImageNotFound":
            raise CannotFix(
                f"ECR keeps {repository}@{digest}: {failure['failureCode']}: "
                f"{failure.get('failureReason', '')}; an image that an index lists goes after the index"
            )


def _where(home: Aws, repository: str) -> dict[str, str]:
    return {"registryId": home.account_id, "repositoryName": repository}

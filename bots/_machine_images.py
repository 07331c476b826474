"""Images that instances boot from: find one, say whom it is shared with, share it with everybody or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone

IMAGE = ("arn:{partition}:ec2:*::image/*",)  # ARNs of images leave the account out
GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
EVERYBODY = ("Group", "all")


async def find_image(aws: Aws, target: Target) -> dict[str, Any]:
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


async def shares_of(aws: Aws, target: Target) -> tuple[tuple[str, str], ...]:
    """Whom the image is shared with, as pairs of the kind, in AWS's words, and the name."""
    answer = await aws.call("ec2", "DescribeImageAttribute", ImageId=target.id, Attribute="launchPermission")
    return tuple(sorted(pair for each in answer["LaunchPermissions"] for pair in each.items()))


def for_everybody(target: Target, change: str) -> dict[str, Any]:
    """Arguments of ModifyImageAttribute to ``Add`` or ``Remove`` everybody."""
    # One grantee in one element: AWS leaves open what several mean.
    return {"ImageId": target.id, "LaunchPermission": {change: [dict([EVERYBODY])]}}


def snapshots_behind(image: Mapping[str, Any]) -> list[str]:
    """Ids of the snapshots the image's disks are made from."""
    disks = [each["Ebs"] for each in image.get("BlockDeviceMappings", ()) if "Ebs" in each]
    return sorted(ebs["SnapshotId"] for ebs in disks if ebs.get("SnapshotId"))

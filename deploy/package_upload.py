"""The function's package on its way into a bucket, from where CloudFormation gives it to Lambda."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from deploy.calls import code, said
from deploy.errors import DeploymentFailed, InputWrong

HANDLER = "hub/handler.py"
PREFIX = "remediation-hub"
# ELF's e_machine, two bytes at offset 18: what a shared library was built for.
_MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A zip for Lambda. ``architecture`` is that of its compiled parts."""

    content: bytes = field(repr=False)
    architecture: str
    sha256: str

    @property
    def key(self) -> str:
        """Where it lies in the bucket. Another content is another key, so Lambda notices a new one."""
        return f"{PREFIX}/{self.sha256}.zip"

    def parameters(self, bucket: str) -> dict[str, str]:
        """The hub stack's parameters for a function that runs it."""
        return {
            "Compute": "lambda",
            "CodeBucket": bucket,
            "CodeKey": self.key,
            "Architecture": self.architecture,
        }


def read(path: Path) -> Package:
    """The package in a file.

    Raises:
        InputWrong: it is none, or holds parts for another machine than Lambda has, or for two.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            names = opened.namelist()
            if HANDLER not in names:
                raise InputWrong(
                    f"{path} is no package of this hub, for it has no {HANDLER}: see `hub package`"
                )
            machines = {
                _MACHINES.get(int.from_bytes(opened.read(name)[18:20], "little"), "unknown")
                for name in names
                if name.endswith(".so")
            }
        content = path.read_bytes()
    except OSError as error:
        raise InputWrong(f"{path} could not be read: {error.strerror}") from error
    except zipfile.BadZipFile as error:
        raise InputWrong(f"{path} is no zip file") from error
    if len(machines) != 1 or "unknown" in machines:
        built_for = ", ".join(sorted(machines)) or "no machine"
        raise InputWrong(f"{path} has compiled parts for {built_for}; Lambda takes arm64 or x86_64")
    digest = hashlib.sha256(content).hexdigest()
    return Package(content=content, architecture=machines.pop(), sha256=digest)


async def upload(s3: Any, bucket: str, key: str, content: bytes) -> bool:
    """Put it there unless it is there already; whether it was put.

    Raises:
        DeploymentFailed: S3 refuses.
    """
    try:
        await s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code(error) not in ("404", "NoSuchKey", "NotFound"):
            raise DeploymentFailed(f"bucket {bucket}: {said(error)}") from error
    else:
        return False
    try:
        await s3.put_object(Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256")
    except ClientError as error:
        raise DeploymentFailed(f"bucket {bucket}: {said(error)}") from error
    return True


async def check_bucket(s3: Any, bucket: str, region: str) -> None:
    """Lambda and CloudFormation take code from a bucket of their own region only.

    Raises:
        InputWrong: the bucket is elsewhere.
        DeploymentFailed: there is no such bucket, or it is somebody else's.
    """
    try:
        found = await s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        raise DeploymentFailed(f"bucket {bucket}: {said(error)}") from error
    home = found.get("BucketRegion") or region
    if home != region:
        raise InputWrong(f"bucket {bucket} is in {home}; the stack is in {region} and needs one there")

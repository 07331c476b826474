"""Container images in ECR: which one is meant by a finding or by a logged call. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots._bot import CannotFix, Target
from bots._trail import LoggedCall

ENTITY_KEYS = ("repositoryName", "imageDigest", "imageTag", "imageId", "registryId")
_PART = "[a-z0-9]+([._-]+[a-z0-9]+)*"
_REPOSITORY = f"(?P<repository>{_PART}(/{_PART})*)"
_IMAGE = (
    rf"{_REPOSITORY}(@(?P<digest>sha\d+:[0-9a-f]{{64,128}})|:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
)
_REGION = "(?P<region>[a-z]+(-[a-z]+)+-[0-9])"
_FORMS = (
    re.compile(rf"arn:[a-z-]+:ecr:{_REGION}:(?P<registry>[0-9]{{12}}):repository/{_IMAGE}"),
    # What Docker calls it.
    re.compile(rf"(?P<registry>[0-9]{{12}})\.dkr[.-]ecr(-fips)?\.{_REGION}\.[a-z.]+/{_IMAGE}"),
)


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of an image; "" for what is not."""

    repository: str = ""
    digest: str = ""
    tag: str = ""
    region: str = ""

    @property
    def is_named(self) -> bool:
        return bool(self.repository and (self.digest or self.tag))

    @property
    def name(self) -> str:
        """As Docker writes it; the digest wins, because tags move."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"

    @property
    def image_id(self) -> dict[str, str]:
        """As ECR takes it."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag}


def of_finding(target: Target) -> Image:
    """As much of the image as the finding tells.

    Raises:
        CannotFix: it is in another account's registry or in the public one.
    """
    if target.id.startswith("public.ecr.aws/") or ":ecr-public:" in target.id:
        raise CannotFix(f"{target.id} is in ECR Public, which this bot does not work in: delete it by hand")
    entity = target.entity
    _refuse_stranger(_text(entity, "registryId"), target)
    image_id = entity.get("imageId")
    inner = image_id if isinstance(image_id, Mapping) else {}
    told = Image(
        repository=_text(entity, "repositoryName"),
        digest=_text(entity, "imageDigest") or _text(inner, "imageDigest"),
        tag=_text(entity, "imageTag") or _text(inner, "imageTag"),
    )
    found = next((match for form in _FORMS if (match := form.fullmatch(target.id))), None)
    if found is None:
        return told
    _refuse_stranger(found["registry"], target)
    return Image(
        repository=found["repository"],
        digest=found["digest"] or told.digest,
        tag=found["tag"] or told.tag,
        region=found["region"],
    )


def of_call(call: LoggedCall, told: Image, account_id: str) -> Image | None:
    """The image a DescribeImageScanFindings call asked about; None if it cannot be the one the finding tells of."""
    about = call.request or call.response
    image_id = about.get("imageId") or {}
    image = replace(
        told,
        repository=_text(about, "repositoryName"),
        digest=_text(image_id, "imageDigest"),
        tag=_text(image_id, "imageTag"),
    )
    foreign = _text(about, "registryId") not in ("", account_id)
    other = any(
        ours and ours != theirs
        for ours, theirs in (
            (told.repository, image.repository),
            (told.digest, image.digest),
            (told.tag, image.tag),
        )
    )
    return image if image.is_named and not foreign and not other else None


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return value.strip() if isinstance(value, str) else ""


def _refuse_stranger(registry: str, target: Target) -> None:
    if registry not in ("", target.account_id):
        raise CannotFix(
            f"the image is in the registry of account {registry}, the finding is about {target.account_id}"
        )

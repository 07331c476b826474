"""Which image is meant by a finding or a logged call: `bots._images`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bots._bot import CannotFix, Target
from bots._images import Image, of_call, of_finding
from bots._trail import LoggedCall

ACCOUNT = "222233334444"
DIGEST = "sha256:" + "0a" * 32
START = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"


def _found(text: str = ACCOUNT, **entity: Any) -> Image:
    return of_finding(
        Target(
            account_id=ACCOUNT,
            region="us-east-1",
            partition="aws",
            type="AWS::ECR::Repository",
            id=text,
            entity=entity,
        )
    )


@pytest.mark.parametrize(
    ("text", "entity", "image"),
    [
        (f"{START}/web", {}, Image("web", region="eu-west-1")),
        (f"{START}/team/web@{DIGEST}", {}, Image("team/web", DIGEST, region="eu-west-1")),
        (f"{START}/web:1.0", {}, Image("web", tag="1.0", region="eu-west-1")),
        (f"{HOST}/team/web:1.0", {}, Image("team/web", tag="1.0", region="eu-west-1")),
        (f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws/web@{DIGEST}", {}, Image("web", DIGEST, region="eu-west-1")),
        (f"{START}/web", {"imageDigest": DIGEST}, Image("web", DIGEST, region="eu-west-1")),
        (f"{START}/web", {"imageId": {"imageTag": "1.0"}}, Image("web", tag="1.0", region="eu-west-1")),
        (ACCOUNT, {"repositoryName": "web", "imageId": {"imageDigest": DIGEST}}, Image("web", DIGEST)),
        (
            ACCOUNT,
            {"repositoryName": "web", "imageTag": "1.0", "registryId": ACCOUNT},
            Image("web", tag="1.0"),
        ),
        (ACCOUNT, {"repositoryName": None, "imageId": "1.0", "imageTag": 7}, Image()),
        ("a trail's record", {}, Image()),
    ],
)
def test_a_finding_may_name_its_image_in_many_ways_or_not_at_all(
    text: str, entity: dict[str, Any], image: Image
) -> None:
    assert _found(text, **entity) == image


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        (START.replace(ACCOUNT, "111122223333") + "/web", {}),
        (HOST.replace(ACCOUNT, "111122223333") + "/web:1.0", {}),
        (f"{START}/web", {"registryId": "111122223333"}),
    ],
)
def test_registries_of_other_accounts_are_refused(text: str, entity: dict[str, Any]) -> None:
    with pytest.raises(CannotFix, match="registry of account 111122223333"):
        _found(text, **entity)


@pytest.mark.parametrize(
    "text", ["public.ecr.aws/team/web:1.0", f"arn:aws:ecr-public::{ACCOUNT}:repository/web"]
)
def test_images_of_ecr_public_are_refused(text: str) -> None:
    with pytest.raises(CannotFix, match="ECR Public"):
        _found(text)


def _call(request: dict[str, Any], response: dict[str, Any] | None = None) -> LoggedCall:
    return LoggedCall(
        event_id="1",
        name="DescribeImageScanFindings",
        at=datetime(2026, 3, 20, tzinfo=UTC),
        caller="",
        request=request,
        response=response or {},
    )


LOGGED = {"repositoryName": "web", "imageId": {"imageDigest": DIGEST, "imageTag": "1.0"}}


@pytest.mark.parametrize(
    ("told", "about"),
    [
        (Image(), LOGGED),
        (Image(), LOGGED | {"registryId": ACCOUNT}),
        (Image("web"), LOGGED),
        (Image(tag="1.0"), LOGGED),
        (Image(region="eu-west-1"), LOGGED),
    ],
)
def test_a_logged_call_tells_what_the_finding_left_open(told: Image, about: dict[str, Any]) -> None:
    wanted = Image("web", DIGEST, "1.0", told.region)
    assert of_call(_call(about), told, ACCOUNT) == of_call(_call({}, about), told, ACCOUNT) == wanted


@pytest.mark.parametrize(
    ("told", "about"),
    [
        (Image("api"), LOGGED),
        (Image(digest=DIGEST.replace("0a", "0b")), LOGGED),
        (Image(tag="2.0"), LOGGED),
        (Image(), LOGGED | {"registryId": "111122223333"}),
        (Image(), {"repositoryName": "web"}),
        (Image(), {"repositoryName": "web", "imageId": None}),
        (Image(), {}),
    ],
)
def test_a_call_about_another_image_or_none_is_not_taken(told: Image, about: dict[str, Any]) -> None:
    assert of_call(_call(about), told, ACCOUNT) is None


def test_a_digest_names_an_image_better_than_a_tag_does() -> None:
    both, tagged = Image("web", DIGEST, "1.0"), Image("web", tag="1.0")
    assert (both.name, both.image_id) == (f"web@{DIGEST}", {"imageDigest": DIGEST})
    assert (tagged.name, tagged.image_id) == ("web:1.0", {"imageTag": "1.0"})
    assert not Image("web").is_named

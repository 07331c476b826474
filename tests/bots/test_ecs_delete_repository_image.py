"""Scenes of `bots.ecs_delete_repository_image`, and what only this bot does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.ecr.models import ecr_backends

from bots._bot import CannotFix, TryLater
from bots.ecs_delete_repository_image import Kept, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.server import FakeAws

AT = datetime(2026, 3, 20, 5, 40, 42, tzinfo=UTC)
EVENT_TIME = "2026-03-20T05:40:42Z"
KIND = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
NOWHERE = "sha256:" + "0a" * 32


def _push(admin: Admin, content: str, *tags: str) -> str:
    """An image by its digest."""
    # moto takes the digest of the layers for the image's.
    layers = [{"mediaType": LAYER, "size": 7, "digest": content}]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": {"size": 7}, "layers": layers})
    for tag in tags:
        made = admin.client("ecr").put_image(repositoryName="team/web", imageManifest=manifest, imageTag=tag)
    return str(made["image"]["imageId"]["imageDigest"])


def _pushed(admin: Admin) -> tuple[str, str]:
    """Two images in a repository; the first has two tags."""
    admin.client("ecr").create_repository(repositoryName="team/web")
    return _push(admin, "bad", "1.0", "latest"), _push(admin, "good", "1.1")


def _arn(admin: Admin) -> str:
    return f"arn:aws:ecr:us-east-1:{admin.account_id}:repository/team/web"


def _named(admin: Admin) -> Planted:
    bad, _ = _pushed(admin)
    return Planted(entity={"id": _arn(admin), "name": "team/web", "imageDigest": bad, "imageTag": "1.0"})


def _log(admin: Admin, image_id: dict[str, str], **more: Any) -> None:
    request = {"repositoryName": "team/web", "imageId": image_id, **more}
    log_call(
        admin.account_id,
        "us-east-1",
        "DescribeImageScanFindings",
        at=AT + timedelta(seconds=5),
        request=request,
    )


def _logged(admin: Admin) -> Planted:
    bad, _ = _pushed(admin)
    _log(admin, {"imageDigest": bad})
    return Planted(entity={"name": "scan findings"}, event_time=EVENT_TIME)


def _two_logged(admin: Admin) -> Planted:
    bad, good = _pushed(admin)
    _log(admin, {"imageDigest": bad})
    _log(admin, {"imageDigest": good})
    return Planted(entity={"repositoryName": "team/web"}, event_time=EVENT_TIME)


def _observe(admin: Admin, planted: Planted) -> Any:
    found = admin.client("ecr").describe_images(repositoryName="team/web")["imageDetails"]
    return sorted([each["imageDigest"], *sorted(each.get("imageTags", ()))] for each in found)


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"{_arn(admin)}@{NOWHERE}"})


def scenes() -> list[Scene]:
    return [
        Scene(
            name="named by a logged call",
            plant=_logged,
            observe=_observe,
            missing=_missing,
            when_missing="compliant",
        ),
        Scene(
            name="two logged calls",
            plant=_two_logged,
            observe=_observe,
            refusal="2 DescribeImageScanFindings",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_the_image_goes_with_all_its_tags_and_what_it_was_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _named(admin)
    bad, good = planted.entity["imageDigest"], ["1.1"]
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        kept = seen.before
        assert isinstance(kept, Kept)
        assert (kept.digest, kept.tags, kept.media_type) == (bad, ("1.0", "latest"), KIND)
        assert json.loads(kept.manifest)["layers"][0]["digest"] == "bad"
        assert seen.target_id == f"{_arn(admin)}@{bad}"
        after = await one.fix()
        assert after.target_id == seen.target_id
        assert after.before == Kept(region="us-east-1", repository="team/web", digest=bad)
    assert [tags for _, *tags in _observe(admin, planted)] == [good]


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("log", [{"imageTag": "1.0"}, {"imageTag": "1.0", "registryId": "x"}])
async def test_of_a_call_that_names_a_tag_the_image_behind_it_goes(aws: FakeAws, log: dict[str, str]) -> None:
    admin = aws.fresh_account()
    bad, _ = _pushed(admin)
    more = {"registryId": admin.account_id} if log.pop("registryId", "") else {}
    _log(admin, log, **more)
    async with alone(bot, aws, admin, Planted(entity={}, event_time=EVENT_TIME)) as one:
        seen = await one.check()
        assert seen.notes == ("the finding names the tag 1.0 only, which may have moved since",)
        assert seen.target_id == f"{_arn(admin)}@{bad}"
        after = await one.fix()
    assert after.compliant
    assert after.why == "image team/web:1.0 does not exist"


@pytest.mark.usefixtures("hub_environment")
async def test_a_call_that_cloudtrail_does_not_show_yet_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = Planted(entity={}, event_time=EVENT_TIME)
    async with alone(bot, aws, admin, planted, now=AT + timedelta(minutes=5)) as one:
        with pytest.raises(TryLater):
            await one.check()
    async with alone(bot, aws, admin, planted, now=AT + timedelta(hours=5)) as one:
        with pytest.raises(CannotFix, match="shows no DescribeImageScanFindings call"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_finding_that_names_neither_image_nor_time_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"id": _arn(admin)})) as one:
        with pytest.raises(CannotFix, match="neither the resource nor the time"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_missing_repository_holds_no_image(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(
        bot, aws, admin, Planted(entity={"id": f"{_arn(admin)}:1.0"}), region="eu-west-1"
    ) as one:
        seen = await one.check()
    assert seen.compliant
    assert (seen.region, seen.target_id) == ("us-east-1", f"{_arn(admin)}:1.0")


@pytest.mark.usefixtures("hub_environment")
async def test_an_image_that_an_index_lists_is_kept_and_ecr_says_why(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _named(admin)
    bad = planted.entity["imageDigest"]
    ecr_backends[admin.account_id]["us-east-1"].listed_by_an_index = {bad}
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="ImageReferencedByManifestList"):
            await one.fix()
    assert len(_observe(admin, planted)) == 2


@pytest.mark.usefixtures("hub_environment")
async def test_a_second_deletion_of_the_same_image_is_no_failure(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _named(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        await one.bot.run_fix(one.account, one.target, one.params, was)
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_nothing_is_deleted_of_which_nothing_could_be_kept(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    planted = _named(admin)
    backend = ecr_backends[admin.account_id]["us-east-1"]
    monkeypatch.setattr(backend, "batch_get_image", lambda *_: {"images": [], "failures": []})
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="nothing could be kept"):
            await one.check()

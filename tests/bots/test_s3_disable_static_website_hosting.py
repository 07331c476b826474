"""Scenes of `bots.s3_disable_static_website_hosting`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots.s3_disable_static_website_hosting import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

SITE = {
    "IndexDocument": {"Suffix": "index.html"},
    "ErrorDocument": {"Key": "404.html"},
    "RoutingRules": [
        {
            "Condition": {"KeyPrefixEquals": "old/"},
            "Redirect": {"HostName": "www.example.com", "Protocol": "https", "ReplaceKeyPrefixWith": "new/"},
        }
    ],
}


def _website(admin: Admin, configuration: dict[str, Any], region: str = "us-east-1") -> Planted:
    planted = buckets.plant(admin, region=region)
    admin.client("s3", region).put_bucket_website(
        Bucket=planted.notes["name"], WebsiteConfiguration=configuration
    )
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(
            name="site with routing rules",
            plant=lambda admin: _website(admin, SITE),
            observe=buckets.observe,
            missing=buckets.missing,
            region="",
        ),
        Scene(
            name="directory bucket",
            plant=buckets.directory_bucket,
            observe=buckets.observe,
            refusal="is a directory bucket",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_that_only_redirects_is_a_website_too(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    redirect = {"RedirectAllRequestsTo": {"HostName": "www.example.com", "Protocol": "https"}}
    planted = _website(admin, redirect, buckets.ELSEWHERE)
    named = Planted(entity={"id": "", "name": planted.notes["name"]})
    async with alone(bot, aws, admin, named) as one:
        seen = await one.check()
        assert "redirects its visitors to www.example.com" in seen.why
        assert any("DNS records" in note for note in seen.notes)
        after = await one.fix()
        assert after.compliant
        assert after.notes == ()
        assert buckets.website_of(admin, planted) is None
        assert (await one.undo(seen.before)).before == seen.before
    assert buckets.website_of(admin, planted) == redirect

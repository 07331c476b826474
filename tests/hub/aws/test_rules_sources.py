"""Rules that lie in S3 or in a parameter: read with no more rights than for the one thing, and seen to change."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientPayloadError
from botocore.exceptions import ConnectionClosedError

from hub.aws import rules_sources
from hub.aws.accounts import HubIdentity
from hub.aws.rules_sources import S3Object, SsmParameter, remote
from hub.errors import RulesWrong
from hub.settings import Settings
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws, allow

FIRST, SECOND = b"version: 1\n", b"version: 1\ntrust_finding_actions: none\n"


@pytest.fixture
def place() -> str:
    """A name nobody else uses in the hub's account."""
    return f"rules-{secrets.token_hex(6)}"


@pytest.fixture
async def identity(
    aws: FakeAws, hub_settings: MakeSettings, place: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HubIdentity]:
    """A hub that may read the one object and the one parameter called so."""
    rights = (
        allow("s3:GetObject", resource=f"arn:aws:s3:::{place}/rules/all.yaml"),
        allow("ssm:GetParameter", resource=f"arn:aws:ssm:us-east-1:{HUB_ACCOUNT}:parameter/{place}/all"),
    )
    for name, value in aws.hub_credentials(*rights, role=place).items():
        monkeypatch.setenv(name, value)
    made = HubIdentity(hub_settings())
    yield made
    await made.close()


@pytest.fixture
def admin(aws: FakeAws) -> Admin:
    return aws.admin(HUB_ACCOUNT)


def _bucket(admin: Admin, name: str, region: str = "us-east-1") -> Any:
    s3 = admin.client("s3", region=region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where)
    s3.put_object(Bucket=name, Key="rules/all.yaml", Body=FIRST)
    return s3


def source(address: str, identity: HubIdentity) -> S3Object | SsmParameter:
    found = remote(address, identity)
    assert found is not None
    assert found.address == address
    return found


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "af-south-1"])
async def test_an_object_is_read_in_whatever_region_and_again_only_when_it_has_changed(
    admin: Admin, identity: HubIdentity, place: str, region: str
) -> None:
    s3 = _bucket(admin, place, region)
    rules = source(f"s3://{place}/rules/all.yaml", identity)
    read = await rules.read("")
    assert read is not None
    content, version = read
    assert content == FIRST
    assert await rules.read(version) is None
    s3.put_object(Bucket=place, Key="rules/all.yaml", Body=SECOND)
    changed = await rules.read(version)
    assert changed is not None
    assert changed[0] == SECOND
    assert changed[1] != version


async def test_what_the_hub_may_not_read_or_is_not_there_is_told_with_what_it_takes(
    admin: Admin, identity: HubIdentity, place: str
) -> None:
    s3 = _bucket(admin, place)
    s3.put_object(Bucket=place, Key="other.yaml", Body=FIRST)
    for key in ("other.yaml", "nothing.yaml"):
        with pytest.raises(RulesWrong, match=f"s3://{place}/{key} could not be read: .*s3:GetObject"):
            await source(f"s3://{place}/{key}", identity).read("")
    with pytest.raises(RulesWrong, match=r"ssm:/elsewhere could not be read: .*ssm:GetParameter"):
        await source("ssm:/elsewhere", identity).read("")
    with pytest.raises(RulesWrong, match=f"ssm:/{place}/all could not be read: ParameterNotFound"):
        await source(f"ssm:/{place}/all", identity).read("")


async def test_an_object_too_large_for_rules_is_not_taken_into_memory(
    admin: Admin, identity: HubIdentity, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _bucket(admin, place)
    rules = source(f"s3://{place}/rules/all.yaml", identity)
    monkeypatch.setattr(rules_sources, "MOST_BYTES", len(FIRST))
    assert await rules.read("") is not None
    monkeypatch.setattr(rules_sources, "MOST_BYTES", len(FIRST) - 1)
    with pytest.raises(RulesWrong, match="has more than 10 bytes"):
        await rules.read("")


@pytest.mark.parametrize("kind", ["String", "SecureString"])
async def test_a_parameter_is_read_in_the_clear_also_when_it_was_made_anew(
    admin: Admin, identity: HubIdentity, place: str, kind: Any
) -> None:
    ssm, name = admin.client("ssm"), f"/{place}/all"
    rules = source(f"ssm:{name}", identity)
    ssm.put_parameter(Name=name, Type=kind, Value=FIRST.decode())
    assert await rules.read("") == (FIRST, "")
    ssm.delete_parameter(Name=name)
    ssm.put_parameter(Name=name, Type=kind, Value=SECOND.decode())
    assert await rules.read("") == (SECOND, "")


@pytest.mark.parametrize("path", ["rules.yaml", "/etc/hub/rules.yaml", "./a:b.yaml"])
def test_anything_else_is_a_path(path: str) -> None:
    assert remote(path, HubIdentity(Settings.load())) is None


@pytest.mark.parametrize(
    "address", ["s3://bucket", "s3://bucket/", "s3:///key", "ssm:", "ssm://rules", "https://a/b", "S3://a/b"]
)
def test_an_address_that_leads_nowhere_is_told_which_do(address: str) -> None:
    with pytest.raises(RulesWrong, match="a path, s3://BUCKET/KEY or ssm:/NAME"):
        remote(address, HubIdentity(Settings.load()))


# --- when the network fails


class Broken(HubIdentity):
    """Its clients raise, or say nothing for ever."""

    wrong: Exception | None = None

    async def kept(self, service: str, region: str | None = None) -> Any:
        if self.wrong is None:
            await asyncio.Event().wait()
        raise self.wrong or AssertionError


@pytest.mark.parametrize("address", ["s3://bucket/rules.yaml", "ssm:/rules"])
async def test_findings_do_not_wait_for_ever_for_a_source_that_says_nothing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules_sources, "LONGEST_SECONDS", 0.01)
    with pytest.raises(RulesWrong, match=f"{address} could not be read: no answer within"):
        await source(address, Broken(Settings.load())).read("")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (ConnectionClosedError(endpoint_url="https://s3"), "Network"),
        (ClientPayloadError("cut off"), "ClientPayloadError"),
    ],
)
async def test_an_answer_that_is_cut_off_is_no_file_of_rules(wrong: Exception, words: str) -> None:
    identity = Broken(Settings.load())
    identity.wrong = wrong
    with pytest.raises(RulesWrong, match=words):
        await source("s3://bucket/rules.yaml", identity).read("")

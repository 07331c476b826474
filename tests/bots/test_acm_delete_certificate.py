"""Scenes of `bots.acm_delete_certificate`, and what only this bot does."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from moto.acm.models import CertBundle

from bots._aws import AwsError
from bots._bot import CannotFix, NoParams, TryLater
from bots._words import BadWords, parse
from bots.acm_delete_certificate import Certificate, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import acm as inside
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

ELSEWHERE = "eu-west-1"
LOAD_BALANCER = "arn:aws:elasticloadbalancing:us-east-1:222233334444:loadbalancer/app/shop/0123456789abcdef"


@functools.cache
def _pem() -> tuple[bytes, bytes]:
    """A certificate and its key; making one takes longer than a whole scene."""
    made = CertBundle.generate_cert("shop.example.com", "222233334444", "us-east-1")
    return made.cert, made.key


def _imported(admin: Admin, region: str = "us-east-1") -> Planted:
    body, key = _pem()
    arn = admin.client("acm", region).import_certificate(
        Certificate=body, PrivateKey=key, Tags=[{"Key": "team", "Value": "shop"}]
    )["CertificateArn"]
    return Planted(entity={"certificateArn": arn, "id": "cert-1", "type": "AcmCertificate"})


def _in_state(admin: Admin, **state: Any) -> Planted:
    planted = _imported(admin)
    found = inside.certificate(admin.account_id, "us-east-1", planted.entity["certificateArn"])
    for name, value in state.items():
        setattr(found, name, value)
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    arn = planted.entity["certificateArn"]
    acm = admin.client("acm", arn.split(":")[3])
    if inside.certificate(admin.account_id, arn.split(":")[3], arn) is None:
        return None
    found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return {
        "domain": found["DomainName"],
        "status": found["Status"],
        "users": found["InUseBy"],
        "tags": acm.list_tags_for_certificate(CertificateArn=arn)["Tags"],
    }


def _arn(admin: Admin, *, account_id: str | None = None) -> str:
    owner = account_id or admin.account_id
    return f"arn:aws:acm:us-east-1:{owner}:certificate/11112222-3333-4444-5555-666677778888"


def scenes() -> list[Scene]:
    return [
        Scene(
            name="imported and unused",
            plant=_imported,
            observe=_observe,
            missing=lambda admin: Planted(entity={"certificateArn": _arn(admin)}),
            when_missing="compliant",
        ),
        Scene(
            name="used by a load balancer",
            plant=lambda admin: _in_state(admin, in_use_by=[LOAD_BALANCER]),
            observe=_observe,
            refusal=LOAD_BALANCER,
        ),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_what_a_person_needs_to_request_it_again_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _imported(admin)) as one:
        seen = await one.check()
        after = await one.fix()
    assert isinstance(seen.before, Certificate)
    assert seen.before.detail is not None
    assert seen.before.detail["DomainName"] == "shop.example.com"
    assert seen.before.detail["Type"] == "IMPORTED"
    assert seen.before.tags == {"team": "shop"}
    assert seen.before.body.strip() == _pem()[0].decode().strip()
    assert "BEGIN CERTIFICATE" in seen.before.chain
    assert after.compliant
    assert after.before == Certificate(detail=None, tags={}, body="", chain="")
    assert "does not exist" in after.why


async def test_the_region_of_the_arn_wins_and_the_id_will_do_for_a_name(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = _imported(admin, ELSEWHERE).entity["certificateArn"]
    async with alone(bot, aws, admin, Planted(entity={"id": arn})) as one:
        after = await one.fix()
    assert after.region == ELSEWHERE
    assert inside.certificate(admin.account_id, ELSEWHERE, arn) is None


async def test_a_request_nobody_validated_has_no_text_and_is_deleted_all_the_same(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _in_state(admin, status="PENDING_VALIDATION")) as one:
        before = (await one.check()).before
        assert isinstance(before, Certificate)
        assert (before.body, before.chain) == ("", "")
        assert (await one.fix()).compliant


async def test_a_certificate_that_a_service_manages_is_left_to_it(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    planted = _imported(admin)
    found = inside.certificate(admin.account_id, "us-east-1", planted.entity["certificateArn"])
    told = found.describe()
    told["Certificate"]["ManagedBy"] = "CLOUDFRONT"  # moto knows no managers
    monkeypatch.setattr(found, "describe", lambda: told)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="managed by CLOUDFRONT"):
            await one.check()


@pytest.mark.parametrize("named", ["cert-1", "arn:aws:iam::222233334444:server-certificate/shop", "x" * 300])
async def test_what_is_no_certificates_arn_is_refused_unasked(aws: FakeAws, named: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"id": named})) as one:
        with pytest.raises(CannotFix, match="not the ARN of an ACM certificate"):
            await one.check()
    assert aws.calls(admin.account_id) == ()


async def test_a_certificate_of_another_account_is_refused_unasked(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = _arn(admin, account_id="222233334444")
    async with alone(bot, aws, admin, Planted(entity={"certificateArn": arn})) as one:
        with pytest.raises(CannotFix, match="belongs to account 222233334444"):
            await one.check()
    assert aws.calls(admin.account_id) == ()


@pytest.mark.parametrize(
    ("code", "raised", "says"),
    [
        ("ResourceInUseException", CannotFix, "has begun to use"),
        ("ConflictException", TryLater, "renewing"),
        ("InternalFailure.Test", AwsError, "InternalFailure"),
    ],
)
async def test_what_stands_in_the_way_of_the_delete_is_told_apart(
    aws: FakeAws, code: str, raised: type[Exception], says: str
) -> None:
    admin = aws.fresh_account()
    planted = _imported(admin)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "acm:DeleteCertificate", code)
        with pytest.raises(raised, match=says):
            await one.fix()
    assert _observe(admin, planted) is not None


async def test_a_certificate_deleted_by_somebody_else_meanwhile_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _imported(admin)
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
        admin.client("acm").delete_certificate(CertificateArn=planted.entity["certificateArn"])
        assert isinstance(before, Certificate)
        await bot.run_fix(one.account, one.target, NoParams(), before)
        assert (await one.check()).compliant

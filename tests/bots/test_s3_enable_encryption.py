"""Scenes of `bots.s3_enable_encryption`, and what only this bot does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bots._bot import CannotFix
from bots._policies import services_let_in
from bots._words import BadWords, parse
from bots.s3_enable_encryption import Wish, bot
from tests.bots.alone import alone
from tests.bots.buckets import make
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import s3 as moto_s3
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
ARN = "arn:aws:kms:us-east-1:222233334444:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def _key(admin: Admin, region: str = "us-east-1", **made: Any) -> str:
    return str(admin.client("kms", region).create_key(**made)["KeyMetadata"]["Arn"])


def _bucket(
    admin: Admin, *words: str, region: str = "us-east-1", default: dict[str, Any] | None = None
) -> Planted:
    """``default`` is the one rule of the bucket's default encryption; None leaves AWS's."""
    name, s3 = make(admin, f"invoices-{admin.account_id}", region), admin.client("s3", region)
    if default is not None:
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [default]})
    return Planted(
        entity={"id": name, "name": name, "type": "S3Bucket", "region": ""},
        words=words,
        notes={"region": region},
    )


def _rule(algorithm: str, key: str | None = None, *, bucket_key: bool = False) -> dict[str, Any]:
    with_key = {} if key is None else {"KMSMasterKeyID": key}
    default = {"SSEAlgorithm": algorithm, **with_key}
    return {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}


def _default(admin: Admin, planted: Planted) -> Any:
    s3 = admin.client("s3", planted.notes["region"])
    found = s3.get_bucket_encryption(Bucket=planted.entity["name"])
    return found["ServerSideEncryptionConfiguration"]["Rules"]


def _observe(admin: Admin, planted: Planted) -> Any:
    s3, name = admin.client("s3", planted.notes["region"]), planted.entity["name"]
    try:
        policy = s3.get_bucket_policy(Bucket=name)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        policy = None
    return {
        "encryption": _default(admin, planted),
        "policy": policy,
        "grants": s3.get_bucket_acl(Bucket=name)["Grants"],
        "versioning": s3.get_bucket_versioning(Bucket=name).get("Status"),
    }


def _let_in(admin: Admin, planted: Planted, service: str) -> Planted:
    name = planted.entity["name"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": [service]},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    admin.client("s3").put_bucket_policy(
        Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement})
    )
    return planted


def _let_in_by_acl(admin: Admin, planted: Planted) -> Planted:
    s3, name = admin.client("s3"), planted.entity["name"]
    found = s3.get_bucket_acl(Bucket=name)
    grants = [
        *found["Grants"],
        *(
            {"Grantee": {"Type": "Group", "URI": LOG_DELIVERY}, "Permission": permission}
            for permission in ("WRITE", "READ_ACP")
        ),
    ]
    s3.put_bucket_acl(Bucket=name, AccessControlPolicy={"Owner": found["Owner"], "Grants": grants})
    return planted


def _elsewhere(admin: Admin) -> Planted:
    """A bucket the finding names by ARN, under another key, and a wish that names an alias."""
    old, new = _key(admin, ELSEWHERE), _key(admin, ELSEWHERE)
    admin.client("kms", ELSEWHERE).create_alias(AliasName="alias/invoices", TargetKeyId=new)
    planted = _bucket(
        admin,
        "Encryption_Type=KMS",
        "kms_key_arn=alias/invoices",
        region=ELSEWHERE,
        default=_rule("aws:kms", old, bucket_key=True),
    )
    entity = {**planted.entity, "id": f"arn:aws:s3:::{planted.entity['name']}"}
    return Planted(entity=entity, words=planted.words, notes=planted.notes)


def _switch_off(admin: Admin, key: str) -> str:
    # moto takes only the id here.
    admin.client("kms").disable_key(KeyId=key.rsplit("/", 1)[-1])
    return key


def _without_bucket_key(admin: Admin) -> Planted:
    key = _key(admin)
    return _bucket(admin, "aws:kms", key, default=_rule("aws:kms", key))


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"never-made-{admin.account_id}", "type": "S3Bucket"}, words=("s3",))


def scenes() -> list[Scene]:
    def violation(name: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, region="")

    def blocked(name: str, refusal: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, region="", refusal=refusal)

    def key_of(**made: Any) -> Callable[[Admin], Planted]:
        return lambda admin: _bucket(admin, "kms", _key(admin, **made))

    return [
        Scene(
            name="SSE-S3, key wished",
            plant=lambda admin: _bucket(admin, "kms", _key(admin)),
            observe=_observe,
            missing=_missing,
            region="",
        ),
        violation("another key, elsewhere", _elsewhere),
        violation("no Bucket Key", _without_bucket_key),
        violation(
            "double encryption, another key",
            lambda admin: _bucket(admin, "kms", _key(admin), default=_rule("aws:kms:dsse", _key(admin))),
        ),
        violation(
            "key of the service",
            lambda admin: _bucket(admin, "kms", _key(admin), default=_rule("aws:kms", bucket_key=True)),
        ),
        blocked(
            "access logs by policy",
            "receives access logs",
            lambda admin: _let_in(admin, _bucket(admin, "kms", _key(admin)), "logging.s3.amazonaws.com"),
        ),
        blocked(
            "access logs by ACL",
            "receives access logs",
            lambda admin: _let_in_by_acl(admin, _bucket(admin, "kms", _key(admin))),
        ),
        blocked(
            "load balancer logs",
            "receives access logs",
            lambda admin: _let_in(
                admin, _bucket(admin, "kms", _key(admin)), "logdelivery.elasticloadbalancing.amazonaws.com"
            ),
        ),
        blocked(
            "key switched off",
            "KeyState is Disabled",
            lambda admin: _bucket(admin, "kms", _switch_off(admin, _key(admin))),
        ),
        blocked(
            "key switched off, bucket on KMS",
            "KeyState is Disabled",
            lambda admin: _bucket(
                admin, "kms", _switch_off(admin, _key(admin)), default=_rule("aws:kms", _key(admin))
            ),
        ),
        blocked(
            "key of another region",
            f"is in {ELSEWHERE}",
            lambda admin: _bucket(admin, "kms", _key(admin, ELSEWHERE)),
        ),
        blocked("key of another account", "belongs to account", lambda admin: _bucket(admin, "kms", ARN)),
        blocked(
            "key that does not exist",
            "there is no key alias/never-made",
            lambda admin: _bucket(admin, "kms", "alias/never-made"),
        ),
        blocked(
            "asymmetric key", "KeySpec is RSA_2048", key_of(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        ),
        blocked("signing key", "KeyUsage is SIGN_VERIFY", key_of(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")),
    ]


@pytest.mark.parametrize(
    "word", ["s3", "S3", "AES256", "aes256", "encryption_type=s3", "EncryptionType:AES256"]
)
def test_sse_s3_is_asked_for_by_any_of_its_names(word: str) -> None:
    assert parse(Wish, [word]) == Wish(encryption_type="s3")


@pytest.mark.parametrize(
    "words",
    [
        ("kms", ARN),
        ("KMS", f"kms_key_arn={ARN}"),
        ("aws:kms", f"kmsKeyArn:{ARN}"),
        (f"KMS_KEY_ARN={ARN}", "encryption_type=aws:kms"),
    ],
)
def test_a_key_is_given_by_position_or_by_name(words: tuple[str, ...]) -> None:
    injected = "exec_function_arn=arn:aws:lambda:us-east-1:111122223333:function:hub"
    assert parse(Wish, [*words, injected]) == Wish(encryption_type="kms", kms_key_arn=ARN)


@pytest.mark.parametrize(
    "key",
    [
        ARN,
        ARN.replace("arn:aws:", "arn:aws-us-gov:"),
        ARN.replace("key/", "key/mrk-"),
        "arn:aws:kms:us-east-1:222233334444:alias/team/invoices",
        "alias/invoices",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
    ],
)
def test_every_way_to_name_a_key_is_understood(key: str) -> None:
    assert parse(Wish, ["kms", key]).kms_key_arn == key


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("kms",),
        ("kms", ""),
        ("kms", "exec_function_arn=arn:aws:lambda:us-east-1:111122223333:function:hub"),
        ("kms", "arn:aws:lambda:us-east-1:111122223333:function:hub"),
        ("kms", "invoices"),
        ("kms", "alias/"),
        ("s3", ARN),
        ("sse-c",),
        ("aws:kms:dsse", ARN),
        ("kms", ARN, "true"),
    ],
)
def test_words_that_name_no_usable_wish_never_reach_aws(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords, match="Usage: "):
        parse(Wish, words)


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("algorithm", ["AES256", "aws:kms", "aws:kms:dsse"])
async def test_sse_s3_is_enough_for_any_encryption_there_is_and_never_takes_kms_away(
    aws: FakeAws, algorithm: str
) -> None:
    admin = aws.fresh_account()
    key = None if algorithm == "AES256" else _key(admin)
    async with alone(bot, aws, admin, _bucket(admin, "s3", default=_rule(algorithm, key))) as one:
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_without_any_default_gets_sse_s3(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _bucket(admin, "s3")
    moto_s3.bucket(planted.entity["name"]).encryption = None
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert (await one.fix()).compliant
        assert _default(admin, planted) == [_rule("AES256")]
        # AWS knows no bucket without a default any more: taking it away leaves SSE-S3.
        await one.undo(was.before)
    assert _default(admin, planted) == [_rule("AES256")]


@pytest.mark.usefixtures("hub_environment")
async def test_the_keys_arn_is_stored_whatever_the_finding_calls_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    admin.client("kms").create_alias(AliasName="alias/invoices", TargetKeyId=key)
    own = f"arn:aws:kms:us-east-1:{admin.account_id}"
    planted = _bucket(admin)
    for called in ("alias/invoices", f"{own}:alias/invoices", key.rsplit("/", 1)[-1], key):
        admin.client("s3").delete_bucket_encryption(Bucket=planted.entity["name"])
        async with alone(bot, aws, admin, planted) as one:
            assert (await one.saying("kms", called).fix()).compliant
        assert _default(admin, planted) == [_rule("aws:kms", key, bucket_key=True)]


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("stored", ["arn", "id", "alias", "alias arn"])
async def test_a_bucket_that_names_the_wished_key_in_another_way_is_right(aws: FakeAws, stored: str) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    admin.client("kms").create_alias(AliasName="alias/invoices", TargetKeyId=key)
    alias = f"arn:aws:kms:us-east-1:{admin.account_id}:alias/invoices"
    names = {"arn": key, "id": key.rsplit("/", 1)[-1], "alias": "alias/invoices", "alias arn": alias}
    rule = _rule("aws:kms", names[stored], bucket_key=True)
    async with alone(bot, aws, admin, _bucket(admin, "kms", key, default=rule)) as one:
        assert (await one.check()).compliant
        assert not (await one.saying("kms", _key(admin)).check()).compliant


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize(
    "stored", ["alias/gone", ARN, ARN.replace("key/", "alias/"), "exec_function_arn=arn:aws:lambda:x"]
)
async def test_a_stored_key_nobody_here_can_use_is_replaced(aws: FakeAws, stored: str) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    rule = _rule("aws:kms", stored, bucket_key=True)
    planted = _bucket(admin, "kms", key, default=rule)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _default(admin, planted) == [_rule("aws:kms", key, bucket_key=True)]


@pytest.mark.usefixtures("hub_environment")
async def test_double_encryption_stays_double_under_the_new_key(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    planted = _bucket(admin, "kms", key, default=_rule("aws:kms:dsse", _key(admin)))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _default(admin, planted) == [_rule("aws:kms:dsse", key)]


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_works_after_the_key_was_switched_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    planted = _bucket(admin, "kms", key)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        _switch_off(admin, key)
        now = await one.check()
        assert not now.compliant
        assert "KeyState is Disabled" in now.why
        await one.bot.run_undo(one.account, one.target, was)
    assert _default(admin, planted) == [_rule("AES256")]


@pytest.mark.usefixtures("hub_environment")
async def test_services_that_will_need_the_key_are_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _let_in(admin, _bucket(admin, "kms", _key(admin)), "cloudtrail.amazonaws.com")
    async with alone(bot, aws, admin, planted) as one:
        notes = (await one.check()).notes
    assert "the key's policy must let cloudtrail.amazonaws.com use the key" in notes
    assert any("kms:GenerateDataKey" in note for note in notes)


@pytest.mark.usefixtures("hub_environment")
async def test_a_log_bucket_may_be_asked_for_sse_s3(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _let_in(admin, _bucket(admin, "s3"), "logging.s3.amazonaws.com")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_directory_bucket_is_refused(aws: FakeAws) -> None:
    planted = Planted(entity={"id": "fast--use1-az4--x-s3"}, words=("kms", ARN))
    async with alone(bot, aws, aws.fresh_account(), planted) as one:
        with pytest.raises(CannotFix, match="directory bucket"):
            await one.check()


@pytest.mark.parametrize(
    ("statement", "services"),
    [
        ({"Effect": "Allow", "Principal": {"Service": "a.amazonaws.com"}}, {"a.amazonaws.com"}),
        (
            [
                {"Effect": "Allow", "Principal": {"Service": ["a.amazonaws.com", "b.amazonaws.com"]}},
                {"Effect": "Allow", "Principal": {"AWS": "111122223333", "Service": "c.amazonaws.com"}},
            ],
            {"a.amazonaws.com", "b.amazonaws.com", "c.amazonaws.com"},
        ),
        ({"Effect": "Deny", "Principal": {"Service": "a.amazonaws.com"}}, set()),
        ({"Effect": "Allow", "Principal": "*"}, set()),
        ({"Effect": "Allow", "NotPrincipal": {"Service": "a.amazonaws.com"}}, set()),
        ([], set()),
    ],
)
def test_only_services_an_allow_statement_names_are_let_in(statement: Any, services: set[str]) -> None:
    assert services_let_in(json.dumps({"Statement": statement})) == services


def test_no_policy_lets_no_service_in() -> None:
    assert services_let_in(None) == services_let_in("{}") == frozenset()

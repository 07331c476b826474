"""The default encryption of a bucket: what it is, what it is to be, and who could not write any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix
from bots._kms import is_key, usable_key
from bots._s3 import LOGGING_SERVICE, delivering_services

Rules = tuple[dict[str, Any], ...]
_DOUBLE = "aws:kms:dsse"
# These write into buckets and cannot use SSE-KMS there.
_ONLY_SSE_S3 = {LOGGING_SERVICE, "logdelivery.elasticloadbalancing.amazonaws.com"}
_NONE_SET = ("ServerSideEncryptionConfigurationNotFoundError",)


@dataclass(frozen=True, slots=True)
class Default:
    """How new objects are encrypted."""

    algorithm: str  # "": they are not
    key: str | None
    bucket_key: bool

    @property
    def uses_kms(self) -> bool:
        return self.algorithm.startswith("aws:kms")


async def rules_of(home: Aws, bucket: dict[str, str]) -> Rules | None:
    """The bucket's rules, None if it has no default encryption at all."""
    found = await home.find("s3", "GetBucketEncryption", absent=_NONE_SET, **bucket)
    return None if found is None else tuple(found["ServerSideEncryptionConfiguration"]["Rules"])


def default_of(rules: Rules | None) -> Default:
    """What the rules, of which S3 knows one, come to."""
    rule = rules[0] if rules else {}
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return Default(
        default.get("SSEAlgorithm", ""), default.get("KMSMasterKeyID"), rule.get("BucketKeyEnabled", False)
    )


async def is_under(home: Aws, now: Default, wished: str) -> bool:
    """Whether the bucket uses the wished key, and saves KMS requests as far as it can.

    Raises:
        CannotFix: the key cannot be used.
    """
    key = await usable_key(home, wished)
    # Double encryption knows no Bucket Key.
    return (now.bucket_key or now.algorithm == _DOUBLE) and await is_key(home, now.key, key)


async def notes_about_services(home: Aws, name: str, now: Default) -> tuple[str, ...]:
    """What the services that deliver into the bucket will need.

    Raises:
        CannotFix: one of them cannot deliver into a bucket on KMS.
    """
    services = await delivering_services(home, name)
    if services & _ONLY_SSE_S3 and not now.uses_kms:
        raise CannotFix(
            f"bucket {name} receives access logs, which are not delivered into buckets that "
            "default to SSE-KMS; leave it at SSE-S3 or send the logs elsewhere first"
        )
    return tuple(f"the key's policy must let {service} use the key" for service in sorted(services))


def rule_with(rules: Rules | None, key: str | None) -> dict[str, Any]:
    """The rule to have: SSE-KMS with the key of that ARN, or SSE-S3. What else a rule says stays."""
    default = {"SSEAlgorithm": "AES256"}
    if key is not None:
        # Double encryption stays double: the wish is a key, not less encryption.
        double = default_of(rules).algorithm == _DOUBLE
        default = {"SSEAlgorithm": _DOUBLE if double else "aws:kms", "KMSMasterKeyID": key}
    return {
        **(rules[0] if rules else {}),
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": default["SSEAlgorithm"] == "aws:kms",
    }


async def put(home: Aws, bucket: dict[str, str], rules: Rules | None) -> None:
    """Make these the bucket's rules; None: it has none."""
    if rules is None:
        await home.call("s3", "DeleteBucketEncryption", **bucket)
    else:
        what = {"Rules": list(rules)}
        await home.call("s3", "PutBucketEncryption", ServerSideEncryptionConfiguration=what, **bucket)

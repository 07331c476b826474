"""Amazon Resource Names, taken apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """The five parts after ``arn:``. ``region`` and ``account`` are "" where the service has none
    (S3 buckets); ``resource`` is the rest, colons and slashes included."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def parse(text: str) -> Arn | None:
    """The ARN that ``text`` is, or None if it is none (a bucket name, a key id)."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    _, partition, service, region, account, resource = parts
    if not (partition and service and resource):
        return None
    return Arn(partition=partition, service=service, region=region, account=account, resource=resource)

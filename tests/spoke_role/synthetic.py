"""Made-up bots, for catalogues larger and stranger than the real one."""

from __future__ import annotations

from collections.abc import Mapping

from bots._bot import AnyBot, Before, Bot, NoParams, Risk, Undo, account


def made_up(
    name: str,
    *,
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    resources: Mapping[str, tuple[str, ...]] | None = None,
    risk: Risk = Risk.ADDITIVE,
) -> AnyBot:
    """A header and nothing behind it."""
    return Bot(
        name=name,
        acts_on="AWS::S3::Bucket",
        target=account(),
        params=NoParams,
        before=Before,
        reads=reads,
        writes=writes,
        resources=resources or {},
        risk=risk,
        undo=Undo.none("it does nothing"),
        example=name,
    )

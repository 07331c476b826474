"""Made-up bots, for catalogues larger and stranger than the real one."""

from __future__ import annotations

from collections.abc import Mapping

from bots._bot import AnyBot, Before, Bot, NoParams, Risk, Undo, account, on


def made_up(
    name: str,
    *,
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    resources: Mapping[str, tuple[str, ...]] | None = None,
    risk: Risk = Risk.ADDITIVE,
) -> AnyBot:
    """A header and nothing behind it."""

    def narrowed(actions: tuple[str, ...]) -> tuple[str, ...]:
        known = resources or {}
        return tuple(
            each for name in actions for each in (on(known[name], name) if name in known else (name,))
        )

    return Bot(
        name=name,
        acts_on="AWS::S3::Bucket",
        target=account(),
        params=NoParams,
        before=Before,
        reads=narrowed(reads),
        writes=narrowed(writes),
        risk=risk,
        undo=Undo.none("it does nothing"),
    )

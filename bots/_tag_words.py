"""What the key and the value of a tag may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

_PUNCTUATION = set(" _.:/=+-@")


def not_reserved(key: str) -> str:
    """For keys among a bot's parameters."""
    if key.lower().startswith("aws:"):
        raise ValueError("must not start with aws:, which AWS keeps for itself")
    return key


def plain(text: str) -> str:
    """For services that take fewer letters than EC2 does."""
    if strange := next(
        (letter for letter in text if not letter.isalnum() and letter not in _PUNCTUATION), ""
    ):
        raise ValueError(
            f"{strange!r} cannot be in a tag; there can be letters, digits, blanks and _ . : / = + - @"
        )
    return text


TagKey = Annotated[
    str, Field(min_length=1, max_length=128, description="tag key"), AfterValidator(not_reserved)
]
PlainTagKey = Annotated[
    str,
    Field(min_length=1, max_length=128, description="tag key"),
    AfterValidator(plain),
    AfterValidator(not_reserved),
]

"""Regions by any of their names, from the data that botocore brings along. No API is asked."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.loaders import Loader

GLOBAL: Final = "global"
LONGEST_ECHO = 80

# Whose regions people call by a part of the name first of all; the isolated partitions repeat cities of
# these (Ohio), and GovCloud's names repeat their "US East".
_OPEN = ("aws", "aws-cn", "aws-eusc")
# IAM's Chinese endpoint signs for Beijing; the data names Ningxia, where Route 53 and Organizations live.
_HOMES = {"aws-cn": "cn-north-1"}
# What names are written with; other signs make it something else, a list in brackets say.
_NAME = re.compile(r"[\w\s.()'-]*")
# The older spelling of a word of AWS's names, or how people write it out.
_OTHER_WORDS = {"europe": "eu", "n": "northern"}


class RegionUnknown(ValueError):
    """No region has this name, or more than one has; the text says what would be understood."""


@dataclass(frozen=True, slots=True)
class _Region:
    id: str
    partition: str
    name: str  # as AWS writes it: "US West (Oregon)"
    code: tuple[str, ...]  # the id as `_words`
    names: tuple[tuple[str, ...], ...]  # the name as `_words`, in every way to write it


@dataclass(frozen=True, slots=True)
class _Partition:
    id: str
    home: str
    pattern: re.Pattern[str]


def resolve(text: str | None) -> str | None:
    """The region a finding means, as AWS's code for it.

    ``us_west_2``, ``us-west-2``, ``Oregon`` and ``US West (Oregon)`` are one region, in any case.

    Returns:
        The code; `GLOBAL` for services that have no region; None when the text is empty.

    Raises:
        RegionUnknown: it is no region's name, or could be several.
    """
    if text is None or not text.strip():
        return None
    words = _words(text[:400]) if _NAME.fullmatch(text[:400]) else ()
    if words in _global_names():
        return GLOBAL
    for candidates in (
        [region for region in _regions() if words == region.code],
        [region for region in _regions() if words in region.names],
        [region for region in _regions() if region.partition in _OPEN and _part_of(words, region.names)],
        [region for region in _regions() if _part_of(words, region.names)],
    ):
        if len(candidates) == 1:
            return candidates[0].id
        if candidates:
            known = ", ".join(f"{region.id} ({region.name})" for region in candidates[:8])
            more = f" and {len(candidates) - 8} more" if len(candidates) > 8 else ""
            raise RegionUnknown(
                f"region {_shown(text)} can be any of {known}{more}; the finding must name one, best by its code"
            )
    raise RegionUnknown(
        f"region {_shown(text)} is none that this hub knows; name it by its code, as us-west-2 "
        "(a region newer than the hub's botocore needs an update of it)"
    )


def partition_of(region: str) -> str:
    """The partition of a region code, ``aws`` or ``aws-us-gov`` and the like. Also of regions that are
    newer than the data, by the shape of their code.

    Raises:
        RegionUnknown: it is no region code.
    """
    for known in _regions():
        if known.id == region:
            return known.partition
    for partition in _partitions():
        if partition.pattern.fullmatch(region):
            return partition.id
    raise RegionUnknown(f"{_shown(region)} is not the code of a region; one looks like us-west-2")


def home_region(partition: str) -> str:
    """The region in which IAM and the other global services of a partition are called.

    Raises:
        RegionUnknown: there is no such partition.
    """
    for known in _partitions():
        if known.id == partition:
            return _HOMES.get(partition, known.home)
    names = ", ".join(known.id for known in _partitions())
    raise RegionUnknown(f"there is no partition {_shown(partition)}; there are {names}")


def default_region(partition: str) -> str:
    """The region to begin in when a finding names none; S3 tells there where a bucket really is.

    Raises:
        RegionUnknown: there is no such partition.
    """
    return home_region(partition)


@functools.cache
def _data() -> Mapping[str, Any]:
    # Only what botocore brings: files in the home folder of whoever runs the hub must not add regions.
    # A partitions file is a hundredth of the endpoints file and names the same regions.
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    found: Mapping[str, Any] = loader.load_data("partitions")
    return found


@functools.cache
def _partitions() -> tuple[_Partition, ...]:
    return tuple(
        _Partition(found["id"], found["outputs"]["implicitGlobalRegion"], re.compile(found["regionRegex"]))
        for found in _data()["partitions"]
    )


@functools.cache
def _regions() -> tuple[_Region, ...]:
    return tuple(
        _region(code, found["id"], about["description"])
        for found in _data()["partitions"]
        for code, about in found["regions"].items()
        if not code.endswith("-global")
    )


@functools.cache
def _global_names() -> frozenset[tuple[str, ...]]:
    return frozenset({("global",), *(_words(f"{partition.id}-global") for partition in _partitions())})


def _region(code: str, partition: str, name: str) -> _Region:
    words = _words(name)
    other = tuple(_OTHER_WORDS.get(word, word) for word in words)
    return _Region(code, partition, name, _words(code), (words, other))


def _words(text: str) -> tuple[str, ...]:
    """The words of a name in one form: small letters without accents, no punctuation."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    )
    return tuple(re.findall(r"[^\W_]+", plain.casefold()))


def _part_of(words: tuple[str, ...], names: Iterable[tuple[str, ...]]) -> bool:
    length = len(words)
    return length > 0 and any(
        words == name[start : start + length] for name in names for start in range(len(name) - length + 1)
    )


def _shown(text: str) -> str:
    return repr(text[:LONGEST_ECHO])

"""The part of `requirements.lock` that something needs, as a lock of its own.

The lock names everything the project is developed with. What runs the hub is read out of it: the lock says
of each package which others asked for it. Nothing but the standard library is used, because a container is
built with this before anything is installed: ``python -m deploy.locked``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?==(?P<version>[^ ;]+)(?P<marker> *;.*)?"
)
_REQUIRED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")


class LockWrong(ValueError):
    """The lock is missing, is damaged, or does not hold what is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One package of the lock. ``via`` are the packages that ask for it, by their normal names."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    via: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lock:
    """All packages of a lock by their normal names."""

    packages: Mapping[str, Pinned]

    def needed(self, roots: Iterable[str]) -> tuple[Pinned, ...]:
        """The packages of these names and all that they ask for, by name.

        Raises:
            LockWrong: one of them is not in the lock, without a hash, or only for some platforms.
        """
        todo = [normal(name) for name in roots]
        found: dict[str, Pinned] = {}
        while todo:
            name = todo.pop()
            if name in found:
                continue
            if name not in self.packages:
                raise LockWrong(f"{LOCK} does not pin {name}; run `make lock`")
            found[name] = package = self.packages[name]
            if package.marker or not package.hashes:
                # One lock serves every platform the hub runs on: nothing in it may depend on where it is read.
                why = f"only where {package.marker}" if package.marker else "without a hash"
                raise LockWrong(f"{LOCK} pins {name} {why}; run `make lock`")
            todo += [other.name for other in self.packages.values() if name in other.via]
        return tuple(found[name] for name in sorted(found))


def normal(name: str) -> str:
    """A package's name in the one form that indexes compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path) -> Lock:
    """The lock in the file, as pip-compile writes it with hashes.

    Raises:
        LockWrong: it is not there.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise LockWrong(
            f"{path} cannot be read ({error.strerror}); this needs a checkout of the project"
        ) from None
    return Lock({package.name: package for package in _packages(lines)})


def _packages(lines: Iterable[str]) -> Iterator[Pinned]:
    about: list[str] = []
    for line in (*lines, "end"):
        if about and line and not line.startswith((" ", "#")):
            yield _package(about)
            about = []
        if about or _PINNED.match(line):
            about.append(line)


def _package(about: list[str]) -> Pinned:
    found = _PINNED.match(about[0])
    assert found is not None
    # One comment each, the first behind "via" on its line or, where there are several, all below it.
    comments = (line.partition("#")[2].removeprefix(" via") for line in about if re.match(" +#", line))
    return Pinned(
        name=normal(found["name"]),
        version=found["version"],
        marker=(found["marker"] or "").strip(" ;\\"),
        hashes=tuple(_HASH.findall("\n".join(about))),
        via=frozenset(normal(line.split()[0]) for line in comments if line.strip()),
    )


def text(packages: Iterable[Pinned]) -> str:
    """A lock of these packages, for ``pip install --require-hashes -r``."""
    return "".join(
        f"{package.name}=={package.version} \\\n"
        + " \\\n".join(f"    --hash={digest}" for digest in package.hashes)
        + "\n"
        for package in packages
    )


def project(root: Path) -> Mapping[str, Any]:
    """`pyproject.toml` of the checkout.

    Raises:
        LockWrong: it is not there.
    """
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except OSError as error:
        raise LockWrong(f"{error.filename} cannot be read; this needs a checkout of the project") from None


def runtime(root: Path) -> tuple[str, ...]:
    """Names of what the project as a whole needs to run: worker, command line and Lambda."""
    return _names(project(root)["project"]["dependencies"])


def building(root: Path) -> tuple[str, ...]:
    """Names of what makes an installable package of the project."""
    return _names(project(root)["build-system"]["requires"])


def _names(requirements: Iterable[str]) -> tuple[str, ...]:
    return tuple(normal(found[0]) for each in requirements if (found := _REQUIRED.match(each)))


def main(words: list[str]) -> int:
    """``python -m deploy.locked runtime|building``: print that part of the lock."""
    parts = {"runtime": runtime, "building": building}
    if len(words) != 1 or words[0] not in parts:
        sys.stderr.write(f"say one of: {', '.join(parts)}\n")
        return 2
    try:
        needed = read(ROOT / LOCK).needed(parts[words[0]](ROOT))
    except LockWrong as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(text(needed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

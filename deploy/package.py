"""The Lambda function's package: the handler, all bots, and what they import, as one reproducible zip.

Sources: Lambda's quotas (50 MB zipped when uploaded directly, 250 MB unzipped with all layers), its Python
runtimes (python3.11 is Amazon Linux 2 with glibc 2.26), PEP 600 (manylinux_2_N runs on glibc 2.N and newer).
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from bots._own import ENTRY_POINTS
from deploy import locked, zip_file
from deploy.bytecode import compiled, running
from deploy.locked import Pinned
from deploy.reached import Reached, reached
from deploy.zip_file import Entry

PYTHON = "3.11"
GLIBC = 26
HANDLER = "hub.handler"

DIRECT_UPLOAD_BYTES = 50 * 1024 * 1024
UNZIPPED_BYTES = 250 * 1024 * 1024

# A user's own bots, found in the package by entry points as those of any installed package are.
OWN_BOTS = "own_bots"

# What only people, compilers and type checkers read.
_NOT_RUN = {".pyi", ".pyx", ".pxd", ".pxi", ".pyc", ".c", ".h", ".typed"}
# Of a package's papers stay its version, for scanners, its entry points, and what its licence wants kept.
_PAPERS = {"METADATA", "entry_points.txt"}
_LEGAL = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
# The SDK's folders with one folder a service in each.
_SERVICES = (("botocore", "data"), ("boto3", "data"))


class CannotPackage(Exception):
    """There is no package; the text says why and what to do."""


class Arch(StrEnum):
    """A Lambda architecture, in Lambda's words."""

    ARM64 = "arm64"
    X86_64 = "x86_64"

    @property
    def machine(self) -> str:
        """What Linux and wheels call it."""
        return "aarch64" if self is Arch.ARM64 else "x86_64"

    def platforms(self) -> tuple[str, ...]:
        """Tags of the wheels that run there, the newest glibc first."""
        oldest = 17 if self is Arch.ARM64 else 5
        names = [f"manylinux_2_{minor}" for minor in range(GLIBC, oldest - 1, -1)] + ["manylinux2014"]
        if self is Arch.X86_64:
            names += ["manylinux2010", "manylinux1"]
        return tuple(f"{name}_{self.machine}" for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that was made.

    Attributes:
        zipped, unzipped: bytes.
        packages: what is inside, as ``name==version``.
    """

    file: Path
    arch: Arch
    version: str
    zipped: int
    unzipped: int
    sha256: str
    packages: tuple[str, ...]

    @property
    def code_sha256(self) -> str:
        """The digest as Lambda tells it (``CodeSha256``)."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode("ascii")

    @property
    def direct(self) -> bool:
        """Whether it may be uploaded to Lambda without a bucket."""
        return self.zipped <= DIRECT_UPLOAD_BYTES


def build(
    arch: Arch,
    folder: Path,
    *,
    root: Path = locked.ROOT,
    own_bots: Path | None = None,
    python: str = PYTHON,
    bytecode: bool = True,
) -> Package:
    """Make ``remediation-hub-VERSION-ARCH.zip`` in ``folder``, which is made if it is missing.

    Args:
        root: the checkout to package.
        own_bots: folder of the user's own bots, which come along.
        python: version of Python the package is for.
        bytecode: add compiled modules, which only the same version of Python can make.

    Raises:
        CannotPackage: no checkout, no pip, no index, another Python, or more than Lambda takes.
    """
    if bytecode and running() != python:
        raise CannotPackage(
            f"this is Python {running()}, which cannot compile for Lambda's {python}: run it by Python {python}, "
            "or leave the compiled modules out (--no-bytecode), with which cold starts take longer"
        )
    try:
        about = locked.project(root)["project"]
        own = _bots_of(own_bots) if own_bots else []
        program, needed = made_of(root, own)
    except locked.LockWrong as error:
        raise CannotPackage(str(error)) from error
    ours = [zip_file.stored(path.as_posix(), (root / path).read_bytes()) for path in program.files]
    ours += _own_entries(own)
    with tempfile.TemporaryDirectory() as downloads:
        theirs = _theirs(download(needed, arch, python, Path(downloads)), program.words)
    version = str(about["version"])
    file = folder / f"{about['name']}-{version}-{arch}.zip"
    entries = [*ours, *theirs]
    if bytecode:
        entries += _compiled(entries)
    unzipped = sum(entry.size for entry in entries)
    if unzipped > UNZIPPED_BYTES:
        raise CannotPackage(
            f"the package for {arch} takes {unzipped} bytes unzipped, and Lambda takes {UNZIPPED_BYTES}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    zip_file.write(file, entries)
    content = file.read_bytes()
    return Package(
        file=file,
        arch=arch,
        version=version,
        zipped=len(content),
        unzipped=unzipped,
        sha256=hashlib.sha256(content).hexdigest(),
        packages=tuple(f"{package.name}=={package.version}" for package in needed),
    )


def made_of(root: Path, own: Iterable[Path] = ()) -> tuple[Reached, tuple[Pinned, ...]]:
    """Our own part of a package of the checkout, and the libraries it and the bots ``own`` need.

    Raises:
        LockWrong: the lock is missing or does not fit.
    """
    bots = (f"bots.{path.stem}" for path in sorted((root / "bots").glob("[a-z]*.py")))
    program = reached(root, (HANDLER, *bots), besides=own)
    return program, locked.read(root / locked.LOCK).needed(program.packages)


def _bots_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CannotPackage(f"there is no folder {folder} to take bots from")
    return sorted(folder.glob("[a-z]*.py"))


def _own_entries(bots: Sequence[Path]) -> list[Entry]:
    """The user's bots as an installed package has them; nothing if there are none."""
    if not bots:
        return []
    points = "".join(f"{path.stem} = {OWN_BOTS}.{path.stem}\n" for path in bots)
    files = {
        f"{OWN_BOTS}/__init__.py": b"",
        f"{OWN_BOTS}-0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {OWN_BOTS}\nVersion: 0\n".encode(),
        f"{OWN_BOTS}-0.dist-info/entry_points.txt": f"[{ENTRY_POINTS}]\n{points}".encode(),
        **{f"{OWN_BOTS}/{path.name}": path.read_bytes() for path in bots},
    }
    return [zip_file.stored(name, content) for name, content in files.items()]


def download(needed: Iterable[Pinned], arch: Arch, python: str, folder: Path) -> list[Path]:
    """The libraries' wheels, each proven by pip to have one of the lock's hashes.

    Raises:
        CannotPackage: pip could not; the text says what it said.
    """
    (folder / locked.LOCK).write_text(locked.text(needed), encoding="utf-8")
    wheels = folder / "wheels"
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", python),
        *(word for platform in arch.platforms() for word in ("--platform", platform)),
        *("--dest", str(wheels), "--requirement", str(folder / locked.LOCK)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise CannotPackage(
            f"pip could not fetch the libraries for {arch}, with hashes as locked (status {done.returncode}): "
            f"{' '.join(said[-3:]) or 'it said nothing'}; are the network and pip's index reachable?"
        )
    return sorted(wheels.iterdir())


def _theirs(wheels: Iterable[Path], words: frozenset[str]) -> list[Entry]:
    """What goes in of the wheels; of the SDK's data only what is about services that are among ``words``."""
    found: dict[str, Entry] = {}
    try:
        for wheel in wheels:
            for entry in zip_file.of_wheel(wheel):
                path = PurePosixPath(entry.name)
                if path.parts[:2] in _SERVICES and len(path.parts) > 3 and path.parts[2] not in words:
                    continue
                if not _runs(path):
                    continue
                if entry.name in found and entry.crc != found[entry.name].crc:
                    raise CannotPackage(f"two packages bring different files {entry.name}")
                found[entry.name] = entry
    except zip_file.ZipWrong as error:
        raise CannotPackage(str(error)) from error
    return list(found.values())


def _runs(path: PurePosixPath) -> bool:
    """Whether the running hub, or somebody who asks what it is made of, can need the file of a wheel."""
    top = path.parts[0]
    if top.endswith(".dist-info"):
        legal = path.name.upper().startswith(_LEGAL) or path.parts[1] == "licenses"
        return legal or path.name in _PAPERS
    if top.endswith(".data"):
        if path.parts[1] in ("scripts", "headers", "data"):
            return False
        raise CannotPackage(f"{path} would have to be moved when installed, which a Lambda package cannot")
    return path.suffix not in _NOT_RUN and path.name != "examples-1.json"


def _compiled(entries: Iterable[Entry]) -> list[Entry]:
    found = (compiled(entry.name, entry.content()) for entry in entries if entry.name.endswith(".py"))
    return [zip_file.stored(*each) for each in found if each is not None]

"""The packages for Lambda, built once for all tests of all processes, out of libraries that are fetched once."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.locked import ROOT
from deploy.package import Arch

OWN = Arch.ARM64 if platform.machine() in ("arm64", "aarch64") else Arch.X86_64

FETCH = """
import sys
from pathlib import Path
from deploy.bytecode import running
from deploy.locked import LOCK, ROOT, building, normal, read, runtime
from deploy.package import Arch, download, made_of

own, folder = Arch(sys.argv[1]), Path(sys.argv[2])
everything = read(ROOT / LOCK).needed([*runtime(ROOT), *building(ROOT)])
found = download(everything, own, running(), folder)
anywhere = {normal(wheel.name.split("-")[0]) for wheel in found if wheel.name.endswith("-none-any.whl")}
compiled = [package for package in made_of(ROOT)[1] if package.name not in anywhere]
for other in set(Arch) - {own}:
    download(compiled, other, running(), folder)
"""
# For the Python that runs the tests, so that it can be tried; `hub package` makes it for Lambda's alone.
BUILD = """
import json, sys
from pathlib import Path
from deploy.bytecode import running
from deploy.package import Arch, build
from hub.cli.package import facts

for arch in sys.argv[2:]:
    print(json.dumps(facts(build(Arch(arch), Path(sys.argv[1]), python=running()))))
"""


@dataclass(frozen=True, slots=True)
class Built:
    """What all tests share.

    Attributes:
        packages: facts of both packages by architecture.
        offline: environment in which pip asks no index: it finds every wheel the hub needs in a folder.
    """

    packages: Mapping[str, dict[str, Any]]
    offline: Mapping[str, str]


def packaged(folder: Path, *arches: str, **environment: str) -> list[dict[str, Any]]:
    """Facts of the packages of these architectures, made in ``folder`` by a process that works there."""
    return _told([sys.executable, "-c", BUILD, str(folder), *arches], folder, environment)


def hub_package(folder: Path, *options: str, **environment: str) -> list[dict[str, Any]]:
    """What ``hub package --json`` says, run into ``folder``; without bytecode any Python can."""
    command = [sys.executable, "-m", "hub", "package", "--json", "--no-bytecode", "--output", str(folder)]
    return _told([*command, *options], folder, environment)


def _told(command: list[str], folder: Path, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def built(shared: Path) -> Built:
    """
    Args:
        shared: a folder that all test processes of this session see; the first one there builds.
    """
    folder = shared / "packages"
    folder.mkdir(exist_ok=True)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "wheels")}
    facts = folder / "facts.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not facts.exists():
            _told([sys.executable, "-c", FETCH, OWN, str(folder)], folder, {})
            facts.write_text(json.dumps(packaged(folder, *Arch, **offline)), encoding="utf-8")
    made = json.loads(facts.read_text(encoding="utf-8"))
    return Built({each["arch"]: each for each in made}, offline)

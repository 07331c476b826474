"""Follows the Dockerfile without an engine: the same lines in the same order, below a folder instead of /.

All stages share the folder, so a file copied from one stage to the next must keep its place, as an
environment of Python must anyway. What an engine alone can show (the base image, users, the file system's
limits) is not shown.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.locked import ROOT

_PLACES = ("/opt/hub", "/build")


@dataclass(slots=True)
class Image:
    """What the last stage leaves.

    Attributes:
        words: the last value of each instruction that takes one, by its name.
        environment: of ``ENV``, with the places below the folder.
    """

    folder: Path
    words: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"

    @property
    def command(self) -> list[str]:
        """What an engine starts: entry point and command, in the form without a shell."""
        return [*json.loads(self.words["ENTRYPOINT"]), *json.loads(self.words["CMD"])]

    def executable(self) -> str:
        """The program of `command`, found as an engine finds it."""
        found = shutil.which(self.command[0], path=self.environment["PATH"])
        assert found is not None, f"no {self.command[0]} in {self.environment['PATH']}"
        return found

    def below(self, text: str) -> str:
        """The text with the image's places below the folder."""
        return re.sub(
            rf"(?<![\w/.])({'|'.join(map(re.escape, _PLACES))})(?![\w-])", rf"{self.folder}\1", text
        )


def instructions(text: str) -> list[tuple[str, str]]:
    """Name and words of each instruction, lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()
    found = []
    for line in joined:
        name, _, words = line.partition(" ")
        found.append((name, " ".join(words.split())))
    return found


def build(folder: Path, environment: Mapping[str, str]) -> Image:
    """Do what the Dockerfile says.

    Args:
        environment: for its commands; pip's configuration is in it.
    """
    image = Image(folder)
    stages: list[Image] = []
    for name, words in instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        match name:
            case "ARG":
                image.words[name] = words
            case "FROM":
                image = Image(folder)
                stages.append(image)
                image.words[name] = words
            case "WORKDIR":
                image.workdir = words
                Path(image.below(words)).mkdir(parents=True)
            case "COPY":
                _copy(image, words.split(), has_stage=len(stages) > 1)
            case "RUN":
                _run(image, words, environment)
            case "ENV":
                key, _, value = words.partition("=")
                image.environment[key] = image.below(value).replace("$PATH", os.defpath)
            case _:
                image.words[name] = words
    return image


def _copy(image: Image, words: list[str], *, has_stage: bool) -> None:
    if words[0].startswith("--from="):
        assert has_stage
        _, source, target = words
        assert source == target, "an environment of Python works only where it was made"
        assert Path(image.below(source)).exists()
        return
    *sources, target = words
    into = Path(image.below(image.workdir)) / target
    for source in sources:
        origin = ROOT / source
        assert _sent(source), f".dockerignore keeps {source} back"
        if origin.is_dir():
            shutil.copytree(origin, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            into.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, into / origin.name)


def _sent(source: str) -> bool:
    """Whether .dockerignore, which lets in single names of the top alone, lets this one in."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    return f"!{source.split('/', maxsplit=1)[0]}" in lines


def _run(image: Image, words: str, environment: Mapping[str, str]) -> None:
    python = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["/bin/sh", "-c", image.below(words)],
        cwd=image.below(image.workdir),
        env={**environment, "PATH": f"{python}{os.pathsep}{os.defpath}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stderr or done.stdout}"

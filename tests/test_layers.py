"""The dependency rule: one direction, botocore in one folder, the environment in one file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import hub

ROOT = Path(hub.__file__).resolve().parent.parent
PRODUCT = ("hub", "bots", "spoke_role", "deploy")
MAX_LINES = 300
LONGER = {"bots._words": "the grammar of parameters and its inverse, which must be read together"}

# package -> what it may import of this project. A longer name wins over a shorter one.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bots": ("bots",),
    "spoke_role": ("spoke_role", "bots"),
    # Writes the reference pages, whose tables come from the code they describe.
    "spoke_role.pages": ("spoke_role", "bots", "hub.model", "hub.settings"),
    "deploy": ("deploy", "spoke_role", "bots"),
    "hub.errors": (),
    "hub.log": (),
    "hub.batching": ("hub.errors",),
    "hub.model": ("bots._bot", "hub.outcome", "hub.verdict"),
    "hub.outcome": (),
    "hub.verdict": ("hub.outcome",),
    "hub.noting": ("hub.model",),
    "hub.settings": ("hub.errors",),
    "hub.aws": (
        "hub.aws",
        "hub.batching",
        "hub.model",
        "hub.noting",
        "hub.errors",
        "hub.settings",
        "hub.__version__",
        "bots._aws",
        "bots._bot",
        "bots._grants",
        "spoke_role.guard_reads",
        "spoke_role.tags",
    ),
    "hub.entity": (),
    "hub.dialects": ("hub.dialects", "hub.model", "hub.errors"),
    # What is written on resources and on the spoke role is agreed with whoever deploys it.
    "hub.guards": (
        "hub.guards",
        "hub.aws",
        "hub.entity",
        "hub.journals",
        "hub.rules.globs",
        "hub.rules.guard_model",
        "hub.rules.properties",
        "hub.verdict",
        "bots._aws",
        "bots._bot",
        "hub.model",
        "hub.errors",
        "hub.settings",
        "spoke_role.tags",
    ),
    # Pure: of AWS it knows the names of regions only. Words are split as in findings.
    "hub.rules": (
        "hub.rules",
        "hub.aws.regions",
        "hub.dialects.words",
        "hub.entity",
        "hub.model",
        "hub.errors",
        "bots",
    ),
    "hub.journals": (
        "hub.journals",
        "hub.batching",
        "hub.aws",
        "hub.model",
        "hub.errors",
        "hub.settings",
        "hub.__version__",
        "bots._aws",
        "bots._bot",
    ),
    # The one step against the stream: the report stage words a report, sinks carry its words.
    "hub.sinks": (
        "hub.sinks",
        "hub.aws",
        "hub.batching",
        "hub.model",
        "hub.errors",
        "hub.settings",
        "hub.flow.report",
    ),
    "hub.rota": (),
    "hub.abreast": (),
    "hub.collecting": (),
    "hub.leases": ("hub.abreast", "hub.journals", "hub.model", "hub.errors"),
    "hub.flow": (
        "hub.flow",
        "hub.abreast",
        "hub.dialects",
        "hub.rules",
        "hub.guards",
        "hub.journals",
        "hub.sinks",
        "hub.leases",
        "hub.aws",
        "hub.model",
        "hub.noting",
        "hub.errors",
        "hub.settings",
        "hub.verdict",
        "hub.__version__",
        "bots",
        "spoke_role.current",
        "spoke_role.tags",
    ),
}
# Edges put everything together; nothing inside may import them.
EDGES = (
    "hub.handler",
    "hub.cli",
    "hub.app",
    "hub.work",
    "hub.sweep",
    "hub.intake",
    "hub.demo",
    "hub.doctor",
    "hub.dashboard",
    "hub.__main__",
    "hub.ingest",
)
CLOUD = ("botocore", "boto3", "aiobotocore", "aioboto3")
MAY_CLOUD = ("hub.aws", "hub.demo", "deploy")


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    def __str__(self) -> str:
        return self.name

    def imports(self) -> Iterator[str]:
        """Every imported module, wherever in the file; ``from a import b`` gives both a and a.b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: relative imports hide where things come from"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


EVERY = pytest.mark.parametrize("module", modules(), ids=str)


def test_the_walk_sees_the_product() -> None:
    names = {module.name for module in modules()}
    assert {"hub", "hub.flow", "hub.aws.clients", "bots._bot", "spoke_role", "deploy"} <= names


@EVERY
def test_imports_point_one_way(module: Module) -> None:
    package = max((known for known in MAY_IMPORT if inside(module.name, known)), key=len, default=None)
    if package is None:
        assert inside(module.name, *EDGES) or module.name == "hub", f"{module.name} has no place in the rule"
        return
    ours = [name for name in module.imports() if inside(name, *PRODUCT)]
    if inside(module.name, "bots"):
        assert [name for name in module.imports() if inside(name, "hub", *CLOUD)] == []
    wrong = [name for name in ours if not inside(name, *MAY_IMPORT[package])]
    assert wrong == [], f"{module.name} may import only {MAY_IMPORT[package]}"


@EVERY
def test_only_the_aws_folder_makes_clients(module: Module) -> None:
    if not inside(module.name, *MAY_CLOUD):
        known = [name for name in module.imports() if inside(name, *CLOUD)]
        # Its errors are caught where a call is made; clients and sessions come from hub.aws alone.
        assert [name for name in known if not inside(name, "botocore.exceptions")] == []


@EVERY
def test_bots_import_only_the_contract_and_shared_helpers_of_their_folder(module: Module) -> None:
    if inside(module.name, "bots"):
        ours = [name for name in module.imports() if inside(name, "bots")]
        assert [name for name in ours if not re.match(r"bots\._", name)] == []


@EVERY
def test_only_settings_reads_the_environment(module: Module) -> None:
    if module.name == "hub.settings":
        return
    touched = [
        f"line {node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv"), ("os", "putenv")}
    ]
    imported = [name for name in module.imports() if re.fullmatch(r"os\.(environ|getenv|putenv)", name)]
    assert touched + imported == []


@EVERY
def test_files_stay_short(module: Module) -> None:
    lines = len(module.path.read_text(encoding="utf-8").splitlines())
    if module.name in LONGER:
        assert MAX_LINES < lines <= 400, f"{module.name} is listed as longer than the rest"
    else:
        assert lines <= MAX_LINES, f"{module.path.relative_to(ROOT)} answers for too much"


@EVERY
def test_no_file_is_called_after_nothing(module: Module) -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}
    assert module.path.stem.strip("_") not in nothing


def test_a_bots_file_stays_on_one_screen_and_a_half() -> None:
    bots = list((ROOT / "bots").glob("[a-z]*.py"))
    assert bots
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in bots}
    assert {name: n for name, n in lines.items() if n > 150} == {}
    assert median(lines.values()) <= 90, "what a bot's file need not say belongs into a module of its family"

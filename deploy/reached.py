"""What a module of the project reaches by imports: our own files, other people's packages, AWS services.

Imports are read, not run, so those inside functions count as well; only what is imported for types is not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from deploy.locked import LockWrong, normal

OURS = ("hub", "bots", "spoke_role", "deploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a program is made of.

    Attributes:
        files: our own, as paths from the root of the checkout.
        packages: others', by the normal names of their distributions.
        words: every text constant in our files; whoever names an AWS service does it in one of them.
    """

    files: tuple[Path, ...]
    packages: frozenset[str]
    words: frozenset[str]


def reached(root: Path, entries: Iterable[str], *, besides: Iterable[Path] = ()) -> Reached:
    """What the modules ``entries`` of the checkout at ``root`` reach.

    Args:
        besides: files from elsewhere that come along; what they import and say counts, they themselves do not.

    Raises:
        LockWrong: they import a package that is not installed here, so nobody knows what it is called.
    """
    todo = [part for entry in entries for part in _with_parents(entry)]
    files: dict[str, Path] = {}
    foreign: set[str] = set()
    words: set[str] = set()

    def read(path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        words.update(text for text in texts if isinstance(text, str))
        for imported in _imports(tree):
            if imported.split(".")[0] in OURS:
                todo.extend(_with_parents(imported))
            else:
                foreign.add(imported.split(".")[0])

    for path in besides:
        read(path)
    while todo:
        name = todo.pop()
        if name not in files and (found := _file(root, name)) is not None:
            files[name] = found.relative_to(root)
            read(found)
    return Reached(
        files=tuple(sorted(files.values())),
        packages=frozenset(_distributions(foreign - sys.stdlib_module_names)),
        words=frozenset(words),
    )


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]


def _file(root: Path, name: str) -> Path | None:
    """The file of a module; None for a name inside a module, which ``from a import b`` may mean as well."""
    path = root.joinpath(*name.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((each for each in candidates if each.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from _imports(ast.Module(node.orelse, []))
        else:
            yield from _imports(node)


def _distributions(modules: Iterable[str]) -> Iterator[str]:
    installed = packages_distributions()
    for module in modules:
        if module not in installed:
            raise LockWrong(f"package {module} is imported but not installed; run `make setup`")
        yield from map(normal, installed[module])

"""Which part of the lock runs the hub: against what the installed packages say they require."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy import locked
from deploy.locked import LOCK, ROOT, Lock, LockWrong, Pinned, building, normal, read, runtime, text

HASH = f"sha256:{'a' * 64}"


def test_what_runs_the_hub_is_complete_by_the_packages_own_words() -> None:
    """The lock's remarks are what is trusted; here they are compared with the metadata of each package."""
    needed = {package.name for package in read(ROOT / LOCK).needed(runtime(ROOT))}
    assert needed >= set(runtime(ROOT)) >= {"aiobotocore", "pydantic", "typer"}
    for name in needed:
        asked = [Requirement(line) for line in requires(name) or ()]
        due = {normal(each.name) for each in asked if not each.marker or each.marker.evaluate({"extra": ""})}
        assert due <= needed, name
    assert needed & {"moto", "pytest", "pip", "setuptools", "werkzeug"} == set()


def test_what_builds_the_hub_is_in_the_lock() -> None:
    assert [package.name for package in read(ROOT / LOCK).needed(building(ROOT))] == ["setuptools"]


def test_a_part_of_the_lock_is_a_lock_again(tmp_path: Path) -> None:
    whole = read(ROOT / LOCK)
    part = tmp_path / LOCK
    part.write_text(text(whole.packages.values()), encoding="utf-8")
    again = read(part).packages
    assert {name: (each.version, each.hashes) for name, each in again.items()} == {
        name: (each.version, each.hashes) for name, each in whole.packages.items()
    }


def test_every_package_of_the_lock_is_seen() -> None:
    lines = (ROOT / LOCK).read_text(encoding="utf-8").splitlines()
    pins = [line.split("==")[0].partition("[")[0] for line in lines if line[:1].isalnum() and "==" in line]
    found = read(ROOT / LOCK).packages
    assert sorted(map(normal, pins)) == sorted(found)
    assert sum(len(each.hashes) for each in found.values()) == sum("--hash=" in line for line in lines)


def pinned(name: str, *via: str, marker: str = "", hashes: tuple[str, ...] = (HASH,)) -> Pinned:
    return Pinned(name=name, version="1", marker=marker, hashes=hashes, via=frozenset(via))


def lock(*packages: Pinned) -> Lock:
    return Lock({each.name: each for each in packages})


def test_what_needs_each_other_ends() -> None:
    found = lock(pinned("a", "b"), pinned("b", "a"), pinned("c", "b"), pinned("d")).needed(["A"])
    assert [each.name for each in found] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("package", "why"),
    [
        (pinned("a", marker="sys_platform == 'win32'"), "only where sys_platform"),
        (pinned("a", hashes=()), "without a hash"),
        (pinned("b"), "does not pin a"),
    ],
)
def test_what_cannot_be_installed_everywhere_alike_is_refused(package: Pinned, why: str) -> None:
    with pytest.raises(LockWrong, match=why):
        lock(package).needed(["a"])


def test_markers_hashes_and_extras_are_read(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    path.write_text(
        "# by pip-compile\n"
        f"One_Two[extra]==1.5 ; python_version < '3.12' \\\n    --hash={HASH} \\\n    --hash={HASH}\n"
        "    # via\n    #   Three.Four\n    #   project (pyproject.toml)\n\n"
        "# about what follows\n"
        f"three.four==2 \\\n    --hash={HASH}\n    # via project (pyproject.toml)\n",
        encoding="utf-8",
    )
    one, three = read(path).packages.values()
    assert one == Pinned(
        name="one-two",
        version="1.5",
        marker="python_version < '3.12'",
        hashes=(HASH, HASH),
        via=frozenset({"three-four", "project"}),
    )
    assert (three.name, three.marker, three.via) == ("three-four", "", frozenset({"project"}))


def test_the_command_prints_a_part_or_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert locked.main(["building"]) == 0
    assert capsys.readouterr().out.startswith("setuptools==")
    assert locked.main([]) == 2
    assert "runtime, building" in capsys.readouterr().err

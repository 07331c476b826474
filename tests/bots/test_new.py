"""``make bot``: a bot and its test that fail until they are filled in."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bots._bot import NoParams, Target
from bots._new import ROOT, main


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "bots").mkdir()
    (tmp_path / "tests" / "bots").mkdir(parents=True)
    return tmp_path


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_started_bot_has_the_shape_of_one_and_none_of_its_parts_work_yet(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lambda_paint_blue"], root=project) == 0
    assert "-k lambda_paint_blue" in capsys.readouterr().out
    bot = loaded(project / "bots" / "lambda_paint_blue.py").bot
    assert bot.name == "lambda_paint_blue"
    target = Target(
        account_id="222233334444", region="us-east-1", partition="aws", type=bot.acts_on, id="blue"
    )
    nothing: Any = None
    for part in (
        bot.run_check(nothing, target, NoParams()),
        bot.run_fix(nothing, target, NoParams(), bot.before()),
        bot.run_undo(nothing, target, bot.before()),
    ):
        with pytest.raises(NotImplementedError):
            await part
    [scene] = loaded(project / "tests" / "bots" / "test_lambda_paint_blue.py").scenes()
    for act in (scene.plant, scene.missing, lambda admin: scene.observe(admin, nothing)):
        with pytest.raises(NotImplementedError):
            act(nothing)


def test_what_is_started_is_clean_so_that_only_its_emptiness_fails(project: Path) -> None:
    assert main(["lambda_paint_blue"], root=project) == 0
    for words in (["check"], ["format", "--check"]):
        command = [
            sys.executable,
            "-m",
            "ruff",
            *words,
            "--no-cache",
            "--config",
            str(ROOT / "pyproject.toml"),
        ]
        found = subprocess.run([*command, str(project)], capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    "name", ["Versioning", "s3", "s3-versioning", "s3_", "../etc_passwd", "a_" + "b" * 70]
)
def test_what_is_no_name_is_refused(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name], root=project) == 2
    assert "no name for a bot" in capsys.readouterr().err
    assert list((project / "bots").iterdir()) == []


def test_a_taken_name_is_refused_and_nothing_is_overwritten(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["s3_enable_versioning"], root=project) == 2
    assert "is taken" in capsys.readouterr().err
    mine = project / "tests" / "bots" / "test_lambda_paint_blue.py"
    mine.write_text("mine", encoding="utf-8")
    assert main(["lambda_paint_blue"], root=project) == 2
    assert mine.read_text(encoding="utf-8") == "mine"
    assert list((project / "bots").iterdir()) == []

"""Generated files: written where they belong, and seen when they are out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from bots._bot import Risk
from bots._catalogue import bot_named, names
from spoke_role.current import VERSION
from spoke_role.generate import main
from spoke_role.guard_reads import GUARD_ACTIONS
from spoke_role.policy import select
from tests.spoke_role.reading import ROOT, lint, parsed

README = "# Hub\n\n<!-- generated:settings -->\nold\n<!-- /generated -->\n\nMore.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder where everything has been generated."""
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    assert main([], root=tmp_path) == 0
    return tmp_path


def test_what_was_just_written_is_up_to_date(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["--check"], root=project) == 0
    assert capsys.readouterr().out == ""


def test_this_projects_own_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], root=ROOT) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    ["spoke_role/role.yaml", "spoke_role/current.py", "bots/README.md", "docs/settings.md", "README.md"],
)
def test_a_changed_file_is_named_with_the_difference_and_left_as_it_is(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / name
    changed = (
        path.read_text(encoding="utf-8").replace("HUB_DRY_RUN", "HUB_DRYRUN").replace("iam:", "iam::", 1)
    )
    changed = changed.replace("# The bots", "# Bots").replace("VERSION =", "VERSION: str =")
    path.write_text(changed, encoding="utf-8")
    assert main(["--check"], root=project) == 1
    told = capsys.readouterr().out
    assert f"--- {name}" in told
    assert "spoke_role.generate" in told
    assert path.read_text(encoding="utf-8") == changed


def test_the_hub_knows_the_version_of_the_role_that_is_in_the_repository() -> None:
    assert parsed((ROOT / "spoke_role/role.yaml").read_text(encoding="utf-8"))["Outputs"][
        "PermissionsVersion"
    ]["Value"] == (VERSION)


def test_a_missing_file_is_out_of_date(project: Path) -> None:
    (project / "bots/README.md").unlink()
    assert main(["--check"], root=project) == 1


def test_a_long_difference_is_cut(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "spoke_role/role.yaml").write_text("", encoding="utf-8")
    capsys.readouterr()
    main(["--check"], root=project)
    told = capsys.readouterr().out
    assert "lines more" in told
    assert len(told.splitlines()) < 30


def test_only_the_marked_part_of_the_readme_is_rewritten(project: Path) -> None:
    page = (project / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# Hub\n\n<!-- generated:settings -->\n| Variable |")
    assert page.endswith("\n<!-- /generated -->\n\nMore.\n")
    assert "old" not in page.split("<!-- /generated -->")[0].splitlines()


def test_a_project_without_readme_gets_none(tmp_path: Path) -> None:
    assert main([], root=tmp_path) == 0
    assert not (tmp_path / "README.md").exists()


def test_a_role_for_mild_bots_only_is_written_where_asked(tmp_path: Path) -> None:
    output = tmp_path / "mild.yaml"
    assert main(["--max-risk", "additive", "--output", str(output)], root=tmp_path) == 0
    found = parsed(output.read_text(encoding="utf-8"))
    statements = [
        statement
        for name, resource in found["Resources"].items()
        if name.startswith("Permissions")
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if "Sid" not in statement
    ]
    allowed = {action for statement in statements for action in statement["Action"]}
    bots = select(max_risk=Risk.ADDITIVE)
    assert allowed == {*GUARD_ACTIONS, *(action for bot in bots for action in bot.actions)}
    assert lint(output) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mild.yaml"]


def test_a_role_for_named_bots_holds_these(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "two.yaml"
    two = ",".join(names()[:2])
    assert main(["--bots", two, "--output", str(output)], root=tmp_path) == 0
    assert "2 bots" in capsys.readouterr().out


def test_an_unknown_bot_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "none.yaml"
    assert main(["--bots", "s3_enable_versionin", "--output", str(output)], root=tmp_path) == 2
    assert "s3_enable_versioning" in capsys.readouterr().out
    assert not output.exists()


def test_a_choice_that_leaves_no_bot_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "none.yaml"
    asked = ["--bots", "ec2_stop_instance", "--max-risk", "additive", "--output", str(output)]
    assert main(asked, root=tmp_path) == 2
    assert not output.exists()


def test_choosing_bots_without_saying_where_to_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--max-risk", "additive"], root=tmp_path)
    assert stopped.value.code == 2
    assert "--output" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


OWN = """
from bots._bot import Before, Bot, NoParams, Risk, Undo, entity

bot = Bot(
    name="paint_blue", acts_on="AWS::S3::Bucket", target=entity("id"), params=NoParams, before=Before,
    reads=("s3:GetBucketTagging",), writes=("s3:PutBucketTagging",), risk=Risk.ADDITIVE,
    undo=Undo.none("paint stays"), optional=True,
)

@bot.check
async def check(aws, target, params): ...

@bot.fix
async def fix(aws, target, params, before): ...
"""


def test_a_role_is_written_for_bots_of_ones_own_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "own", tmp_path / "role.yaml"
    folder.mkdir()
    (folder / "paint_blue.py").write_text(OWN, encoding="utf-8")
    old = "actions = ('iam:CreateGroup',)\ndef run_action(boto_session, rule, entity, params): ...\n"
    (folder / "make_group.py").write_text(old, encoding="utf-8")
    asked = ["--own-bots", str(folder), "--output", str(output)]
    assert main([*asked, "--bots", "paint_blue,make_group,s3_enable_versioning"]) == 0
    text = output.read_text(encoding="utf-8")
    for action in ("s3:PutBucketTagging", "iam:CreateGroup", "s3:PutBucketVersioning"):
        assert action in text
    assert "kms:EnableKeyRotation" not in text
    assert main([*asked, "--bots", "make_group"]) == 0
    assert "s3:PutBucketTagging" not in output.read_text(encoding="utf-8")
    (folder / "torn.py").write_text("def broken(:", encoding="utf-8")
    capsys.readouterr()
    assert main([*asked, "--bots", "torn"]) == 2
    assert "your bot torn cannot be loaded" in capsys.readouterr().out


def test_a_folder_of_bots_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--own-bots", str(tmp_path / "none"), "--output", str(tmp_path / "role.yaml")])
    with pytest.raises(SystemExit):
        main(["--own-bots", str(tmp_path)])


def test_optional_bots_are_in_a_role_only_when_named(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = bot_named("s3_enable_versioning")
    monkeypatch.setattr(bot, "optional", True)
    assert bot not in select()
    assert bot in select([bot.name])

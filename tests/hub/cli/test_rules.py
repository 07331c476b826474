"""``hub rules``: exit status, every mistake with its line, and JSON for CI and editors."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots._catalogue import names
from hub.cli import app, main
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws, allow
from tests.hub.rules.test_reading import GOOD

runner = CliRunner()


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_good_file_is_told_in_a_line_with_remarks_and_status_0(folder: Path) -> None:
    (folder / "rules.yaml").write_text(GOOD)
    result = runner.invoke(app, ["rules", "check", "rules.yaml"])
    assert result.exit_code == 0
    assert "3 rules, no guards, trust_finding_actions: listed (rules.yaml line 2)" in result.stdout
    assert "note: rules.yaml asks for OUs of accounts, first in line 4" in result.stdout


def test_guards_are_counted_and_their_remarks_told(folder: Path) -> None:
    (folder / "rules.yaml").write_text(
        "version: 1\nguards:\n"
        "  mode: [{comment: first look, mode: dry run}]\n"
        "  exemptions: [{comment: was migrated, until: 2020-01-01, entity: {id: data}}]\n"
    )
    result = runner.invoke(app, ["rules", "check", "rules.yaml"])
    assert result.exit_code == 0
    assert "rules.yaml: 0 rules, guards: 1 mode, 1 exemptions, trust" in result.stdout
    assert "note: exemption (rules.yaml line 4) ended on 2020-01-01" in result.stdout
    told = json.loads(runner.invoke(app, ["rules", "check", "rules.yaml", "--json"]).stdout)
    assert told["guards"] == {"mode": [3], "exemptions": [4]}
    assert "ended on 2020-01-01" in told["remarks"][0]


def test_every_mistake_is_told_with_status_2(folder: Path) -> None:
    (folder / "rules.yaml").write_text(GOOD.replace("version: 1", "version: 2").replace("refuse", "refuze"))
    result = runner.invoke(app, ["rules", "check", "rules.yaml"])
    assert result.exit_code == 2
    assert "rules.yaml:1: version '2' is not known; write 'version: 1'" in result.stderr
    assert (
        "rules.yaml:23: action of rule 'hands off' cannot be 'refuze'; did you mean 'refuse'?"
        in result.stderr
    )


def test_json_tells_the_rules_or_the_mistakes(folder: Path) -> None:
    (folder / "good.yaml").write_text(GOOD)
    (folder / "bad.yaml").write_text("verson: 1\n")
    good = runner.invoke(app, ["rules", "check", "good.yaml", "--json"])
    bad = runner.invoke(app, ["rules", "check", "bad.yaml", "--json"])
    assert (good.exit_code, bad.exit_code) == (0, 2)
    told = json.loads(good.stdout)
    assert told["ok"]
    assert told["rules"][2] == {"name": "hands off", "line": 21, "action": "refuse"}
    told = json.loads(bad.stdout)
    assert not told["ok"]
    assert told["mistakes"][0] == {
        "line": 1, "wrong": "the file has no key 'verson'", "meant": "did you mean 'version'?",
    }  # fmt: skip


def test_a_file_that_is_not_there_is_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["hub", "rules", "check", "nowhere.yaml"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "the rules file nowhere.yaml could not be read" in capsys.readouterr().err


def test_rules_in_s3_and_in_a_parameter_are_checked_as_they_lie_there(
    aws: FakeAws, hub_environment: FakeAws
) -> None:
    admin, name = aws.admin(HUB_ACCOUNT), f"rules-{secrets.token_hex(6)}"
    aws.hub_credentials(allow("s3:GetObject", resource=f"arn:aws:s3:::{name}/*"), allow("ssm:GetParameter"))
    admin.client("s3").create_bucket(Bucket=name)
    admin.client("s3").put_object(Bucket=name, Key="rules.yaml", Body=GOOD)
    admin.client("ssm").put_parameter(Name=f"/{name}", Type="String", Value="verson: 1\n")
    good = runner.invoke(app, ["rules", "check", f"s3://{name}/rules.yaml"])
    bad = runner.invoke(app, ["rules", "check", f"ssm:/{name}"])
    assert (good.exit_code, bad.exit_code) == (0, 2)
    assert f"3 rules, no guards, trust_finding_actions: listed (s3://{name}/rules.yaml line 2)" in good.stdout
    assert f"ssm:/{name}:1: the file has no key 'verson'; did you mean 'version'?" in bad.stderr


def test_the_schema_names_every_bot() -> None:
    result = runner.invoke(app, ["rules", "schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"]
    assert all(f'"{name}"' in result.stdout for name in names())

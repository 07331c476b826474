"""The page of parameters tells of everything there is to tell of, and the command notices when it does not."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from deploy import pages
from tests.deploy.hub_template import hub
from tests.spoke_role.reading import ROOT, parsed

PAGE = pages.page(ROOT)


@pytest.mark.parametrize("path", [path for path, _ in pages.STACKS])
def test_every_parameter_and_output_of_every_template_is_told(path: str) -> None:
    template = parsed((ROOT / path).read_text(encoding="utf-8"))
    section = PAGE.partition(f"`{path}`")[2].partition("\n## ")[0]
    parameters, outputs = (
        {line.split("`")[1]: line for line in part.splitlines() if line.startswith("| `")}
        for part in section.split("### Outputs")
    )
    assert outputs.keys() == template["Outputs"].keys()
    assert parameters.keys() == template["Parameters"].keys()
    for name, declared in template["Parameters"].items():
        assert declared["Description"].replace("|", "\\|") in parameters[name]
        assert str(declared.get("Default", "has to be given")) in parameters[name]


def test_combinations_that_are_refused_are_told() -> None:
    for rule in hub().template["Rules"].values():
        assert all(f"* {each['AssertDescription']}\n" in PAGE for each in rule["Assertions"])


def test_the_policy_shown_for_a_key_is_the_one_the_stack_would_give_its_own() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    stack = hub(
        Encryption="own-key",
        PublisherAccounts="222233334444",
        PublisherPrincipals="arn:aws:iam::333344445555:role/scanner",
    )
    assert json.loads(shown.replace("REGION", stack.region)) == stack.properties("Key")["KeyPolicy"]


def test_a_page_that_is_out_of_date_is_noticed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, _ in pages.STACKS:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    assert pages.main(["--check"], root=tmp_path) == 1
    assert "out of date" in capsys.readouterr().out
    assert pages.main([], root=tmp_path) == 0
    assert pages.main(["--check"], root=tmp_path) == 0


def test_the_committed_page_is_up_to_date() -> None:
    assert pages.main(["--check"]) == 0

"""What a former hub has left goes on in a new one's stack."""

from __future__ import annotations

import json

from deploy.adoption import DEAD_LETTERS, JOURNAL, import_template
from deploy.template import hub_template, parse

HUB = parse(hub_template())


def test_an_import_says_nothing_of_what_is_not_there_yet() -> None:
    cut = json.loads(import_template(HUB, [JOURNAL, DEAD_LETTERS]))
    assert set(cut["Resources"]) == {JOURNAL, DEAD_LETTERS}
    assert "Outputs" not in cut
    text = json.dumps(cut["Resources"])
    for name in set(HUB["Resources"]) - {JOURNAL, DEAD_LETTERS}:
        assert f'"Ref": "{name}"' not in text
        assert f'"Fn::GetAtt": ["{name}"' not in text
        assert f"${{{name}}}" not in text


def test_what_an_import_says_is_what_the_template_says() -> None:
    journal = json.loads(import_template(HUB, [JOURNAL]))["Resources"][JOURNAL]
    whole = HUB["Resources"][JOURNAL]
    assert journal["DeletionPolicy"] == "Retain"
    assert set(whole["Properties"]) - set(journal["Properties"]) == {"SSESpecification"}
    for name, value in journal["Properties"].items():
        assert value == whole["Properties"][name]

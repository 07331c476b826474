"""The pages tell of everything there is to tell of."""

from __future__ import annotations

import pytest

from bots._bot import AnyBot
from hub.model import Outcome
from hub.settings import Settings, variables
from spoke_role import pages
from spoke_role.guard_reads import GUARD_ACTIONS
from spoke_role.policy import select


@pytest.mark.parametrize("bot", [pytest.param(bot, id=bot.name) for bot in select()])
def test_a_bot_is_told_in_full(bot: AnyBot) -> None:
    page = pages.bots_page(select())
    glance, _, rest = page.partition(f"\n## {bot.name}\n")
    section = rest.partition("\n## ")[0]
    row = next(line for line in glance.splitlines() if f"[`{bot.name}`]" in line)
    assert [cell.strip() for cell in row.split("|")][4:6] == [str(bot.risk), bot.undo.degree]
    assert bot.acts_on in row
    assert all(example in section for example in bot.examples)
    assert bot.undo.why in section
    for action in bot.actions:
        assert f"`{action}`" in section
    for parameter in bot.params.model_fields:
        assert f"| `{parameter}` |" in section


def test_what_guards_read_besides_is_told_before_the_bots() -> None:
    before = pages.bots_page(select()).partition("| Bot |")[0]
    assert all(f"`{action}`" in before for action in GUARD_ACTIONS)


def test_every_setting_is_told_with_all_its_names_and_its_default() -> None:
    rows = {line.split("`")[1]: line for line in pages.settings_table().splitlines()[2:]}
    assert len(rows) == len(Settings.model_fields)
    for called, field in Settings.model_fields.items():
        name, *others = variables(called)
        assert str(field.description).split("|")[0] in rows[name]
        assert all(f"`{other}`" in rows[name] for other in others)
    assert "| `false` |" in rows["HUB_DRY_RUN"]
    assert "| `Dome9CloudBots` |" in rows["HUB_ROLE_NAME"]


def test_every_outcome_is_told_with_its_status() -> None:
    lines = pages.outcomes_table().splitlines()[2:]
    assert [line.split("`")[1] for line in lines] == [str(outcome) for outcome in Outcome]
    assert [line.split("`")[3] for line in lines] == [outcome.status for outcome in Outcome]


def test_the_settings_page_is_made_of_the_same_tables() -> None:
    assert pages.settings_table() in pages.settings_page()
    assert pages.outcomes_table() in pages.settings_page()


PAGE = "a\n<!-- generated:x -->\nold\n<!-- /generated -->\nb <!-- generated:y -->\n<!-- /generated --> c"


def test_a_section_is_replaced_and_all_around_it_stays() -> None:
    found = pages.with_section(PAGE, "x", "\nnew\n")
    assert found == PAGE.replace("old", "new")
    assert pages.with_section(found, "x", "new") == found


def test_a_page_without_the_section_stays_as_it_is() -> None:
    assert pages.with_section(PAGE, "z", "new") == PAGE


@pytest.mark.parametrize("page", ["<!-- generated:x --> open", PAGE.replace("<!-- /generated -->", "", 1)])
def test_a_section_that_does_not_end_is_an_error_not_a_lost_page(page: str) -> None:
    with pytest.raises(ValueError, match="generated:x"):
        pages.with_section(page, "x", "new")

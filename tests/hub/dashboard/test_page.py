"""The page about a set of reports."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dashboard.page import render
from hub.flow.report import document, shortened
from hub.model import Outcome
from tests.hub.sample_reports import a_report, a_run

NOW = datetime(2026, 11, 24, 8, 20, tzinfo=UTC)
VOID = {"meta", "input", "col", "br", "link", "img"}
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg onload=alert(1)>"
Attributes = dict[str, str | None]


@dataclass(slots=True)
class Element:
    tag: str
    attributes: Attributes
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> list[Element]:
        """Descendants of that tag whose attributes have these values, in the page's order."""
        found: list[Element] = []
        for child in self.children:
            if child.tag == tag and wanted.items() <= child.attributes.items():
                found.append(child)
            found += child.all(tag, **wanted)
        return found

    @property
    def words(self) -> str:
        """All text inside, in order, blanks collapsed."""
        return " ".join(self.text.split())


class Reader(HTMLParser):
    """Reads a page as a browser would and complains about tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(page)
        self.close()
        assert self.open == [self.root], f"left open: {self.open[-1].tag}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += f"{data} "


def page(*reports: Any, title: str = "Reports") -> Element:
    return Reader(render([document(report) for report in reports], title=title, made_at=NOW)).root


def entries(root: Element) -> list[Element]:
    [table] = root.all("table", **{"class": "list"})
    return [child for child in table.children if child.tag == "tbody"]


def figures(root: Element) -> dict[str, str]:
    return {
        div.all("dt")[0].words: " / ".join(dd.words for dd in div.all("dd"))
        for div in root.all("dl", **{"class": "figures"})[0].children
    }


def bars(root: Element, heading: str) -> list[str]:
    [section] = root.all("section", **{"aria-labelledby": heading})
    return [str(svg.attributes["aria-label"]) for svg in section.all("svg")]


def test_every_entry_is_a_row_with_what_was_done_where_and_how_it_ended() -> None:
    [entry] = entries(page(a_report(a_run(args=("scope=0.0.0.0/0",)))))
    assert [cell.words for cell in entry.all("td", role="cell")][:6] == [
        "fixed passed",
        "222233334444 workload-dev",
        "my-bucket AWS::S3::Bucket · eu-west-1",
        "s3_enable_versioning scope=0.0.0.0/0",
        "versioning of bucket my-bucket is Off; changed, and read again: it is Enabled",
        "1.25 s",
    ]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_row_and_a_bar(outcome: Outcome) -> None:
    root = page(a_report(a_run(outcome=outcome)))
    [entry] = entries(root)
    assert entry.attributes["data-status"] == outcome.status
    assert entry.all("span", **{"class": "badge"})[0].words == outcome.value
    assert bars(root, "outcomes") == [f"{outcome.value}: 1 {outcome.status}"]


def test_what_needs_somebody_comes_first() -> None:
    runs = [a_run(n, outcome=outcome) for n, outcome in enumerate(Outcome)]
    statuses = [entry.attributes["data-status"] for entry in entries(page(a_report(*runs)))]
    assert list(dict.fromkeys(statuses)) == ["failed", "skipped", "pending", "dry run", "passed"]


def test_the_state_before_and_after_is_shown_value_by_value() -> None:
    run = a_run(
        before={"status": "Off", "mfa": False, "tags": {"a": "1"}, "rules": [{"port": 22}, {"port": 443}]},
        after={"status": "Enabled", "mfa": False, "tags": {}, "rules": [{"port": 443}], "new": None},
    )
    [table] = page(a_report(run)).all("table", **{"class": "facts"})
    rows = {row.all("th")[0].words: row for row in table.all("tbody")[0].all("tr")}
    shown = {path: [cell.words for cell in row.all("td")] for path, row in rows.items()}
    assert shown == {
        "status": ["Off", "Enabled"],
        "mfa": ["false", "false"],
        "tags.a": ["1", ""],
        "rules": ['{"port": 22} {"port": 443}', '{"port": 443}'],
        "new": ["", ""],
    }
    changed = {path for path, row in rows.items() if row.attributes.get("class") == "differs"}
    assert changed == {"status", "tags.a", "rules"}


def test_without_a_second_look_nothing_is_said_about_after() -> None:
    run = a_run(outcome=Outcome.WOULD_FIX, changed=False, before={"tags": {}}, after=None)
    [table] = page(a_report(run)).all("table", **{"class": "facts"})
    assert [cell.words for cell in table.all("th")] == ["Read from AWS", "Before", "tags"]
    assert [cell.words for cell in table.all("td")] == ["{}"]


def test_the_command_that_undoes_a_change_is_shown_until_it_was_undone() -> None:
    fixed = a_report(a_run(1, undo="exact"))
    command = "hub undo 00000000000000000001"
    assert [code.words for code in page(fixed).all("code")] == [command]
    back = a_report(a_run(2, outcome=Outcome.RESTORED, undo_of="00000000000000000001", undo="none"))
    root = page(fixed, back)
    assert root.all("code") == []
    assert "Undone by run 00000000000000000002" in root.words
    assert figures(root)["fixed and proven"] == "1 / 1 of them undone since"
    assert figures(root)["can be undone"].startswith("0 /")
    refused = a_report(a_run(2, outcome=Outcome.REFUSED, undo_of="00000000000000000001", undo="none"))
    assert [code.words for code in page(fixed, refused).all("code")] == [command]


def test_the_headline_counts_what_matters() -> None:
    outcomes = [
        Outcome.FIXED,
        Outcome.FIXED,
        Outcome.COMPLIANT,
        Outcome.DENIED,
        Outcome.WAITING,
        Outcome.GONE,
    ]
    runs = [
        a_run(
            n,
            outcome=outcome,
            changed=outcome is Outcome.FIXED,
            closed_at=a_run().opened_at + timedelta(seconds=n),
        )
        for n, outcome in enumerate(outcomes)
    ]
    assert figures(page(a_report(*runs[:4]), a_report(*runs[4:], account_id="333344445555"))) == {
        "fixed and proven": "2 / by a second read",
        "right already": "1 / nothing was changed",
        "need a person": "2 / 1 denied, 1 waiting",
        "can be undone": "2 / prior state is kept",
        "accounts": "2 / 2 reports",
        "median run": "2.5 s / 5.0 s the longest",
    }


def test_accounts_and_bots_have_stacked_bars_the_worst_first() -> None:
    root = page(
        a_report(a_run(1), a_run(2), a_run(3, outcome=Outcome.GONE)),
        a_report(
            a_run(4), a_run(5, outcome=Outcome.DENIED, bot="kms_enable_rotation"), account_id="333344445555"
        ),
    )
    assert bars(root, "accounts") == ["333344445555: 1 passed, 1 failed", "222233334444: 2 passed, 1 skipped"]
    assert bars(root, "bots") == [
        "kms_enable_rotation: 1 failed",
        "s3_enable_versioning: 3 passed, 1 skipped",
    ]
    second = root.all("section", **{"aria-labelledby": "accounts"})[0].all("svg")[1]
    assert [(rect.attributes["x"], rect.attributes["width"]) for rect in second.all("rect")] == [
        ("0.000", "66.267"),
        ("66.667", "33.333"),
    ]


def test_accounts_that_have_no_room_are_put_together() -> None:
    reports = [a_report(a_run(n), account_id=f"4000{n:08d}") for n in range(200)]
    shown = bars(page(*reports), "accounts")
    assert len(shown) == 25
    assert shown[-1] == "176 more: 176 passed"


def test_a_message_that_failed_as_a_whole_has_a_row_of_its_own() -> None:
    [entry] = entries(page(a_report(error="the message is not JSON")))
    assert "invalid" in entry.words
    assert "the message is not JSON" in entry.words


def test_entries_that_were_too_many_for_their_report_are_counted() -> None:
    long = document(a_report(*(a_run(n) for n in range(100))))
    root = Reader(render([shortened(long, 8000)], title="x", made_at=NOW)).root
    left_out = shortened(long, 8000)["Entries left out"]
    assert f"{left_out} more entries were too many for their reports" in root.words


def test_a_page_about_nothing_is_a_page() -> None:
    root = page()
    assert "No report was given." in root.words
    assert entries(root) == []


def test_nothing_in_a_report_becomes_markup_or_script() -> None:
    run = a_run(
        rule=HOSTILE, entity_id=HOSTILE, entity_name=HOSTILE, bot=HOSTILE, args=(HOSTILE,), message=HOSTILE,
        notes=(HOSTILE,), region=HOSTILE, target_type=HOSTILE, session=HOSTILE, run_id=HOSTILE, undo=HOSTILE,
        before={HOSTILE: HOSTILE}, after={HOSTILE: [HOSTILE]},
    )  # fmt: skip
    hostile = a_report(
        run,
        error=HOSTILE,
        key=HOSTILE,
        account_id=HOSTILE,
        account_name=HOSTILE,
        severity=HOSTILE,
        report_time=HOSTILE,
    )
    told = document(hostile)
    told["Rules violations found"][0] |= {
        "Outcome": HOSTILE,
        "Execution status": HOSTILE,
        "Duration": HOSTILE,
    }
    html = render([told], title=HOSTILE, made_at=NOW)
    root = Reader(html).root
    assert len(root.all("script")) == 1
    assert root.all("img") == []
    elements = [element for tag in set(re.findall(r"<(\w+)", html)) for element in root.all(tag)]
    assert not [name for element in elements for name in element.attributes if name.startswith("on")]
    assert "<script>alert" not in html
    assert HOSTILE in root.all("h1")[0].text


def test_the_page_needs_nothing_from_outside_and_lets_no_other_script_run() -> None:
    html = render([document(a_report(a_run()))], title="x", made_at=NOW)
    root = Reader(html).root
    [policy] = [
        str(meta.attributes["content"])
        for meta in root.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|//[a-z]|url\(|@import|\bsrc=|\bhref=", html)


def test_the_page_can_be_read_without_sight_and_without_script() -> None:
    root = page(a_report(a_run()))
    assert root.all("html")[0].attributes["lang"] == "en"
    headings = root.all("table", **{"class": "list"})[0].children[1].all("th")
    assert [heading.attributes["scope"] for heading in headings] == ["col"] * 6
    for svg in root.all("svg"):
        assert svg.attributes["role"] == "img"
        assert svg.attributes["aria-label"]
    for control in (*root.all("input"), *root.all("select")):
        assert control.attributes["aria-label"]
    # What works with the script only is shown by the script.
    assert "hidden" in root.all("div", **{"class": "tools"})[0].attributes
    identifiers = [e.attributes["id"] for tag in ("h2", "input", "select", "output") for e in root.all(tag)]
    assert len(identifiers) == len(set(identifiers))


def test_the_time_is_shown_in_utc() -> None:
    made_at = datetime(2026, 11, 24, 0, 20, tzinfo=timezone(timedelta(hours=-8)))
    html = render([], title="x", made_at=made_at)
    assert '<time datetime="2026-11-24T08:20:00Z">24 November 2026, 08:20 UTC</time>' in html


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted(document(a_report(a_run()))["Rules violations found"][0])


@given(
    head=st.dictionaries(
        st.sampled_from(["Account id", "Account name", "Entries left out", "Severity"]), json_values
    ),
    found=st.lists(
        st.dictionaries(st.sampled_from([*KEYS, "Undo of"]), json_values) | json_values, max_size=3
    ),
)
def test_a_report_of_another_making_never_breaks_the_page(head: dict[str, Any], found: list[Any]) -> None:
    report = {**head, "Rules violations found": found}
    root = Reader(render([report], title="x", made_at=NOW)).root
    assert len(entries(root)) == sum(isinstance(entry, dict) for entry in found)

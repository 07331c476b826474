"""From what a queue, a topic or a file hands over to messages."""

from __future__ import annotations

import copy
import io
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import FindingUnreadable
from hub.flow.documents import CHUNK
from hub.flow.ingest import from_lambda, from_stream, unwrap
from hub.flow.normalise import normalise
from hub.model import Message
from tests.data.cloudguard import document, text
from tests.hub.messages import finding

SNS_BODY = "00_sns_over_sqs_or_http_body.json"
SNS_EVENT = "00_sns_lambda_envelope.json"
MESSAGE_ID = "95df01b4-ee98-5cb9-9903-4c221d41eb5e"


def in_sns(body: str, message_id: str = MESSAGE_ID) -> str:
    return json.dumps({**document(SNS_BODY), "Message": body, "MessageId": message_id})


def sqs_record(body: str, message_id: str = "record-1") -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:d9-findings",
        "awsRegion": "us-east-1",
    }


def stream(content: str) -> list[Message]:
    return list(from_stream(io.StringIO(content), name="f.json", nonce="n"))


def bodies(content: str) -> list[Any]:
    """The bodies of a file that is whole, parsed."""
    return [json.loads(message.body) for message in stream(content)]


class Pieces(io.StringIO):
    """A stream that hands over at most so many characters at a time, as a pipe does."""

    def __init__(self, content: str, most: int) -> None:
        super().__init__(content)
        self._most = most

    def read(self, size: int | None = -1) -> str:
        return super().read(self._most if size is None or size < 0 else min(size, self._most))


class Endless(io.StringIO):
    """A file that is made while it is read, so that only the reader's memory is measured."""

    def __init__(self, parts: Iterator[str]) -> None:
        super().__init__()
        self._parts = parts
        self._left = ""

    def read(self, size: int | None = -1) -> str:
        assert size is not None
        assert size > 0
        while len(self._left) < size and (part := next(self._parts, None)) is not None:
            self._left += part
        found, self._left = self._left[:size], self._left[size:]
        return found


# Envelopes


def test_a_notification_is_taken_off_and_its_id_kept() -> None:
    message = unwrap(text(SNS_BODY), message_id="sqs", origin="queue q", nonce="n")
    assert json.loads(message.body) == document("01_s3_encryption_and_versioning.json")
    assert (message.message_id, message.origin, message.nonce) == (MESSAGE_ID, "queue q", "n")


def test_raw_delivery_is_left_as_it_is() -> None:
    body = text("01_s3_encryption_and_versioning.json")
    assert unwrap(body, message_id="sqs") == Message(body=body, message_id="sqs")


def test_a_notification_in_a_notification_is_taken_off_too_but_no_deeper() -> None:
    assert unwrap(in_sns(in_sns("finding", "inner"), "outer")) == Message(body="finding", message_id="inner")
    thrice = unwrap(in_sns(in_sns(in_sns("finding"))))
    assert json.loads(thrice.body)["Message"] == "finding"


@pytest.mark.parametrize(
    "body",
    [
        "hello",
        "",
        "{",
        "3",
        '["Notification", "Message"]',
        '{"Type": "Notification", "Message": {"a": 1}, "TopicArn": "t"}',
        '{"Type": "Notification", "Message": "no topic"}',
        '{"Type": "SubscriptionConfirmation", "Message": "Notification", "TopicArn": "t"}',
        '{"Type": "Notification", "Message": "cut off',
        '{"Type": "Notification", "Message":' + "[" * 100_000,
        '{"detail": {"Type": "Notification", "Message": "inside"}}',
    ],
)
def test_anything_else_is_left_as_it_is(body: str) -> None:
    assert unwrap(body, message_id="m").body == body
    assert unwrap(body, message_id="m").message_id == "m"


def test_a_notification_without_an_id_keeps_the_queues() -> None:
    envelope = json.loads(in_sns("finding"))
    del envelope["MessageId"]
    assert unwrap(json.dumps(envelope), message_id="sqs").message_id == "sqs"


def test_every_record_of_a_queue_is_received_in_order() -> None:
    event = {"Records": [sqs_record("raw", "r1"), sqs_record(in_sns("wrapped"), "r2"), sqs_record("", "r3")]}
    received = from_lambda(event)
    assert [record.record_id for record in received] == ["r1", "r2", "r3"]
    assert [record.message.body for record in received] == ["raw", "wrapped", ""]
    assert [record.message.message_id for record in received] == ["r1", MESSAGE_ID, "r3"]
    assert received[0].message.origin == "queue d9-findings message r1"


def test_every_record_of_a_topic_is_received() -> None:
    event = document(SNS_EVENT)
    second = copy.deepcopy(event["Records"][0])
    second["Sns"]["Message"] = "second"
    event["Records"].append(second)
    first, other = from_lambda(event)
    assert json.loads(first.message.body) == document("02_sg_ssh_open.json")
    assert other.message.body == "second"
    assert first.record_id is None
    assert first.message.message_id == MESSAGE_ID
    assert first.message.origin == f"topic d9-findings message {MESSAGE_ID}"


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        "text",
        [],
        {"Records": []},
        {"Records": "x"},
        {"Records": [None]},
        {"Records": [{"eventSource": "aws:s3", "s3": {}}]},
        {"Records": [{"eventSource": "aws:sqs", "messageId": "1"}]},
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": 3}}]},
        {"Records": [{"EventSource": "aws:sns"}]},
        {"detail-type": "Security Hub Findings - Imported", "detail": {}},
    ],
)
def test_any_other_event_is_refused_with_what_was_expected(event: object) -> None:
    with pytest.raises(FindingUnreadable, match=r"SQS.*SNS"):
        from_lambda(event)


# Files

LAYOUTS: dict[str, Callable[[list[Any]], str]] = {
    "one a line": lambda docs: "\n".join(map(json.dumps, docs)) + "\n",
    "one a line, Windows": lambda docs: "\r\n".join(map(json.dumps, docs)),
    "one a line, with empty lines": lambda docs: "\n\n" + "\n \n\n".join(map(json.dumps, docs)),
    "nothing between": lambda docs: "".join(map(json.dumps, docs)),
    "pretty": lambda docs: "\n".join(json.dumps(doc, indent=2) for doc in docs),
    "pretty, not indented": lambda docs: "\n".join(json.dumps(doc, indent=0) for doc in docs),
    "list": json.dumps,
    "pretty list": lambda docs: json.dumps(docs, indent=2),
    "list of lines": lambda docs: "[\n" + ",\n".join(map(json.dumps, docs)) + "\n]\n",
    "list of nothing between": lambda docs: "[" + ",".join(map(json.dumps, docs)) + "]",
    "two lists": lambda docs: json.dumps(docs[:1]) + "\n" + json.dumps(docs[1:]),
    "byte order marks": lambda docs: "".join("\ufeff" + json.dumps(doc) + "\n" for doc in docs),
}
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
)
DOCUMENTS = st.dictionaries(
    st.text(),
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_size=4,
)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@settings(deadline=None, max_examples=50)
@given(docs=st.lists(DOCUMENTS, min_size=1, max_size=5), most=st.integers(1, 40))
def test_any_documents_come_out_once_and_in_order(
    layout: Callable[[list[Any]], str], docs: list[Any], most: int
) -> None:
    content = layout(docs)
    assert bodies(content) == docs
    in_pieces = from_stream(Pieces(content, most), name="f", nonce="")
    assert [json.loads(message.body) for message in in_pieces] == docs


def test_a_message_is_the_documents_own_text_with_its_line() -> None:
    first, second = stream('\n{"a":\n  1.50}\n{"b": 2}')
    assert first == Message(body='{"a":\n  1.50}', origin="f.json line 2", nonce="n")
    assert second == Message(body='{"b": 2}', origin="f.json line 4", nonce="n")


def test_the_samples_in_their_envelopes_are_unwrapped() -> None:
    event, body, plain = stream(text(SNS_EVENT) + "\n" + text(SNS_BODY) + text("02_sg_ssh_open.json"))
    assert json.loads(event.body) == json.loads(plain.body) == document("02_sg_ssh_open.json")
    assert json.loads(body.body) == document("01_s3_encryption_and_versioning.json")
    assert (event.message_id, event.nonce, event.origin) == (MESSAGE_ID, "n", "f.json line 1 record 1")
    assert (body.message_id, body.nonce) == (MESSAGE_ID, "n")


def test_every_record_of_an_event_in_a_file_is_a_message() -> None:
    found = stream(json.dumps({"Records": [sqs_record("one"), sqs_record(in_sns("two"))]}, indent=2))
    assert [message.body for message in found] == ["one", "two"]


def test_an_event_of_another_kind_in_a_file_is_left_for_the_reader_to_refuse() -> None:
    content = json.dumps({"Records": [{"eventSource": "aws:s3"}]})
    assert [message.body for message in stream(content)] == [content]


@pytest.mark.parametrize("content", ["", "   ", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused_by_its_name(content: str) -> None:
    with pytest.raises(FindingUnreadable, match=r"f\.json is empty"):
        stream(content)


def test_an_empty_list_holds_no_findings_and_is_no_mistake() -> None:
    assert stream("[]") == []
    assert stream("[\n]\n") == []


def test_a_file_that_is_not_utf8_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(b'{"a": "\xe9"}')
    with path.open(encoding="utf-8") as opened, pytest.raises(FindingUnreadable, match="not UTF-8"):
        list(from_stream(opened, name="latin.json", nonce=""))


GOOD = '{"good": 1}'
BROKEN = [
    "not json",
    '{"cut": "off',
    '{"cut": ',
    '{"cut": [',
    '{"cut": 1',
    '{"cut": 1,',
    "{'single': 1}",
    '{"word": tru}',
    '{"comma": 1,}',
    '{"tab": "\t"}',
    '{"escape": "\\x"}',
    '": "front cut off"}',
    "}",
    "]",
    "[ERROR] a line of a log",
    "[" * 5000,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_is_one_message_and_the_lines_around_it_come_out(broken: str) -> None:
    before, wrong, after, last = stream(f"{GOOD}\n{broken}\n{GOOD}\n{GOOD}\n")
    assert before.body == after.body == last.body == GOOD
    assert (wrong.body, wrong.origin, wrong.nonce) == (broken, "f.json line 2", "n")
    assert (after.origin, last.origin) == ("f.json line 3", "f.json line 4")


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_at_the_end_is_one_message(broken: str) -> None:
    before, wrong = stream(f"{GOOD}\n{broken}")
    assert (before.body, wrong.body) == (GOOD, broken)


@pytest.mark.parametrize("broken", [line for line in BROKEN if line != "]"])
def test_a_broken_line_in_a_list_of_lines_is_one_message(broken: str) -> None:
    before, wrong, after = stream(f"[\n{GOOD},\n{broken},\n{GOOD}\n]\n")
    assert before.body == after.body == GOOD
    assert wrong.body == f"{broken},"


@pytest.mark.parametrize("spoilt", ['"id": "222233334444",', '"protocol": "TCP",', '"status": "Failed",'])
def test_a_broken_document_over_many_lines_is_one_message(spoilt: str) -> None:
    good = json.dumps(document("02_sg_ssh_open.json"), indent=2)
    broken = good.replace(spoilt, spoilt.replace('",', ","), 1)
    assert broken != good
    before, wrong, after = stream(f"{good}\n{broken}\n{good}\n")
    assert before.body == after.body == good
    assert wrong.body == broken
    with pytest.raises(FindingUnreadable):
        normalise(wrong)


@pytest.mark.parametrize("most", [1, 7, 1000, CHUNK])
def test_a_broken_document_in_a_pretty_list_is_one_message(most: int) -> None:
    docs = [document("02_sg_ssh_open.json"), document("01_s3_encryption_and_versioning.json")]
    content = json.dumps([*docs, *docs, docs[0]], indent=2).replace('"Failed",', '"Failed,', 1)
    wrong, *others = from_stream(Pieces(content, most), name="f", nonce="")
    assert [json.loads(message.body) for message in others] == [docs[1], *docs, docs[0]]
    assert '"Failed,' in wrong.body


def test_the_last_broken_document_of_a_pretty_list_is_one_message() -> None:
    content = json.dumps([{"a": 1}, {"b": [{"c": 1}]}], indent=2).replace('"c": 1', '"c": x')
    first, wrong, after = stream(f"{content}\n{GOOD}")
    assert json.loads(first.body) == {"a": 1}
    assert '"c": x' in wrong.body
    assert wrong.body.endswith("}")
    assert after.body == GOOD


def test_a_list_behind_a_broken_line_comes_out() -> None:
    wrong, after = stream(f'{{"cut": \n[{GOOD}]\n')
    assert (wrong.body, after.body) == ('{"cut": ', GOOD)


def test_a_number_of_thousands_of_digits_does_not_hide_what_follows() -> None:
    large, after = stream(f'{{"n": {"9" * 5000}}} {GOOD}')
    assert (len(large.body), after.body) == (5007, GOOD)


def test_a_list_that_is_never_closed_is_told_besides_its_elements() -> None:
    first, second, wrong = stream(f"\n[{GOOD}, {GOOD}")
    assert first.body == second.body == GOOD
    assert (wrong.body, wrong.origin) == ("[", "f.json line 2")
    with pytest.raises(FindingUnreadable, match="not JSON"):
        normalise(wrong)


@pytest.mark.parametrize("content", ["12", '"text"', "true\n", "[1, 2]", '["a"]', "[[]]", "[null]"])
def test_json_that_can_be_no_finding_is_one_message_as_well(content: str) -> None:
    (message,) = stream(content)
    with pytest.raises(FindingUnreadable):
        normalise(message)


@settings(deadline=None)
@given(st.text('{}[]":,\n 1a\\', max_size=60), st.integers(1, 20))
def test_any_text_is_read_to_its_end_and_good_lines_behind_it_come_out(content: str, most: int) -> None:
    tail = f"\n{GOOD}\n" * 3
    found = list(from_stream(Pieces(content + tail, most), name="f", nonce=""))
    assert found[-1].body.endswith(GOOD) or found[-1].body == "["
    assert found == list(from_stream(io.StringIO(content + tail), name="f", nonce=""))


def many(count: int) -> Iterator[str]:
    whole = json.dumps(finding("222233334444", "s3_enable_versioning", key="KEY", notes="x" * 400))
    return (whole.replace("KEY", str(number)) for number in range(count))


FILES: dict[str, Callable[[int], Iterator[str]]] = {
    "one a line": lambda count: (f"{line}\n" for line in many(count)),
    "one line": lambda count: itertools.chain(
        "[", (f"{', ' if number else ''}{line}" for number, line in enumerate(many(count))), "]"
    ),
    "pretty": lambda count: (line.replace(", ", ",\n  ").replace("{", "{\n") for line in many(count)),
}


@pytest.mark.parametrize("parts", FILES.values(), ids=FILES)
def test_ten_thousand_findings_in_one_file_take_no_more_memory_than_a_few(
    parts: Callable[[int], Iterator[str]],
) -> None:
    size = sum(len(part) for part in parts(10_000))
    assert size > 7_000_000
    tracemalloc.start()
    try:
        count = sum(1 for _ in from_stream(Endless(parts(10_000)), name="f", nonce=""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < 16 * CHUNK < size / 4


@pytest.mark.parametrize(
    "broken", ["x" * 30_000_000, '{"a": "' + "x" * 30_000_000, '[{"a": "' + "x" * 30_000_000]
)
def test_a_document_without_end_is_kept_in_part_and_read_past(broken: str) -> None:
    wrong, after = stream(f"{broken}\n{GOOD}\n")
    assert after.body == GOOD
    assert len(wrong.body) < 1_100_000
    with pytest.raises(FindingUnreadable, match="bytes"):
        normalise(wrong)


def test_a_hundred_megabytes_without_an_end_are_not_kept() -> None:
    parts = itertools.chain(['{"a": "'], itertools.repeat("x" * CHUNK, 1600), ["\n", GOOD])
    tracemalloc.start()
    try:
        *_, after = from_stream(Endless(parts), name="f", nonce="")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after.body == GOOD
    assert peak < 80_000_000

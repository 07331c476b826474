"""A YAML document as nodes that know their lines, and the mistakes found in it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

# The same grammar; the one in C, where it was built, is ten times faster.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
LONGEST_ECHO = 80


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """``line`` counts from 1. ``wrong`` says what is wrong, ``meant`` what was probably meant or would do."""

    line: int
    wrong: str
    meant: str = ""

    @property
    def text(self) -> str:
        return f"{self.wrong}; {self.meant}" if self.meant else self.wrong


class Mistakes:
    """Collects, so that a person sees all mistakes at once."""

    def __init__(self) -> None:
        self._found: list[Mistake] = []

    def add(self, at: Node | int, wrong: str, meant: str = "") -> None:
        self._found.append(Mistake(at if isinstance(at, int) else line(at), wrong, meant))

    def sorted(self) -> tuple[Mistake, ...]:
        return tuple(sorted(set(self._found)))

    def mapping(self, node: Node, what: str, keys: Collection[str]) -> dict[str, Node]:
        """The values of a mapping by key; unknown, repeated and empty keys are mistakes and left out."""
        if not isinstance(node, MappingNode):
            self.add(node, f"{what} is {kind(node)}", f"it must be a mapping with keys of {', '.join(keys)}")
            return {}
        found: dict[str, Node] = {}
        for key, value in self.pairs(node, what):
            if key.value in keys:
                found[key.value] = value
            else:
                self.add(key, f"{what} has no key {shown(key.value)}", did_you_mean(key.value, keys))
        return found

    def pairs(self, node: MappingNode, what: str) -> Iterator[tuple[ScalarNode, Node]]:
        """Keys and values; keys that are no text or come twice, and keys without a value, are mistakes."""
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or not key.value:
                self.add(key, f"a key of {what} is {kind(key)}", "keys are plain words")
            elif key.value in seen:
                first = seen[key.value]
                self.add(
                    key, f"{what} has the key {shown(key.value)} twice, first in line {first}", "keep one"
                )
            else:
                seen[key.value] = line(key)
                if is_null(value):
                    self.add(key, f"{shown(key.value)} of {what} has no value", "give it one or leave it out")
                else:
                    yield key, value

    def text(self, node: Node, what: str) -> str:
        """A text as it is written, "" (a mistake) if it is none. Numbers and the like are their own text."""
        if isinstance(node, ScalarNode) and node.value.strip():
            return str(node.value).strip()
        self.add(node, f"{what} is {kind(node)}", "it must be a text")
        return ""

    def texts(self, node: Node, what: str) -> Iterator[tuple[str, Node]]:
        """One text or a list of texts."""
        each = node.value if isinstance(node, SequenceNode) else [node]
        if not each:
            self.add(node, f"{what} is an empty list", "name at least one, or leave it out")
        for item in each:
            if text := self.text(item, what):
                yield text, item

    def items(self, node: Node, what: str) -> list[Node]:
        if isinstance(node, SequenceNode):
            return list(node.value)
        self.add(
            node, f"{what} is {kind(node)}", "it must be a list: each item on a line that begins with '- '"
        )
        return []


def compose(text: str, mistakes: Mistakes) -> Node | None:
    """The document's root; None with a mistake noted when it is no YAML, is empty or holds several."""
    try:
        node: Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        mistakes.add(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem or error.context}")
        return None
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        mistakes.add(
            before.count("\n") + 1, "there is a character that YAML does not take", "save it as UTF-8"
        )
        return None
    except RecursionError:
        mistakes.add(1, "it is nested too deep", "no rule needs more than five levels")
        return None
    if node is None or is_null(node):
        mistakes.add(1, "there is nothing in it", "begin with 'version: 1'")
        return None
    return node


def line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _NULL


def kind(node: Node) -> str:
    """What a node is, for people."""
    match node:
        case MappingNode():
            return "a mapping"
        case SequenceNode():
            return "a list"
        case _ if is_null(node) or not node.value.strip():
            return "empty"
        case _:
            return f"the text {shown(node.value)}"


def shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST_ECHO else text[: LONGEST_ECHO - 1] + "…")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """What was probably meant, or all there is."""
    folded = {each.casefold(): str(each) for each in known}
    close = difflib.get_close_matches(word[:LONGEST_ECHO].casefold(), folded, n=1)
    return f"did you mean {folded[close[0]]!r}?" if close else f"there are {', '.join(known)}"

"""Values for a template's parameters: read from files and words, and held against the template before AWS is.

What CloudFormation itself checks, in its own order of importance:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from deploy.errors import InputWrong, ParametersWrong
from deploy.rules import broken
from deploy.template import Template

SHOWN_VALUES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter as the template declares it. ``default`` is None where a value must be given."""

    name: str
    type: str
    description: str
    default: str | None
    allowed: tuple[str, ...]
    pattern: str
    constraint: str
    shortest: int | None
    longest: int | None
    least: float | None
    most: float | None

    def trouble(self, value: str) -> str:
        """Why the value does not fit; "" when it does."""
        if self.type == "CommaDelimitedList":
            # CloudFormation holds every item against the constraints, blanks around it left out.
            return next(filter(None, (self._trouble(item.strip()) for item in value.split(","))), "")
        return self._trouble(value)

    def _trouble(self, value: str) -> str:
        if self.allowed and value not in self.allowed:
            return f"must be one of {_listed(self.allowed)}{_instead(value, self.allowed)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return self.constraint or f"must match {self.pattern}"
        if self.shortest is not None and len(value) < self.shortest:
            return self.constraint or f"must have at least {self.shortest} characters"
        if self.longest is not None and len(value) > self.longest:
            return self.constraint or f"must have at most {self.longest} characters"
        if self.type == "Number":
            return self._number_trouble(value)
        return ""

    def _number_trouble(self, value: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return "must be a number"
        if self.least is not None and number < self.least:
            return f"must be at least {self.least:g}"
        if self.most is not None and number > self.most:
            return f"must be at most {self.most:g}"
        return ""


def declared(template: Template) -> dict[str, Parameter]:
    """The parameters of a template by name."""
    return {name: _parameter(name, facts) for name, facts in template.get("Parameters", {}).items()}


def _parameter(name: str, facts: Mapping[str, Any]) -> Parameter:
    default = facts.get("Default")
    return Parameter(
        name=name,
        type=str(facts["Type"]),
        description=" ".join(str(facts.get("Description", "")).split()),
        default=None if default is None else text_of(default),
        allowed=tuple(text_of(value) for value in facts.get("AllowedValues", ())),
        pattern=str(facts.get("AllowedPattern", "")),
        constraint=str(facts.get("ConstraintDescription", "")),
        shortest=_number(facts.get("MinLength"), int),
        longest=_number(facts.get("MaxLength"), int),
        least=_number(facts.get("MinValue"), float),
        most=_number(facts.get("MaxValue"), float),
    )


def _number(value: Any, kind: type[Any]) -> Any:
    return None if value is None else kind(value)


def text_of(value: Any) -> str:
    """A value as CloudFormation takes it: always text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(text_of, value))
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What every parameter will be, and why.

    Attributes:
        given: said by the person, or made for them.
        kept: as the stack has it now.
        defaults: as the template has it.
    """

    given: Mapping[str, str]
    kept: Mapping[str, str]
    defaults: Mapping[str, str]

    @property
    def all(self) -> dict[str, str]:
        """Every parameter and its value."""
        return {**self.defaults, **self.kept, **self.given}

    @property
    def request(self) -> list[dict[str, Any]]:
        """As CloudFormation takes them. Defaults go without saying."""
        return [
            *({"ParameterKey": name, "ParameterValue": self.given[name]} for name in sorted(self.given)),
            *({"ParameterKey": name, "UsePreviousValue": True} for name in sorted(self.kept)),
        ]


def settle(template: Template, given: Mapping[str, str], present: Mapping[str, str] | None = None) -> Values:
    """Hold the values against the template and its rules.

    Args:
        given: by name; anything the template does not declare is wrong.
        present: what the stack has now; None for a stack that is yet to be made.

    Raises:
        ParametersWrong: with everything that is wrong, not only the first.
    """
    known = declared(template)
    kept = {name: value for name, value in (present or {}).items() if name in known and name not in given}
    rest = {name: p.default for name, p in known.items() if name not in given and name not in kept}
    defaults = {name: value for name, value in rest.items() if value is not None}
    values = Values(given=dict(given), kept=kept, defaults=defaults)
    problems = [
        *_unknown(given, known),
        *(f"{name} {why}" for name in given if name in known and (why := known[name].trouble(given[name]))),
        *(f"{name} needs a value: {known[name].description}" for name in rest if name not in defaults),
    ]
    problems += broken(template.get("Rules", {}), values.all) if not problems else []
    if problems:
        raise ParametersWrong(problems)
    return values


def _unknown(given: Iterable[str], known: Collection[str]) -> Iterator[str]:
    for name in given:
        if name not in known:
            yield f"there is no parameter {name}{_instead(name, known)}"


def _instead(word: str, words: Collection[str]) -> str:
    folded = {each.casefold(): each for each in words}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[near[0]]}?" if near else ""


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
    return ", ".join(values[:SHOWN_VALUES]) + more


def from_words(words: Iterable[str]) -> dict[str, str]:
    """``Key=Value`` words.

    Raises:
        InputWrong: a word has no ``=``, or a key comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputWrong(f"--parameter {word!r} is not of the form Key=Value")
        if name in found:
            raise InputWrong(f"--parameter {name} is given twice")
        found[name] = value
    return found


def from_file(path: Path) -> dict[str, str]:
    """Values from a YAML or JSON file: a mapping, or the list of ``ParameterKey`` that AWS's own CLI takes.

    Everything is read as the text it is written as, so an account id keeps its leading zeros.

    Raises:
        InputWrong: the file cannot be read or is neither.
    """
    try:
        found = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)  # noqa: S506 - text only
    except OSError as error:
        raise InputWrong(f"{path} could not be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputWrong(f"{path} is neither YAML nor JSON: {' '.join(str(error).split())}") from error
    if isinstance(found, dict) and set(found) == {"Parameters"}:
        found = found["Parameters"]
    if isinstance(found, list):
        try:
            found = {each["ParameterKey"]: each["ParameterValue"] for each in found}
        except (KeyError, TypeError):
            found = None
    if not isinstance(found, dict) or any(isinstance(value, dict) for value in found.values()):
        raise InputWrong(f"{path} holds no parameters: a line for each, as in `DryRun: true`, is expected")
    return {name: text_of(value) for name, value in found.items()}

"""The words after a bot's name, turned into the bot's parameters.

A word is one of these, tried in this order:

* the bare word of a flag (``dryRun``): sets that field to true, takes no position;
* ``name=value`` or ``name:value``, split at the first separator, when ``name`` is a field or one of
  its aliases; ``kms_key_id``, ``kmsKeyId`` and ``KMSKEYID`` are one name;
* anything else is a value for the field of its own position, so that ARNs and CIDRs, which are full
  of separators, survive. Words of named fields that have a position count, all others do not.

An unknown ``name=value`` is refused rather than taken as a value: it is nearly always a misspelt name.
An empty word leaves an optional field at its default.
"""

from __future__ import annotations

import enum
import functools
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, Union, get_args, get_origin

from pydantic import ValidationError

from bots._bot import P, Params, RawWords

# An older dispatcher appended these to every bot's words; no finding ever means them.
INJECTED = ("exec_function_arn=", "assumed_role_arn=")
SUGGESTED_POLICY = "suggested_policy"
LONGEST_ECHO = 80
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


class BadWords(ValueError):
    """The words do not fit the bot's parameters. The text says what is wrong and how to put it right.

    Attributes:
        word: the word it is about, cut; "" when a word is missing.
        usage: how the words should look.
    """

    def __init__(self, problem: str, *, remedy: str, usage: str, word: str = "") -> None:
        super().__init__(f"{problem}; {remedy}. Usage: {usage}")
        self.word = word
        self.usage = usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How findings spell a field; goes into its ``Annotated``.

    Attributes:
        aliases: other names for ``name=value``; other ways to write the same name need none.
        flag: the bare word that sets a bool field to true.
        rest: the field takes its own and all later words: a tuple collects them, a text is joined with
            blanks exactly as it came (JSON with blanks in it).
        positional: False when the field can only be given by name.
    """

    aliases: tuple[str, ...] = ()
    flag: str = ""
    rest: bool = False
    positional: bool = True


class Described(NamedTuple):
    """One parameter for people. ``default`` is None for a required one."""

    name: str
    required: bool
    default: Any
    description: str
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    type: Any
    word: Word
    required: bool
    default: Any
    description: str

    @property
    def names(self) -> tuple[str, ...]:
        flag = (self.word.flag,) if self.word.flag else ()
        return tuple(dict.fromkeys((self.name, *self.word.aliases, *flag)))

    @property
    def has_position(self) -> bool:
        # A suggested policy comes from the finding's other fields, not from somebody counting words.
        return self.word.positional and not self.word.flag and self.name != SUGGESTED_POLICY

    @property
    def is_list(self) -> bool:
        return get_origin(_bare(self.type)) is tuple

    @property
    def is_text_to_the_end(self) -> bool:
        return self.word.rest and not self.is_list


@dataclass(frozen=True, slots=True)
class _Shape:
    fields: tuple[_Field, ...]
    by_name: Mapping[str, _Field]  # as `_folded`
    flags: Mapping[str, _Field]  # as `_folded`
    positions: tuple[_Field, ...]
    usage: str

    def at(self, position: int) -> _Field | None:
        """The field a bare value at that position belongs to."""
        if position < len(self.positions):
            return self.positions[position]
        last = self.positions[-1] if self.positions else None
        return last if last is not None and last.word.rest else None


def parse(params: type[P], words: Sequence[str], *, suggested_policy: str | None = None) -> P:
    """The parameters the words spell. ``suggested_policy`` fills a field of that name, if there is one
    and the words leave it open.

    Raises:
        BadWords: they spell none.
    """
    shape = _shape(params)
    for text in (*words, suggested_policy or ""):
        _refuse_half_characters(shape, text)
    words = [word for word in words if not word.lower().startswith(INJECTED)]
    if issubclass(params, RawWords):
        return params(words=tuple(words), suggested_policy=suggested_policy)
    given = _sort_out(shape, words)
    values = {
        name: _value(shape, shape.by_name[_folded(name)], texts)
        for name, texts in given.items()
        if texts != [""] or shape.by_name[_folded(name)].required
    }
    if suggested_policy is not None and SUGGESTED_POLICY in params.model_fields:
        values.setdefault(SUGGESTED_POLICY, suggested_policy)
    missing = [field.name for field in shape.fields if field.required and field.name not in values]
    if missing:
        raise BadWords(
            f"{' and '.join(missing)} must be given", remedy=_add(shape, missing[0]), usage=shape.usage
        )
    try:
        return params.model_validate(values)
    except ValidationError as error:
        _explain(shape, given, error)


def _refuse_half_characters(shape: _Shape, text: str) -> None:
    # JSON can spell half a character (a lone surrogate). AWS takes none, and pydantic trips over them.
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadWords(
            f"{_shown(text)} holds half a character",
            remedy="write it in whole Unicode characters",
            usage=shape.usage,
            word=_shown(text),
        )


def usage(model: type[Params]) -> str:
    """One line: the words in their order, optional ones in brackets."""
    if issubclass(model, RawWords):
        return "any words"
    return _shape(model).usage


def describe(model: type[Params]) -> list[Described]:
    """Every parameter in positional order, with all ways to spell it."""
    if issubclass(model, RawWords):
        return []
    shape = _shape(model)
    return [
        Described(field.name, field.required, field.default, field.description, _spellings(shape, field))
        for field in shape.fields
    ]


def _spellings(shape: _Shape, field: _Field) -> tuple[str, ...]:
    position = (f"word {shape.positions.index(field) + 1}",) if field in shape.positions else ()
    flag = (field.word.flag,) if field.word.flag else ()
    return position + flag + tuple(f"{name}{sign}…" for name in field.names for sign in "=:")


def _sort_out(shape: _Shape, words: list[str]) -> dict[str, list[str]]:
    """Field name -> the words it was given."""
    given: dict[str, list[str]] = {}
    position = 0
    for index, word in enumerate(words):
        field = shape.flags.get(_folded(word))
        text = "true"
        named = True
        if field is None:
            field, text = _named(shape, word)
            named = field is not None
            if field is None:
                field = shape.at(position)
                if field is None:
                    raise BadWords(
                        f"the word {_shown(word)} is one too many",
                        remedy="leave it out",
                        usage=shape.usage,
                        word=_shown(word),
                    )
            position += field.has_position
        if field.name in given and (named or not field.word.rest):
            raise BadWords(
                f"{field.name} is given twice, the second time by {_shown(word)}",
                remedy=f"a value without a name counts by its position: give {field.name} once",
                usage=shape.usage,
                word=_shown(word),
            )
        if field.is_text_to_the_end:
            given[field.name] = [" ".join([text, *words[index + 1 :]])]
            break
        given.setdefault(field.name, []).append(text)
    return given


def _named(shape: _Shape, word: str) -> tuple[_Field | None, str]:
    """The field a ``name=value`` word names and its value; None and the whole word for a bare value."""
    found = re.search("[=:]", word)
    if found is None:
        return None, word
    name, sign, text = word[: found.start()], found.group(), word[found.end() :]
    field = shape.by_name.get(_folded(name))
    if field is not None:
        return field, text
    if sign == "=" and _NAME.fullmatch(name):
        known = ", ".join(field.name for field in shape.fields)
        raise BadWords(
            f"there is no parameter called {_shown(name)}",
            remedy=f"the parameters are {known}" if known else "leave it out",
            usage=shape.usage,
            word=_shown(word),
        )
    return None, word


def _value(shape: _Shape, field: _Field, texts: list[str]) -> Any:
    """The field's value as pydantic gets it."""
    if not field.is_list:
        (text,) = texts
        return _convert_or_explain(shape, field, field.type, text)
    item = get_args(_bare(field.type))[0]
    parts = [part.strip() for text in texts for part in text.split(",")]
    return tuple(_convert_or_explain(shape, field, item, part) for part in parts if part)


def _convert_or_explain(shape: _Shape, field: _Field, wanted: Any, text: str) -> Any:
    try:
        return _convert(wanted, text)
    except ValueError as error:
        raise BadWords(
            f"{_shown(text)} does not fit {field.name}",
            remedy=f"{field.name} must be {error}",
            usage=shape.usage,
            word=_shown(text),
        ) from None


def _convert(wanted: Any, text: str) -> Any:
    """Text as a value of the type: booleans and whole numbers strictly, choices in any case.

    Types not known here are left to pydantic.

    Raises:
        ValueError: it is not one; the text says what would be.
    """
    wanted = _bare(wanted)
    if get_origin(wanted) in (Union, types.UnionType):
        wishes = []
        for member in get_args(wanted):
            try:
                return _convert(member, text)
            except ValueError as error:
                wishes.append(str(error))
        raise ValueError(" or ".join(wishes))
    if wanted is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("true or false")
        return text.lower() == "true"
    if wanted is int:
        if not _WHOLE_NUMBER.fullmatch(text):
            raise ValueError("a whole number")
        return int(text)
    choices = _choices(wanted)
    if choices:
        exact = [choice for choice in choices if _said(choice) == text]
        folded = exact or [choice for choice in choices if _said(choice).lower() == text.lower()]
        # An unknown word is handed on: a validator of the field may know it as a synonym.
        return folded[0] if folded else text
    return text


def _explain(shape: _Shape, given: Mapping[str, list[str]], error: ValidationError) -> NoReturn:
    problem = error.errors(include_url=False, include_context=False)[0]
    said = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    place = str(problem["loc"][0]) if problem["loc"] else ""
    word = " ".join(given.get(place, ()))
    if len(word) > LONGEST_ECHO:
        said = said.replace(word, _shown(word))
    # A field's own validator may quote the word in a form of its own.
    said = re.sub(rf"\S{{{LONGEST_ECHO},}}", lambda long: f"{long[0][: LONGEST_ECHO - 1]}…", said)
    said = "".join(letter if letter.isprintable() else "?" for letter in said)
    raise BadWords(
        f"{_shown(word)} does not fit {place}" if place else "the words do not fit together",
        remedy=said[:1].lower() + said[1:],
        usage=shape.usage,
        word=_shown(word) if word else "",
    ) from None


def _add(shape: _Shape, name: str) -> str:
    field = shape.by_name[_folded(name)]
    as_word = f" as word {shape.positions.index(field) + 1}" if field in shape.positions else ""
    return f"add it{as_word}{' or' if as_word else ''} as {name}=…"


def _shown(word: str) -> str:
    """The word in quotes, unprintable characters escaped, never longer than `LONGEST_ECHO`."""
    text = repr(word[:LONGEST_ECHO])
    return text if len(text) <= LONGEST_ECHO and len(word) <= LONGEST_ECHO else text[: LONGEST_ECHO - 1] + "…"


def _bare(wanted: Any) -> Any:
    """The type without ``Annotated`` and without ``| None``."""
    if get_origin(wanted) is Annotated:
        return _bare(get_args(wanted)[0])
    if get_origin(wanted) in (Union, types.UnionType):
        members = [member for member in get_args(wanted) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else Union[tuple(members)]  # noqa: UP007 - built at run time
    return wanted


def _choices(wanted: Any) -> tuple[Any, ...]:
    if get_origin(wanted) is Literal:
        return get_args(wanted)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return tuple(wanted)
    return ()


def _said(choice: Any) -> str:
    return str(choice.value if isinstance(choice, enum.Enum) else choice)


@functools.cache
def _shape(model: type[Params]) -> _Shape:
    fields = tuple(_field(name, info) for name, info in model.model_fields.items())
    by_name = {_folded(name): field for field in fields for name in field.names}
    meanings = {(_folded(name), field.name) for field in fields for name in field.names}
    assert len(by_name) == len(meanings), f"{model.__name__}: two fields share a name"
    positions = tuple(field for field in fields if field.has_position)
    assert not any(field.word.rest for field in positions[:-1]), (
        f"{model.__name__}: only the last positional field can take the rest"
    )
    flags = {_folded(field.word.flag): field for field in fields if field.word.flag}
    assert all(_bare(field.type) is bool for field in flags.values()), (
        f"{model.__name__}: a flag must be a bool"
    )
    ordered = [_asked(field, by_name=False) for field in positions]
    others = [
        f"[{field.word.flag}]" if field.word.flag else _asked(field, by_name=True)
        for field in fields
        if field not in positions
    ]
    return _Shape(fields, by_name, flags, positions, " ".join(ordered + others) or "no parameters")


def _folded(name: str) -> str:
    """One form for all ways to write a name: snake_case, camelCase, PascalCase, kebab-case."""
    return re.sub("[_-]", "", name).lower()


def _field(name: str, info: Any) -> _Field:
    word = next((found for found in info.metadata if isinstance(found, Word)), Word())
    required = info.is_required()
    default = None if required else info.get_default(call_default_factory=True)
    return _Field(name, info.annotation, word, required, default, info.description or "")


def _asked(field: _Field, *, by_name: bool) -> str:
    wanted = _bare(field.type)
    choices = tuple(_said(choice) for choice in _choices(wanted))
    kinds = {bool: "true|false", int: "number"}
    kind = "|".join(choices) or kinds.get(wanted, "a,b,…" if field.is_list and not field.word.rest else "")
    text = f"<{field.name}: {kind}>" if kind else f"<{field.name}>"
    text = f"{field.name}={text}" if by_name else text
    text += "…" if field.word.rest else ""
    return text if field.required else f"[{text}]"

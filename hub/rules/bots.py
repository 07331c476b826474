"""The bots a rule names, with their parameters: do they exist, and may a rule name them so?"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from yaml.nodes import MappingNode, Node

from bots._bot import AnyBot
from bots._catalogue import BrokenBot, Catalogue, UnknownBot
from bots._words import BadWords, parse
from hub.dialects.words import split
from hub.rules import globs
from hub.rules.model import HIGHEST_TRUSTED, Effect, RuleBot
from hub.rules.nodes import Mistakes, did_you_mean, line, shown

BOT_KEYS = ("bot", "allow")


def read_bots(
    node: Node | None, rule: Node, what: str, effect: Effect, mistakes: Mistakes, catalogue: Catalogue
) -> tuple[RuleBot, ...] | None:
    """The bots of a rule; None for all bots, which only a refusing rule may mean by naming none."""
    if node is None:
        if effect is Effect.REFUSE:
            return None
        if isinstance(rule, MappingNode):
            mistakes.add(rule, f"{what} names no bots", f"it needs a list of the bots to {effect}")
        return ()
    items = mistakes.items(node, f"bots of {what}")
    if isinstance(node, Node) and not isinstance(node, MappingNode) and node.value == []:
        mistakes.add(node, f"bots of {what} is an empty list", "name at least one")
    return tuple(bot for item in items for bot in _Item(mistakes, catalogue, what, effect).read(item))


def called(name: str, node: Node, what: str, mistakes: Mistakes, catalogue: Catalogue) -> AnyBot | None:
    """The bot of that name or alias; None, and a mistake, if there is none."""
    try:
        return catalogue.bot_named(name)
    except (UnknownBot, BrokenBot) as error:
        wrong, _, meant = str(error).partition("; ")
        mistakes.add(node, f"{what}: {wrong}", meant)
        return None


def standing_for(pattern: str, names: Iterable[str]) -> list[str]:
    """The names that the pattern fits."""
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


class _Item:
    def __init__(self, mistakes: Mistakes, catalogue: Catalogue, what: str, effect: Effect) -> None:
        self._mistakes = mistakes
        self._catalogue = catalogue
        self._what = what
        self._effect = effect

    def read(self, node: Node) -> tuple[RuleBot, ...]:
        allowed = False
        if isinstance(node, MappingNode):
            keys = self._mistakes.mapping(node, f"a bot of {self._what}", BOT_KEYS)
            if "allow" in keys:
                allowed = self._allow(keys["allow"])
            if "bot" not in keys:
                self._mistakes.add(node, f"a bot of {self._what} has no name", "write 'bot: NAME PARAMETERS'")
                return ()
            node = keys["bot"]
        text = self._mistakes.text(node, f"a bot of {self._what}")
        name, *words = split(text).words or ("",)
        if globs.is_pattern(name):
            return self._by_pattern(node, name, tuple(words))
        bot = called(name, node, self._what, self._mistakes, self._catalogue) if name else None
        if bot is None or not self._fits(node, bot, tuple(words)):
            return ()
        if self._effect is not Effect.RUN:
            return (RuleBot(name=bot.name, words=tuple(words) if words else None),)
        if bot.risk.rank > HIGHEST_TRUSTED.rank and not allowed:
            self._mistakes.add(
                node,
                f"{self._what} runs {bot.name}, which is {bot.risk}",
                f"if that is wanted, write '{{bot: {text}, allow: true}}'",
            )
        return (RuleBot(name=bot.name, words=tuple(words)),)

    def _allow(self, node: Node) -> bool:
        found = self._mistakes.text(node, f"allow of a bot of {self._what}")
        if found not in ("", "true", "false"):
            self._mistakes.add(
                node, f"allow of a bot of {self._what} cannot be {shown(found)}", "write true or false"
            )
        elif found and self._effect is not Effect.RUN:
            meant = f"'action: {self._effect}' says it; leave allow out"
            self._mistakes.add(
                node, f"{self._what} says allow of a bot, which only 'action: run' needs", meant
            )
        return found == "true"

    def _by_pattern(self, node: Node, pattern: str, words: tuple[str, ...]) -> tuple[RuleBot, ...]:
        what = f"pattern {shown(pattern)} of {self._what}"
        names = self._catalogue.names()
        found = standing_for(pattern, names)
        if self._effect is Effect.RUN:
            self._mistakes.add(node, f"{what} stands for several bots", "name each bot that is to be run")
        elif words:
            self._mistakes.add(node, f"{what} has parameters", "only a single bot can have them")
        elif bad := globs.wrong_with(pattern):
            self._mistakes.add(node, f"{what} {bad}")
        elif not found:
            self._mistakes.add(node, f"{what} stands for no bot", did_you_mean(pattern.strip("*"), names))
        return tuple(RuleBot(name=name) for name in found)

    def _fits(self, node: Node, bot: AnyBot, words: tuple[str, ...]) -> bool:
        # Without words a rule that allows or refuses means the bot whatever its parameters.
        if not words and self._effect is not Effect.RUN:
            return True
        try:
            parse(bot.params, words)
        except BadWords as error:
            wrong, _, meant = str(error).partition("; ")
            self._mistakes.add(line(node), f"{self._what}: {bot.name}: {wrong}", meant)
            return False
        return True

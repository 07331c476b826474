"""What can go wrong while deploying; every text is meant for the person who deploys."""

from __future__ import annotations

from collections.abc import Sequence


class DeploymentFailed(Exception):
    """AWS did not do it; the text says what AWS said and, where we know, what to do."""


class InputWrong(Exception):
    """What was asked for cannot be done as asked. AWS was changed in nothing."""


class ParametersWrong(InputWrong):
    """Values do not fit the template; ``problems`` has a line for each of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

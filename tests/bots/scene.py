"""What a bot's test file hands to the contract suite, `tests/bots/test_contract.py`.

Every ``tests/bots/test_<bot>.py`` defines::

    def scenes() -> list[Scene]:
        return [Scene(name="never versioned", plant=plant, observe=observe, missing=missing)]

A scene is one violation, planted in a fresh account and seen from outside by that account's
administrator. The suite sends a finding about it through the whole hub, many times over, each time in
an account of its own: with all the rights the bot declares, then with each of them taken away.

How to write one:

* ``plant(admin)`` arranges the violation with plain boto3 clients, ``admin.client("s3")`` or
  ``admin.client("ec2", "eu-west-1")``, which may do anything and are not recorded. Account ids are
  fresh per test, but bucket names are global on AWS and here too: build them from
  ``admin.account_id``. Return `Planted`: the finding's entity, and the words after the bot's name.
* ``observe(admin, planted)`` reads the *whole* resource, more than the bot touches, as JSON. The suite
  compares two of them: nothing may have moved after a denied call, and after an exact undo everything
  is as planted. Leave out what moves by itself (dates, request ids).
* ``missing(admin)`` names a resource of this kind that does not exist; None where there is no such
  thing (the account itself). ``when_missing`` is "compliant" for bots that delete.
* One scene is enough if it needs every action the bot declares, in check, fix or undo. Add scenes for
  actions only some parameters or states need: an action that no scene needs is reported as superfluous.
* The first scene is the plain one: finding it twice, undoing it and so on are shown with every scene.
* ``blocked`` scenes plant what the bot must refuse: ``refusal`` is then a part of the run's message.

The planted resource must be all the bot needs; scenes never run code of the bot or of the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fake_aws.admin import Admin

JsonValue = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A violation in place. ``entity`` as a finding has it, ``words`` as the finding writes the
    parameters, ``notes`` whatever ``observe`` wants to remember (ids that are not in the entity).
    ``event_time`` is when the logged call behind the finding was made, as ``2026-03-20T05:40:42Z``;
    ``suggested_policy`` the document that a finding's SuggestedRole holds."""

    entity: dict[str, Any]
    words: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    event_time: str | None = None
    suggested_policy: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One violation and how to look at it from outside.

    Attributes:
        name: unique within the bot; part of the test's id.
        plant: arranges the violation.
        observe: the full state of the resource as the administrator sees it, as JSON.
        missing: a finding about a resource that never existed, with words if the bot needs some.
        when_missing: how a finding about a missing resource ends.
        region: what the finding says of the region, in any spelling the hub understands; "" is allowed.
        refusal: for states the bot must refuse to touch: a part of the run's message. Such a scene only
            shows that the outcome is ``refused`` and nothing was written.
    """

    name: str
    plant: Callable[[Admin], Planted]
    observe: Callable[[Admin, Planted], JsonValue]
    missing: Callable[[Admin], Planted] | None = None
    when_missing: Literal["gone", "compliant"] = "gone"
    region: str = "us-east-1"
    refusal: str | None = None

    @property
    def blocked(self) -> bool:
        """The bot must refuse this state."""
        return self.refusal is not None

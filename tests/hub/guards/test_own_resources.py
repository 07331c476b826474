"""What names do not tell is known to be the hub's by the stack that made it, and by whose session it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.aws.accounts import HubIdentity
from hub.guards.own_resources import OwnResources, OwnResourcesNow
from hub.guards.tags_now import TagsNow
from hub.model import Decision, Step
from tests.hub.guards.steps import ASKING, a_proposal, a_step, tagged, word
from tests.hub.guards.test_guards import HUB, SPOKE, settings

STACK = "aws:cloudformation:stack-name"


class Runs(HubIdentity):
    """A hub that STS tells so of."""

    def __init__(self, arn: str) -> None:
        super().__init__(settings())
        self._arn = arn

    async def caller(self) -> dict[str, str]:
        return {"Account": HUB, "Arn": self._arn}


AS_ROLE = f"arn:aws:sts::{HUB}:assumed-role/Remediation-Hub/i-0123456789abcdef0"
AS_USER = f"arn:aws:iam::{HUB}:user/people/remediation-hub"


def guard(arn: str = AS_ROLE) -> OwnResources:
    return OwnResources(settings(), Runs(arn))


def about(kind: str, target: str, *, account: str = HUB, tags: dict[str, str] | None = None) -> Step:
    step = a_step(account=account, entity={"id": target, "tags": tags or {}})
    assert step.target is not None
    return replace(step, target=replace(step.target, type=kind, id=target))


TAGS: list[tuple[dict[str, str], str, bool]] = [
    ({STACK: "remediation-hub"}, HUB, True),
    ({STACK: "Remediation-Hub-archive"}, HUB, True),
    ({STACK: "remediation-hub"}, SPOKE, False),
    ({STACK: "remediation-hubs"}, HUB, False),
    ({STACK: "shop"}, HUB, False),
    ({"stack-name": "remediation-hub"}, HUB, False),
    ({}, HUB, False),
]


@pytest.mark.parametrize(("tags", "account", "refused"), TAGS)
@pytest.mark.parametrize("arn", [AS_ROLE, AS_USER])
async def test_what_the_hubs_stack_made_is_the_hubs_whatever_it_is_called(
    arn: str, tags: dict[str, str], account: str, refused: bool
) -> None:
    key = f"arn:aws:kms:us-east-1:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    found = await guard(arn).judge(about("AWS::KMS::Key", key, account=account, tags=tags))
    assert word(found) is (Decision.REFUSE if refused else None)
    assert found is None or "made by stack" in found.why


@pytest.mark.parametrize(("tags", "account", "refused"), [*TAGS, (None, HUB, False)])
async def test_it_is_known_by_its_tags_as_they_are_now_too(tags: Any, account: str, refused: bool) -> None:
    now = OwnResourcesNow(guard(), TagsNow(ASKING, tagged(tags)))
    proposal = a_proposal(about("AWS::SNS::Topic", "d9-findings", account=account))
    found = await now.judge_change(proposal)
    assert word(found) is (Decision.REFUSE if refused else None)
    assert found is None or found.guard == "own resources now"
    await now.ended(proposal.step, proposal.run)


@pytest.mark.parametrize(
    ("kind", "target", "account", "refused"),
    [
        ("AWS::EC2::Instance", "i-0123456789abcdef0", HUB, True),
        ("AWS::EC2::Instance", "i-0123456789abcdef1", HUB, False),
        ("AWS::EC2::Instance", "i-0123456789abcdef0", SPOKE, False),
        ("AWS::EC2::Volume", "i-0123456789abcdef0", HUB, False),
    ],
)
async def test_the_instance_the_hub_runs_on_is_left_running(
    kind: str, target: str, account: str, refused: bool
) -> None:
    assert word(await guard().judge(about(kind, target, account=account))) is (
        Decision.REFUSE if refused else None
    )

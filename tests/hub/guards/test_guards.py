"""Each guard's word, and how the words add up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bots._bot import NoParams, Target
from bots._catalogue import bot_named
from hub.aws.accounts import HubIdentity
from hub.aws.directory import Directory, Member
from hub.errors import SpokeUnreachable
from hub.flow.guard import judge
from hub.guards.mode import Mode
from hub.guards.optional import Optional
from hub.guards.own_resources import OwnResources
from hub.guards.ruled_out import RuledOut
from hub.guards.scope import Scope
from hub.model import Action, Decision, Finding, Step, Verdict
from hub.settings import Settings
from tests.hub.guards.steps import in_force

HUB, SPOKE = "111122223333", "222233334444"
HUB_ROLE = f"arn:aws:sts::{HUB}:assumed-role/remediation-hub/worker"


def step(
    account: str = SPOKE, *, kind: str = "AWS::S3::Bucket", target: str = "data", name: str = ""
) -> Step:
    bot = bot_named("s3_enable_versioning")
    return Step(
        run_id="r",
        finding=Finding(dialect="cloudguard", occurrence="o", key="k", passed=False, account_id=account),
        action=Action(bot=bot.name),
        bot=bot,
        params=NoParams(),
        target=Target(
            account_id=account, region="us-east-1", partition="aws", type=kind, id=target, name=name
        ),
    )


def settings(**given: object) -> Settings:
    return Settings.load(**given)


class Known(HubIdentity):
    """A hub whose own identity is known without asking STS."""

    async def caller(self) -> dict[str, str]:
        return {"Account": HUB, "Arn": HUB_ROLE}


class Organization(Directory):
    """An organization with one active and one suspended account."""

    async def find(self, account_id: str) -> Member | None:
        known = {SPOKE: "ACTIVE", "333344445555": "SUSPENDED"}
        return Member(account_id, "", known[account_id]) if account_id in known else None


class Silent(Directory):
    async def find(self, account_id: str) -> Member | None:
        raise SpokeUnreachable(f"Organizations does not answer about {account_id}")


def scope(kind: type[Directory] = Organization, **given: object) -> Scope:
    told = settings(**({"deployment_mode": "multi"} | given))
    identity = Known(told)
    return Scope(in_force(), told, identity, kind(told, identity))


async def test_an_active_account_of_the_organization_may_be_entered() -> None:
    assert await scope().judge(step()) is None


@pytest.mark.parametrize(
    ("account", "words"),
    [("333344445555", "suspended"), ("999900001111", "not in the organization")],
)
async def test_a_suspended_or_foreign_account_is_invalid(account: str, words: str) -> None:
    verdict = await scope().judge(step(account))
    assert verdict is not None
    assert verdict.decision is Decision.INVALID
    assert words in verdict.why
    assert account in verdict.why


async def test_the_explicit_list_replaces_the_organization() -> None:
    listed = scope(Directory, accounts=(SPOKE,))
    assert await listed.judge(step()) is None
    verdict = await listed.judge(step("333344445555"))
    assert verdict is not None
    assert "HUB_ACCOUNTS" in verdict.why


async def test_an_account_that_cannot_be_looked_up_is_not_entered() -> None:
    with pytest.raises(SpokeUnreachable):
        await scope(Silent).judge(step())


async def test_single_mode_acts_in_the_hubs_own_account_only() -> None:
    single = scope(Silent, deployment_mode="single")
    assert await single.judge(step(HUB)) is None
    verdict = await single.judge(step(SPOKE))
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE
    assert "HUB_DEPLOYMENT_MODE=multi" in verdict.why


@pytest.mark.parametrize(
    ("account", "kind", "target"),
    [
        (SPOKE, "AWS::IAM::Role", "dome9cloudbots"),
        (SPOKE, "AWS::IAM::Role", f"arn:aws:iam::{SPOKE}:role/path/Dome9CloudBots"),
        (HUB, "AWS::IAM::Role", "remediation-hub"),
        (HUB, "AWS::SNS::Topic", f"arn:aws:sns:us-east-1:{HUB}:remediationOutput"),
        (HUB, "AWS::SQS::Queue", "https://sqs.us-east-1.amazonaws.com/111122223333/findings"),
        (HUB, "AWS::DynamoDB::Table", "hub-journal"),
    ],
)
async def test_the_hub_leaves_what_it_stands_on_alone(account: str, kind: str, target: str) -> None:
    verdict = await own_resources().judge(step(account, kind=kind, target=target))
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE


@pytest.mark.parametrize(
    ("account", "kind", "target"),
    [
        (SPOKE, "AWS::S3::Bucket", "Dome9CloudBots"),
        (SPOKE, "AWS::IAM::Role", "application"),
        (SPOKE, "AWS::SNS::Topic", "remediationOutput"),
        (HUB, "AWS::SNS::Topic", "alarms"),
        (HUB, "AWS::S3::Bucket", "hub-journal"),
    ],
)
async def test_namesakes_of_other_kinds_or_in_other_accounts_are_not_the_hubs(
    account: str, kind: str, target: str
) -> None:
    assert await own_resources().judge(step(account, kind=kind, target=target)) is None


def own_resources() -> OwnResources:
    told = settings(
        deployment_mode="multi",
        report_topic_arn=f"arn:aws:sns:us-east-1:{HUB}:remediationOutput",
        queue_url=f"https://sqs.us-east-1.amazonaws.com/{HUB}/findings",
        journal="dynamodb:hub-journal",
    )
    return OwnResources(told, Known(told))


@dataclass(frozen=True)
class Says:
    decision: Decision
    name: str = "says"

    async def judge(self, step: Step) -> Verdict | None:
        return Verdict(decision=self.decision, guard=self.name)


async def test_a_refusal_wins_over_a_dry_run_whatever_the_order() -> None:
    refuse = Says(Decision.REFUSE)
    for guards in ((Mode(in_force(), dry_run=True), refuse), (refuse, Mode(in_force(), dry_run=True))):
        assert (await judge(guards, step())).decision is Decision.REFUSE


async def test_without_a_word_against_it_a_step_goes() -> None:
    assert (await judge((Mode(in_force(), dry_run=False),), step())).decision is Decision.GO
    assert (await judge((Mode(in_force(), dry_run=True),), step())).decision is Decision.DRY_RUN


async def test_optional_bots_run_only_where_they_are_allowed() -> None:
    optional = replace(bot_named("s3_enable_versioning"), optional=True)
    asked = replace(step(), bot=optional)
    verdict = await Optional(()).judge(asked)
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE
    assert "name it in HUB_OPTIONAL_BOTS" in verdict.why
    assert await Optional((optional.name,)).judge(asked) is None
    assert await Optional(()).judge(step()) is None


@pytest.mark.parametrize(
    ("kind", "target", "account", "refused"),
    [
        ("AWS::IAM::ManagedPolicy", "arn:aws:iam::222233334444:policy/Dome9CloudBots-2", SPOKE, True),
        ("AWS::IAM::ManagedPolicy", "arn:aws:iam::222233334444:policy/dome9cloudbots-limits", SPOKE, True),
        ("AWS::IAM::ManagedPolicy", "arn:aws:iam::222233334444:policy/Dome9", SPOKE, False),
        (
            "AWS::Lambda::Function",
            "arn:aws:lambda:us-east-1:111122223333:function:remediation-hub-worker",
            HUB,
            True,
        ),
        ("AWS::Lambda::Function", "remediation-hub", HUB, True),
        ("AWS::Lambda::Function", "remediation-hub", SPOKE, False),
        ("AWS::Lambda::Function", "remediation-hubs", HUB, False),
        ("Custom::Resource", "Dome9CloudBots", SPOKE, True),
    ],
)
async def test_what_the_hub_stands_on_is_known_by_its_names(
    kind: str, target: str, account: str, refused: bool
) -> None:
    verdict = await OwnResources(settings(), Known(settings())).judge(step(account, kind=kind, target=target))
    assert (verdict is not None and verdict.decision is Decision.REFUSE) == refused


async def test_what_rules_refuse_is_refused_in_their_words() -> None:
    verdict = await RuledOut().judge(
        replace(step(), refusal="rule 'a' (rules.yaml line 3) refuses it: because")
    )
    assert verdict == Verdict(
        decision=Decision.REFUSE, guard="rules", why="rule 'a' (rules.yaml line 3) refuses it: because"
    )
    assert await RuledOut().judge(step()) is None

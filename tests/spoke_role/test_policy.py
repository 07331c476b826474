"""What the spoke role may do is what the bots declare; what it may never do is said besides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import _catalogue
from bots._bot import AnyBot, Risk
from bots._catalogue import UnknownBot
from bots._grants import PASS_ROLE, grants
from hub.aws.accounts import SESSION_POLICY_CHARACTERS, session_policy
from spoke_role.documents import MANAGED_POLICIES, POLICY_CHARACTERS, Document, TooLarge, size
from spoke_role.guard_reads import GUARD_ACTIONS, GUARD_READS
from spoke_role.limits import ESCALATIONS, limits
from spoke_role.policy import about_itself, allowances, choice, policies, select, version, version_of
from spoke_role.tags import CHOSEN_POLICY
from tests.fake_aws.strict_iam import Context, Request, Word, spoken
from tests.spoke_role.reading import NAMES, filled, substituted
from tests.spoke_role.synthetic import made_up

ALL = select()
SPOKE = f"arn:aws:iam::{NAMES['AWS::AccountId']}"
HUB = NAMES["HubAccountId"]
MANY_ACTIONS = 16


def granted(bots: tuple[AnyBot, ...]) -> dict[str, set[str]]:
    """What the role may do for its bots and for guards, besides what it may read about itself."""
    itself = about_itself()
    return allowed(
        {"Statement": [each for each in policy["Statement"] if each not in itself]}
        for policy in allowances(bots).values()
    )


def allowed(documents: Iterable[Document]) -> dict[str, set[str]]:
    """Action -> the resources it is allowed on. Each action must be allowed in one statement only.

    Handing on a role is an action of its own for each service: ``iam:PassRole to ec2.amazonaws.com``.
    """
    found: dict[str, set[str]] = {}
    for document in documents:
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert set(statement) - {"Condition"} == {"Effect", "Action", "Resource"}
            passed_to = ""
            if "Condition" in statement:
                [[operator, keys]] = statement["Condition"].items()
                [[key, [service]]] = keys.items()
                assert (operator, key) == ("StringEquals", "iam:PassedToService")
                assert statement["Action"] == [PASS_ROLE]
                passed_to = f" to {service}"
            for action in statement["Action"]:
                name = action + passed_to
                assert name not in found, f"{name} is allowed twice"
                found[name] = set(statement["Resource"])
    return found


def declared(bots: tuple[AnyBot, ...]) -> dict[str, set[str]]:
    """The same, straight from the headers and the list of what guards read."""
    found: dict[str, set[str]] = {}
    wanted = [each for bot in bots for action in bot.actions for each in _declared(bot, action)]
    wanted += [(action, grant.resources) for grant in GUARD_READS for action in grant.actions]
    for name, declared_on in wanted:
        patterns = {
            pattern.format(partition="${AWS::Partition}", account="${AWS::AccountId}")
            for pattern in declared_on
        }
        found[name] = found.get(name, set()) | patterns
    return {action: {"*"} if "*" in patterns else patterns for action, patterns in found.items()}


def _declared(bot: AnyBot, action: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if action != PASS_ROLE:
        yield action, bot.resources.get(action, ("*",))
        return
    for service, roles in bot.passes.items():
        yield f"{action} to {service}", roles


def says(document: Document, action: str, resource: str, context: Context | None = None) -> Word:
    """What the document, as deployed in an account, says of a request."""
    text = json.dumps(_deployed(document))
    return spoken([text], Request(action=action, resource=resource, context=context or {}))


def _deployed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _deployed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_deployed(item) for item in value]
    return substituted(value) if isinstance(value, str) else value


def test_every_action_of_every_bot_is_allowed_where_the_bot_declares_it_and_nothing_else_is() -> None:
    assert granted(ALL) == declared(ALL)
    every = map(_catalogue.bot_named, _catalogue.names())
    assert {bot.name for bot in ALL} == {bot.name for bot in every if not bot.optional}


def test_no_action_is_allowed_by_a_wildcard() -> None:
    assert [action for action in granted(ALL) if "*" in action or "?" in action] == []


def test_a_role_for_chosen_bots_allows_what_these_declare_only() -> None:
    chosen = select(["s3_enable_versioning"])
    assert [bot.name for bot in chosen] == ["s3_enable_versioning"]
    assert set(granted(chosen)) - {*GUARD_ACTIONS} == {"s3:GetBucketVersioning", "s3:PutBucketVersioning"}


def test_bots_are_chosen_once_and_in_order_however_they_are_asked_for() -> None:
    names = ["s3_enable_versioning", "kms_enable_rotation", "s3_enable_versioning"]
    assert [bot.name for bot in select(names)] == ["kms_enable_rotation", "s3_enable_versioning"]


@pytest.mark.parametrize("highest", list(Risk))
def test_bots_of_a_higher_risk_are_left_out(highest: Risk) -> None:
    wanted = {bot.name for bot in ALL if bot.risk.rank <= highest.rank}
    assert {bot.name for bot in select(max_risk=highest)} == wanted


def test_a_bot_that_does_not_exist_is_an_error_not_a_smaller_role() -> None:
    with pytest.raises(UnknownBot, match="s3_enable_versionin"):
        select(["s3_enable_versionin"])


# --- grouping and splitting

_actions = st.sampled_from(
    [f"{service}:{verb}{n}" for service in ("a", "b") for verb in ("Get", "Put") for n in range(4)]
)
_patterns = st.sampled_from(["*", "arn:{partition}:a:::x", "arn:{partition}:b:*:{account}:y/*"])


@st.composite
def _catalogues(draw: st.DrawFn) -> tuple[AnyBot, ...]:
    bots = []
    for number in range(draw(st.integers(0, 5))):
        actions = draw(st.lists(_actions, unique=True, max_size=6))
        resources = draw(st.dictionaries(_actions, st.lists(_patterns, min_size=1, max_size=2).map(tuple)))
        bots.append(
            made_up(f"bot_{number}", reads=tuple(actions[:2]), writes=tuple(actions[2:]), resources=resources)
        )
    return tuple(bots)


@given(_catalogues())
def test_whatever_bots_declare_is_what_is_allowed(bots: tuple[AnyBot, ...]) -> None:
    assert granted(bots) == declared(bots)


@given(_catalogues())
def test_the_order_of_the_bots_makes_no_difference(bots: tuple[AnyBot, ...]) -> None:
    assert grants(reversed(bots)) == grants(bots)


def test_an_action_narrowed_by_one_bot_and_not_by_another_is_allowed_everywhere() -> None:
    narrow = made_up("narrow", reads=("a:Get",), resources={"a:Get": ("arn:{partition}:a:::x",)})
    assert [grant.resources for grant in grants([narrow, made_up("wide", reads=("a:Get",))])] == [("*",)]


def hundred_bots(actions_each: int) -> tuple[AnyBot, ...]:
    # As many of services in either half of the alphabet: each half has policies of its own.
    services = [f"{'early' if bot % 2 else 'late'}{bot}" for bot in range(100)]
    return tuple(
        made_up(
            f"bot_{bot:03}",
            reads=tuple(f"{service}:GetSomethingRatherLong{n}" for n in range(actions_each)),
            resources={
                f"{service}:GetSomethingRatherLong0": (f"arn:{{partition}}:{service}:*:{{account}}:a/*",)
            },
        )
        for bot, service in enumerate(services)
    )


def test_a_hundred_bots_fit_into_the_managed_policies_a_role_may_have() -> None:
    bots = hundred_bots(7)
    found = policies(bots)
    assert len(allowances(bots)) < len(found) <= MANAGED_POLICIES
    assert all(size(policy) <= POLICY_CHARACTERS for policy in found.values())
    allowing = allowances(bots)
    assert allowed_anywhere(allowing.values()) >= {action for bot in bots for action in bot.actions}
    # Filled, not scattered: no policy could take the first action of the next one.
    for half in ("a-to-k", "l-to-z"):
        of_services = [name for name in allowing if name.startswith(half)]
        assert len(of_services) > 2
        assert all(size(allowing[name]) > POLICY_CHARACTERS - 200 for name in of_services[:-1])


def test_no_upgrade_moves_an_action_from_one_policy_to_another() -> None:
    """In between, while CloudFormation changes them one by one, it would be in neither."""
    homes: dict[str, str] = {}
    for bots in (ALL, ALL[::2], ALL[1::2], *((bot,) for bot in ALL)):
        for name, policy in allowances(bots).items():
            for action in allowed_anywhere([policy]):
                assert homes.setdefault(action, name) == name


def allowed_anywhere(documents: Iterable[Document]) -> set[str]:
    return {action for each in documents for statement in each["Statement"] for action in statement["Action"]}


def test_bots_that_need_more_than_iam_takes_are_refused_rather_than_cut() -> None:
    with pytest.raises(TooLarge, match="choose fewer bots"):
        policies(hundred_bots(20))


def test_size_counts_the_longest_names_that_can_be_filled_in_and_no_white_space() -> None:
    empty = size({"Version": "2012-10-17", "Statement": []})
    long = {"Version": "2012-10-17", "Statement": ["${AWS::Partition} ${AWS::AccountId}"]}
    assert size(long) == empty + len('"aws-us-gov111122223333"')


def test_the_permissions_of_today_fit_with_room_to_spare() -> None:
    # An upgrade makes new policies before it removes old ones: twice as many as today would stop it.
    assert len(policies(ALL)) <= MANAGED_POLICIES - 3
    assert all(size(policy) <= POLICY_CHARACTERS for policy in policies(ALL).values())


def test_the_limits_fit_even_when_every_name_is_as_long_as_it_may_be() -> None:
    assert size(limits([])) <= POLICY_CHARACTERS


@pytest.mark.parametrize("bot", [pytest.param(bot, id=bot.name) for bot in ALL])
def test_a_session_has_what_its_bot_declares_within_what_the_role_has(bot: AnyBot) -> None:
    text = session_policy(bot, NAMES["AWS::AccountId"], "aws-us-gov")
    assert len(text) <= SESSION_POLICY_CHARACTERS
    session = json.loads(session_policy(bot, NAMES["AWS::AccountId"], "aws"))
    assert {a for statement in session["Statement"] for a in statement["Action"]} == {
        *bot.actions,
        *GUARD_ACTIONS,
    }
    if all(statement["Resource"] == "*" for statement in session["Statement"]):
        return  # too long with its resources; the role, which has them, limits the session all the same
    role = {action: filled([{"Fn::Sub": p} for p in found]) for action, found in granted(ALL).items()}
    for action, resources in allowed((session,)).items():
        assert resources <= set(role[action]) or role[action] == ["*"]


def test_only_bots_of_many_actions_go_without_resources_in_their_session_policy() -> None:
    loose = [
        bot.name
        for bot in ALL
        if '"Resource":"*"}]' in session_policy(bot, NAMES["AWS::AccountId"], "aws")
        and len(bot.actions) < MANY_ACTIONS
        and bot.resources
    ]
    assert loose == []


# --- what it may never do

FORBIDDEN = [
    ("iam:PutRolePolicy", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:AttachRolePolicy", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:DetachRolePolicy", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:UpdateAssumeRolePolicy", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:DeleteRolePermissionsBoundary", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:DeleteRole", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:CreatePolicyVersion", f"{SPOKE}:policy/Dome9CloudBots-1"),
    ("iam:SetDefaultPolicyVersion", f"{SPOKE}:policy/Dome9CloudBots-limits"),
    ("iam:PutRolePolicy", f"{SPOKE}:role/stacksets-exec-0123456789abcdef"),
    ("iam:PutRolePolicy", f"{SPOKE}:role/AWSCloudFormationStackSetExecutionRole"),
    ("iam:PutRolePolicy", f"{SPOKE}:role/AWSControlTowerExecution"),
    ("iam:PutRolePolicy", f"{SPOKE}:role/OrganizationAccountAccessRole"),
    ("iam:PassRole", f"{SPOKE}:role/OrganizationAccountAccessRole"),
    ("iam:PutRolePolicy", f"arn:aws:iam::{HUB}:role/remediation-hub"),
    ("iam:UpdateAssumeRolePolicy", f"{SPOKE}:role/any"),
    ("iam:CreateAccessKey", f"{SPOKE}:user/any"),
    ("sts:AssumeRole", f"{SPOKE}:role/any"),
    ("sns:SetTopicAttributes", f"arn:aws:sns:us-east-1:{HUB}:d9-findings"),
    ("sns:DeleteTopic", f"arn:aws:sns:us-east-1:{HUB}:remediationOutput"),
    ("sns:DeleteTopic", f"arn:aws:sns:us-east-1:{HUB}:remediation-hub-alarms"),
    ("sqs:SetQueueAttributes", f"arn:aws:sqs:eu-west-1:{HUB}:remediation-hub-findings"),
    ("dynamodb:UpdateTable", f"arn:aws:dynamodb:us-east-1:{HUB}:table/remediation-hub"),
    ("lambda:UpdateFunctionConfiguration", f"arn:aws:lambda:us-east-1:{HUB}:function:remediation-hub"),
    ("logs:DeleteLogGroup", f"arn:aws:logs:us-east-1:{HUB}:log-group:/aws/lambda/remediation-hub:*"),
    ("logs:PutRetentionPolicy", f"arn:aws:logs:us-east-1:{HUB}:log-group:remediation-hub-worker:log-stream:"),
    (
        "firehose:TagDeliveryStream",
        f"arn:aws:firehose:us-east-1:{HUB}:deliverystream/remediation-hub-reports",
    ),
    ("s3:DeleteBucket", f"arn:aws:s3:::remediation-hub-reports-{HUB}-us-east-1"),
    ("cloudformation:DeleteStack", f"arn:aws:cloudformation:us-east-1:{HUB}:stack/remediation-hub/7f3a"),
    ("cloudformation:UpdateStack", NAMES["AWS::StackId"]),
]


@pytest.mark.parametrize(("action", "resource"), FORBIDDEN)
def test_the_role_is_kept_off_by_an_explicit_deny(action: str, resource: str) -> None:
    assert says(limits(ALL), action, resource) is Word.DENY


@pytest.mark.parametrize(
    ("aliases", "word"),
    [(("alias/app", "alias/remediation-hub"), Word.DENY), (("alias/app",), Word.SILENT), ((), Word.SILENT)],
)
def test_the_hubs_key_is_known_by_its_alias(aliases: tuple[str, ...], word: Word) -> None:
    key = f"arn:aws:kms:us-east-1:{HUB}:key/0a1b2c3d-1111-2222-3333-444455556666"
    context: Context = {"kms:ResourceAliases": aliases}
    assert says(limits(ALL), "kms:ScheduleKeyDeletion", key, context) is word


UNTOUCHED = [
    ("iam:PutRolePolicy", f"{SPOKE}:role/app"),
    ("iam:GetRole", f"{SPOKE}:role/Dome9CloudBots"),
    ("iam:CreatePolicyVersion", f"{SPOKE}:policy/app"),
    # A topic of the same name in another account is nobody's but that account's.
    ("sns:SetTopicAttributes", f"arn:aws:sns:us-east-1:{NAMES['AWS::AccountId']}:remediationOutput"),
    ("sns:SetTopicAttributes", f"arn:aws:sns:us-east-1:{HUB}:orders"),
    ("dynamodb:UpdateTable", f"arn:aws:dynamodb:us-east-1:{NAMES['AWS::AccountId']}:table/remediation-hub"),
]


@pytest.mark.parametrize(("action", "resource"), UNTOUCHED)
def test_the_limits_say_nothing_about_what_is_the_accounts_own(action: str, resource: str) -> None:
    assert says(limits(ALL), action, resource) is Word.SILENT


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", Word.DENY),
        ("arn:aws:iam::aws:policy/IAMFullAccess", Word.DENY),
        (f"{SPOKE}:policy/Dome9CloudBots-1", Word.DENY),
        ("arn:aws:iam::aws:policy/AWSDenyAll", Word.SILENT),
    ],
)
def test_nobody_is_made_an_administrator_or_given_the_roles_own_rights(policy: str, word: Word) -> None:
    bots = [made_up("attaches", writes=("iam:AttachUserPolicy",))]
    context = {"iam:PolicyARN": policy}
    assert says(limits(bots), "iam:AttachUserPolicy", f"{SPOKE}:user/any", context) is word


@pytest.mark.parametrize("action", ESCALATIONS)
def test_a_way_to_new_powers_is_open_only_when_a_bot_declares_it(action: str) -> None:
    anywhere = "arn:aws:x:::somewhere"
    assert says(limits([]), action, anywhere) is Word.DENY
    assert says(limits([made_up("declares", writes=(action,))]), action, anywhere) is Word.SILENT


@pytest.mark.parametrize("bot", [pytest.param(bot, id=bot.name) for bot in ALL])
def test_no_bot_is_kept_from_its_work_by_the_limits(bot: AnyBot) -> None:
    denied = {action: says(limits(ALL), action, "arn:aws:x:::somewhere") for action in bot.actions}
    assert set(denied.values()) == {Word.SILENT}, denied


# --- the version


def test_the_version_changes_with_the_permissions_and_with_nothing_else() -> None:
    before = version_of(ALL)
    assert version_of(select()) == before == version(policies(ALL).values())
    others = tuple(bot for bot in ALL if bot.name != "kms_enable_rotation")
    assert version_of(others) != before
    more = (*ALL, made_up("more", writes=("s3:PutBucketCORS",)))
    assert version_of(more) != before
    # What it may not do is part of it.
    assert version(policies(ALL).values()) != version(allowances(ALL).values())


def test_the_role_says_whose_permissions_it_has() -> None:
    assert choice(ALL) == "all"
    assert choice(select(max_risk=Risk.ADDITIVE)) == "at most additive"
    assert choice(select(max_risk=Risk.DESTRUCTIVE)) == "all"
    assert choice(ALL[:3]) == "3 chosen"


# --- a role for some of the bots


def test_a_role_for_some_of_the_bots_is_of_no_use_to_the_sessions_of_others() -> None:
    chosen = select(["s3_enable_versioning", "kms_enable_rotation"])

    def heard(session: str, action: str, bots: tuple[AnyBot, ...] = chosen) -> Word:
        texts = [json.dumps(_deployed(policy)) for policy in policies(bots).values()]
        context = {"aws:userid": f"AROAEXAMPLEROLE00000:{session}"}
        return spoken(texts, Request(action=action, resource="arn:aws:s3:::data", context=context))

    put = "s3:PutBucketVersioning"
    assert heard("hub.s3_enable_versioning.0a1b2c3d4e5f", put) is Word.ALLOW
    assert heard("hub.s3_delete_bucket.0a1b2c3d4e5f", put) is Word.DENY
    assert heard("hub.s3_delete_bucket.s3_enable_versioning", put) is Word.DENY
    assert heard("hub.any.0a1b2c3d4e5f", put) is Word.DENY
    assert heard("doctor", "s3:GetBucketVersioning") is Word.DENY
    assert heard("doctor", "ec2:DescribeRegions") is Word.ALLOW
    assert heard("hub.s3_delete_bucket.0a1b2c3d4e5f", "tag:GetResources") is Word.DENY
    assert heard("hub.s3_delete_bucket.0a1b2c3d4e5f", put, ALL) is Word.ALLOW
    assert CHOSEN_POLICY not in policies(ALL)


def test_a_role_for_no_bots_needs_nobody_kept_out() -> None:
    assert CHOSEN_POLICY not in policies(())


def test_names_that_fit_into_no_policy_are_refused_rather_than_cut() -> None:
    bots = tuple(made_up(f"bot_{number}_{'x' * 40}") for number in range(150))
    with pytest.raises(TooLarge, match="the names of 150 bots"):
        policies(bots)


# --- what guards read


@pytest.mark.parametrize("bots", [ALL, (), select(["s3_enable_versioning"])], ids=["all", "none", "one"])
def test_every_role_may_read_what_guards_ask_for_also_where_the_owner_keeps_the_hub_off(
    bots: tuple[AnyBot, ...],
) -> None:
    texts = [json.dumps(_deployed(policy)) for policy in policies(bots).values()]
    context: Context = {
        "aws:ResourceTag/remediation-hub:opt-out": "true",
        "aws:userid": "AROAEXAMPLEROLE00000:hub.s3_enable_versioning.0a1b2c3d4e5f",
    }
    for action, resource in (
        ("tag:GetResources", "*"),
        ("cloudtrail:LookupEvents", "*"),
        ("iam:ListRoleTags", f"{SPOKE}:role/team/app"),
        ("iam:ListUserTags", f"{SPOKE}:user/erin"),
        ("s3:GetBucketTagging", "arn:aws:s3:::data"),
    ):
        assert spoken(texts, Request(action=action, resource=resource, context=context)) is Word.ALLOW


def test_guards_may_only_look() -> None:
    assert all(action.split(":")[1].startswith(("Get", "List", "Lookup")) for action in GUARD_ACTIONS)
    assert all(not grant.passed_to for grant in GUARD_READS)


# --- what it may read about itself


@pytest.mark.parametrize("bots", [ALL, (), select(["s3_enable_versioning"])], ids=["all", "none", "one"])
def test_every_role_may_read_itself_and_which_regions_are_open(bots: tuple[AnyBot, ...]) -> None:
    def heard(action: str, resource: str) -> Word:
        texts = [json.dumps(_deployed(policy)) for policy in policies(bots).values()]
        return spoken(texts, Request(action=action, resource=resource, context={}))

    own = f"{SPOKE}:role/Dome9CloudBots"
    assert heard("iam:GetRole", own) is Word.ALLOW
    assert heard("iam:ListAttachedRolePolicies", own) is Word.ALLOW
    for action in ("iam:GetPolicy", "iam:GetPolicyVersion"):
        assert heard(action, f"{SPOKE}:policy/Dome9CloudBots-limits") is Word.ALLOW
    assert heard("ec2:DescribeRegions", "*") is Word.ALLOW
    assert heard("iam:TagRole", own) is Word.DENY
    assert heard("iam:UntagRole", own) is Word.DENY
    if not bots:
        assert heard("iam:GetRole", f"{SPOKE}:role/any") is Word.SILENT
        assert heard("iam:GetPolicyVersion", f"{SPOKE}:policy/any") is Word.SILENT

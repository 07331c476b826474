"""Scenes of `bots.lambda_detach_blanket_permissions`, and what only this bot does."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from moto.awslambda.models import lambda_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._wide import allowed_actions, allows_every_action, is_blanket, makes_an_administrator
from bots.lambda_detach_blanket_permissions import Blanket, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

ELSEWHERE = "eu-west-1"
LISTING = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
REST = {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::payroll/*"}


def _code() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return None")
    return packed.getvalue()


def _function(
    admin: Admin, *policies: str, path: str = "/service-role/", region: str = "us-east-1"
) -> Planted:
    arn = plants.role(
        admin, "shop-run", Path=path, AssumeRolePolicyDocument=plants.trusting("lambda.amazonaws.com")
    )
    for policy in policies:
        admin.client("iam").attach_role_policy(RoleName="shop-run", PolicyArn=policy)
    made = admin.client("lambda", region).create_function(
        FunctionName="shop",
        Runtime="python3.11",
        Role=arn,
        Handler="index.handler",
        Code={"ZipFile": _code()},
    )
    return Planted(
        entity={
            "id": made["FunctionArn"],
            "name": "shop",
            # What the finding saw; the function has another role by now.
            "executionRole": {"name": "stale", "combinedPolicies": []},
        }
    )


def _blanket(admin: Admin) -> Planted:
    planted = _function(
        admin,
        plants.policy(admin, "one-bucket"),
        plants.policy(admin, "everything", plants.ALL),
        plants.policy(admin, "all-but-payroll", plants.BUCKET, REST, Path="/team/"),
    )
    text = plants.document(LISTING)
    admin.client("iam").put_role_policy(RoleName="shop-run", PolicyName="inline", PolicyDocument=text)
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    shop = admin.client("lambda").get_function_configuration(FunctionName="shop")
    return {"role": shop["Role"], "sha": shop["CodeSha256"], **plants.seen(admin)}


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"arn:aws:lambda:us-east-1:{admin.account_id}:function:never-made"})


def scenes() -> list[Scene]:
    return [Scene(name="three policies", plant=_blanket, observe=_observe, missing=_missing)]


async def test_what_goes_is_named_and_what_stays_is_reported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _blanket(admin)) as one:
        seen = await one.check()
        after = await one.fix()
    assert "policy/everything" in seen.why
    assert "policy/team/all-but-payroll" in seen.why
    assert seen.touches == (("AWS::IAM::Role", "shop-run"),)
    assert seen.notes == ("inline policies that allow something on every resource stay: inline",)
    assert after.compliant
    role = plants.seen(admin)["RoleDetailList"]["shop-run"]
    assert [each["PolicyName"] for each in role["AttachedManagedPolicies"]] == ["one-bucket"]


async def test_aws_own_policies_for_functions_stay(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    logs = plants.policy(admin, "AWSLambdaVPCAccessExecutionRole", LISTING, Path="/service-role/")
    planted = _function(admin, logs)
    async with alone(bot, aws, admin, planted) as one:
        assert not (await one.check()).compliant  # a policy of that name that is not AWS's own
        # moto has AWS's own policies only when asked to load them all.
        known = plants.backend(admin).managed_policies
        policy = known.pop(logs)
        policy.account_id = "aws"
        known[policy.arn] = policy
        assert (await one.check()).compliant


async def test_every_action_on_some_resources_is_reported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = plants.policy(admin, "much", {**plants.BUCKET, "Action": "*"})
    async with alone(bot, aws, admin, _function(admin, arn)) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.notes == (f"every action, if not on every resource, is allowed by {arn}",)


@pytest.mark.parametrize("named", ["shop", "arn"])
async def test_a_function_is_found_in_its_own_region(aws: FakeAws, named: str) -> None:
    admin = aws.fresh_account()
    planted = _function(admin, plants.policy(admin, "everything", plants.ALL), region=ELSEWHERE)
    if named == "shop":
        planted.entity["id"] = "shop"
    region = ELSEWHERE if named == "shop" else "us-east-1"
    async with alone(bot, aws, admin, planted, region=region) as one:
        after = await one.fix()
    assert after.compliant
    assert after.region == ELSEWHERE


async def test_the_undo_goes_to_the_role_that_lost_the_policies(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _function(admin, plants.policy(admin, "everything", plants.ALL))
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        other = plants.role(admin, "other")
        lambda_backends[admin.account_id]["us-east-1"].get_function("shop").role = other
        after = await one.undo(was)
    assert after.before == Blanket(role="other", policies=())
    role = plants.seen(admin)["RoleDetailList"]["shop-run"]
    assert [each["PolicyName"] for each in role["AttachedManagedPolicies"]] == ["everything"]


async def test_a_role_that_aws_keeps_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _function(admin, path=plants.SERVICE_LINKED)) as one:
        with pytest.raises(CannotFix, match="shop-run is kept by AWS"):
            await one.check()


async def test_a_function_whose_role_was_deleted_has_nothing_to_lose(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _function(admin)) as one:
        admin.client("iam").delete_role(RoleName="shop-run")
        with pytest.raises(TargetGone, match="role shop-run does not exist"):
            await one.check()


async def test_an_error_of_aws_is_not_taken_for_a_missing_role(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _function(admin)) as one:
        aws.fail(admin.account_id, "iam:ListAttachedRolePolicies", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.check()


async def test_a_function_of_another_account_is_not_even_looked_at(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = Planted(entity={"id": "arn:aws:lambda:us-east-1:222233334444:function:theirs"})
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="belongs to account 222233334444"):
            await one.check()
    assert aws.calls(admin.account_id) == ()


# --- how wide a policy is


@pytest.mark.parametrize(
    ("statement", "wide"),
    [
        (plants.ALL, True),
        (LISTING, True),
        ({**LISTING, "Resource": ["arn:aws:s3:::a", "*"]}, True),
        (REST, True),
        (plants.BUCKET, False),
        ({**plants.BUCKET, "Resource": "arn:aws:s3:::*"}, False),
        (plants.NOTHING, False),
    ],
)
def test_only_an_allow_on_the_bare_star_or_on_all_but_some_is_blanket(
    statement: dict[str, Any], wide: bool
) -> None:
    assert is_blanket(plants.document(statement)) is wide
    assert is_blanket(plants.document(plants.BUCKET, statement)) is wide


def test_a_lone_statement_counts_as_one() -> None:
    assert is_blanket(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    )


@pytest.mark.parametrize(
    ("statement", "administrator"),
    [
        (plants.ALL, True),
        ({**plants.ALL, "Action": ["s3:GetObject", "IAM:*"]}, True),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}, False),
        ({**plants.ALL, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, False),
        ({**plants.BUCKET, "Action": "*"}, False),
        ({**plants.ALL, "Action": "iam:**"}, True),
        ({**plants.ALL, "Action": "**"}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::reports/*"}, True),
        ({**plants.ALL, "Action": "iam:GetUser"}, False),
        ({**plants.ALL, "Effect": "Deny", "Action": "*"}, False),
        (LISTING, False),
        (plants.NOTHING, False),
    ],
)
def test_who_can_do_everything_is_told_apart(statement: dict[str, Any], administrator: bool) -> None:
    assert makes_an_administrator(plants.document(statement)) is administrator


def test_the_actions_of_a_policy_are_listed_whatever_their_case() -> None:
    text = plants.document(
        plants.BUCKET, {"Effect": "Allow", "NotAction": ["sts:*", "IAM:*"], "Resource": "*"}, plants.NOTHING
    )
    assert allowed_actions(text) == {"s3:getobject", "all but iam:*, sts:*"}
    assert not allows_every_action(text)

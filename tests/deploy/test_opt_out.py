"""Resources with the opt-out tag under the deployed role, when the finding does not tell of the tag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.model import Outcome
from spoke_role.tags import OPT_OUT_TAG
from tests.bots.scene import Planted
from tests.deploy.deployed import FIRST, Deployed
from tests.fake_aws.admin import Admin

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("in_the_hubs_environment"),
]

PAIR = {"Key": OPT_OUT_TAG, "Value": "true"}


def _ec2(admin: Admin, planted: Planted) -> None:
    admin.client("ec2").create_tags(Resources=[planted.entity["id"]], Tags=[PAIR])


def _kms(admin: Admin, planted: Planted) -> None:
    pair = {"TagKey": OPT_OUT_TAG, "TagValue": "true"}
    admin.client("kms").tag_resource(KeyId=planted.entity["id"], Tags=[pair])


def _iam_role(admin: Admin, planted: Planted) -> None:
    admin.client("iam").tag_role(RoleName=planted.entity["name"], Tags=[PAIR])


def _lambda(admin: Admin, planted: Planted) -> None:
    client = admin.client("lambda")
    name = planted.entity["name"]
    arn = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={OPT_OUT_TAG: "true"})


TAGGED: dict[str, Callable[[Admin, Planted], None]] = {
    "sg_single_rule_delete": _ec2,
    "ec2_stop_instance": _ec2,
    "kms_enable_rotation": _kms,
    "iam_quarantine_role": _iam_role,
    "lambda_disable": _lambda,
}


@pytest.mark.parametrize("name", TAGGED)
async def test_the_role_leaves_it_as_it_is_and_the_report_says_why(name: str, deployed: Deployed) -> None:
    bot, scene = FIRST[name]
    spoke = await deployed.spoke()
    planted = scene.plant(spoke)
    TAGGED[name](spoke, planted)
    was = scene.observe(spoke, planted)
    run = await deployed.find(bot, scene, planted, spoke)
    assert (run.outcome, run.changed) == (Outcome.DENIED, False), run.message
    assert "the spoke role leaves alone what is opted out" in run.message
    assert f"carries the tag {OPT_OUT_TAG}=true: take the tag off" in run.message
    assert scene.observe(spoke, planted) == was


async def test_what_is_right_already_is_said_to_be_right(deployed: Deployed) -> None:
    bot, scene = FIRST["kms_enable_rotation"]
    spoke = await deployed.spoke()
    planted = scene.plant(spoke)
    spoke.client("kms").enable_key_rotation(KeyId=planted.entity["id"])
    _kms(spoke, planted)
    run = await deployed.find(bot, scene, planted, spoke)
    assert run.outcome is Outcome.COMPLIANT, run.message


async def test_no_finding_can_set_the_tag(deployed: Deployed) -> None:
    bot, scene = FIRST["tag_ec2_resource"]
    spoke = await deployed.spoke()
    planted = scene.plant(spoke)
    was: Any = scene.observe(spoke, planted)
    words = (OPT_OUT_TAG, "true")
    run = await deployed.find(bot, scene, Planted(entity=planted.entity, words=words), spoke)
    assert run.outcome is Outcome.DENIED, run.message
    assert "unless the call was about that tag" in run.message
    assert scene.observe(spoke, planted) == was


async def test_a_buckets_tag_is_not_compared_so_the_hub_alone_can_honour_it(deployed: Deployed) -> None:
    """AWS compares the tags of buckets only where that is switched on for the bucket."""
    bot, scene = FIRST["s3_enable_versioning"]
    spoke = await deployed.spoke()
    planted = scene.plant(spoke)
    tagging = {"TagSet": [PAIR]}
    spoke.client("s3").put_bucket_tagging(Bucket=planted.entity["id"], Tagging=tagging)
    entity = {**planted.entity, "tags": [{"key": OPT_OUT_TAG, "value": "true"}]}
    told = await deployed.find(bot, scene, Planted(entity=entity), spoke)
    assert told.outcome is Outcome.REFUSED
    untold = await deployed.find(bot, scene, planted, spoke)
    assert untold.outcome is Outcome.FIXED

"""Scenes of `bots.lambda_detach_external_layer`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._words import BadWords, parse
from bots.lambda_detach_external_layer import Layers, Wish, bot
from tests.bots.alone import alone
from tests.bots.functions import CODE, NAME, missing, moto_function, observe, plant
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.server import FakeAws

STRANGER, PARTNER = "222233334444", "111122223333"
AT = datetime(2026, 3, 20, 5, 40, 42, tzinfo=UTC)
UPDATED = "UpdateFunctionConfiguration20150331v2"


def _layer(admin: Admin, name: str, *, of: str = "", shared: bool = True) -> str:
    """A layer version of that account, ours if none is named; others' can be shared with everybody."""
    publisher = Admin(of, admin.endpoint) if of else admin
    client = publisher.client("lambda")
    made = client.publish_layer_version(LayerName=name, Content={"ZipFile": CODE})
    if shared and of:
        client.add_layer_version_permission(
            LayerName=name,
            VersionNumber=made["Version"],
            StatementId="everybody",
            Action="lambda:GetLayerVersion",
            Principal="*",
        )
    return str(made["LayerVersionArn"])


def _with(admin: Admin, *layers: str, words: tuple[str, ...] = ()) -> Planted:
    planted = plant(admin, *words)
    admin.client("lambda").update_function_configuration(FunctionName=NAME, Layers=list(layers))
    return planted


def _log(admin: Admin, layer: str, *, function: str = NAME, **more: Any) -> None:
    log_call(
        admin.account_id,
        "us-east-1",
        UPDATED,
        at=AT + timedelta(seconds=10),
        request={"functionName": function, "layers": [layer]},
        **more,
    )


def _external(admin: Admin) -> Planted:
    """Between two layers of our own, and the finding knows when it was attached."""
    first, last = _layer(admin, "logging"), _layer(admin, "fonts")
    external = _layer(admin, "logging", of=STRANGER)
    planted = _with(admin, first, external, last)
    _log(admin, external)
    return Planted(
        entity=planted.entity,
        notes=planted.notes | {"left": [first, last], "external": external},
        event_time="2026-03-20T05:40:42Z",
    )


def scenes() -> list[Scene]:
    return [Scene(name="a layer of a stranger", plant=_external, observe=observe, missing=missing)]


def test_allowed_accounts_come_with_commas() -> None:
    assert parse(Wish, []).allowed_accounts == ()
    wish = parse(Wish, [f"allowed_accounts={STRANGER}, {PARTNER}"])
    assert wish == parse(Wish, [f"allowedAccounts:{STRANGER},{PARTNER}"])
    assert wish.allowed_accounts == (STRANGER, PARTNER)
    with pytest.raises(BadWords, match="allowed_accounts"):
        parse(Wish, ["allowed_accounts=partner"])


@pytest.mark.usefixtures("hub_environment")
async def test_only_layers_of_others_go_and_the_order_of_the_rest_stays(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _external(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.notes == (
            f"arn:aws:iam::{admin.account_id}:user/somebody attached layer {planted.notes['external']} "
            "at 2026-03-20T05:40:52Z",
        )
        after = await one.fix()
    assert after.compliant
    assert after.touches == (("AWS::Lambda::Function", NAME),)
    assert observe(admin, planted)["layers"] == planted.notes["left"]


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("event_time", [None, "yesterday", "2026-03-20T05:40:42Z"])
async def test_without_a_logged_call_the_layers_are_detached_all_the_same(
    aws: FakeAws, event_time: str | None
) -> None:
    admin = aws.fresh_account()
    layers = [_layer(admin, "agent", of=STRANGER), _layer(admin, "tool", of=PARTNER)]
    planted = _with(admin, *layers)
    _log(admin, layers[0], function="another")
    _log(admin, "a layer that is not there any more")
    async with alone(bot, aws, admin, Planted(entity=planted.entity, event_time=event_time)) as one:
        assert (await one.check()).notes == ()
        assert (await one.fix()).before == Layers(arns=())
    assert observe(admin, planted)["layers"] == []


@pytest.mark.usefixtures("hub_environment")
async def test_layers_of_allowed_accounts_stay(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    mine, partners = _layer(admin, "fonts"), _layer(admin, "tool", of=PARTNER)
    planted = _with(admin, partners, mine, words=(f"allowed_accounts={PARTNER}",))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant
        assert (await one.saying().fix()).before == Layers(arns=(mine,))


@pytest.mark.usefixtures("hub_environment")
async def test_a_function_without_layers_has_none_of_others(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, plant(admin)) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.why == f"function {NAME} has no layers of other accounts"


@pytest.mark.usefixtures("hub_environment")
async def test_a_deleted_layer_that_would_stay_is_named_before_anything_is_written(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    mine = _layer(admin, "fonts")
    planted = _with(admin, mine, _layer(admin, "agent", of=STRANGER))
    admin.client("lambda").delete_layer_version(LayerName="fonts", VersionNumber=1)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match=f"layer {mine}, which stays, was deleted"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_layer_that_is_no_longer_shared_cannot_come_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    external = _layer(admin, "private", of=STRANGER, shared=False)
    planted = plant(admin)
    moto_function(admin, planted).layers = [{"Arn": external, "CodeSize": 1}]
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        with pytest.raises(AwsError, match="not authorized to perform: lambda:GetLayerVersion"):
            await one.undo(was)
    assert observe(admin, planted)["layers"] == []


@pytest.mark.usefixtures("hub_environment")
async def test_an_update_under_way_is_waited_for_and_a_failed_one_made_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _with(admin, _layer(admin, "agent", of=STRANGER))
    function = moto_function(admin, planted)
    function.update_status = "InProgress"
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater, match="being updated"):
            await one.check()
        function.layers, function.update_status = [], "Failed"
        assert "its last update failed" in (await one.check()).why
        assert (await one.fix()).compliant

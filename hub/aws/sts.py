"""Role sessions, from an STS that will give them.

Source: IAM User Guide, "Manage AWS STS in an AWS Region". Sessions of regional endpoints are good in every region.
A region that accounts must opt in to gives them only when both sides have done so, the one that asks and the
one of the role; and an account may have STS switched off in any other region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bots._aws import AwsError
from hub.aws.errors import from_botocore

if TYPE_CHECKING:
    from hub.aws.accounts import HubIdentity

OFF = "RegionDisabledException"  # in the account of the role


async def assume_role(identity: HubIdentity, region: str, **request: Any) -> dict[str, Any]:
    """STS's answer, from the hub's own region, where the hub is sure to be let in, and else from ``region``.

    Raises:
        AwsError: neither gave a session.
    """
    own = identity.settings.region
    try:
        return await _asked(identity, own, request)
    except AwsError as told:
        if told.code != OFF or region == own:
            raise
    return await _asked(identity, region, request)


async def _asked(identity: HubIdentity, region: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        sts = await identity.kept("sts", region)
        return await _assumed(sts, request)
    except (ClientError, BotoCoreError) as error:
        raise from_botocore(error, service="sts", operation="AssumeRole", region=region) from error


async def _assumed(sts: Any, request: dict[str, Any]) -> dict[str, Any]:
    """AssumeRole's answer. Roles made for the old project let the hub in, but not with a source identity;
    their sessions are known by their name alone."""
    try:
        answer: dict[str, Any] = await sts.assume_role(**request)
    except ClientError as error:
        if "perform: sts:SetSourceIdentity" not in error.response.get("Error", {}).get("Message", ""):
            raise
        plain = {name: value for name, value in request.items() if name != "SourceIdentity"}
        answer = await sts.assume_role(**plain)
    return answer

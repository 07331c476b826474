"""The hub's stack: what its parameters will be, and the change that would make it so."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from botocore.exceptions import ClientError
from botocore.loaders import create_loader

from deploy.adoption import import_template, left_behind
from deploy.calls import code, said
from deploy.errors import DeploymentFailed, InputWrong
from deploy.package_upload import PREFIX, Package, check_bucket, upload
from deploy.parameters import settle
from deploy.proposal import Proposal, proposed
from deploy.session import Aws
from deploy.stack import Stack
from deploy.template import hub_template, parse
from spoke_role.template import TEMPLATE_BYTES


async def prepare(
    aws: Aws,
    *,
    name: str,
    before: Stack | None,
    given: Mapping[str, str],
    package: Package | None = None,
    bucket: str = "",
) -> Proposal:
    """Work out what the given values would change. Where a former hub has left its journal, a new stack
    begins with that alone (kind IMPORT), and what it is to be is worked out by asking again.

    Args:
        before: the stack as `present` found it.
        package: what the function is to run. It is not uploaded here.
        bucket: for the package, and for a template too long to be sent.

    Raises:
        InputWrong: the values do not fit the template. Nothing was asked of CloudFormation.
        DeploymentFailed: AWS cannot or will not.
    """
    text = hub_template()
    if package is not None:
        given = {**package.parameters(bucket), **given}
    made: dict[str, str] = {}
    if before is None and "ExternalId" not in given:
        made["ExternalId"] = secrets.token_hex(16)
    if not _wanted("OrganizationId", given, before) and _wanted("DeploymentMode", given, before) == "multi":
        made |= await _organization(aws)
    values = settle(parse(text), {**made, **given}, before.parameters if before else None)
    if package is not None:
        await check_bucket(await aws.client("s3"), bucket, aws.region)
    if before is None and (left := await left_behind(aws, parse(text), values.all)):
        return await proposed(
            aws,
            name=name,
            before=None,
            template={"TemplateBody": import_template(parse(text), [each.resource for each in left])},
            values=values,
            made=made,
            imported=[each.request for each in left],
        )
    return await proposed(
        aws,
        name=name,
        before=before,
        template=await _template_argument(aws, text, bucket),
        values=values,
        made=made,
    )


def _wanted(name: str, given: Mapping[str, str], before: Stack | None) -> str:
    return given.get(name, before.parameters.get(name, "") if before else "")


async def _organization(aws: Aws) -> dict[str, str]:
    """The organization's id; none where there is no organization or the account may not know."""
    organizations = await aws.client("organizations")
    try:
        found = await organizations.describe_organization()
    except ClientError as error:
        if code(error) in ("AWSOrganizationsNotInUseException", "AccessDeniedException"):
            return {}
        raise DeploymentFailed(said(error)) from error
    return {"OrganizationId": str(found["Organization"]["Id"])}


async def _template_argument(aws: Aws, text: str, bucket: str) -> dict[str, str]:
    content = text.encode()
    if len(content) <= TEMPLATE_BYTES:
        return {"TemplateBody": text}
    if not bucket:
        raise InputWrong(
            f"the template has {len(content)} bytes and CloudFormation takes {TEMPLATE_BYTES} as text: "
            "give --bucket, a bucket of this region to lay it in"
        )
    key = f"{PREFIX}/{hashlib.sha256(content).hexdigest()}.yaml"
    await upload(await aws.client("s3"), bucket, key, content)
    return {"TemplateURL": f"https://{bucket}.s3.{aws.region}.{dns_suffix(aws.region)}/{key}"}


def dns_suffix(region: str) -> str:
    """What names of AWS's hosts end in, in the region's partition."""
    partitions = create_loader().load_data("partitions")["partitions"]
    found = next((each for each in partitions if re.match(each["regionRegex"], region)), partitions[0])
    return str(found["outputs"]["dnsSuffix"])

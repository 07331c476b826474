"""The tags of what a call is about, for conditions on ``aws:ResourceTag``.

A section per service. What is missing here has no tags for a policy, as on AWS whatever does not compare them; nor have
S3 buckets, whose tags count only where somebody switched that on for the bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moto.awslambda.models import lambda_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

Tags = Mapping[str, str]


def tags_of(arn: str, account_id: str) -> Tags:
    """The tags of the resource, none if there is no such resource.

    Args:
        account_id: whose it is where the ARN does not say.
    """
    parts = arn.split(":", 5)
    if len(parts) < 6 or (find := _FINDERS.get(parts[2])) is None:
        return {}
    _, partition, _, region, owner, name = parts
    return find(owner or account_id, region or partition, name)


def _ec2(account: str, region: str, name: str) -> Tags:
    found: Tags = ec2_backends[account][region].tags.get(name.rpartition("/")[2], {})
    return found


def _iam(account: str, partition: str, name: str) -> Tags:
    backend, kind = iam_backends[account][partition], name.partition("/")[0]
    arn = f"arn:{partition}:iam::{account}:{name}"
    if kind == "user":
        return dict(backend.tagger.get_tag_dict_for_resource(arn))
    tags = [role.tags for role in backend.roles.values() if role.arn == arn]
    return {tag["Key"]: tag["Value"] for each in tags for tag in each}


def _kms(account: str, region: str, name: str) -> Tags:
    return dict(kms_backends[account][region].tagger.get_tag_dict_for_resource(name.rpartition("/")[2]))


def _lambda(account: str, region: str, name: str) -> Tags:
    functions = lambda_backends[account][region].list_functions()
    wanted = name.removeprefix("function:")
    return next((dict(each.tags) for each in functions if each.function_name == wanted), {})


def _sns(account: str, region: str, name: str) -> Tags:
    topics = sns_backends[account][region].topics.values()
    return next((dict(each._tags) for each in topics if each.name == name), {})


def _sqs(account: str, region: str, name: str) -> Tags:
    queue = sqs_backends[account][region].queues.get(name)
    return dict(queue.tags) if queue else {}


_FINDERS: Mapping[str, Callable[[str, str, str], Tags]] = {
    "ec2": _ec2,
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "sns": _sns,
    "sqs": _sqs,
}

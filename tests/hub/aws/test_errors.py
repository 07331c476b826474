"""AWS's words in one table: where S3 says that a bucket lives."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from hub.aws.errors import from_botocore

REDIRECT = {
    "Code": "PermanentRedirect",
    "Message": "The bucket you are attempting to access must be addressed",
}
SIGNATURE = {"Code": "AuthorizationHeaderMalformed", "Message": "the region is wrong", "Region": "eu-west-1"}
HEAD = {"Code": "400", "Message": "Bad Request"}
HEADER = {"x-amz-bucket-region": "eu-west-1"}


def _constraint(named: str) -> dict[str, str]:
    text = f"The {named} location constraint is incompatible for the region specific endpoint this request was sent to."
    return {"Code": "IllegalLocationConstraintException", "Message": text}


def _told(
    error: dict[str, str],
    status: int,
    headers: dict[str, str],
    *,
    service: str = "s3",
    operation: str = "GetBucketAcl",
    region: str = "af-south-1",
) -> str | None:
    response: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}
    said = ClientError(response, operation)
    return from_botocore(said, service=service, operation=operation, region=region).right_region


@pytest.mark.parametrize(
    ("error", "status", "headers", "lives"),
    [
        (REDIRECT, 301, HEADER, "eu-west-1"),
        (SIGNATURE, 400, {}, "eu-west-1"),
        (HEAD, 400, HEADER, "eu-west-1"),
        ({"Code": "301", "Message": "Moved Permanently"}, 301, HEADER, "eu-west-1"),
        (_constraint("eu-west-1"), 400, {}, "eu-west-1"),
        (_constraint("EU"), 400, {}, "eu-west-1"),
        (_constraint("unspecified"), 400, {}, "us-east-1"),
    ],
)
def test_s3_says_where_a_bucket_lives_in_many_ways(
    error: dict[str, str], status: int, headers: dict[str, str], lives: str
) -> None:
    assert _told(error, status, headers) == lives


def test_an_error_that_is_not_about_the_region_names_none() -> None:
    assert _told({"Code": "AccessDenied", "Message": "Access Denied"}, 403, HEADER) is None
    assert _told({"Code": "MalformedPolicy", "Message": "no"}, 400, HEADER, region="eu-west-1") is None
    assert _told({"Code": "InvalidRequest", "Message": "no"}, 400, {}) is None
    assert _told(REDIRECT, 301, HEADER, service="s3control") is None
    # What is wrong here is the request.
    assert _told(_constraint("unspecified"), 400, {}, operation="CreateBucket") is None

"""AWS's many words for the same few things, in one table."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from bots._aws import AwsError
from hub.model import Outcome

DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "AuthFailure", "Forbidden",
    "AuthorizationError", "AuthorizationErrorException", "UnauthorizedException", "UnauthorizedAccess",
    "NotAuthorized", "AllAccessDisabled", "AccountProblem", "OptInRequired", "SubscriptionRequiredException",
    "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "KMSAccessDeniedException",
    "KMS.AccessDeniedException", "InsufficientPrivilegesException", "NotAuthorizedException",
})  # fmt: skip
THROTTLED = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
    "RequestLimitExceeded", "TooManyRequestsException", "TooManyRequests", "SlowDown", "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException", "EC2ThrottledException", "PriorRequestNotComplete",
    "TransactionInProgressException", "LimitExceededException.Throttle", "429",
})  # fmt: skip
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNREACHABLE = EXPIRED | frozenset({
    "InternalError", "InternalFailure", "InternalServerError", "InternalServiceError", "ServiceUnavailable",
    "ServiceUnavailableException", "ServiceFailure", "ServiceFailureException", "RequestTimeout",
    "RequestTimeoutException", "Unavailable", "500", "502", "503", "504",
    "RegionDisabledException", "Network",
})  # fmt: skip
# A bucket of the first region has no constraint, and one of the oldest may still have Ireland's first name.
_CONSTRAINT = re.compile(r"The (?P<named>\S+) location constraint is incompatible")
_CONSTRAINED = {"unspecified": "us-east-1", "EU": "eu-west-1"}
_MISDIRECTED = frozenset({301, 302, 307, 400})


def from_botocore(
    error: ClientError | BotoCoreError, *, service: str, operation: str, region: str
) -> AwsError:
    """The hub's one form of any error a client raises. Network errors get the code ``Network``."""
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        return AwsError(
            service=service,
            operation=operation,
            region=region,
            code=str(answer.get("Code", "Unknown")),
            message=str(answer.get("Message", "")) or "AWS gave no reason",
            status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
            right_region=_right_region(error.response, operation, region) if service == "s3" else None,
        )
    network = isinstance(error, (BotoConnectionError, HTTPClientError))
    code = "Network" if network else type(error).__name__
    if isinstance(error, NoCredentialsError):
        code = "UnrecognizedClientException"
    return AwsError(
        service=service, operation=operation, region=region, code=code, message=str(error) or code
    )


def _right_region(response: dict[str, Any], operation: str, asked: str) -> str | None:
    """Where S3 says the bucket lives, in any of its ways to say so; None if the region was not the trouble.

    S3 redirects (301 PermanentRedirect), finds the signature to be for the wrong region (400
    AuthorizationHeaderMalformed) or, where one of the regions is newer than March 2019, the constraint
    (400 IllegalLocationConstraintException). Answers to HEAD have neither code nor text.
    """
    meta, error = response.get("ResponseMetadata", {}), response.get("Error", {})
    if meta.get("HTTPStatusCode") not in _MISDIRECTED or operation == "CreateBucket":
        return None
    told = meta.get("HTTPHeaders", {}).get("x-amz-bucket-region") or error.get("Region")
    if not told and (found := _CONSTRAINT.match(str(error.get("Message", "")))):
        told = _CONSTRAINED.get(found["named"], found["named"])
    return None if not told or told == asked else str(told)


def told_apart(
    answer: dict[str, Any], count: int, *, service: str, operation: str, region: str
) -> list[AwsError | None]:
    """What AWS says of each entry of a batch whose ids are their numbers: None, or why it failed."""
    done = {each["Id"] for each in answer.get("Successful", ())}
    failed = {each["Id"]: each for each in answer.get("Failed", ())}
    told: list[AwsError | None] = []
    for number in map(str, range(count)):
        if number in done:
            told.append(None)
            continue
        # An entry AWS says nothing of is not known to be done.
        why = failed.get(number, {"Code": "InternalError", "Message": "AWS said nothing about this entry"})
        status = 400 if why.get("SenderFault") else 500
        error = ClientError({"Error": why, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)
        told.append(from_botocore(error, service=service, operation=operation, region=region))
    return told


def outcome_of(error: AwsError) -> Outcome:
    """Which of the hub's outcomes an AWS error is."""
    if error.code in THROTTLED:
        return Outcome.THROTTLED
    if error.code in UNREACHABLE or error.status >= 500:
        return Outcome.UNREACHABLE
    if error.code in DENIED or error.status == 403:
        return Outcome.DENIED
    return Outcome.FAILED

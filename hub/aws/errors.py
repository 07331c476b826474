"""AWS's many words for the same few things, in one table."""

from __future__ import annotations

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
        )
    network = isinstance(error, (BotoConnectionError, HTTPClientError))
    code = "Network" if network else type(error).__name__
    if isinstance(error, NoCredentialsError):
        code = "UnrecognizedClientException"
    return AwsError(
        service=service, operation=operation, region=region, code=code, message=str(error) or code
    )


def outcome_of(error: AwsError) -> Outcome:
    """Which of the hub's outcomes an AWS error is."""
    if error.code in THROTTLED:
        return Outcome.THROTTLED
    if error.code in UNREACHABLE or error.status >= 500:
        return Outcome.UNREACHABLE
    if error.code in DENIED or error.status == 403:
        return Outcome.DENIED
    return Outcome.FAILED

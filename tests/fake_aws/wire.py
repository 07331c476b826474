"""From an HTTP request to the AWS call it is, and from an error to AWS's way of saying it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from tests.fake_aws.request import Request

# Requests say which service they are for by the name they are signed with. These differ from botocore's.
_SERVICES = {
    "access-analyzer": "accessanalyzer",
    "aoss": "opensearchserverless",
    "aps": "amp",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "email": "ses",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
_READS = re.compile(r"(BatchGet|Get|List|Describe|Head|Lookup|Search|Query|Scan|Select|Simulate|Decode)[A-Z]")
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<name>[^/]+)/aws4_request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One AWS call, as it arrived and, once answered, how it ended.

    Attributes:
        account_id: the account of the caller's credentials.
        caller: ARN of the caller; "" for administrators and unknown callers.
        error: AWS's error code, None when the call went well or has not been answered yet.
    """

    access_key: str
    region: str
    service: str
    operation: str
    params: Mapping[str, Any] = field(repr=False)
    protocol: str = field(repr=False)
    method: str = field(default="POST", repr=False)
    path: str = field(default="/", repr=False)
    token: str | None = field(default=None, repr=False)
    account_id: str = ""
    caller: str = ""
    status: int = 0
    error: str | None = None

    @property
    def name(self) -> str:
        """As in ``s3:PutBucketVersioning``: botocore's service and AWS's operation, not the IAM action."""
        return f"{self.service}:{self.operation}"

    @property
    def is_write(self) -> bool:
        """Whether the call, if let through, can change a resource. Entering an account changes none."""
        return self.service != "sts" and not _READS.match(self.operation)


class NotUnderstood(Exception):
    """The request is not one this package can read; the text says where to teach it."""


def read(request: Request) -> Call | None:
    """The call a request is; None if it is not signed (the server's own pages). The body stays readable.

    Raises:
        NotUnderstood: the request is signed for a service nobody mapped yet.
    """
    environ = request.environ
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    service = _service(found["name"], environ)
    if service != "s3":  # where it is the object that is packed, not the request
        request.unpack()
    try:
        model = get_service_model(service)
    except Exception as error:
        raise NotUnderstood(f"no service is called {service!r}: map it in tests/fake_aws/wire.py") from error
    operation, labels = get_service_router(service).match(request)
    protocol = determine_request_protocol(model, request.content_type)
    params = PROTOCOL_PARSERS[protocol](operation, map_type=dict).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": labels,
        }
    )
    request.parsed = operation, params or {}
    return Call(
        access_key=found["key"],
        region=found["region"],
        service=service,
        operation=operation.name,
        params=params or {},
        protocol=protocol,
        method=request.method,
        path=request.raw_path,
        token=environ.get("HTTP_X_AMZ_SECURITY_TOKEN"),
    )


def _service(signed_as: str, environ: Mapping[str, Any]) -> str:
    path = environ.get("PATH_INFO", "")
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    match signed_as:
        case "s3" if path.startswith("/v20180820/"):
            return "s3control"
        case "elasticloadbalancing" if b"Version=2015-12-01" in environ["wsgi.input"].getvalue():
            return "elbv2"
        case "elasticloadbalancing":
            return "elb"
        case "es" if path.startswith("/2021-01-01/"):
            return "opensearch"
        case "ses" if path.startswith("/v2/"):
            return "sesv2"
        case "apigateway" if path.startswith("/v2/"):
            return "apigatewayv2"
        case "dynamodb" if target.startswith("DynamoDBStreams"):
            return "dynamodbstreams"
        case _:
            return _SERVICES.get(signed_as, signed_as)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def with_body(answer: Answer, body: ET.Element | Mapping[str, Any]) -> Answer:
    """The answer with this for its XML or JSON."""
    text = ET.tostring(body) if isinstance(body, ET.Element) else json.dumps(body).encode()
    headers = tuple(header for header in answer.headers if header[0].lower() != "content-length")
    return replace(answer, headers=headers, body=text)


def xml_of(answer: Answer) -> tuple[ET.Element, str]:
    """The answer's XML, and what stands before the names of its elements."""
    root = ET.fromstring(answer.body)
    return root, root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""


def refusal(call: Call, code: str, message: str, *, status: int = 403) -> Answer:
    """An error as the call's protocol words it."""
    request_id = secrets.token_hex(8).upper()
    if call.protocol in ("json", "rest-json"):
        # The JSON protocol answers every client error with 400, REST-JSON with the status itself.
        status = 400 if call.protocol == "json" else status
        text = json.dumps({"__type": code, "message": message, "Message": message})
        kind = ("Content-Type", "application/x-amz-json-1.1")
        return Answer(
            status, (kind, ("x-amzn-errortype", code), ("x-amzn-requestid", request_id)), text.encode()
        )
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if call.protocol == "ec2":
        text = (
            f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    elif call.service == "s3":
        text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    # An answer to HEAD has no body, so a client learns nothing but the status.
    body = b"" if call.method == "HEAD" else text.encode()
    return Answer(status, (("Content-Type", "text/xml"), ("x-amz-request-id", request_id)), body)


def error_code(call: Call, answer: Answer) -> str | None:
    """The error code of an answer, None for a success."""
    if answer.status < 400:
        return None
    if call.protocol in ("json", "rest-json"):
        named = next((value for name, value in answer.headers if name.lower() == "x-amzn-errortype"), None)
        if named is None:
            try:
                document = json.loads(answer.body or b"{}")
                named = document.get("__type") or document.get("code")
            except (ValueError, AttributeError):
                named = None
        return str(named).split(":", 1)[0].rsplit("#", 1)[-1] if named else str(answer.status)
    try:
        root = ET.fromstring(answer.body)
    except ET.ParseError:
        return str(answer.status)
    code = next((element.text for element in root.iter() if element.tag.rsplit("}", 1)[-1] == "Code"), None)
    return code or str(answer.status)

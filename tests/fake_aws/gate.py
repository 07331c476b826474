"""Stands in front of moto: tells who calls, refuses what IAM refuses, writes down what happened.

moto itself enforces nothing here. Administrators pass unasked and unrecorded.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from moto.utilities.utils import get_partition

from tests.fake_aws import moto_gaps, wire
from tests.fake_aws.authorizer import Denied, authorise, managed_policy
from tests.fake_aws.moto_http import Moto
from tests.fake_aws.principals import Principal, Principals, Session, Unrecognised, administered_account
from tests.fake_aws.request import Request, request_of
from tests.fake_aws.wire import Answer, Call

StartResponse = Callable[..., Any]

# What a service says instead of AccessDenied. JSON services say AccessDeniedException.
_DENIALS = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 412: "Precondition Failed"}


@dataclass(slots=True)
class Gate:
    """A WSGI application around moto. Without ``enforce`` it tells who calls, but refuses nobody."""

    moto: Moto = field(default_factory=Moto)
    enforce: bool = True
    principals: Principals = field(default_factory=Principals)
    _faults: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)
    _calls: list[Call] = field(default_factory=list)
    _calls_of: dict[str, list[Call]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _table_lock: threading.Lock = field(default_factory=threading.Lock)

    def calls(self, account_id: str | None = None) -> tuple[Call, ...]:
        """Calls of anybody but administrators, oldest first, with credentials of that account."""
        with self._lock:
            return tuple(self._calls if account_id is None else self._calls_of.get(account_id, ()))

    def fail(self, account_id: str, name: str, code: str, *, status: int = 400, times: int = 1) -> None:
        """Let the next calls of ``name`` (as in ``iam:ListUsers``) in that account end with ``code``."""
        with self._lock:
            self._faults.setdefault((account_id, name), []).extend([(code, status)] * times)

    def account_of(self, call: Call) -> str:
        """The account of the caller's credentials; "" where they are not valid."""
        try:
            return self.principals.identify(
                call.access_key, call.token, get_partition(call.region)
            ).account_id
        except Unrecognised:
            return ""

    def _fault(self, call: Call) -> Answer | None:
        with self._lock:
            waiting = self._faults.get((call.account_id, call.name))
            fault = waiting.pop(0) if waiting else None
        return wire.refusal(call, fault[0], "as the test asked for", status=fault[1]) if fault else None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = request_of(environ)
        call = wire.read(request)
        if call is None:
            page: Iterable[bytes] = self.moto.server(environ, start_response)
            return page
        answer = self.answer(call, request)
        start_response(f"{answer.status} {_REASONS.get(answer.status, 'Answer')}", list(answer.headers))
        return [answer.body]

    def answer(self, call: Call, request: Request) -> Answer:
        """The answer to a call, which ``request`` was read as."""
        administered = administered_account(call.access_key)
        if administered is not None:
            call = replace(call, account_id=administered)
            answer = self._serve(call, request)
        else:
            call, answer = self._guarded(call, request)
            call = replace(call, status=answer.status, error=wire.error_code(call, answer))
            with self._lock:
                self._calls.append(call)
                self._calls_of.setdefault(call.account_id, []).append(call)
        if call.name == "sts:AssumeRole" and answer.status == 200:
            self._remember(call, answer)
        return answer

    def _guarded(self, call: Call, request: Request) -> tuple[Call, Answer]:
        partition = get_partition(call.region)
        try:
            principal = self.principals.identify(call.access_key, call.token, partition)
        except Unrecognised as error:
            code = "UnrecognizedClientException" if call.protocol == "json" else error.code
            return call, wire.refusal(call, code, str(error))
        call = replace(call, account_id=principal.account_id, caller=principal.arn)
        try:
            if self.enforce:
                authorise(call, principal)
        except Denied as error:
            named = "AccessDeniedException" if call.protocol in ("json", "rest-json") else "AccessDenied"
            return call, wire.refusal(call, _DENIALS.get(call.service, named), str(error))
        return call, self._fault(call) or self._serve(call, request)

    def _serve(self, call: Call, request: Request) -> Answer:
        if (instead := moto_gaps.before(call)) is not None:
            return instead
        # moto would guess the account from the key; the gate knows it.
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.account_id
        # DynamoDB's conditional writes are atomic; moto looks and then writes, and serves in threads.
        with self._table_lock if call.service == "dynamodb" else contextlib.nullcontext():
            answer = self.moto(request)
        return moto_gaps.after(call, answer)

    def _remember(self, call: Call, answer: Answer) -> None:
        found = {
            element.tag.rsplit("}", 1)[-1]: element.text or ""
            for element in ET.fromstring(answer.body).iter()
        }
        arn = str(call.params["RoleArn"])
        _, partition, _, _, account_id, _ = arn.split(":", 5)
        policies = [call.params["Policy"]] if call.params.get("Policy") else []
        policies += [
            managed_policy(p["arn"], account_id, partition) for p in call.params.get("PolicyArns") or []
        ]
        principal = Principal(
            account_id=account_id,
            partition=partition,
            arn=found["Arn"],
            entity_arn=arn,
            session_policies=tuple(policies) or None,
            source_identity=call.params.get("SourceIdentity"),
            is_session=True,
        )
        self.principals.remember(
            found["AccessKeyId"],
            Session(
                principal=principal,
                token=found["SessionToken"],
                expires_at=datetime.fromisoformat(found["Expiration"]),
            ),
        )

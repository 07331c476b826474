"""Route 53's registrar."""

from __future__ import annotations

import json
from typing import Any

from moto.route53domains.models import route53domains_backends
from moto.route53domains.validators import Route53DomainsOperation

from tests.fake_aws.wire import Answer, Call, refusal

LOCKED = "clientTransferProhibited"


def domain(account_id: str, name: str) -> Any:
    """moto's domain of that name, None if the account has none. A test sets ``slow`` of it, so that the
    registry takes its time with locks until `finish`."""
    return route53domains_backends[account_id]["aws"]._Route53DomainsBackend__domains.get(name)


def _operations(account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = route53domains_backends[account_id]["aws"]._Route53DomainsBackend__operations
    return found


def finish(account_id: str, name: str, status: str = "SUCCESSFUL", message: str | None = None) -> None:
    """Let the registry end what it is at with the lock of the domain."""
    for operation in _operations(account_id).values():
        if operation.domain_name == name and operation.status == "IN_PROGRESS":
            operation.status, operation.message = status, message
            if status == "SUCCESSFUL":
                _turn(domain(account_id, name), operation.wanted)


def before(call: Call) -> Answer | None:
    """moto neither turns automatic renewal nor the transfer lock on or off."""
    if not call.operation.endswith(("DomainAutoRenew", "DomainTransferLock")):
        return None
    name, wanted = call.params["DomainName"], call.operation.startswith("Enable")
    found = domain(call.account_id, name)
    if found is None:
        return refusal(call, "InvalidInput", f"Domain {name} not found in {call.account_id}")
    if call.operation.endswith("DomainAutoRenew"):
        found.auto_renew = wanted
        return _answer({})
    operations = _operations(call.account_id)
    if any(each.domain_name == name and each.status == "IN_PROGRESS" for each in operations.values()):
        return refusal(call, "DuplicateRequest", "The request is already in progress for the domain.")
    slow = getattr(found, "slow", False)
    # AWS files locking and unlocking under one type.
    operation = Route53DomainsOperation.validate(
        domain_name=name, status="IN_PROGRESS" if slow else "SUCCESSFUL", type_="DOMAIN_LOCK"
    )
    operation.wanted = wanted
    operations[operation.id] = operation
    if not slow:
        _turn(found, wanted)
    return _answer({"OperationId": operation.id})


def _turn(found: Any, locked: bool) -> None:
    others = [status for status in found.status_list if status not in (LOCKED, "ok")]
    found.status_list = [*others, LOCKED] if locked else others or ["ok"]


def after(call: Call, answer: Answer) -> Answer:
    """A domain is locked from its registration on, and its states are the registry's. moto makes up one."""
    if call.operation == "RegisterDomain":
        domain(call.account_id, call.params["DomainName"]).status_list = [LOCKED]
    return answer


def _answer(found: dict[str, Any]) -> Answer:
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(found).encode())

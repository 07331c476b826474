"""Organizations."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.organizations.models import organizations_backends

from tests.fake_aws.wire import Answer, Call, refusal

PAGE = 20  # accounts, the most AWS puts on one page
_MOVES = ("CreateAccount", "MoveAccount", "RemoveAccountFromOrganization")
_FOR_ALL = ("DescribeOrganization", "ListHandshakesForAccount")


def before(call: Call) -> Answer | None:
    """moto answers everybody, with an empty organization or with what an account may not see.

    AWS: only the management account and, when they just look, delegated administrators of any service.
    """
    if not call.operation.startswith(("List", "Describe")) or call.operation in _FOR_ALL:
        return None
    owner = organizations_backends.master_accounts.get(call.account_id, (call.account_id, "aws"))
    backend = organizations_backends[owner[0]][owner[1]]
    if backend.org is None:
        return refusal(
            call, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    administrators = {owner[0], *(each.account.id for each in backend.admins)}
    if call.account_id not in administrators:
        text = "You don't have permissions to access this resource."
        return refusal(call, "AccessDeniedException", text)
    if call.operation == "ListAccounts":
        return _answer(_accounts(call, backend))
    return None if call.account_id == owner[0] else _as_management(call, owner[0])


def _answer(found: Any) -> Answer:
    text = json.dumps(
        found, default=lambda value: value.timestamp() if isinstance(value, datetime) else value
    )
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), text.encode())


def _accounts(call: Call, backend: Any) -> dict[str, Any]:
    """In pages, which moto's are not."""
    accounts: list[dict[str, Any]] = [each.describe() for each in backend.accounts]
    start = int(call.params.get("NextToken") or 0)
    end = start + min(int(call.params.get("MaxResults") or PAGE), PAGE)
    found: dict[str, Any] = {"Accounts": accounts[start:end]}
    if end < len(accounts):
        found["NextToken"] = str(end)
    return found


def _as_management(call: Call, management: str) -> Answer:
    """moto keeps an organization with its management account and shows it to no other."""
    from tests.fake_aws.cloudformation.services import service  # which needs the gate, and that the gaps

    client = service("organizations", management, call.region)
    try:
        found = client._make_api_call(call.operation, dict(call.params))
    except ClientError as error:
        said = error.response["Error"]
        return refusal(call, str(said["Code"]), str(said["Message"]), status=400)
    return _answer({name: value for name, value in found.items() if name != "ResponseMetadata"})


def after(call: Call, answer: Answer) -> Answer:
    """StackSets hear of every account that comes, goes or moves."""
    # There are StackSets only where somebody has called CloudFormation.
    stack_sets = sys.modules.get("tests.fake_aws.moto_gaps.cloudformation")
    if call.operation in _MOVES and stack_sets is not None:
        made = json.loads(answer.body or b"{}").get("CreateAccountStatus", {})
        stack_sets.account_moved(call.account_id, call.params.get("AccountId") or made["AccountId"])
    return answer

"""Organizations."""

from __future__ import annotations

import json
import sys
from typing import Any

from moto.organizations.models import organizations_backends

from tests.fake_aws.wire import Answer, Call, refusal

PAGE = 20  # accounts, the most AWS puts on one page
_MOVES = ("CreateAccount", "MoveAccount", "RemoveAccountFromOrganization")


def before(call: Call) -> Answer | None:
    if call.operation != "ListAccounts":
        return None
    # moto answers everybody, with an empty list or with all accounts on one page. AWS: only the
    # management account and delegated administrators, in pages.
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
    accounts: list[dict[str, Any]] = [each.describe() for each in backend.accounts]
    start = int(call.params.get("NextToken") or 0)
    end = start + min(int(call.params.get("MaxResults") or PAGE), PAGE)
    found: dict[str, Any] = {"Accounts": accounts[start:end]}
    if end < len(accounts):
        found["NextToken"] = str(end)
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(found).encode())


def after(call: Call, answer: Answer) -> Answer:
    """StackSets hear of every account that comes, goes or moves."""
    # There are StackSets only where somebody has called CloudFormation.
    stack_sets = sys.modules.get("tests.fake_aws.moto_gaps.cloudformation")
    if call.operation in _MOVES and stack_sets is not None:
        made = json.loads(answer.body or b"{}").get("CreateAccountStatus", {})
        stack_sets.account_moved(call.account_id, call.params.get("AccountId") or made["AccountId"])
    return answer

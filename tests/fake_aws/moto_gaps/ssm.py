"""Systems Manager."""

from __future__ import annotations

import json

from tests.fake_aws.wire import Answer, Call, refusal, with_body

MOST_AT_ONCE = 20  # accounts in a list
PAGE = 50  # accounts, unless told


def before(call: Call) -> Answer | None:
    """AWS takes 20 accounts in a list, and everybody, in any case, only alone; moto takes any number."""
    if call.operation != "ModifyDocumentPermission":
        return None
    for list_ in ("AccountIdsToAdd", "AccountIdsToRemove"):
        accounts = call.params.get(list_) or []
        everybody = any(account.lower() == "all" for account in accounts)
        if len(accounts) > MOST_AT_ONCE or (everybody and len(accounts) > 1):
            return refusal(
                call, "DocumentPermissionLimit", "The document cannot be shared with more accounts."
            )
    return None


def after(call: Call, answer: Answer) -> Answer:
    """AWS shows the accounts in pages; moto shows all."""
    if call.operation != "DescribeDocumentPermission":
        return answer
    found = json.loads(answer.body)
    start = int(call.params.get("NextToken") or 0)
    end = start + min(int(call.params.get("MaxResults") or PAGE), 200)
    more = {"NextToken": str(end)} if end < len(found["AccountIds"]) else {}
    page = {name: values[start:end] for name, values in found.items()}
    return with_body(answer, page | more)

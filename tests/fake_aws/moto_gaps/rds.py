"""RDS."""

from __future__ import annotations

from moto.rds.models import rds_backends

from tests.fake_aws.wire import Answer, Call, refusal


def before(call: Call) -> Answer | None:
    """AWS changes instances that are available; moto changes all of them."""
    if call.operation != "ModifyDBInstance":
        return None
    named = call.params["DBInstanceIdentifier"]
    found = rds_backends[call.account_id][call.region].databases.get(named)
    if found is None or found.status in ("available", "storage-optimization"):
        return None
    text = f"Database instance is not in available state: {named} is {found.status}"
    return refusal(call, "InvalidDBInstanceState", text, status=400)

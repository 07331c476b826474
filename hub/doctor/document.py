"""What doctor saw as one JSON document, for monitoring and for other programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hub import __version__
from hub.doctor.words import AccountHealth, Health, Line, Standing, State, worst

SCHEMA = "remediation-hub/doctor/1"


def document(health: Health) -> dict[str, Any]:
    """The whole; see docs/doctor.md for its fields. New ones may come, none changes its meaning."""
    return {
        "schema": SCHEMA,
        "at": health.at.isoformat(timespec="seconds"),
        "well": health.well,
        "summary": summary(health),
        "hub": {
            "account": health.hub_account,
            "arn": health.hub_arn,
            "organization": health.organization,
            "region": health.region,
            "version": __version__,
            "state": str(worst(health.hub)),
            "lines": [_line(line) for line in health.hub],
        },
        "accounts": [_account(account) for account in health.accounts],
    }


def summary(health: Health) -> dict[str, Any]:
    """How many accounts of each standing, and how many of each state; lines of the hub by state."""
    standings = Counter(account.standing for account in health.accounts)
    states = Counter(account.state for account in health.accounts)
    hub = Counter(line.state for line in health.hub)
    return {
        "accounts": len(health.accounts),
        "standing": {str(each): standings[each] for each in Standing},
        "state": {str(each): states[each] for each in State},
        "hub": {str(each): hub[each] for each in State},
    }


def _account(account: AccountHealth) -> dict[str, Any]:
    rights = account.rights
    return {
        "account": account.account_id,
        "name": account.name,
        "standing": str(account.standing),
        "state": str(account.state),
        "permissions": None
        if rights is None
        else {
            "version": rights.version,
            "known_by": str(rights.by),
            "bots": rights.bots,
            "not_allowed": {name: list(actions) for name, actions in rights.lacking.items()},
            "added": list(rights.added),
            "gone": list(rights.gone),
            "guards_lack": list(rights.guards_lack),
        },
        "opt_in_regions": None if account.regions is None else list(account.regions),
        "lines": [_line(line) for line in account.lines],
    }


def _line(line: Line) -> dict[str, str]:
    return {
        "subject": line.subject,
        "state": str(line.state),
        "seen": line.seen,
        "do": line.do,
        "answer": line.answer,
    }

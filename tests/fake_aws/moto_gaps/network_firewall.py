"""Network Firewall."""

from __future__ import annotations

from typing import Any

from moto.networkfirewall.models import networkfirewall_backends

from tests.fake_aws.wire import Answer, Call, refusal


def before(call: Call) -> Answer | None:
    if call.operation != "UpdateLoggingConfiguration":
        return None
    # moto stores whatever is sent. AWS takes one destination for each type of log and one change a call,
    # and another kind of destination is two changes.
    firewall = networkfirewall_backends[call.account_id][call.region].firewalls.get(
        call.params["FirewallArn"]
    )
    if firewall is None:
        return None
    now, sent = _by_log(firewall.logging_configs), _by_log(call.params["LoggingConfiguration"])
    changed = [log for log in now | sent if now.get(log) != sent.get(log)]
    kinds = {(log, now[log][0], sent[log][0]) for log in changed if log in now and log in sent}
    if len(changed) > 1 or any(was != wanted for _, was, wanted in kinds):
        return refusal(call, "InvalidRequestException", "one logging change at a time", status=400)
    return None


def _by_log(configuration: dict[str, Any]) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        each["LogType"]: (each["LogDestinationType"], each["LogDestination"])
        for each in configuration.get("LogDestinationConfigs", ())
    }

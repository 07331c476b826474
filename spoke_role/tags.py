"""Tags the spoke role, the hub and the deploy commands agree on."""

from __future__ import annotations

# On the spoke role: its permissions, as `spoke_role.policy.version` tells them, and whose they are.
VERSION_TAG = "remediation-hub:permissions"
BOTS_TAG = "remediation-hub:bots"
ALL_BOTS = "all"

# On any resource: the hub is to leave it alone.
OPT_OUT_TAG = "remediation-hub:opt-out"
OPT_OUT_VALUE = "true"  # in any case of letters
# On any resource or account: until when the hub leaves it alone, and why ("2026-12-31 migration under way").
EXEMPT_TAG = "remediation-hub:exempt-until"
# What the names of the role's policies end with that deny: what is opted out, and bots it was not made for.
OPT_OUT_POLICY = "opt-out"
CHOSEN_POLICY = "chosen"

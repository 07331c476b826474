"""Regions. Called by `ec2`."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call

# Disabled until an account opts in: those that came after March 2019.
OPT_IN = ("af-south-1", "ap-east-1", "eu-south-1", "il-central-1", "me-central-1", "me-south-1")


def opt_in(account_id: str, *regions: str) -> None:
    """Let an account use these regions; moto has no call for it."""
    for region in regions:
        assert region in OPT_IN, f"{region} is none of {OPT_IN}"
    _home(account_id).opted_in = frozenset(regions)


def describe(call: Call) -> Answer:
    """moto knows no filters, lists other partitions' regions and lets no account opt in."""
    home = _home(call.account_id)
    opted_in: frozenset[str] = getattr(home, "opted_in", frozenset())
    states = {
        each.name: "opt-in-not-required"
        for each in home.regions
        if not each.name.startswith(("cn-", "us-gov-"))
    }
    states |= {name: "opted-in" if name in opted_in else "not-opted-in" for name in OPT_IN}
    filters = call.params.get("Filters", ())
    wanted = [set(each["Values"]) for each in filters if each["Name"] == "opt-in-status"]
    assert len(wanted) == len(filters), "no other filter is known here"
    if not call.params.get("AllRegions"):
        states = {name: state for name, state in states.items() if state != "not-opted-in"}
    items = "".join(
        f"<item><optInStatus>{state}</optInStatus><regionName>{name}</regionName>"
        f"<regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint></item>"
        for name, state in sorted(states.items())
        if all(state in values for values in wanted)
    )
    text = (
        '<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>fake</requestId>'
        f"<regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
    )
    return Answer(200, (("Content-Type", "text/xml"),), text.encode())


def _home(account_id: str) -> Any:
    return ec2_backends[account_id]["us-east-1"]

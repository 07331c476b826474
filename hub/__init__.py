"""The hub: consumes findings, enters accounts, runs bots, proves, records and reports."""

__version__ = "0.1.0"

"""The emulator's front on a loopback port of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.emulator.front import Front

MOST_BYTES = 64 * 2**20


@asynccontextmanager
async def served(front: Front, *, beside: web.Application | None = None) -> AsyncIterator[str]:
    """The address, as long as the block lasts.

    Args:
        beside: an application with pages of its own, which go first.
    """
    app = beside or web.Application(client_max_size=MOST_BYTES)
    app.router.add_route("*", "/{path:.*}", front.serve)
    # A long poll whose caller is gone must not hold up the end.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
        front.gate.enforce = True

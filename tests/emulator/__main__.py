"""``python -m tests.emulator``: a process of its own, so that its CPU is not the measured one's.

Prints its address as a line of JSON and runs until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "false"

from aiohttp import web

from hub.collecting import collect_seldom
from tests.emulator.front import Front
from tests.emulator.serving import MOST_BYTES, served
from tests.emulator.weather import Weather
from tests.fake_aws.server import new_gate


async def main() -> None:
    collect_seldom()
    front = Front(new_gate())

    async def change(request: web.Request) -> web.Response:
        front.change(Weather.from_json(await request.json()))
        return web.json_response({})

    async def counts(_request: web.Request) -> web.Response:
        return web.json_response(front.told(), dumps=lambda told: json.dumps(told, default=str))

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/_emulator/weather", change)
    app.router.add_get("/_emulator/counts", counts)
    async with served(front, beside=app) as endpoint:
        sys.stdout.write(json.dumps({"endpoint": endpoint}) + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
# Threads that still wait for messages would keep the process for 20 seconds.
os._exit(0)

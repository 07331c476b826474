"""The floor: the calls a hub made, made again by a bare loop: ``python -m benchmarks.floor_side FILE AT_ONCE``.

Nothing but aiobotocore: one client for each service and region, signing with the keys of the account
at hand, as many calls at once as the hub may make. Sessions are opened first, as the recording says.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import xform_name
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from benchmarks.measured import measured
from hub.collecting import collect_seldom

_keys: ContextVar[ReadOnlyCredentials] = ContextVar("keys")


class _Credentials:
    method = "floor"
    token = None
    account_id = None

    def get_deferred_property(self, _name: str) -> Any:
        return self.nothing

    async def nothing(self) -> None: ...

    get_account_id = nothing

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _keys.get()


async def main(calls: list[dict[str, Any]], at_once: int) -> None:
    session = get_session()
    own = await session.get_credentials()
    mine = await own.get_frozen_credentials()
    session._credentials = _Credentials()
    keys: dict[str, ReadOnlyCredentials] = {}
    async with AsyncExitStack() as stack:
        clients: dict[tuple[str, str], Any] = {}
        for service, region in sorted({(call["service"], call["region"]) for call in calls}):
            config = AioConfig(
                max_pool_connections=100, retries={"mode": "standard", "total_max_attempts": 4}
            )
            made = session.create_client(service, region_name=region, config=config)
            clients[service, region] = await stack.enter_async_context(made)

        async def call(one: dict[str, Any]) -> Any:
            _keys.set(keys.get(one["account_id"], mine))
            client = clients[one["service"], one["region"]]
            try:
                return await getattr(client, xform_name(one["operation"]))(**one["params"])
            except ClientError as error:
                return error

        async def all_of(some: list[dict[str, Any]]) -> None:
            waiting = iter(some)

            async def lane() -> None:
                for one in waiting:
                    answer = await call(one)
                    if one["operation"] == "AssumeRole":
                        found = answer["Credentials"]
                        account_id = one["params"]["RoleArn"].split(":")[4]
                        keys[account_id] = ReadOnlyCredentials(
                            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], account_id
                        )

            await asyncio.gather(*(lane() for _ in range(at_once)))

        entries = [one for one in calls if one["operation"] == "AssumeRole"]
        others = [one for one in calls if one["operation"] != "AssumeRole"]
        first: dict[tuple[str, str], dict[str, Any]] = {}
        for one in calls:
            first.setdefault((one["service"], one["region"]), one)
        await all_of([one for one in first.values() if one["operation"] == "AssumeRole"])
        await all_of([one for one in first.values() if one["operation"] != "AssumeRole"])
        collect_seldom()
        with measured() as cost:
            await all_of(entries)
            await all_of(others)
    print(json.dumps(asdict(cost)))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), int(sys.argv[2])))

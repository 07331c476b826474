"""Send one type of a Network Firewall's logs to a destination: bucket, log group or Firehose stream.

After: logs of that type go where the finding says; ``create`` makes a private bucket or a log group of
its own for the type and region. Logs of the other types go on going where they go.
Caution: AWS charges for delivered logs. The type has one destination: another one it had is given up.
AWS itself writes what lets the logs in into the bucket's or the log groups' resource policy. Firewall
Manager puts back what it manages.
Finding: network_firewall_enable_logging FLOW S3 create
"""

import contextlib
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bots import _firewall_logs, _log_bucket, _log_places
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._firewall_logs import Destinations, Firewall
from bots._log_bucket import LogBucket
from bots._log_places import CREATE
from bots._s3 import BUCKET


class Wish(Params):
    logging_type: Annotated[Literal["FLOW", "ALERT", "TLS"], Field(description="which logs")]
    destination_type: Annotated[_log_places.Kind, Field(description="kind of destination")]
    destination: Annotated[
        str,
        BeforeValidator(lambda word: CREATE if str(word).lower() == CREATE else word),
        Field(description="create, or the bucket[/prefix], log group or delivery stream"),
    ]

    @model_validator(mode="after")
    def _destination_can_be(self) -> Self:
        _log_places.check_name(self.destination_type, self.destination)
        return self

    def place(self, home: Aws) -> _log_places.Place:
        own = f"network-firewall-{self.logging_type.lower()}"
        return _log_places.place_of(home, self.destination_type, self.destination, own=own)


class Logging(Before):
    firewall: Firewall
    destinations: Destinations
    log_bucket: LogBucket | None  # None: no bucket is made


bot = Bot(
    name="network_firewall_enable_logging",
    acts_on="AWS::NetworkFirewall::LoggingConfiguration",
    target=entity("id", "name"),
    params=Wish,
    before=Logging,
    reads=(*_firewall_logs.READS, *on(BUCKET, *_log_bucket.READS)),
    writes=(*_firewall_logs.WRITES, *on(BUCKET, *_log_bucket.WRITES)),
    risk=Risk.ADDITIVE,
    undo=Undo.nearest(
        f"logs go where they went; a log group and what AWS wrote into policies stay; {_log_bucket.KEPT}",
        expects=lambda was: was,
    ),
    creates=("for create: a private bucket, or a log group that keeps logs for a year",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Logging]:
    firewall, now = await _firewall_logs.live_logging(aws, target)
    home = aws.at(firewall.region)
    present, wanted = now.get(params.logging_type), params.place(home)
    bucket: LogBucket | None = None
    notes: tuple[str, ...] = ()
    if present != wanted:
        bucket, notes = await _log_places.look_at(home, wanted, made=params.destination == CREATE)
    return Check(
        compliant=present == wanted,
        before=Logging(firewall=firewall, destinations=now, log_bucket=bucket),
        why=f"{params.logging_type} logs of firewall {firewall.arn} go {_log_places.shown(present)}",
        region=firewall.region,
        notes=notes,
        target_id=firewall.arn,
        touches=(("AWS::S3::Bucket", bucket.name),) if bucket else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Logging) -> None:
    home, now = aws.at(before.firewall.region), before.destinations
    place = params.place(home)
    wanted = now | {params.logging_type: place}
    async with contextlib.AsyncExitStack() as stack:
        if before.log_bucket is not None:
            await stack.enter_async_context(_log_bucket.ready(home, before.log_bucket))
        elif params.destination == CREATE:
            await _log_places.make_group(home, place)
        await stack.enter_async_context(_firewall_logs.moved(aws, before.firewall, now, wanted))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Logging) -> None:
    _, now = await _firewall_logs.live_logging(aws, target)
    async with _firewall_logs.moved(aws, before.firewall, now, before.destinations):
        if before.log_bucket is not None:
            await _log_bucket.discard(aws, before.log_bucket)

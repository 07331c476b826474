"""``python -m tests.emulator.throughput``: how many calls a second the emulator carries, call by call.

The client is bare, so that what is measured is the emulator: requests are signed once and sent again as
bytes. Prints calls a second on the clock, and per CPU second of the emulator's process, which a busy
machine changes less.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulator.running import Emulator, emulator
from tests.emulator.weather import Weather
from tests.fake_aws import admin
from tests.fake_aws.captured import as_bytes, captured
from tests.fake_aws.server import Arranged, allow, policy, trust

CONNECTIONS = 8
ACCOUNT = "700000000001"
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
# About as many as a finding's account has in the benches: some answers grow with them.
GROUPS = 20


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that are sent one after the other, again and again."""

    name: str
    requests: tuple[bytes, ...]


def loads(running: Arranged) -> list[Load]:
    """The calls of the benches, in an account that has what they are about."""
    admins = running.admin(ACCOUNT)
    ec2, s3, sqs, sns = (admins.client(service) for service in ("ec2", "s3", "sqs", "sns"))
    groups = [
        ec2.create_security_group(GroupName=f"g{number}", Description="bench")["GroupId"]
        for number in range(GROUPS)
    ]
    ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[SSH])
    s3.create_bucket(Bucket="throughput")
    queue = sqs.create_queue(QueueName="throughput", Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
    again = sqs.create_queue(QueueName="again", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    for _ in range(20):
        sqs.send_message(QueueUrl=queue, MessageBody="{}" * 500)
        sqs.send_message(QueueUrl=again, MessageBody="{}" * 500)
    held = [
        message["ReceiptHandle"]
        for _ in range(2)
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    ]
    topic = sns.create_topic(Name="throughput")["TopicArn"]
    # A statement of what a bot declares is about as long.
    rights = policy(allow("s3:*", "ec2:*", "sns:*", "sqs:*", "iam:*"), allow("sts:*"))
    keys = running.role_credentials(ACCOUNT, "actor", [rights])
    role = f"arn:aws:iam::{ACCOUNT}:role/spoke"
    admins.client("iam").create_role(
        RoleName="spoke", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:root", external_id=None)
    )

    def client(service: str) -> Any:
        return admin.client(
            running.endpoint,
            service,
            "us-east-1",
            access_key=keys["AWS_ACCESS_KEY_ID"],
            secret_key=keys["AWS_SECRET_ACCESS_KEY"],
            token=keys["AWS_SESSION_TOKEN"],
        )

    clients = {service: client(service) for service in ("ec2", "s3", "sqs", "sns", "sts", "iam")}

    def load(service: str, operation: str, *others: tuple[str, dict[str, Any]], **params: Any) -> Load:
        every = [(operation, params), *others]
        name = "+".join(name for name, _ in every)
        return Load(
            f"{service} {name}",
            tuple(as_bytes(captured(clients[service], name, **params)) for name, params in every),
        )

    rule = {"GroupId": groups[0], "IpPermissions": [SSH]}
    batch = [{"Id": str(i), "ReceiptHandle": handle} for i, handle in enumerate(held[:10])]
    visible = [{**entry, "VisibilityTimeout": 3600} for entry in batch]
    only = [{"Name": "resource-id", "Values": [groups[0]]}]
    return [
        load("ec2", "create_tags", Resources=[groups[0]], Tags=[{"Key": "Owner", "Value": "platform"}]),
        load("ec2", "describe_tags", Filters=only),
        load("ec2", "describe_security_groups", GroupIds=[groups[0]]),
        load(
            "ec2",
            "revoke_security_group_ingress",
            ("authorize_security_group_ingress", rule),
            **rule,
        ),
        load("s3", "get_bucket_versioning", Bucket="throughput"),
        load(
            "s3",
            "put_bucket_versioning",
            Bucket="throughput",
            VersioningConfiguration={"Status": "Enabled"},
        ),
        load("s3", "head_bucket", Bucket="throughput"),
        load("sqs", "receive_message", QueueUrl=again, MaxNumberOfMessages=10, WaitTimeSeconds=0),
        load(
            "sqs",
            "change_message_visibility",
            QueueUrl=queue,
            **{k: v for k, v in visible[0].items() if k != "Id"},
        ),
        load("sqs", "change_message_visibility_batch", QueueUrl=queue, Entries=visible),
        load("sqs", "delete_message", QueueUrl=queue, ReceiptHandle=held[11]),
        load("sns", "publish", TopicArn=topic, Message="{}" * 500),
        load("sts", "assume_role", RoleArn=role, RoleSessionName="throughput"),
        load("iam", "get_role", RoleName="spoke"),
    ]


async def _sent(address: tuple[str, int], load: Load, until: float, statuses: dict[int, int]) -> int:
    """Send on one connection until the clock says so; how many were answered."""
    reader, writer = await asyncio.open_connection(*address)
    done = 0
    try:
        while time.perf_counter() < until:
            for request in load.requests:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                status = int(head[9:12])
                _, found, rest = head.partition(b"\r\ncontent-length:")
                length = int(rest.partition(b"\r\n")[0]) if found else 0
                if length and not request.startswith(b"HEAD"):
                    await reader.readexactly(length)
                statuses[status] = statuses.get(status, 0) + 1
                done += 1
    finally:
        writer.close()
    return done


def _cpu(pid: int) -> float:
    """CPU seconds of a process (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measured(running: Emulator, load: Load, seconds: float) -> str:
    host, _, port = running.endpoint.rpartition("/")[2].partition(":")
    address = (host, int(port))
    await _sent(address, load, time.perf_counter() + 0.2, {})
    statuses: dict[int, int] = {}
    cpu, begin = _cpu(running.pid), time.perf_counter()
    # A revocation must find the rule that the call before it made: one connection keeps them in order.
    lanes = 1 if len(load.requests) > 1 else CONNECTIONS
    done = sum(await asyncio.gather(*(_sent(address, load, begin + seconds, statuses) for _ in range(lanes))))
    wall, cpu = time.perf_counter() - begin, _cpu(running.pid) - cpu
    return f"{load.name:70} {done / wall:8,.0f}/s {done / max(cpu, 0.01):8,.0f}/CPU-s   {statuses}"


def main(seconds: float, only: str, *, enforce: bool) -> None:
    with emulator() as running:
        found = [load for load in loads(running) if only in load.name]
        running.weather(Weather(enforce=enforce))
        for load in found:
            sys.stdout.write(asyncio.run(_measured(running, load, seconds)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    enforced = "--enforce" in arguments
    rest = [word for word in arguments if word != "--enforce"]
    main(float(rest[0]) if rest else 2.0, rest[1] if len(rest) > 1 else "", enforce=enforced)

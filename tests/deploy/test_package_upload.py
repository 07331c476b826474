"""The function's zip: looked into before anybody is asked, and laid where Lambda can fetch it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.errors import DeploymentFailed, InputWrong
from deploy.package_upload import HANDLER, check_bucket, read, upload
from tests.deploy.told import Told, refused

MACHINES = {"arm64": 0xB7, "x86_64": 0x3E, "riscv": 0xF3}


def package(folder: Path, *machines: str, handler: str = HANDLER) -> Path:
    """A zip with a handler and a compiled part for each machine."""
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(handler, "")
        for machine in machines:
            header = b"\x7fELF".ljust(18, b"\0") + MACHINES[machine].to_bytes(2, "little")
            opened.writestr(f"{machine}.so", header)
    return path


@pytest.mark.parametrize("machine", ["arm64", "x86_64"])
def test_a_package_tells_what_it_was_built_for(machine: str, tmp_path: Path) -> None:
    found = read(package(tmp_path, machine))
    assert found.architecture == machine
    assert found.parameters("code") == {
        "Compute": "lambda",
        "CodeBucket": "code",
        "CodeKey": f"remediation-hub/{found.sha256}.zip",
        "Architecture": machine,
    }


@pytest.mark.parametrize(
    ("machines", "said"),
    [(("arm64", "x86_64"), "arm64, x86_64"), (("riscv",), "unknown"), ((), "no machine")],
)
def test_a_package_for_no_or_two_machines_is_refused(
    machines: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputWrong, match=f"compiled parts for {said}"):
        read(package(tmp_path, *machines))


def test_a_file_that_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputWrong, match="is no package of this hub"):
        read(package(tmp_path, "arm64", handler="index.py"))
    text = tmp_path / "text.zip"
    text.write_text("no zip", encoding="utf-8")
    with pytest.raises(InputWrong, match="is no zip file"):
        read(text)
    with pytest.raises(InputWrong, match="could not be read"):
        read(tmp_path / "none.zip")


def not_found() -> ClientError:
    return refused("404", "Not Found", "HeadObject")


async def test_what_lies_in_the_bucket_already_is_not_sent_again() -> None:
    there = Told(head_object=[{}])
    assert await upload(there, "code", "k", b"x") is False
    assert [name for name, _ in there.asked] == ["head_object"]
    missing = Told(head_object=[not_found()], put_object=[{}])
    assert await upload(missing, "code", "k", b"x") is True
    [request] = missing.requests("put_object")
    assert (request["Key"], request["Body"]) == ("k", b"x")


@pytest.mark.parametrize(
    "answers",
    [
        {"head_object": [refused("403", "Forbidden", "HeadObject")]},
        {"head_object": [not_found()], "put_object": [refused("AccessDenied", "no", "PutObject")]},
    ],
)
async def test_a_bucket_that_may_not_be_used_is_named(answers: dict[str, list[Any]]) -> None:
    with pytest.raises(DeploymentFailed, match=r"bucket code: (Head|Put)Object was refused"):
        await upload(Told(**answers), "code", "k", b"x")


async def test_a_bucket_elsewhere_is_of_no_use_to_lambda() -> None:
    await check_bucket(Told(head_bucket=[{"BucketRegion": "eu-west-1"}]), "code", "eu-west-1")
    with pytest.raises(InputWrong, match="bucket code is in us-east-1; the stack is in eu-west-1"):
        await check_bucket(Told(head_bucket=[{"BucketRegion": "us-east-1"}]), "code", "eu-west-1")
    with pytest.raises(DeploymentFailed, match="bucket code: HeadBucket was refused: 404"):
        await check_bucket(Told(head_bucket=[refused("404", "Not Found", "HeadBucket")]), "code", "eu-west-1")

"""The Lambda packages: same bytes twice, nothing missing, nothing of the other machine, within Lambda's limits."""

from __future__ import annotations

import base64
import hashlib
import json
import marshal
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from botocore.loaders import Loader

import hub
from bots._catalogue import bot_named, names
from deploy import package
from deploy.bytecode import compiled, running
from deploy.locked import ROOT
from deploy.package import Arch, CannotPackage, build
from hub.journals.dynamodb_table import ACTIONS
from tests.deploy.packages import OWN, Built, hub_package, packaged
from tests.fake_aws.server import FakeAws, allow, policy, trust
from tests.hub.estate import make_estate
from tests.hub.messages import finding, notification

ELF_MACHINES = {Arch.X86_64: 62, Arch.ARM64: 183}  # e_machine of the ELF header

INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from hub.handler import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

answer = handler(json.load(sys.stdin), Context())
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())} - {None}
print(json.dumps([answer, sorted(files)]))
"""


@pytest.fixture(params=list(Arch))
def made(request: pytest.FixtureRequest, packages: Built) -> dict[str, Any]:
    """Facts of a package, of each architecture in turn."""
    return packages.packages[request.param]


def files(made: Mapping[str, Any]) -> list[PurePosixPath]:
    with zipfile.ZipFile(made["file"]) as archive:
        return [PurePosixPath(name) for name in archive.namelist()]


def test_the_same_checkout_gives_the_same_bytes_whoever_packages_it(packages: Built, tmp_path: Path) -> None:
    elsewhere = tmp_path / "größer"
    elsewhere.mkdir()
    was = os.umask(0o077)
    try:
        [again] = packaged(
            elsewhere, OWN, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7", **packages.offline
        )
    finally:
        os.umask(was)
    assert Path(again["file"]).parent == elsewhere
    first = packages.packages[OWN]
    assert Path(again["file"]).read_bytes() == Path(first["file"]).read_bytes()
    assert again == {**first, "file": again["file"]}


def test_the_handler_fixes_and_reports_from_the_package_alone(
    packages: Built, aws: FakeAws, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    with zipfile.ZipFile(packages.packages[OWN]["file"]) as archive:
        archive.extractall(task)
    estate = make_estate(aws)
    estate.credentials()
    rights = policy(allow("s3:GetBucketVersioning", "s3:PutBucketVersioning", resource="arn:aws:s3:::*"))
    spoke = aws.spoke({"remediation": rights}, trusts=trust(estate.role_arn))
    bucket = f"data-{spoke.account_id}"
    spoke.client("s3").create_bucket(Bucket=bucket)
    body = notification(json.dumps(finding(spoke.account_id, "s3_enable_versioning", id=bucket)))
    event = {"Records": [{"eventSource": "aws:sqs", "messageId": "record-1", "body": body}]}
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", INVOKE, str(task)],
        cwd=empty,
        env=estate.environment(spoke.account_id, HOME=str(empty)),
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer, imported = json.loads(done.stdout)
    assert answer == {"batchItemFailures": []}
    assert spoke.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    [report] = estate.read_reports()
    assert [entry["Outcome"] for entry in report["Rules violations found"]] == ["fixed"]
    assert any("aiohttp" in file for file in imported)
    assert [file for file in imported if "site-packages" in file or str(ROOT) in file] == []


def test_nothing_is_compiled_at_a_cold_start(packages: Built, tmp_path: Path) -> None:
    with zipfile.ZipFile(packages.packages[OWN]["file"]) as archive:
        archive.extractall(tmp_path)
    sources = [path for path in tmp_path.rglob("*.py") if path.with_name("__pycache__").exists()]
    assert len(sources) > 500
    for path in sources:
        path.write_text("raise RuntimeError(__file__ + ' was compiled anew')", encoding="utf-8")
    script = "import sys; sys.path.insert(0, sys.argv[1]); import hub.handler, hub.journals.dynamodb"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script, str(tmp_path)],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_module_is_compiled_for_where_it_will_lie_and_into_the_same_bytes_always() -> None:
    source = b"NAMES = frozenset({'one', 'two', 'three'})\ndef f(x): return x in {'a', 'b', 'c'}\n"
    script = f"from deploy.bytecode import compiled; print(compiled('a/b.py', {source!r})[1].hex())"
    told = {
        subprocess.run(
            [sys.executable, *warm, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, warm in (("1", ()), ("2", ("-X", "utf8")), ("3", ("-S",)))
    }
    made = compiled("a/b.py", source)
    assert made is not None
    name, content = made
    assert name == f"a/__pycache__/b.{sys.implementation.cache_tag}.pyc"
    assert told == {content.hex() + "\n"}
    assert marshal.loads(content[16:]).co_filename == "/var/task/a/b.py"
    assert compiled("a/b.py", b"no python") is None


def test_every_machine_code_file_is_of_the_packages_own_architecture(made: dict[str, Any]) -> None:
    compiled = [str(path) for path in files(made) if ".so" in path.suffixes]
    assert compiled
    with zipfile.ZipFile(made["file"]) as archive:
        headers = {name: archive.read(name)[:20] for name in compiled}
    wanted = ELF_MACHINES[Arch(made["arch"])]
    assert {name: head[:4] for name, head in headers.items() if head[:4] != b"\x7fELF"} == {}
    assert {
        name for name, head in headers.items() if struct.unpack_from("<H", head, 18) != (wanted,)
    } == set()


def test_both_architectures_differ_in_compiled_files_only(packages: Built) -> None:
    def sources(made: Mapping[str, Any]) -> dict[str, int]:
        with zipfile.ZipFile(made["file"]) as archive:
            return {info.filename: info.CRC for info in archive.infolist() if ".so" not in info.filename}

    def apart_from_metadata(found: dict[str, int]) -> dict[str, int]:
        return {name: crc for name, crc in found.items() if ".dist-info/" not in name}

    one, other = (apart_from_metadata(sources(packages.packages[arch])) for arch in Arch)
    assert one == other


def test_digests_and_sizes_are_the_files(made: dict[str, Any]) -> None:
    content = Path(made["file"]).read_bytes()
    digest = hashlib.sha256(content).digest()
    assert (made["sha256"], made["code_sha256"]) == (digest.hex(), base64.b64encode(digest).decode())
    assert made["zipped_bytes"] == len(content)
    with zipfile.ZipFile(made["file"]) as archive:
        assert made["unzipped_bytes"] == sum(info.file_size for info in archive.infolist())
    assert made["direct_upload"] is (len(content) <= 50 * 1024 * 1024)
    assert made["version"] == hub.__version__


def test_the_package_stays_small(made: dict[str, Any]) -> None:
    # Every cold start loads it: no limit of Lambda's, a reason to look.
    assert made["zipped_bytes"] < 30_000_000
    assert made["unzipped_bytes"] < 50_000_000


def test_every_file_can_be_read_by_lambdas_user_and_says_no_time(made: dict[str, Any]) -> None:
    with zipfile.ZipFile(made["file"]) as archive:
        infos = archive.infolist()
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}


def test_only_what_the_handler_can_import_is_inside(made: dict[str, Any]) -> None:
    inside = files(made)
    tops = {path.parts[0] for path in inside}
    assert tops >= {"hub", "bots", "aioboto3", "botocore", "pydantic", "asyncio_throttle"}
    assert tops & {"typer", "rich", "jinja2", "moto", "tests", "pip", "bin", "deploy"} == set()
    ours = {str(path) for path in inside if path.parts[0] in ("hub", "bots")}
    assert [name for name in ours if name.startswith(("hub/cli", "hub/demo", "hub/dashboard"))] == []
    assert ours >= {f"bots/{name}.py" for name in names()}
    assert not {"bots/_new.py", "spoke_role/generate.py"} & {str(path) for path in inside}
    assert [str(path) for path in inside if path.suffix in (".pyi", ".c", ".h")] == []
    assert {path.name for path in inside if path.parts[0].endswith(".dist-info")} >= {"METADATA"}
    assert "RECORD" not in {path.name for path in inside}


def test_what_scanners_and_licences_ask_for_is_kept(made: dict[str, Any]) -> None:
    papers = [path for path in files(made) if path.parts[0].endswith(".dist-info")]
    versions = {path.parts[0] for path in papers if path.name == "METADATA"}
    assert len(versions) == len(made["packages"])
    legal = {path.parts[0] for path in papers if path.name.upper().startswith(package._LEGAL)}
    assert len(legal) > len(versions) * 3 / 4


def services(made: Mapping[str, Any]) -> set[str]:
    return {
        path.parts[2]
        for path in files(made)
        if path.parts[:2] == ("botocore", "data") and len(path.parts) > 3
    }


def test_the_sdk_knows_every_service_that_a_bot_or_the_hub_may_call(made: dict[str, Any]) -> None:
    """What bots may call, their headers say, in IAM's words; the contract suite holds every bot to its header.

    Every service of an IAM prefix must be inside that any of this project's code names.
    """
    loader = Loader()
    kept = services(made)
    prefixes = {
        prefix
        for service in kept
        for about in [loader.load_service_model(service, "service-2")["metadata"]]
        for prefix in (about["endpointPrefix"], about.get("signingName", ""))
    }
    # IAM says these otherwise than the endpoints do.
    prefixes |= {
        iam
        for iam, endpoint in {"cloudwatch": "monitoring", "tag": "tagging"}.items()
        if endpoint in prefixes
    }
    hubs = ("sts:AssumeRole", "sns:Publish", "sqs:ReceiveMessage", "organizations:ListAccounts", *ACTIONS)
    actions = {action for name in names() for action in bot_named(name).actions} | {*hubs}
    assert {action for action in actions if action.split(":")[0] not in prefixes} == set()
    assert len(kept) < 60


def test_regions_and_endpoints_stay_inside(made: dict[str, Any]) -> None:
    inside = {str(path) for path in files(made)}
    for name in ("endpoints.json", "partitions.json", "_retry.json", "sdk-default-configuration.json"):
        assert f"botocore/data/{name}" in inside
    assert "botocore/cacert.pem" in inside


OWN_BOT = """
def run_action(boto_session, rule, entity, params):
    return boto_session.client("redshift").describe_clusters()
"""

LIST_OWN = """
import sys
sys.path.insert(0, sys.argv[1])
import boto3
from bots._own import catalogue

bot = catalogue().bot_named("team_look_at_clusters")
print(bot.name, bot.risk, boto3.Session(region_name="us-east-1").client("redshift").meta.service_model.service_name)
"""


def test_bots_of_ones_own_come_along_with_the_services_they_name(packages: Built, tmp_path: Path) -> None:
    folder = tmp_path / "my-bots"
    folder.mkdir()
    (folder / "team_look_at_clusters.py").write_text(OWN_BOT, encoding="utf-8")
    [more] = hub_package(tmp_path, "--arch", OWN, "--own-bots", str(folder), **packages.offline)
    assert services(more) == services(packages.packages[OWN]) | {"redshift"}
    task = tmp_path / "task"
    with zipfile.ZipFile(more["file"]) as archive:
        archive.extractall(task)
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", LIST_OWN, str(task)],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "team_look_at_clusters destructive redshift\n"


def test_python_and_architectures_are_those_of_the_hubs_template_and_lock() -> None:
    class Loose(yaml.SafeLoader):
        """Reads CloudFormation's tags as if they were not there."""

    Loose.add_multi_constructor("!", lambda loader, _, node: getattr(node, "value", None))
    template = yaml.load((ROOT / "deploy" / "hub.yaml").read_text(encoding="utf-8"), Loose)
    runtimes = {
        each["Properties"]["Runtime"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
        and each["Properties"].get("Handler") == f"{package.HANDLER}.handler"
    }
    assert runtimes == {f"python{package.PYTHON}"}
    assert f"with Python {package.PYTHON}\n" in (ROOT / "requirements.lock").read_text(encoding="utf-8")


class TestRefusals:
    @pytest.fixture
    def offline(self, packages: Built, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in packages.offline.items():
            monkeypatch.setenv(name, value)

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        """As little of a checkout as can be packaged."""
        root = tmp_path / "checkout"
        (root / "hub").mkdir(parents=True)
        (root / "bots").mkdir()
        (root / "hub" / "__init__.py").touch()
        (root / "hub" / "handler.py").write_text("import aiohttp\n", encoding="utf-8")
        for name in ("pyproject.toml", "requirements.lock"):
            (root / name).write_bytes((ROOT / name).read_bytes())
        return root

    def test_without_a_checkout_it_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(CannotPackage, match=r"pyproject\.toml cannot be read; this needs a checkout"):
            build(OWN, tmp_path, root=tmp_path, python=running())

    def test_an_index_that_cannot_be_reached_is_named_and_nothing_is_left(
        self, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "http://127.0.0.1:1/simple",
            "PIP_RETRIES": "0",
            "PIP_NO_CACHE_DIR": "1",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(CannotPackage, match=r"pip could not fetch .* are the network and pip's index"):
            build(OWN, tmp_path / "dist", root=checkout, python=running())
        assert not (tmp_path / "dist").exists()

    def test_another_python_is_told_what_it_can_do(self, tmp_path: Path) -> None:
        with pytest.raises(CannotPackage, match=r"cannot compile for Lambda's 3\.99.*--no-bytecode"):
            build(OWN, tmp_path, python="3.99")

    @pytest.mark.usefixtures("offline")
    def test_a_wheel_that_is_not_the_locks_is_refused(self, checkout: Path, tmp_path: Path) -> None:
        lock = checkout / "requirements.lock"
        text = lock.read_text(encoding="utf-8")
        start = text.index("aiohttp==")
        end = text.index("# via", start)
        forged = (
            "aiohttp==" + text[start:end].split()[0].partition("==")[2] + f" --hash=sha256:{'0' * 64}\n    "
        )
        lock.write_text(text[:start] + forged + text[end:], encoding="utf-8")
        with pytest.raises(CannotPackage, match=r"hashes as locked .* Expected sha256 0000"):
            build(OWN, tmp_path / "dist", root=checkout, python=running())

    def test_a_folder_of_bots_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CannotPackage, match="no folder nowhere to take bots from"):
            build(OWN, tmp_path, own_bots=Path("nowhere"), python=running())

    def test_a_bot_of_ones_own_can_import_only_what_the_lock_holds(self, tmp_path: Path) -> None:
        (tmp_path / "team_bot.py").write_text("import no_such_package\n", encoding="utf-8")
        with pytest.raises(CannotPackage, match="no_such_package is imported but not installed"):
            build(OWN, tmp_path, own_bots=tmp_path, python=running())

    @pytest.mark.usefixtures("offline")
    def test_more_than_lambda_takes_is_refused(
        self, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(package, "UNZIPPED_BYTES", 1_000_000)
        with pytest.raises(CannotPackage, match="Lambda takes 1000000"):
            build(OWN, tmp_path / "dist", root=checkout, python=running())
        assert not (tmp_path / "dist").exists()

    def test_an_unknown_architecture_is_refused_with_the_known_ones(self, tmp_path: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "hub", "package", "--arch", "mips", "--output", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "arm64, x86_64" in done.stderr

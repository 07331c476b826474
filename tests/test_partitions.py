"""The hub in any of AWS's partitions: nothing is written down that holds in one only, and what is put
together (ARNs, endpoints, regions to begin in) is each partition's own."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from bots._catalogue import Catalogue, bot_named
from hub.aws.accounts import Accounts, session_policy
from hub.aws.clients import Clients
from hub.aws.regions import RegionUnknown, home_region, partition_of
from hub.aws.throttle import Pacer
from hub.flow.normalise import normalise
from hub.flow.plan import plan
from hub.model import AccountFacts, Step
from hub.rules.decide import Decider
from hub.rules.model import RuleSet
from hub.settings import Settings
from tests.hub.messages import message
from tests.test_layers import EVERY, ROOT, Module

SPOKE = "222233334444"
# A region of each partition that is not the first anybody thinks of; one must be opted in to.
PLACES = (("aws", "af-south-1"), ("aws-us-gov", "us-gov-east-1"), ("aws-cn", "cn-northwest-1"))
SUFFIX = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}

# Files that must name regions, and why no other partition is hurt by it.
NAME_REGIONS = {
    "hub.settings": "where a hub is that nobody told where it is",
    "hub.aws.regions": "IAM's region in China, which botocore's data tells wrong",
    "hub.aws.errors": "S3's old words for the first region's and Ireland's buckets",
    "hub.demo.embedded": "the demo's AWS is in the partition aws",
    "bots._config_recorder": "a main region for each partition",
    "bots._log_bucket": "S3 takes no location constraint in that one region, and wants one in all others",
    "bots._queues": "SQS's first host, which only ever was in that region",
}
# Files with hosts of AWS: only to know one that a finding names.
NAME_HOSTS = {
    "bots._queues": "every form a queue's URL has, in every partition",
    "bots._s3": "the log delivery group's name looks like a URL and is the same in all partitions",
}
HOST = re.compile(r"(://[^\s/]*|\b[a-z]{2,}(-[a-z]+)+-\d\.)amazonaws\\?\.com|amazonaws\.com:\d")
TEMPLATES = sorted([*(ROOT / "deploy").glob("*.yaml"), *(ROOT / "spoke_role").glob("*.yaml")])


def constants(module: Module) -> Iterator[tuple[int, str]]:
    """Line and text of each text constant that is no docstring."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.lineno, node.value


def is_region(text: str) -> bool:
    try:
        partition_of(text)
    except RegionUnknown:
        return False
    return True


class TestWrittenDown:
    @EVERY
    def test_no_file_names_a_partition_in_an_arn(self, module: Module) -> None:
        wrong = [(line, text[:40]) for line, text in constants(module) if re.search(r"arn:aws[a-z-]*:", text)]
        assert wrong == [], "take the partition from the target or the settings"

    @EVERY
    def test_no_file_names_a_host_of_aws(self, module: Module) -> None:
        wrong = [(line, text[:60]) for line, text in constants(module) if HOST.search(text)]
        assert bool(wrong) == (module.name in NAME_HOSTS), wrong

    @EVERY
    def test_no_file_names_a_region(self, module: Module) -> None:
        wrong = [(line, text) for line, text in constants(module) if is_region(text)]
        assert bool(wrong) == (module.name in NAME_REGIONS), wrong

    @pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
    def test_no_template_names_partition_host_or_region(self, template: Any) -> None:
        text = template.read_text(encoding="utf-8")
        assert "AWS::Partition" in text
        assert re.findall(r"arn:aws[a-z-]*:", text) == []
        assert [found.group() for found in HOST.finditer(text)] == []
        assert [word for word in re.findall(r"[a-z0-9-]+", text) if is_region(word)] == []

    def test_the_search_finds_what_it_is_for(self) -> None:
        for text in (
            "https://sqs.us-east-1.amazonaws.com/1/q",
            "https://{bucket}.s3.amazonaws.com",
            "sts.eu-west-1.amazonaws.com",
            "sts.amazonaws.com:443",
            r"https://queue\.amazonaws\.com/",
        ):
            assert HOST.search(text), text
        for text in (
            "sns.amazonaws.com",
            "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        ):
            assert not HOST.search(text), text
        assert {path.name for path in TEMPLATES} >= {"archive.yaml", "hub.yaml", "role.yaml"}


@pytest.fixture
async def clients(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clients]:
    """The pool, where the environment asks for STS's old global endpoint."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    pool = Clients()
    yield pool
    await pool.close()


async def host(clients: Clients, service: str, region: str) -> str:
    client = await clients.get(service, region)
    return str(urlsplit(client.meta.endpoint_url).hostname)


class TestEndpoints:
    @pytest.mark.parametrize(("partition", "region"), [*PLACES, ("aws", "us-east-1"), ("aws", "us-west-2")])
    async def test_sts_is_the_regions_own_whatever_the_environment_asks_for(
        self, clients: Clients, partition: str, region: str
    ) -> None:
        assert await host(clients, "sts", region) == f"sts.{region}.{SUFFIX[partition]}"

    @pytest.mark.parametrize(("partition", "region"), PLACES)
    async def test_regional_services_are_called_where_they_are(
        self, clients: Clients, partition: str, region: str
    ) -> None:
        for service in ("ec2", "s3", "kms", "sqs", "dynamodb"):
            assert await host(clients, service, region) == f"{service}.{region}.{SUFFIX[partition]}"

    @pytest.mark.parametrize(
        ("partition", "iam"),
        [
            ("aws", "iam.amazonaws.com"),
            ("aws-us-gov", "iam.us-gov.amazonaws.com"),
            ("aws-cn", "iam.cn-north-1.amazonaws.com.cn"),
        ],
    )
    async def test_iam_is_the_partitions_own(self, clients: Clients, partition: str, iam: str) -> None:
        assert await host(clients, "iam", home_region(partition)) == iam

    @pytest.mark.parametrize(("partition", "region"), PLACES)
    async def test_organizations_are_asked_in_the_partition(
        self, clients: Clients, partition: str, region: str
    ) -> None:
        found = await host(clients, "organizations", region)
        assert found.startswith("organizations.")
        assert found.endswith(f".{SUFFIX[partition]}")
        assert (partition == "aws") == ("us-east-1" in found)


@dataclass(slots=True)
class Entrance:
    """In the place of AWS: a hub of one partition whose STS lets everybody in."""

    partition: str
    region: str
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(region=self.region, role_name="Dome9CloudBots", own_account_by_role=True)

    async def account_id(self) -> str:
        return "111122223333"

    async def kept(self, _service: str, region: str) -> Any:
        entrance = self

        class Sts:
            async def assume_role(self, **request: Any) -> dict[str, Any]:
                entrance.asked.append((region, request))
                keys = {"AccessKeyId": "A", "SecretAccessKey": "made-up", "SessionToken": "t"}
                ends = datetime.now(UTC) + timedelta(hours=1)
                arn = f"arn:{entrance.partition}:sts::{SPOKE}:assumed-role/Dome9CloudBots/x"
                return {"Credentials": {**keys, "Expiration": ends}, "AssumedRoleUser": {"Arn": arn}}

        return Sts()


class TestPutTogether:
    @pytest.mark.parametrize(("partition", "region"), PLACES)
    async def test_the_spokes_role_and_the_sessions_rights_are_of_the_partition(
        self, partition: str, region: str
    ) -> None:
        entrance = Entrance(partition, home_region(partition))
        bot = bot_named("sqs_configure_dlq")
        clients = Clients()
        accounts = Accounts(
            entrance.settings,
            entrance,  # type: ignore[arg-type]
            clients=clients,
            pacer=Pacer(1000),
        )
        entered = await accounts.enter(SPOKE, region, partition, bot=bot, run_id="r1")
        assert (entered.partition, entered.region) == (partition, region)
        [(asked_in, request)] = entrance.asked
        assert asked_in == home_region(partition), "an account need not have opted in to the finding's region"
        assert request["RoleArn"] == f"arn:{partition}:iam::{SPOKE}:role/Dome9CloudBots"
        resources = json.dumps([each["Resource"] for each in json.loads(request["Policy"])["Statement"]])
        assert set(re.findall(r"arn:([^:]+):", resources)) == {partition}

    @pytest.mark.parametrize(("partition", "region"), PLACES)
    def test_every_bots_session_policy_is_of_the_partition(self, partition: str, region: str) -> None:
        texts = [session_policy(bot_named(name), SPOKE, partition) for name in Catalogue().names()]
        assert {found for text in texts for found in re.findall(r"arn:([^:*]+):", text)} == {partition}

    @pytest.mark.parametrize(("partition", "region"), PLACES)
    def test_a_finding_is_worked_on_in_its_partition(self, partition: str, region: str) -> None:
        def planned(bot: str, where: str) -> Step:
            told = normalise(message(SPOKE, bot, region=where, id="orders"))
            due = Decider(RuleSet(file=""), Catalogue()).decide(told, AccountFacts())
            [step] = plan(told, due, partition=partition, catalogue=Catalogue())
            return step

        regional, everywhere = planned("sqs_enforce_sse", region), planned("sqs_enforce_sse", "global")
        assert regional.target is not None
        assert everywhere.target is not None
        assert (regional.target.partition, regional.target.region) == (partition, region)
        assert (everywhere.target.partition, everywhere.target.region) == (partition, home_region(partition))
        for other, elsewhere in PLACES:
            problem = planned("sqs_enforce_sse", elsewhere).problem
            assert (problem is None) == (other == partition)
            assert problem is None or "a hub of its own is needed" in problem

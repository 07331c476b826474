"""Regions by any of their names, and the parts of ARNs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore.loaders import Loader
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.aws import regions
from hub.aws.arns import Arn, parse
from hub.aws.regions import GLOBAL, RegionUnknown, default_region, home_region, partition_of, resolve

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


def codes() -> list[tuple[str, str]]:
    """Every region code of the public partitions with its partition, as botocore's public API lists them."""
    session = botocore.session.get_session()
    return [
        (code, partition)
        for partition in PARTITIONS
        for code in session.get_available_regions("ec2", partition)
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("us_west_2", "us-west-2"),
        ("us-west-2", "us-west-2"),
        ("US_WEST_2", "us-west-2"),
        ("eu west 1", "eu-west-1"),
        ("Oregon", "us-west-2"),
        ("oregon", "us-west-2"),
        ("  Oregon\n", "us-west-2"),
        ("US West (Oregon)", "us-west-2"),
        ("us west oregon", "us-west-2"),
        ("N. Virginia", "us-east-1"),
        ("Northern Virginia", "us-east-1"),
        ("Virginia", "us-east-1"),
        ("N. California", "us-west-1"),
        ("Ohio", "us-east-2"),
        ("Ireland", "eu-west-1"),
        ("EU (Ireland)", "eu-west-1"),
        ("Europe (Ireland)", "eu-west-1"),
        ("Frankfurt", "eu-central-1"),
        ("Zürich", "eu-central-2"),
        ("Spain", "eu-south-2"),
        ("Osaka", "ap-northeast-3"),
        ("São Paulo", "sa-east-1"),
        ("Sao Paulo", "sa-east-1"),
        ("Tel Aviv", "il-central-1"),
        ("Canada (Central)", "ca-central-1"),
        ("Canada Central", "ca-central-1"),
        ("Calgary", "ca-west-1"),
        ("Beijing", "cn-north-1"),
        ("us_gov_west_1", "us-gov-west-1"),
        ("AWS GovCloud (US-West)", "us-gov-west-1"),
    ],
)
def test_a_region_is_known_by_all_its_names(text: str, code: str) -> None:
    assert resolve(text) == code


@pytest.mark.parametrize("text", ["global", "Global", "GLOBAL", " global ", "aws-global", "aws_global"])
def test_services_without_a_region_are_global(text: str) -> None:
    assert resolve(text) == GLOBAL


@pytest.mark.parametrize("text", [None, "", "   ", "\n"])
def test_no_text_means_no_region_is_known(text: str | None) -> None:
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("Canada", ["ca-central-1", "ca-west-1"]),
        ("US East", ["us-east-1", "us-east-2"]),
        ("Central", ["ca-central-1", "mx-central-1"]),
        ("Asia Pacific", ["ap-east-1", "ap-south-1"]),
        ("GovCloud", ["us-gov-east-1", "us-gov-west-1"]),
    ],
)
def test_a_name_of_several_regions_is_refused_with_the_candidates(text: str, candidates: list[str]) -> None:
    with pytest.raises(RegionUnknown) as caught:
        resolve(text)
    assert all(candidate in str(caught.value) for candidate in candidates)
    assert ("us-gov" in str(caught.value)) is (text == "GovCloud")
    assert len(str(caught.value)) < 600


# CloudGuard's own numbers of regions (5 for us_west_2) must not be read as the end of some code.
@pytest.mark.parametrize(
    "text",
    [
        "5",
        "1",
        "us-fake-9",
        "us-west",
        "us-west-22",
        "nowhere",
        "-",
        "us-east-1a",
        '["us-east-1"]',
        "us-east-1;",
    ],
)
def test_an_unknown_name_is_refused_rather_than_guessed(text: str) -> None:
    with pytest.raises(RegionUnknown, match="us-west-2"):
        resolve(text)


def test_the_refusal_quotes_no_more_than_a_line_of_the_text() -> None:
    with pytest.raises(RegionUnknown) as caught:
        resolve("x" * 100_000)
    assert "x" * 80 in str(caught.value)
    assert "x" * 81 not in str(caught.value)


def test_every_region_botocore_knows_resolves_in_both_spellings_to_its_partition() -> None:
    assert len(codes()) > 30
    for code, partition in codes():
        assert resolve(code) == code
        assert resolve(code.replace("-", "_").upper()) == code
        assert partition_of(code) == partition


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_known_region_or_refused(text: str) -> None:
    try:
        found = resolve(text)
    except RegionUnknown:
        return
    assert found in (None, GLOBAL) or partition_of(str(found))


def test_a_region_newer_than_the_data_still_has_a_partition() -> None:
    assert partition_of("us-gov-north-9") == "aws-us-gov"
    assert partition_of("eu-north-9") == "aws"


@pytest.mark.parametrize("text", ["", "global", "Oregon", "us-west-2\n", "us_west_2"])
def test_what_is_no_region_code_has_no_partition(text: str) -> None:
    with pytest.raises(RegionUnknown, match="code of a region"):
        partition_of(text)


@pytest.mark.parametrize(
    ("partition", "home"),
    [("aws", "us-east-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")],
)
def test_global_services_are_called_in_the_home_region_of_the_partition(partition: str, home: str) -> None:
    # The endpoints of IAM, the most global of all services, sign for the same regions.
    (iam,) = (
        found["services"]["iam"]["endpoints"][f"{partition}-global"]
        for found in Loader().load_data("endpoints")["partitions"]
        if found["partition"] == partition
    )
    assert iam["credentialScope"]["region"] == home
    assert home_region(partition) == home
    assert partition_of(default_region(partition)) == partition


def test_an_unknown_partition_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RegionUnknown, match="aws-us-gov"):
        home_region("azure")


def test_a_users_own_botocore_data_adds_no_region(tmp_path: Path) -> None:
    """Whoever can write the home folder must not name a region the hub would then send credentials to."""
    models = tmp_path / ".aws" / "models"
    models.mkdir(parents=True)
    (models / "partitions.json").write_text('{"partitions": [], "version": "1.1"}', encoding="utf-8")
    script = "from hub.aws.regions import resolve; print(resolve('Oregon'))"
    root = Path(regions.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"HOME": str(tmp_path), "AWS_DATA_PATH": str(models), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "us-west-2\n"


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        (
            "arn:aws:s3:::a-bucket",
            Arn(partition="aws", service="s3", region="", account="", resource="a-bucket"),
        ),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:222233334444:function:orders:live",
            Arn(
                partition="aws-us-gov",
                service="lambda",
                region="us-gov-west-1",
                account="222233334444",
                resource="function:orders:live",
            ),
        ),
    ],
)
def test_an_arn_is_taken_apart_and_written_again(text: str, arn: Arn) -> None:
    assert parse(text) == arn
    assert str(arn) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a-bucket",
        "arn:",
        "arn:aws:s3",
        "arn:aws:s3:::",
        "arn::s3:::b",
        "ARN:aws:s3:::b",
        " arn:aws:s3:::b",
    ],
)
def test_what_is_no_arn_is_none(text: str) -> None:
    assert parse(text) is None

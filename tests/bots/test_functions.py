"""Which function a finding means: `bots._functions`."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bots._aws import Aws
from bots._bot import CannotFix, Target
from bots._functions import the_function

ACCOUNT = "222233334444"


class _Account:
    """As much of an account as naming a function takes."""

    account_id = ACCOUNT
    partition = "aws"

    def __init__(self, region: str) -> None:
        self.region = region

    def at(self, region: str) -> Any:
        return _Account(region)


def _named(text: str) -> Any:
    target = Target(
        account_id=ACCOUNT, region="us-east-1", partition="aws", type="AWS::Lambda::Function", id=text
    )
    return the_function(cast("Aws", _Account("us-east-1")), target)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("resize", "us-east-1"),
        ("resize:$LATEST", "us-east-1"),
        ("resize:live", "us-east-1"),
        (f"{ACCOUNT}:function:resize", "us-east-1"),
        (f"{ACCOUNT}:function:resize:7", "us-east-1"),
        (f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:resize", "eu-west-1"),
        (f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:resize:live", "eu-west-1"),
        (f"arn:aws-us-gov:lambda:us-gov-west-1:{ACCOUNT}:function:resize:$LATEST", "us-gov-west-1"),
    ],
)
def test_every_form_of_a_functions_name_leads_to_the_function_without_version_or_alias(
    text: str, region: str
) -> None:
    found = _named(text)
    assert (found.name, found.home.region) == ("resize", region)
    assert found.arn == f"arn:aws:lambda:{region}:{ACCOUNT}:function:resize"


@pytest.mark.parametrize(
    "text",
    [
        "not a name",
        f"arn:aws:lambda:eu-west-1:{ACCOUNT}:layer:resize:1",
        f"arn:aws:lambda:../../x:{ACCOUNT}:function:resize",
        f"arn:aws:s3:eu-west-1:{ACCOUNT}:function:resize",
        "resize:live:extra",
        "n" * 65,
    ],
)
def test_what_is_no_function_is_refused(text: str) -> None:
    with pytest.raises(CannotFix, match="neither the name nor the ARN"):
        _named(text)


@pytest.mark.parametrize("start", ["arn:aws:lambda:eu-west-1:", ""])
def test_functions_of_other_accounts_are_refused(start: str) -> None:
    with pytest.raises(CannotFix, match="belongs to account 111122223333"):
        _named(f"{start}111122223333:function:resize")

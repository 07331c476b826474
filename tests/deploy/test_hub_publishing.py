"""The hub's stack in the tests' AWS: who gets past its topics and its queue with every right of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.deploy.hub_template import EXTERNAL_ID, TEXT, deployed
from tests.fake_aws.admin import client, code
from tests.fake_aws.server import FakeAws, allow, policy

CLOUDGUARD = "634729597623"
DENIED = {"sns": "AuthorizationError", "sqs": "AccessDeniedException"}


@dataclass(frozen=True)
class Standing:
    """A hub's stack as it stands in an account."""

    aws: FakeAws
    account_id: str
    outputs: dict[str, str]

    def acting(self, account_id: str, role: str, service: str) -> Any:
        """A client of a role with every right in its account."""
        path = f"arn:aws:iam::{account_id}:role/{role}"
        if account_id == self.account_id and path == self.outputs["HubRoleArn"]:
            given = self.aws.enter(account_id, path)
        else:
            given = self.aws.role_credentials(account_id, role, [policy(allow("*"))])
        return client(
            self.aws.endpoint,
            service,
            "us-east-1",
            access_key=given["AWS_ACCESS_KEY_ID"],
            secret_key=given["AWS_SECRET_ACCESS_KEY"],
            token=given["AWS_SESSION_TOKEN"],
        )

    def publishes(self, account_id: str, role: str = "scanner", topic: str = "InputTopicARN") -> bool:
        sns = self.acting(account_id, role, "sns")
        said = code(sns.publish, TopicArn=self.outputs[topic], Message='{"findingKey": "k"}')
        assert said in (None, DENIED["sns"])
        return said is None

    def sends(self, role: str) -> bool:
        sqs = self.acting(self.account_id, role, "sqs")
        said = code(sqs.send_message, QueueUrl=self.outputs["QueueUrl"], MessageBody="{}")
        assert said in (None, DENIED["sqs"])
        return said is None


def standing(aws: FakeAws, **parameters: str) -> Standing:
    admin = aws.fresh_account()
    own = {name: value.replace("OWN", admin.account_id) for name, value in parameters.items()}
    outputs = deployed(admin, TEXT, ExternalId=EXTERNAL_ID, Compute="none", **own)
    return Standing(aws, admin.account_id, outputs)


def test_a_finding_of_a_named_account_arrives_in_the_queue_and_a_strangers_does_not(aws: FakeAws) -> None:
    named, stranger = aws.fresh_account().account_id, aws.fresh_account().account_id
    here = standing(aws, PublisherAccounts=named)
    assert not here.publishes(stranger)
    sqs = aws.admin(here.account_id).client("sqs")
    assert "Messages" not in sqs.receive_message(QueueUrl=here.outputs["QueueUrl"])
    assert here.publishes(named)
    [message] = sqs.receive_message(QueueUrl=here.outputs["QueueUrl"])["Messages"]
    assert json.loads(message["Body"])["Message"] == '{"findingKey": "k"}'


def test_cloudguard_publishes_where_its_data_center_is_chosen(aws: FakeAws) -> None:
    assert standing(aws).publishes(CLOUDGUARD, "publisher")
    assert not standing(aws, DataCenter="Europe").publishes(CLOUDGUARD, "publisher")


def test_a_named_role_publishes_and_its_neighbour_does_not(aws: FakeAws) -> None:
    account = aws.fresh_account().account_id
    here = standing(aws, PublisherPrincipals=f"arn:aws:iam::{account}:role/scanner")
    assert here.publishes(account, "scanner")
    assert not here.publishes(account, "neighbour")


@pytest.mark.parametrize(("named", "through"), [("", False), ("OWN", True)])
def test_an_administrator_of_the_hubs_account_publishes_only_if_it_is_named(
    named: str, through: bool, aws: FakeAws
) -> None:
    here = standing(aws, PublisherAccounts=named)
    assert here.publishes(here.account_id, "admin") is through


def test_a_spoke_publishes_nothing_even_from_accounts_that_may(aws: FakeAws) -> None:
    account = aws.fresh_account().account_id
    here = standing(aws, PublisherAccounts=f"OWN,{account}")
    assert not here.publishes(account, "Dome9CloudBots")
    assert not here.publishes(here.account_id, "Dome9CloudBots")


def test_only_the_hub_reports(aws: FakeAws) -> None:
    here = standing(aws, PublisherAccounts="OWN")
    assert here.publishes(here.account_id, "remediation-hub", "OutputTopicARN")
    for role in ("admin", "Dome9CloudBots"):
        assert not here.publishes(here.account_id, role, "OutputTopicARN")


def test_nobody_goes_past_the_topic_but_who_puts_back_what_was_set_aside_and_the_hub_itself(
    aws: FakeAws,
) -> None:
    here = standing(aws, PublisherAccounts="OWN")
    assert here.sends("remediation-hub-worker")
    assert here.sends("remediation-hub"), "what was approved, with no more rights than the stack gives"
    for role in ("admin", "Dome9CloudBots"):
        assert not here.sends(role)

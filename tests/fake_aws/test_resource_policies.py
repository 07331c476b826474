"""Topics and queues have policies of their own, which bind their owners and may let others in."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.fake_aws.admin import client, code
from tests.fake_aws.server import FakeAws, allow, deny, policy


def acting(aws: FakeAws, service: str, account_id: str, action: str) -> Any:
    """A client of a role that may do just this."""
    given = aws.role_credentials(account_id, "actor", [policy(allow(action))])
    return client(
        aws.endpoint,
        service,
        "us-east-1",
        access_key=given["AWS_ACCESS_KEY_ID"],
        secret_key=given["AWS_SECRET_ACCESS_KEY"],
        token=given["AWS_SESSION_TOKEN"],
    )


def test_a_topics_policy_binds_the_owner_and_lets_others_in(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    arn = admin.client("sns").create_topic(Name="news")["TopicArn"]
    accounts = (admin.account_id, stranger.account_id)
    mine, theirs = (
        partial(acting(aws, "sns", account, "sns:Publish").publish, TopicArn=arn, Message="-")
        for account in accounts
    )
    assert (code(mine), code(theirs)) == (None, "AuthorizationError")
    document = policy(
        {**deny("sns:Publish", resource=arn), "Principal": {"AWS": admin.account_id}},
        {**allow("sns:Publish", resource=arn), "Principal": {"AWS": stranger.account_id}},
    )
    admin.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    assert (code(mine), code(theirs)) == ("AuthorizationError", None)


def test_others_who_are_let_in_need_the_right_themselves(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    arn = admin.client("sns").create_topic(Name="news")["TopicArn"]
    document = policy({**allow("sns:Publish", resource=arn), "Principal": {"AWS": stranger.account_id}})
    admin.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    sns = acting(aws, "sns", stranger.account_id, "sns:ListTopics")
    assert code(sns.publish, TopicArn=arn, Message="-") == "AuthorizationError"


@pytest.mark.parametrize("made_with_it", [True, False])
def test_a_queues_policy_binds_the_owner_and_is_enough_for_a_neighbour(
    made_with_it: bool, aws: FakeAws
) -> None:
    admin = aws.fresh_account()
    arn = f"arn:aws:sqs:us-east-1:{admin.account_id}:work"
    actor = f"arn:aws:iam::{admin.account_id}:role/actor"
    sqs = admin.client("sqs")
    document = policy(
        {**deny("sqs:SendMessage", resource=arn), "Principal": "*"},
        {**allow("sqs:PurgeQueue", resource=arn), "Principal": {"AWS": actor}},
    )
    attributes = {"Policy": document}
    url = sqs.create_queue(QueueName="work", Attributes=attributes if made_with_it else {})["QueueUrl"]
    theirs = acting(aws, "sqs", admin.account_id, "sqs:SendMessage")
    if not made_with_it:
        assert code(theirs.send_message, QueueUrl=url, MessageBody="-") is None
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    assert code(theirs.send_message, QueueUrl=url, MessageBody="-") == "AccessDeniedException"
    assert code(theirs.purge_queue, QueueUrl=url) is None
    assert code(theirs.receive_message, QueueUrl=url) == "AccessDeniedException"

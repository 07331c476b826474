"""Topics, subscriptions, queues and their policies."""

from __future__ import annotations

import json
from typing import Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tests.fake_aws.cloudformation.kind import Kind, Properties, only, tags, text

_BY_MAIL = ("email", "email-json")
_PLAIN_QUEUE = {
    "DelaySeconds": "0",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


class Topic(Kind):
    TYPE, NAMED_BY = "AWS::SNS::Topic", "TopicName"
    ATTRIBUTES = frozenset({"TopicArn", "TopicName"})
    _SET = (
        "DisplayName",
        "KmsMasterKeyId",
        "SignatureVersion",
        "TracingConfig",
        "ContentBasedDeduplication",
        "FifoTopic",
    )

    def make(self, properties: Properties) -> None:
        attributes = {name: text(value) for name, value in only(properties, self._SET).items()}
        listed = [{"Key": key, "Value": value} for key, value in tags(properties).items()]
        made = self.api("sns").create_topic(Name=self.name, Attributes=attributes, Tags=listed)
        self.physical_resource_id = made["TopicArn"]
        self.attributes = {"TopicArn": made["TopicArn"], "TopicName": self.name}
        self._subscribe([], properties.get("Subscription") or [])

    def _subscribe(self, before: list[Any], after: list[Any]) -> None:
        sns = self.api("sns")
        for each in after:
            if each not in before:
                sns.subscribe(TopicArn=self.physical_resource_id, **only(each, ("Protocol", "Endpoint")))
        for each in before:
            if each not in after:
                found = sns.list_subscriptions_by_topic(TopicArn=self.physical_resource_id)["Subscriptions"]
                for old in found:
                    if (old["Protocol"], old["Endpoint"]) == (each["Protocol"], each["Endpoint"]):
                        sns.unsubscribe(SubscriptionArn=old["SubscriptionArn"])

    def change(self, before: Properties, after: Properties) -> None:
        for name in self._SET:
            if before.get(name) != after.get(name):
                self.api("sns").set_topic_attributes(
                    TopicArn=self.physical_resource_id,
                    AttributeName=name,
                    AttributeValue=text(after.get(name, "")),
                )
        self._subscribe(before.get("Subscription") or [], after.get("Subscription") or [])

    def remove(self, properties: Properties) -> None:
        # AWS does away with a topic's subscriptions in time, moto never.
        sns = self.api("sns")
        for each in list(sns_backends[self.account_id][self.region].subscriptions.values()):
            if each.topic.arn == self.physical_resource_id:
                sns.unsubscribe(SubscriptionArn=each.arn)
        sns.delete_topic(TopicArn=self.physical_resource_id)


class TopicPolicy(Kind):
    TYPE = "AWS::SNS::TopicPolicy"

    def make(self, properties: Properties) -> None:
        for arn in properties["Topics"]:
            self._put(arn, json.dumps(properties["PolicyDocument"]))

    def _put(self, arn: str, policy: str) -> None:
        self.api("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def change(self, before: Properties, after: Properties) -> None:
        self.remove({"Topics": [arn for arn in before["Topics"] if arn not in after["Topics"]]})
        self.make(after)

    def remove(self, properties: Properties) -> None:
        """The topic's owner may do everything again, as with a new topic."""
        for arn in properties["Topics"]:
            topic = sns_backends[self.account_id][self.region].topics.get(arn)
            if topic is not None:
                plain = topic._create_default_topic_policy(self.region, self.account_id, topic.name)
                self._put(arn, json.dumps(plain))


class Subscription(Kind):
    TYPE = "AWS::SNS::Subscription"
    ATTRIBUTES = frozenset({"Arn"})
    _SET = (
        # The scope first: moto reads the policy by it.
        "FilterPolicyScope",
        "FilterPolicy",
        "RawMessageDelivery",
        "RedrivePolicy",
        "DeliveryPolicy",
        "SubscriptionRoleArn",
    )

    def make(self, properties: Properties) -> None:
        sns = self.api("sns")
        asked = only(properties, ("TopicArn", "Protocol", "Endpoint"))
        self.physical_resource_id = sns.subscribe(**asked, ReturnSubscriptionArn=True)["SubscriptionArn"]
        self.attributes["Arn"] = self.physical_resource_id
        found: Any = sns_backends[self.account_id][self.region].subscriptions[self.physical_resource_id]
        # Somebody has to follow the link in AWS's mail first.
        found.pending = properties["Protocol"] in _BY_MAIL
        self.change({}, properties)

    def change(self, before: Properties, after: Properties) -> None:
        for name in self._SET:
            if before.get(name) != after.get(name):
                self.api("sns").set_subscription_attributes(
                    SubscriptionArn=self.physical_resource_id,
                    AttributeName=name,
                    AttributeValue=text(after[name]) if name in after else "",
                )

    def remove(self, properties: Properties) -> None:
        self.api("sns").unsubscribe(SubscriptionArn=self.physical_resource_id)


class Queue(Kind):
    TYPE, NAMED_BY = "AWS::SQS::Queue", "QueueName"
    ATTRIBUTES = frozenset({"Arn", "QueueName", "QueueUrl"})
    _NOT_SET = ("QueueName", "Tags")

    def _attributes(self, properties: Properties) -> dict[str, str]:
        return {name: text(value) for name, value in properties.items() if name not in self._NOT_SET}

    def make(self, properties: Properties) -> None:
        self.name = self.name[:80]
        asked = self._attributes(properties)
        # moto would refuse it with the queue, but wants the dead-letter queue's name looked at afterwards.
        redrive = asked.pop("RedrivePolicy", None)
        made = self.api("sqs").create_queue(QueueName=self.name, Attributes=asked, tags=tags(properties))
        queue = sqs_backends[self.account_id][self.region].queues[self.name]
        # Which is what a template's Ref gives, wherever the caller found the service.
        self.physical_resource_id = queue.physical_resource_id
        self.url = made["QueueUrl"]
        self.attributes = {
            "Arn": queue.queue_arn,
            "QueueName": self.name,
            "QueueUrl": self.physical_resource_id,
        }
        if redrive:
            self._set({"RedrivePolicy": redrive})

    def _set(self, attributes: dict[str, str]) -> None:
        self.api("sqs").set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def change(self, before: Properties, after: Properties) -> None:
        old, new = self._attributes(before), self._attributes(after)
        gone = {name: _PLAIN_QUEUE[name] for name in old if name not in new and name in _PLAIN_QUEUE}
        changed = {name: value for name, value in new.items() if old.get(name) != value}
        if gone | changed:
            self._set(gone | changed)

    def remove(self, properties: Properties) -> None:
        self.api("sqs").delete_queue(QueueUrl=self.url)


class QueuePolicy(Kind):
    TYPE = "AWS::SQS::QueuePolicy"

    def make(self, properties: Properties) -> None:
        for url in properties["Queues"]:
            self._put(url, json.dumps(properties["PolicyDocument"]))

    def _put(self, url: str, policy: str) -> None:
        self.api("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def change(self, before: Properties, after: Properties) -> None:
        self.remove({"Queues": [url for url in before["Queues"] if url not in after["Queues"]]})
        self.make(after)

    def remove(self, properties: Properties) -> None:
        for url in properties["Queues"]:
            self._put(url, "")

"""Alarms, dashboards and logs."""

from __future__ import annotations

from typing import Any

from moto.logs.models import logs_backends

from tests.fake_aws.cloudformation.kind import Kind, Properties, as_call, others_must_stay, tags, without


class Alarm(Kind):
    TYPE, NAMED_BY = "AWS::CloudWatch::Alarm", "AlarmName"
    ATTRIBUTES = frozenset({"Arn"})

    def make(self, properties: Properties) -> None:
        cloudwatch = self.api("cloudwatch")
        asked = as_call(cloudwatch, "PutMetricAlarm", {**properties, "AlarmName": self.name})
        cloudwatch.put_metric_alarm(**asked)
        found = cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        self.attributes["Arn"] = found[0]["AlarmArn"]

    def change(self, before: Properties, after: Properties) -> None:
        self.make(after)

    def remove(self, properties: Properties) -> None:
        self.api("cloudwatch").delete_alarms(AlarmNames=[self.name])


class CompositeAlarm(Kind):
    TYPE, NAMED_BY = "AWS::CloudWatch::CompositeAlarm", "AlarmName"
    ATTRIBUTES = frozenset({"Arn"})

    def make(self, properties: Properties) -> None:
        cloudwatch = self.api("cloudwatch")
        cloudwatch.put_composite_alarm(**{**properties, "AlarmName": self.name})
        found = cloudwatch.describe_alarms(AlarmNames=[self.name], AlarmTypes=["CompositeAlarm"])
        self.attributes["Arn"] = found["CompositeAlarms"][0]["AlarmArn"]

    def change(self, before: Properties, after: Properties) -> None:
        self.make(after)

    def remove(self, properties: Properties) -> None:
        self.api("cloudwatch").delete_alarms(AlarmNames=[self.name])


class Dashboard(Kind):
    TYPE, NAMED_BY = "AWS::CloudWatch::Dashboard", "DashboardName"

    def make(self, properties: Properties) -> None:
        self.api("cloudwatch").put_dashboard(
            DashboardName=self.name, DashboardBody=properties["DashboardBody"]
        )

    def change(self, before: Properties, after: Properties) -> None:
        self.make(after)

    def remove(self, properties: Properties) -> None:
        self.api("cloudwatch").delete_dashboards(DashboardNames=[self.name])


class LogGroup(Kind):
    TYPE, NAMED_BY = "AWS::Logs::LogGroup", "LogGroupName"
    ATTRIBUTES = frozenset({"Arn"})

    def make(self, properties: Properties) -> None:
        logs, more = self.api("logs"), dict[str, Any]()
        if key := properties.get("KmsKeyId"):
            more["kmsKeyId"] = key
        logs.create_log_group(logGroupName=self.name, tags=tags(properties), **more)
        found = logs.describe_log_groups(logGroupNamePrefix=self.name)["logGroups"]
        self.attributes["Arn"] = next(each["arn"] for each in found if each["logGroupName"] == self.name)
        self._keep_for({}, properties)

    def change(self, before: Properties, after: Properties) -> None:
        others_must_stay(before, after, ("KmsKeyId", "RetentionInDays"))
        # moto answers no call that gives a group another key.
        group = logs_backends[self.account_id][self.region].groups[self.name]
        group.kms_key_id = after.get("KmsKeyId")
        self._keep_for(before, after)

    def _keep_for(self, before: Properties, after: Properties) -> None:
        logs = self.api("logs")
        days = after.get("RetentionInDays")
        if days != before.get("RetentionInDays"):
            if days is None:
                logs.delete_retention_policy(logGroupName=self.name)
            else:
                logs.put_retention_policy(logGroupName=self.name, retentionInDays=int(days))

    def remove(self, properties: Properties) -> None:
        self.api("logs").delete_log_group(logGroupName=self.name)


class MetricFilter(Kind):
    TYPE, NAMED_BY = "AWS::Logs::MetricFilter", "FilterName"

    def make(self, properties: Properties) -> None:
        transformations = [
            {name[0].lower() + name[1:]: str(value) if name == "MetricValue" else value
             for name, value in each.items()}
            for each in properties["MetricTransformations"]
        ]  # fmt: skip
        self.api("logs").put_metric_filter(
            logGroupName=properties["LogGroupName"],
            filterName=self.name,
            filterPattern=properties["FilterPattern"],
            metricTransformations=transformations,
        )

    def change(self, before: Properties, after: Properties) -> None:
        self.make(after)

    def remove(self, properties: Properties) -> None:
        self.api("logs").delete_metric_filter(logGroupName=properties["LogGroupName"], filterName=self.name)


class LogStream(Kind):
    TYPE, NAMED_BY = "AWS::Logs::LogStream", "LogStreamName"

    def make(self, properties: Properties) -> None:
        self.api("logs").create_log_stream(logGroupName=properties["LogGroupName"], logStreamName=self.name)

    def remove(self, properties: Properties) -> None:
        self.api("logs").delete_log_stream(logGroupName=properties["LogGroupName"], logStreamName=self.name)


class Rule(Kind):
    """A rule of EventBridge with its targets."""

    TYPE, NAMED_BY = "AWS::Events::Rule", "Name"
    ATTRIBUTES = frozenset({"Arn"})

    def make(self, properties: Properties) -> None:
        self.change({}, properties)

    def change(self, before: Properties, after: Properties) -> None:
        client = self.api("events")
        asked = as_call(client, "PutRule", {**without(after, "Targets"), "Name": self.name})
        self.attributes["Arn"] = client.put_rule(**asked)["RuleArn"]
        self._take_off(before)
        client.put_targets(Rule=self.name, Targets=after["Targets"])

    def remove(self, properties: Properties) -> None:
        self._take_off(properties)
        self.api("events").delete_rule(Name=self.name)

    def _take_off(self, properties: Properties) -> None:
        ids = [target["Id"] for target in properties.get("Targets", ())]
        if ids:
            self.api("events").remove_targets(Rule=self.name, Ids=ids)

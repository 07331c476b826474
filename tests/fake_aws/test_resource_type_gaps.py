"""What templates make besides roles: it is there in its service, changes with the template and goes with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.sns import subscription
from tests.fake_aws.server import policy
from tests.fake_aws.stack_estate import create, delete, document, queue, resource, template, update
from tests.fake_aws.stack_set_estate import only


def test_topics_keep_their_subscriptions_through_updates(admin: Admin) -> None:
    def text(name: str, filters: dict[str, Any]) -> str:
        subscribed = {"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}}
        return template(
            Queue=queue("in"),
            Topic=resource("AWS::SNS::Topic", TopicName="t", DisplayName=name, Subscription=[subscribed]),
            Mail=resource(
                "AWS::SNS::Subscription",
                TopicArn={"Ref": "Topic"},
                Protocol="email",
                Endpoint="security@example.com",
                FilterPolicy=filters,
            ),
            Policy=resource(
                "AWS::SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=document("sns:Publish")
            ),
        )

    create(admin, text("one", {"outcome": ["failed"]}))
    sns = admin.client("sns")
    topic = f"arn:aws:sns:us-east-1:{admin.account_id}:t"
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert json.loads(found["Policy"]) == document("sns:Publish")
    update(admin, text("two", {"outcome": ["denied"]}))
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (found["DisplayName"], json.loads(found["Policy"])) == ("two", document("sns:Publish"))
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    arns = {each["Protocol"]: each["SubscriptionArn"] for each in listed}
    assert set(arns) == {"sqs", "email"}
    # Nobody has followed the link in the mail yet.
    assert arns["email"] == "PendingConfirmation"
    mail = subscription(admin.account_id, "us-east-1", "security@example.com")
    attributes = sns.get_subscription_attributes(SubscriptionArn=mail.arn)["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == {"outcome": ["denied"]}
    delete(admin)
    assert sns.list_topics()["Topics"] == sns.list_subscriptions()["Subscriptions"] == []


def test_queues_and_their_policies(admin: Admin) -> None:
    def text(**properties: Any) -> str:
        declared = queue("in")
        declared["Properties"] |= properties
        redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
        declared["Properties"]["RedrivePolicy"] = redrive
        return template(
            Queue=declared,
            Dead=queue("dead"),
            Policy=resource(
                "AWS::SQS::QueuePolicy", Queues=[{"Ref": "Queue"}], PolicyDocument=document("sqs:SendMessage")
            ),
        )

    def attributes() -> dict[str, str]:
        url = sqs.get_queue_url(QueueName="in")["QueueUrl"]
        found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found

    sqs = admin.client("sqs")
    create(admin, text(VisibilityTimeout=60))
    found = attributes()
    assert found["VisibilityTimeout"] == "60"
    assert json.loads(found["Policy"]) == document("sqs:SendMessage")
    assert json.loads(found["RedrivePolicy"])["maxReceiveCount"] == 3
    update(admin, text(MessageRetentionPeriod=1209600))
    found = attributes()
    assert (found["VisibilityTimeout"], found["MessageRetentionPeriod"]) == ("30", "1209600")
    assert json.loads(found["Policy"]) == document("sqs:SendMessage")
    update(admin, template(Queue=queue("in"), Dead=queue("dead")))
    assert "Policy" not in attributes()
    assert "RedrivePolicy" not in attributes()


def test_alarms_dashboards_and_logs(admin: Admin) -> None:
    def text(threshold: int, days: int) -> str:
        return template(
            Alarm=resource(
                "AWS::CloudWatch::Alarm",
                AlarmName="deep",
                Namespace="AWS/SQS",
                MetricName="ApproximateNumberOfMessagesVisible",
                Dimensions=[{"Name": "QueueName", "Value": "dead"}],
                Statistic="Maximum",
                Period="300",
                EvaluationPeriods=1,
                Threshold=threshold,
                ComparisonOperator="GreaterThanThreshold",
            ),
            Board=resource(
                "AWS::CloudWatch::Dashboard",
                DashboardName="board",
                DashboardBody=json.dumps({"widgets": [], "end": str(threshold)}),
            ),
            Log=resource("AWS::Logs::LogGroup", LogGroupName="/shop", RetentionInDays=days),
            Filter=resource(
                "AWS::Logs::MetricFilter",
                LogGroupName={"Ref": "Log"},
                FilterName="errors",
                FilterPattern="ERROR",
                MetricTransformations=[{"MetricName": "Errors", "MetricNamespace": "Shop", "MetricValue": 1}],
            ),
        )

    cloudwatch, logs = admin.client("cloudwatch"), admin.client("logs")
    for threshold, days in ((0, 30), (5, 365)):
        (create if threshold == 0 else update)(admin, text(threshold, days))
        alarm = only(cloudwatch.describe_alarms(AlarmNames=["deep"])["MetricAlarms"])
        assert (alarm["Threshold"], alarm["Period"]) == (threshold, 300)
        body = cloudwatch.get_dashboard(DashboardName="board")["DashboardBody"]
        assert json.loads(body)["end"] == str(threshold)
        group = only(logs.describe_log_groups()["logGroups"])
        assert group["retentionInDays"] == days
    assert only(logs.describe_metric_filters()["metricFilters"])["filterName"] == "errors"
    delete(admin)
    assert (
        cloudwatch.describe_alarms()["MetricAlarms"] == cloudwatch.list_dashboards()["DashboardEntries"] == []
    )
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_function_fed_by_a_queue(admin: Admin) -> None:
    bucket = f"code-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=bucket)
    for name in ("one.zip", "two.zip"):
        admin.client("s3").put_object(Bucket=bucket, Key=name, Body=name.encode())

    def text(package: str, batch: int, **more: Any) -> str:
        trusting = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
        return template(
            Role=resource(
                "AWS::IAM::Role",
                RoleName="worker",
                AssumeRolePolicyDocument=json.loads(policy({**trusting, "Action": "sts:AssumeRole"})),
            ),
            Queue=queue("in"),
            Function=resource(
                "AWS::Lambda::Function",
                FunctionName="worker",
                Role={"Fn::GetAtt": ["Role", "Arn"]},
                Handler="a.b",
                Runtime="python3.11",
                Architectures=["arm64"],
                Timeout="300",
                Code={"S3Bucket": bucket, "S3Key": package},
                Environment={"Variables": {"BATCH": batch}},
                **more,
            ),
            Feed=resource(
                "AWS::Lambda::EventSourceMapping",
                FunctionName={"Ref": "Function"},
                EventSourceArn={"Fn::GetAtt": ["Queue", "Arn"]},
                BatchSize=batch,
                FunctionResponseTypes=["ReportBatchItemFailures"],
                ScalingConfig={"MaximumConcurrency": 5},
            ),
        )

    client = admin.client("lambda")
    create(admin, text("one.zip", 10))
    before = client.get_function_configuration(FunctionName="worker")
    assert (before["Architectures"], before["Timeout"]) == (["arm64"], 300)
    feed = only(client.list_event_source_mappings(FunctionName="worker")["EventSourceMappings"])
    assert (feed["BatchSize"], feed["ScalingConfig"]) == (10, {"MaximumConcurrency": 5})
    assert feed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    update(admin, text("two.zip", 5, ReservedConcurrentExecutions=7))
    after = client.get_function_configuration(FunctionName="worker")
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["Environment"]["Variables"] == {"BATCH": "5"}
    reserved = client.get_function_concurrency(FunctionName="worker")
    assert reserved["ReservedConcurrentExecutions"] == 7
    feed = only(client.list_event_source_mappings(FunctionName="worker")["EventSourceMappings"])
    assert feed["BatchSize"] == 5
    delete(admin)
    assert (
        client.list_functions()["Functions"]
        == client.list_event_source_mappings()["EventSourceMappings"]
        == []
    )


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1"])
def test_templates_know_the_partition_they_are_in(admin: Admin, region: str) -> None:
    client = admin.client("cloudformation", region)
    text = json.dumps(
        {
            "Resources": {"Topic": resource("AWS::SNS::Topic", TopicName="t")},
            "Outputs": {"Arn": {"Value": {"Fn::Sub": "arn:${AWS::Partition}:s3:::b ${AWS::URLSuffix}"}}},
        }
    )
    client.create_stack(StackName="shop", TemplateBody=text)
    output = only(only(client.describe_stacks(StackName="shop")["Stacks"])["Outputs"])["OutputValue"]
    assert (
        output
        == {
            "us-gov-west-1": "arn:aws-us-gov:s3:::b amazonaws.com",
            "cn-north-1": "arn:aws-cn:s3:::b amazonaws.com.cn",
        }[region]
    )

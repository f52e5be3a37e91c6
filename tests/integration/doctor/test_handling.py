"""What handles events and tells of findings: queues, functions, the table, subscribers, Security Hub, alarms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.doctor.estate import MAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.doctor.conftest import Doctor

HOOK = "https://hooks.example.com/pulls"


def test_dead_letters(doctor: Doctor) -> None:
    sqs, url = doctor.client("sqs"), doctor.physical("DeadLetters")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        report = doctor()
    finally:
        sqs.purge_queue(QueueUrl=url)

    letters = next(each for each in report.results if each["subject"].startswith("dead-letter queue"))
    assert (report.status, letters["state"], letters["found"]) == (1, "broken", "messages in it: about 1")
    assert "could not be handled" in letters["meaning"]
    doctor.reads(letters["commands"])


def test_dead_letters_that_somebody_is_looking_at(doctor: Doctor) -> None:
    sqs, url = doctor.client("sqs"), doctor.physical("DeadLetters")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
        letters = next(each for each in doctor().results if each["subject"].startswith("dead-letter queue"))
    finally:
        sqs.purge_queue(QueueUrl=url)
    assert (letters["state"], letters["found"]) == ("broken", "messages in it: about 1")


@pytest.fixture
def waiting(doctor: Doctor) -> Iterator[None]:
    """A message that nobody takes."""
    mapping, url = doctor.physical("Mapping"), doctor.physical("Queue")
    doctor.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    doctor.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    yield
    doctor.client("sqs").purge_queue(QueueUrl=url)
    doctor.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)


def age(doctor: Doctor, seconds: float) -> None:
    """Let CloudWatch say how old the oldest message of the queue is."""
    name = doctor.physical("Queue").rpartition("/")[2]
    datum = {
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": name}],
        "Value": seconds,
    }
    doctor.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[datum])


@pytest.mark.usefixtures("waiting")
def test_messages_that_wait_for_nobody_knows_how_long_and_for_too_long(doctor: Doctor) -> None:
    name = f"queue {doctor.physical('Queue').rpartition('/')[2]}"

    def found() -> dict[str, str]:
        return next(each for each in doctor().results if each["subject"] == name)

    assert (found()["state"], found()["found"]) == (
        "unread",
        "messages waiting: about 1; CloudWatch does not say for how long",
    )
    age(doctor, 3 * 725)
    assert (found()["state"], found()["found"]) == ("works", "messages waiting: about 1, the oldest for 2175 seconds")
    age(doctor, 3 * 725 + 1)
    assert found()["state"] == "broken"
    assert "the oldest for 2176 seconds, which is more than 2175" in found()["found"]


def test_a_queue_whose_policy_was_replaced(doctor: Doctor) -> None:
    url = doctor.physical("Queue")
    doctor.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    subject = f"policy of queue {url.rpartition('/')[2]}"
    doctor.mends("queues", subject, found="in their place: SendRules", meaning="is not seen")


def test_a_queue_whose_policy_somebody_else_has_changed(doctor: Doctor) -> None:
    sqs, url = doctor.client("sqs"), doctor.physical("Queue")
    deployed = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    policy = json.loads(deployed)
    elsewhere = {"StringEquals": {"aws:SourceAccount": "999988887777"}}
    policy["Statement"][0]["Condition"] = elsewhere
    policy["Statement"].append(
        {"Sid": "Closed", "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    )
    try:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        found = doctor().about("queues", f"policy of queue {url.rpartition('/')[2]}")
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": deployed})
    assert (found["state"], found["commands"]) == ("unread", [])
    assert "SendRules" in found["found"]
    assert "Closed" in found["found"]
    assert "Look at whether the policy lets the rules send" in found["next"]


def test_a_mapping_that_is_disabled(doctor: Doctor) -> None:
    mapping = doctor.physical("Mapping")
    doctor.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    doctor.mends("functions", mapping, found="its state is Disabled", meaning="nothing in them is diagnosed")


def test_a_function_without_concurrency(doctor: Doctor) -> None:
    function = doctor.physical("Function")
    doctor.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    assert doctor().about("functions", f"function {function}")["state"] == "works"

    doctor.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    meaning = "This does not happen: Finds out why a pull fails"
    doctor.mends("functions", f"function {function}", found="reserved concurrency is 0", meaning=meaning)


def test_a_table_that_keeps_what_has_expired(doctor: Doctor) -> None:
    table = doctor.physical("Table")
    off = {"Enabled": False, "AttributeName": "expires_at"}
    doctor.client("dynamodb").update_time_to_live(TableName=table, TimeToLiveSpecification=off)
    doctor.mends("table", "time to live", found="DISABLED", meaning="stay in the table for ever")


def test_a_table_that_deletes_by_another_attribute(doctor: Doctor) -> None:
    """One command after the other: DynamoDB takes no second one within the hour."""
    table, dynamodb = doctor.physical("Table"), doctor.client("dynamodb")
    other = {"Enabled": True, "AttributeName": "seen, at"}
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=other)
    report = doctor().about("table", "time to live")
    assert (report["state"], report["found"]) == ("broken", "ENABLED, by seen, at")
    assert "An hour after this command" in report["next"]
    (command,) = report["commands"]
    doctor.run([command])
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    doctor.mends("table", "time to live", found="DISABLED", meaning="stay in the table for ever")


def test_a_table_without_its_index(doctor: Doctor) -> None:
    delete = [{"Delete": {"IndexName": "due"}}]
    doctor.client("dynamodb").update_table(TableName=doctor.physical("Table"), GlobalSecondaryIndexUpdates=delete)
    doctor.mends("table", "index due", found="it does not exist", meaning="not rechecked")


def test_mail_that_was_unsubscribed(doctor: Doctor) -> None:
    sns, topic = doctor.client("sns"), doctor.physical("Topic")
    (mail,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=mail["SubscriptionArn"])
    # The emulated SNS takes mail for confirmed at once.
    doctor.mends("subscribers", MAIL, found="is gone", meaning="told of no finding")


def test_a_subscriber_that_has_not_confirmed(doctor: Doctor) -> None:
    sns, topic = doctor.client("sns"), doctor.physical("Topic")
    arn = sns.subscribe(TopicArn=topic, Protocol="https", Endpoint=HOOK, ReturnSubscriptionArn=True)["SubscriptionArn"]
    try:
        report = doctor()
        pending = report.about("subscribers", HOOK)
        doctor.run(pending["commands"])
    finally:
        sns.unsubscribe(SubscriptionArn=arn)
    assert (report.status, pending["state"], pending["found"]) == (1, "broken", "it waits for its confirmation")
    assert report.about("subscribers", MAIL)["state"] == "works"


def test_security_hub_that_is_off(doctor: Doctor) -> None:
    doctor.client("securityhub").disable_security_hub()
    doctor.mends("security_hub", "Security Hub in", found="off", meaning="will not be seen in Security Hub")


def test_an_alarm_whose_actions_are_disabled(doctor: Doctor) -> None:
    alarm = doctor.physical("Alarm")
    doctor.client("cloudwatch").disable_alarm_actions(AlarmNames=[alarm])
    report = doctor()
    disabled = report.about("alarms")
    assert (disabled["state"], disabled["found"]) == ("broken", "its actions are disabled")
    assert disabled["meaning"] == 'Nobody would be told of this: "Pull Responder: The function Diagnose fails"'
    doctor.run(disabled["commands"])
    assert doctor().about("alarms")["state"] == "works"


def test_an_alarm_that_goes_off(doctor: Doctor) -> None:
    alarm, cloudwatch = doctor.physical("Alarm"), doctor.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="3 errors")
    try:
        loud = doctor().about("alarms")
    finally:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="INSUFFICIENT_DATA", StateReason="no data")
    assert (loud["state"], loud["found"]) == ("broken", "it is in state ALARM: 3 errors")
    assert doctor().about("alarms")["state"] == "works"


def test_an_alarm_without_an_action_and_one_that_was_deleted(doctor: Doctor) -> None:
    alarm, cloudwatch = doctor.physical("Alarm"), doctor.client("cloudwatch")
    (kept,) = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    names = ("AlarmName", "AlarmDescription", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods")
    as_deployed = {name: kept[name] for name in (*names, "Threshold", "ComparisonOperator")}
    try:
        cloudwatch.put_metric_alarm(**as_deployed, AlarmActions=[])
        mute = doctor().about("alarms")
        cloudwatch.put_metric_alarm(**as_deployed, AlarmActions=[f"{kept['AlarmActions'][0]}-of-others"])
        other = doctor().about("alarms")
        cloudwatch.delete_alarms(AlarmNames=[alarm])
        gone = doctor().about("alarms")
    finally:
        cloudwatch.put_metric_alarm(**as_deployed, AlarmActions=kept["AlarmActions"])
    assert (mute["state"], mute["found"]) == (other["state"], other["found"])
    assert (other["state"], other["found"]) == ("broken", f"it does not notify {doctor.physical('Topic')}")
    assert (gone["state"], gone["found"]) == ("broken", "it does not exist")
    assert gone["meaning"] == mute["meaning"]
    assert doctor().about("alarms")["state"] == "works"

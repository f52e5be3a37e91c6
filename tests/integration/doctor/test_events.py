"""What events need to arrive: a trail, the rules, the audit logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.integration.doctor.estate import CLOCK_RULE, CLUSTER, DENIED_RULE, GROUP, REGION, TRAIL

if TYPE_CHECKING:
    from tests.integration.doctor.conftest import Doctor

ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
SUBSCRIPTION = f"subscription of log group {GROUP}"
UNSEEN = "Refused pulls will not be seen"


def basic(**selector: Any) -> dict[str, Any]:  # noqa: ANN401 -- fields of an EventSelector
    return {"TrailName": TRAIL, "EventSelectors": [selector]}


def test_a_stopped_trail(doctor: Doctor) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)

    assert len([each for each in doctor().results if each["check"] == "trail" and each["state"] == "broken"]) == 2
    doctor.mends("trail", "read-only", found=f"{ARN} is stopped", meaning=UNSEEN)


def test_a_trail_that_logs_no_reads(doctor: Doctor) -> None:
    objects = {
        "ReadWriteType": "WriteOnly",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
    }
    doctor.client("cloudtrail").put_event_selectors(**basic(**objects))

    assert doctor().about("trail", "write-only management events in")["state"] == "works"
    doctor.mends("trail", "read-only", found=f"the event selectors of {ARN} leave out", meaning=UNSEEN)
    first, second = doctor.client("cloudtrail").get_event_selectors(TrailName=TRAIL)["EventSelectors"]
    assert first == objects
    assert (second["ReadWriteType"], second["DataResources"]) == ("All", [])
    assert second["ExcludeManagementEventSources"] == ["kms.amazonaws.com"]
    assert doctor().about("trail", "KMS")["state"] == "off"


def test_a_trail_that_logs_reads_alone(doctor: Doctor) -> None:
    doctor.client("cloudtrail").put_event_selectors(**basic(ReadWriteType="ReadOnly", IncludeManagementEvents=True))

    assert doctor().about("trail", "read-only")["state"] == "works"
    doctor.mends(
        "trail", "write-only management events in", found="leave out", meaning="but only by scheduled rechecks"
    )


def test_a_trail_with_advanced_selectors_of_data_events_alone(doctor: Doctor) -> None:
    data = {
        "Name": "objects",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        ],
    }
    doctor.client("cloudtrail").put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=[data])

    doctor.mends("trail", "read-only", found="leave out", meaning=UNSEEN)
    kept = doctor.client("cloudtrail").get_event_selectors(TrailName=TRAIL)["AdvancedEventSelectors"]
    assert data in kept
    doctor.client("cloudtrail").put_event_selectors(**basic(ReadWriteType="All", IncludeManagementEvents=True))


def test_no_trail_at_all(doctor: Doctor) -> None:
    cloudtrail = doctor.client("cloudtrail")
    cloudtrail.delete_trail(Name=TRAIL)
    try:
        doctor.mends("trail", "read-only", found=f"no trail covers {REGION}", meaning=UNSEEN)
        cloudtrail.delete_trail(Name="pull-responder")
    finally:
        cloudtrail.create_trail(Name=TRAIL, S3BucketName=TRAIL)
        cloudtrail.start_logging(Name=TRAIL)


def test_a_trail_of_one_other_region_is_none_here_and_one_of_all_regions_is(doctor: Doctor) -> None:
    doctor.client("cloudtrail").stop_logging(Name=TRAIL)
    elsewhere = doctor.aws.client("cloudtrail", region="eu-north-1")
    doctor.aws.client("s3").create_bucket(Bucket="doctor-elsewhere")
    elsewhere.create_trail(Name="doctor-elsewhere", S3BucketName="doctor-elsewhere")
    elsewhere.start_logging(Name="doctor-elsewhere")
    try:
        assert doctor().about("trail", "read-only")["state"] == "broken"
        elsewhere.update_trail(Name="doctor-elsewhere", IsMultiRegionTrail=True)
        found = doctor().about("trail", "read-only")
        assert (found["state"], "doctor-elsewhere logs them" in found["found"]) == ("works", True)
    finally:
        elsewhere.delete_trail(Name="doctor-elsewhere")
        doctor.client("cloudtrail").start_logging(Name=TRAIL)


def test_a_rule_in_a_state_without_reads(doctor: Doctor) -> None:
    events = doctor.client("events")
    events.disable_rule(Name=DENIED_RULE)
    events.enable_rule(Name=DENIED_RULE)
    before = events.describe_rule(Name=DENIED_RULE)
    assert before["State"] == "ENABLED"

    meaning = 'This will not be seen: "A registry token was refused"'
    doctor.mends("rules", DENIED_RULE, found="does not get read-only management events", meaning=meaning)
    after = events.describe_rule(Name=DENIED_RULE)
    assert json.loads(after["EventPattern"]) == json.loads(before["EventPattern"])
    assert after["Description"] == before["Description"]


def test_a_schedule_that_was_changed(doctor: Doctor) -> None:
    doctor.client("events").put_rule(Name=CLOCK_RULE, ScheduleExpression="rate(7 days)", State="ENABLED")
    doctor.mends("rules", CLOCK_RULE, found="its schedule was changed", meaning="Time to recheck")


def test_a_rule_that_lost_its_target(doctor: Doctor) -> None:
    doctor.client("events").remove_targets(Rule=DENIED_RULE, Ids=["Queue"])
    doctor.mends("rules", DENIED_RULE, found="it does not send to arn:aws:sqs", meaning="registry token")


def test_a_rule_that_was_deleted(doctor: Doctor) -> None:
    events = doctor.client("events")
    events.remove_targets(Rule=DENIED_RULE, Ids=["Queue"])
    events.delete_rule(Name=DENIED_RULE)
    doctor.mends("rules", DENIED_RULE, found="it does not exist", meaning="registry token")


def test_a_rule_with_one_more_target_works(doctor: Doctor) -> None:
    events, more = doctor.client("events"), f"arn:aws:sqs:{REGION}:{ACCOUNT}:more"
    events.put_targets(Rule=DENIED_RULE, Targets=[{"Id": "More", "Arn": more}])
    assert doctor().about("rules", DENIED_RULE)["state"] == "works"
    events.remove_targets(Rule=DENIED_RULE, Ids=["More"])


def test_audit_logging_that_is_off(doctor: Doctor) -> None:
    eks = doctor.client("eks")
    cluster = eks.describe_cluster(name=CLUSTER)["cluster"]
    kept = {"name": CLUSTER, "roleArn": cluster["roleArn"], "resourcesVpcConfig": {"subnetIds": ["subnet-1"]}}
    eks.delete_cluster(name=CLUSTER)
    try:
        gone = doctor().about("audit_logs", f"cluster {CLUSTER}")
        assert (gone["state"], gone["found"]) == ("broken", "there is no such cluster")
        off = {"clusterLogging": [{"types": ["audit"], "enabled": False}, {"types": ["api"], "enabled": True}]}
        eks.create_cluster(**kept, logging=off)
        report = doctor()
        found = report.about("audit_logs", f"cluster {CLUSTER}")
        eks.delete_cluster(name=CLUSTER)
    finally:
        eks.create_cluster(**kept, logging=cluster["logging"])
    assert (report.status, found["state"], found["found"]) == (1, "broken", "off")
    assert "denials by endpoint policies" in found["meaning"]
    doctor.reads(found["commands"])


def test_a_subscription_that_was_deleted(doctor: Doctor) -> None:
    doctor.client("logs").delete_subscription_filter(logGroupName=GROUP, filterName="pull-responder")
    doctor.mends(
        "audit_logs",
        f"subscription of log group {GROUP}",
        found="there is none to the function",
        meaning="this cluster",
    )


def test_a_subscription_with_another_pattern(doctor: Doctor) -> None:
    function = doctor.client("lambda").get_function(FunctionName=doctor.physical("Function"))["Configuration"]
    doctor.client("logs").put_subscription_filter(
        logGroupName=GROUP,
        filterName="pull-responder",
        filterPattern="nothing",
        destinationArn=function["FunctionArn"],
    )
    doctor.mends(
        "audit_logs",
        f"subscription of log group {GROUP}",
        found="its filter pattern was changed",
        meaning="this cluster",
    )


def test_a_log_group_that_may_not_invoke_the_function(doctor: Doctor) -> None:
    function = doctor.physical("Function")
    policy = json.loads(doctor.client("lambda").get_policy(FunctionName=function)["Policy"])
    (statement,) = [each["Sid"] for each in policy["Statement"]]
    doctor.client("lambda").remove_permission(FunctionName=function, StatementId=statement)
    # Another log group's permission is none for this one.
    other = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/eks/other/cluster:*"
    doctor.client("lambda").add_permission(
        FunctionName=function,
        StatementId="other",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceArn=other,
    )
    # Nor is one for what another account sends, or for another action.
    for statement, action, account in (
        ("foreign", "lambda:InvokeFunction", "999988887777"),
        ("look", "lambda:GetFunction", ACCOUNT),
    ):
        doctor.client("lambda").add_permission(
            FunctionName=function,
            StatementId=statement,
            Action=action,
            Principal="logs.amazonaws.com",
            SourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*",
            SourceAccount=account,
        )
    subject = f"permission of log group {GROUP}"
    doctor.mends("audit_logs", subject, found="does not grant it", meaning="denials by endpoint policies")


def test_a_permission_for_all_log_groups_is_enough(doctor: Doctor) -> None:
    function, client = doctor.physical("Function"), doctor.client("lambda")
    kept = [each["Sid"] for each in json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]]
    granted = {"FunctionName": function, "Action": "lambda:InvokeFunction", "Principal": "logs.amazonaws.com"}
    for sid in kept:
        client.remove_permission(FunctionName=function, StatementId=sid)
    client.add_permission(**granted, StatementId="all", SourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*")

    assert doctor().about("audit_logs", f"permission of log group {GROUP}")["state"] == "works"

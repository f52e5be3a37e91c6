"""The resources of the template of an organization's members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.audit_log_pattern import FILTER_PATTERN
from infra.failure_patterns import KUBERNETES_EVENTS, KUBERNETES_REASONS
from infra.member_roles import BOUNDARY, member_roles
from infra.member_rules import member_rules
from infra.organization import (
    AUDIT_LOGS_NAME,
    BUS_NAME,
    alarm_name,
    audit_logs_destination_name,
    audit_logs_role_name,
)
from infra.rule_pattern import RulePattern
from infra.yaml_text import Raw

if TYPE_CHECKING:
    from pathlib import Path

# The parameters with names of clusters. A template cannot make a resource for each part of a list.
CLUSTERS: Final = tuple(f"AuditLogCluster{number}" for number in range(1, 11))
_BUS: Final = f"arn:${{AWS::Partition}}:events:${{HubRegion}}:${{HubAccount}}:event-bus/{BUS_NAME}"
_DESTINATION: Final = audit_logs_destination_name("${HubRegion}")
_LOGS: Final = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{HubAccount}}:destination:{_DESTINATION}"
_STREAM: Final = f"arn:${{AWS::Partition}}:kinesis:${{HubRegion}}:${{HubAccount}}:stream/{AUDIT_LOGS_NAME}"
_LOGS_ROLE: Final = f"arn:${{AWS::Partition}}:iam::${{HubAccount}}:role/{audit_logs_role_name('${HubRegion}')}"
_ALARM: Final = Raw(f"!Sub {alarm_name('${HubAccount}', '${HubRegion}')}")
_QUEUE_KEY: Final = "SQS encrypts the queue with a key of its own (SSE-SQS), which the check does not see"
_DAY: Final = 86_400
_TWO_WEEKS: Final = 1_209_600


def resources(declared: Path) -> dict[str, object]:
    """Return the resources by their logical ids. `declared` is the file of what the functions do.

    Raises PermissionsError for a file that says nothing, and for a declared action without a scope.
    """
    rules = {name: _rule("Elsewhere", each) for name, each in member_rules().items()}
    kubernetes = {"source": [Raw("!Ref ForwardedEventSource")], "detail": {"reason": KUBERNETES_REASONS}}
    rules["KubernetesEvents"] = _rule("HasForwarder", RulePattern(KUBERNETES_EVENTS, kubernetes))
    alarm = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [_ALARM], "state": {"value": ["ALARM"]}},
    }
    rules["Undelivered"] = _rule("Elsewhere", RulePattern("The alarm DeadLettersAlarm went off", alarm))
    return {**_dead_letters(rules), "ForwardRole": _FORWARD_ROLE, **rules, **member_roles(declared), **_audit_logs()}


# Each region has a role of its own, without a name. So no region needs that another is deployed first, which a StackSet
# does not promise for new accounts, and two hubs can have the same members (docs/adr/0150-members-of-a-hub.md).
_FORWARD_ROLE: Final = {
    "Type": "AWS::IAM::Role",
    "Condition": "Elsewhere",
    "Properties": {
        "Description": "Lets EventBridge send events to Pull Responder",
        "PermissionsBoundary": BOUNDARY,
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        },
        "Policies": [
            {
                "PolicyName": "forward",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": Raw(f"!Sub {_BUS}")}],
                },
            }
        ],
    },
}


# "The role must exist in the sender account, and you specify the ARN of this role in the subscription filter": needed
# where a destination lets an organization in (CloudWatch Logs User Guide, "Step 2: (Only if using an organization)
# Create an IAM role"). The trust policy is the guide's, which has no condition. docs/adr/0164-who-may-subscribe.md
_SUBSCRIPTION_ROLE: Final = {
    "Type": "AWS::IAM::Role",
    "Condition": "SendsAuditLogs",
    "Properties": {
        "Description": "Lets CloudWatch Logs send audit logs to Pull Responder",
        "PermissionsBoundary": BOUNDARY,
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        },
        "Policies": [
            {
                "PolicyName": "subscribe",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "logs:PutLogEvents",
                            "Resource": Raw(
                                "!Sub arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/eks/*"
                            ),
                        }
                    ],
                },
            }
        ],
    },
}


def _rule(condition: str, rule: RulePattern) -> dict[str, object]:
    """Return a rule that forwards what matches to the hub's bus, and keeps what cannot be forwarded."""
    return {
        "Type": "AWS::Events::Rule",
        "Condition": condition,
        "Properties": {
            "Description": f"For Pull Responder. {rule.description}",
            "State": rule.state,
            "EventPattern": rule.pattern,
            "Targets": [
                {
                    "Id": "Hub",
                    "Arn": Raw(f"!Sub {_BUS}"),
                    "RoleArn": Raw("!GetAtt ForwardRole.Arn"),
                    "DeadLetterConfig": {"Arn": Raw("!GetAtt DeadLetters.Arn")},
                    "RetryPolicy": {"MaximumEventAgeInSeconds": _DAY},
                }
            ],
        },
    }


def _dead_letters(rules: dict[str, dict[str, object]]) -> dict[str, object]:
    """Return the queue of what could not be forwarded, its policy and its alarm.

    The alarm needs no action: its change of state is an event, which is forwarded. A stack needs a resource, so the
    queue is made in the hub's own account and region, too, where it stays empty.
    """
    sources = [
        Raw(
            f"!GetAtt {name}.Arn"
            if each["Condition"] == "Elsewhere"
            else f"!If [{each['Condition']}, !GetAtt {name}.Arn, !Ref AWS::NoValue]"
        )
        for name, each in rules.items()
    ]
    queue = Raw("!GetAtt DeadLetters.Arn")
    return {
        "DeadLetters": {
            "Type": "AWS::SQS::Queue",
            "Metadata": {"checkov": {"skip": [{"id": "CKV_AWS_27", "comment": _QUEUE_KEY}]}},
            "UpdateReplacePolicy": "Delete",
            "DeletionPolicy": "Delete",
            "Properties": {"MessageRetentionPeriod": _TWO_WEEKS, "SqsManagedSseEnabled": True},
        },
        "DeadLettersPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Condition": "Elsewhere",
            "Properties": {
                "Queues": [Raw("!Ref DeadLetters")],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "Rules",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": queue,
                            "Condition": {"ArnEquals": {"aws:SourceArn": sources}},
                        },
                        {
                            "Sid": "OnlyTls",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "sqs:*",
                            "Resource": queue,
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                    ],
                },
            },
        },
        "DeadLettersAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Condition": "Elsewhere",
            "Properties": {
                "AlarmName": _ALARM,
                "AlarmDescription": "Pull Responder: events were not forwarded. docs/organization.md says what to do",
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Dimensions": [{"Name": "QueueName", "Value": Raw("!GetAtt DeadLetters.QueueName")}],
                "Statistic": "Maximum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "TreatMissingData": "notBreaching",
            },
        },
    }


def _audit_logs() -> dict[str, object]:
    """Return the destination in regions of the hub's account, and the subscriptions of clusters elsewhere.

    A destination is in the region of the log groups, but the stream that it leads to may be in another (CloudWatch Logs
    User Guide, "Cross-account cross-Region subscriptions"). The name of a subscription is all that tells the function
    the region (docs/adr/0151-audit-logs-of-members.md).
    """
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", '
        f'"Action": "logs:PutSubscriptionFilter", "Resource": "{_LOGS}", '
        '"Condition": {"StringEquals": {"aws:PrincipalOrgID": "${OrganizationId}"}}}]}'
    )
    destination = {
        "Type": "AWS::Logs::Destination",
        "Condition": "HasDestination",
        "Properties": {
            "DestinationName": Raw(f"!Sub {_DESTINATION}"),
            "TargetArn": Raw(f"!Sub {_STREAM}"),
            "RoleArn": Raw(f"!Sub {_LOGS_ROLE}"),
            "DestinationPolicy": Raw(f"!Sub '{policy}'"),
        },
    }
    subscriptions = {
        f"Subscription{number}": {
            "Type": "AWS::Logs::SubscriptionFilter",
            "Condition": f"Sends{cluster}",
            "Properties": {
                "DestinationArn": Raw(f"!Sub {_LOGS}"),
                "FilterName": Raw("!Sub PullResponder-${AWS::Region}"),
                "FilterPattern": FILTER_PATTERN,
                "LogGroupName": Raw(f"!Sub /aws/eks/${{{cluster}}}/cluster"),
                "RoleArn": Raw("!GetAtt SubscriptionRole.Arn"),
            },
        }
        for number, cluster in enumerate(CLUSTERS, start=1)
    }
    return {"AuditLogDestination": destination, "SubscriptionRole": _SUBSCRIPTION_ROLE, **subscriptions}

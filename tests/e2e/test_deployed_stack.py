"""The deployed stack: from an event on the bus to a notification and a finding."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from tests.e2e.conftest import (
    ALL_DONE,
    AUDITED_CLUSTER,
    FORWARDED_SOURCE,
    MANIFEST,
    PATIENCE_SECONDS,
    ROOT,
    STACK,
    Deployed,
)
from tests.unit.events.audit_records import RECORD, container, record

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

OTHER = "111111111111"
CLUSTER = AUDITED_CLUSTER
NODE_ROLE = "e2e-node"
AUDITED_ROLE = "e2e-audited-node"
FORWARDED_ROLE = "e2e-forwarded-node"
NEW_ROLE = "e2e-new-node"
FIXED_ROLE = "e2e-fixed-node"
READER_ROLE = "e2e-reader"
OTHER_ROLES = ("e2e-second-node", "e2e-third-node", "e2e-guarded-node")
ROLES = (NODE_ROLE, AUDITED_ROLE, FORWARDED_ROLE, NEW_ROLE, FIXED_ROLE, READER_ROLE, *OTHER_ROLES)
PULL_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
INSTANCE = "i-0123456789abcdef0"
NO_IDENTITY_POLICY = " because no identity-based policy allows the ecr:BatchGetImage action"


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module", autouse=True)
def estate(aws: EmulatedAws) -> None:
    """A cluster with one node group for each role. Only the reader has permissions to pull."""
    iam, eks = aws.client("iam"), aws.client("eks")
    for role in ROLES:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.attach_role_policy(RoleName=READER_ROLE, PolicyArn=PULL_ONLY)
    iam.create_role(RoleName="e2e-cluster", AssumeRolePolicyDocument=trust("eks.amazonaws.com"))
    subnets = {"subnetIds": ["subnet-1"]}
    eks.create_cluster(name=CLUSTER, roleArn=f"arn:aws:iam::{ACCOUNT}:role/e2e-cluster", resourcesVpcConfig=subnets)
    for role in ROLES:
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        eks.create_nodegroup(clusterName=CLUSTER, nodegroupName=role, subnets=["subnet-1"], nodeRole=arn)
    for name in ("first", "second", "third", "guarded", "readable", "fixed", "audited", "forwarded"):
        aws.client("ecr").create_repository(repositoryName=f"e2e/{name}")
        aws.client("ecr").put_image(repositoryName=f"e2e/{name}", imageTag="v1", imageManifest=MANIFEST)
    for name in ("shared", "lent"):
        aws.client("ecr", account=OTHER).create_repository(repositoryName=f"e2e/{name}")


def denied_pull(
    repository: str, *, role: str = NODE_ROLE, registry: str = ACCOUNT, reason: str = "", region: str = REGION
) -> dict[str, Any]:
    """The CloudTrail record of a denied pull, with only the fields that CloudTrail records."""
    user = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{INSTANCE}"
    resource = f"arn:aws:ecr:{region}:{registry}:repository/{repository}"
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "accountId": ACCOUNT, "userName": role}
    return {
        "eventSource": "ecr.amazonaws.com",
        "eventName": "BatchGetImage",
        "eventTime": "2026-01-01T00:00:00Z",
        "awsRegion": region,
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {user} is not authorized to perform: ecr:BatchGetImage on resource: {resource}{reason}",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLEEXAMPLE123:{INSTANCE}",
            "arn": user,
            "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": issuer},
        },
    }


def envelope(detail: dict[str, Any]) -> str:
    """The message that EventBridge sends for a CloudTrail record."""
    return json.dumps(
        {
            "source": "aws.ecr",
            "detail-type": "AWS API Call via CloudTrail",
            "account": ACCOUNT,
            "region": detail["awsRegion"],
            "time": "2026-01-01T00:00:00Z",
            "detail": detail,
        }
    )


def test_settings_come_from_the_file_and_from_the_command_line(deployed: Deployed) -> None:
    configuration = deployed.aws.client("lambda").get_function_configuration(
        FunctionName=deployed.outputs["DiagnoseFunctionName"]
    )
    variables = configuration["Environment"]["Variables"]
    assert (variables["FORWARDED_EVENT_SOURCE"], variables["DIGEST_ABOVE"]) == (FORWARDED_SOURCE, "1000")


def test_a_denied_pull_becomes_a_notification_and_a_finding(deployed: Deployed) -> None:
    deployed.put(denied_pull("e2e/first", reason=NO_IDENTITY_POLICY))

    (mail,) = deployed.notifications("e2e/first")
    attributes = {name: each["Value"] for name, each in mail["MessageAttributes"].items()}
    assert attributes["cause"] == "role_lacks_pull_permissions"
    assert (attributes["account"], attributes["region"], attributes["cluster"]) == (ACCOUNT, REGION, CLUSTER)
    assert mail["TopicArn"] == deployed.outputs["TopicArn"]
    assert f"role/{NODE_ROLE}" in mail["Message"]

    (finding,) = deployed.findings("e2e/first")
    assert finding["GeneratorId"] == "pull-responder/role_lacks_pull_permissions"
    assert finding["ProductArn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    assert f"arn:aws:iam::{ACCOUNT}:role/{NODE_ROLE}" in [resource["Id"] for resource in finding["Resources"]]


def test_a_finding_is_notified_once_and_resolved_when_its_cause_is_gone(deployed: Deployed) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{FIXED_ROLE}"
    deployed.put(denied_pull("e2e/fixed", role=FIXED_ROLE, reason=NO_IDENTITY_POLICY))
    (alert,) = deployed.notifications(role)
    assert alert["MessageAttributes"]["status"]["Value"] == "new"
    assert len(deployed.findings(role)) == 1
    (item,) = deployed.items(role)
    assert item["queue"] == {"S": "finding"}

    again = denied_pull("e2e/fixed", role=FIXED_ROLE, reason=NO_IDENTITY_POLICY)
    assert deployed.invoke(*(envelope({**again, "eventID": f"again-{each}"}) for each in range(3))) == ALL_DONE

    deployed.aws.client("iam").attach_role_policy(RoleName=FIXED_ROLE, PolicyArn=PULL_ONLY)
    deployed.put_change("iam", "AttachRolePolicy", roleName=FIXED_ROLE, policyArn=PULL_ONLY)

    # If there had been a notification in between, it would come first.
    (resolved,) = deployed.notifications(role)
    assert resolved["MessageAttributes"]["status"]["Value"] == "resolved"
    (finding,) = deployed.findings(role)
    assert (finding["Compliance"]["Status"], finding["RecordState"]) == ("PASSED", "ARCHIVED")
    (item,) = deployed.items(role)
    assert "queue" not in item


def test_a_waiting_pod_in_an_audit_log_becomes_a_finding(deployed: Deployed) -> None:
    logs, group = deployed.aws.client("logs"), f"/aws/eks/{CLUSTER}/cluster"
    stream = "kube-apiserver-audit-0123456789abcdef"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{AUDITED_ROLE}/{INSTANCE}"
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/e2e/audited:v1"
    waiting = record(container(image), user={**RECORD["user"], "extra": {"arn": [session]}})
    lines = ["a line without any of the words", json.dumps(waiting), "cut: ErrImagePull", json.dumps(waiting)]
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": int(time.time() * 1000) + at, "message": line} for at, line in enumerate(lines)],
    )

    (mail,) = deployed.notifications("e2e/audited")
    assert mail["MessageAttributes"]["cluster"]["Value"] == CLUSTER
    assert RECORD["objectRef"]["name"] in mail["Message"]
    (finding,) = [each for each in deployed.findings(f"role/{AUDITED_ROLE}") if "role_lacks" in each["GeneratorId"]]
    assert finding["GeneratorId"] == "pull-responder/role_lacks_pull_permissions"


def test_a_poison_message_becomes_a_dead_letter_and_blocks_no_other(deployed: Deployed) -> None:
    poison = "no event at all"
    sqs = deployed.aws.client("sqs")
    sqs.send_message(QueueUrl=deployed.outputs["QueueUrl"], MessageBody=poison)
    # Two roles without a notification so far. A finding about a role is notified once, for all repositories.
    deployed.put(
        denied_pull("e2e/second", role="e2e-second-node", reason=NO_IDENTITY_POLICY),
        denied_pull("e2e/third", role="e2e-third-node", reason=NO_IDENTITY_POLICY),
    )

    assert len(deployed.notifications("e2e/second", "e2e/third")) == 2

    dead: list[str] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not dead and time.monotonic() < deadline:
        dead += deployed.receive(deployed.outputs["DeadLetterQueueUrl"])
    assert dead == [poison], deployed.log()


def test_the_function_reads_with_its_role_alone(deployed: Deployed) -> None:
    """AWS gives no reason for this denial. The function finds the cause only with its permissions to read."""
    iam = deployed.aws.client("iam")
    role = next(arn for arn in deployed.outputs["ResponderRoleArns"].split(",") if "Diagnose" in arn).rpartition("/")[2]
    reads = iam.get_role_policy(RoleName=role, PolicyName="read")["PolicyDocument"]

    iam.delete_role_policy(RoleName=role, PolicyName="read")
    try:
        deployed.invoke(envelope(denied_pull("e2e/guarded", role="e2e-guarded-node")))
        assert deployed.findings("e2e/guarded") == []
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=json.dumps(reads))

    # A new problem, because the first one is not diagnosed again for `quietMinutes`.
    assert deployed.invoke(envelope(denied_pull("e2e/readable", role="e2e-guarded-node"))) == ALL_DONE
    assert [finding["GeneratorId"] for finding in deployed.findings("e2e/readable")] == [
        "pull-responder/role_lacks_pull_permissions"
    ]


def test_another_account_is_read_through_the_member_role(deployed: Deployed) -> None:
    """AWS gives no reason for this denial. Only the repository policy in the other account shows the cause."""
    # That an account cannot be reached is remembered for some seconds, so this is about one more account.
    assert deployed.invoke(envelope(denied_pull("e2e/shared", role=READER_ROLE, registry="999999999999"))) == ALL_DONE
    assert deployed.findings("e2e/shared") == []

    deployed.aws.client("cloudformation", account=OTHER).create_stack(
        StackName="PullResponderMemberRole",
        TemplateBody=(ROOT / "infra" / "member-role.yaml").read_text(),
        Parameters=[{"ParameterKey": "ResponderRoleArns", "ParameterValue": deployed.outputs["ResponderRoleArns"]}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = deployed.aws.client("cloudformation", account=OTHER).get_waiter("stack_create_complete")
    waiter.wait(StackName="PullResponderMemberRole", WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    # A new problem, because the first one is not diagnosed again for `quietMinutes`.
    assert deployed.invoke(envelope(denied_pull("e2e/lent", role=READER_ROLE, registry=OTHER))) == ALL_DONE
    (alert,) = deployed.notifications("e2e/lent")
    assert alert["MessageAttributes"]["status"]["Value"] == "new"
    (finding,) = deployed.findings("e2e/lent")
    assert finding["GeneratorId"] == "pull-responder/repository_policy_lacks_grant"
    assert f"arn:aws:ecr:{REGION}:{OTHER}:repository/e2e/lent" in [each["Id"] for each in finding["Resources"]]

    # The function `recheck` reads the fix there, too.
    grant = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    deployed.aws.client("ecr", account=OTHER).set_repository_policy(repositoryName="e2e/lent", policyText=policy)
    deployed.put_change("ecr", "SetRepositoryPolicy", repositoryName="e2e/lent", registryId=OTHER)
    (resolved,) = deployed.notifications("e2e/lent")
    assert resolved["MessageAttributes"]["status"]["Value"] == "resolved"


def test_a_forwarded_event_becomes_a_finding_about_the_role_of_its_node(deployed: Deployed) -> None:
    aws, role = deployed.aws, FORWARDED_ROLE
    aws.client("iam").create_instance_profile(InstanceProfileName=role)
    aws.client("iam").add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    (instance,) = aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": role},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "eks:cluster-name", "Value": CLUSTER}]}],
    )["Instances"]
    detail = json.loads((ROOT / "tests" / "events" / "kubernetes_events" / "failed.json").read_text())["detail"]
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/e2e/forwarded:v1"
    detail["message"] = f'Failed to pull image "{image}": pulling from host h failed with status code 403 Forbidden'
    detail["source"]["host"] = f"{instance['InstanceId']}.ec2.internal"
    entry = {"Source": FORWARDED_SOURCE, "DetailType": "event", "Detail": json.dumps(detail)}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    (mail,) = deployed.notifications(f"role/{role}")
    assert mail["MessageAttributes"]["cause"]["Value"] == "role_lacks_pull_permissions"
    assert mail["MessageAttributes"]["cluster"]["Value"] == CLUSTER


def test_a_new_node_group_that_cannot_pull_is_found_before_a_pod_fails(deployed: Deployed) -> None:
    detail = {
        "eventSource": "eks.amazonaws.com",
        "eventName": "CreateNodegroup",
        "requestParameters": {"name": CLUSTER, "nodegroupName": NEW_ROLE},
    }
    entry = {"Source": "aws.eks", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
    assert deployed.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    (mail,) = deployed.notifications(f"role/{NEW_ROLE}")
    assert mail["MessageAttributes"]["cause"]["Value"] == "role_lacks_pull_permissions"


def test_security_hub_is_set_up_with_a_stack_once_it_is_on_and_cleared_with_it(deployed: Deployed) -> None:
    # The stack was deployed while it was off.
    assert deployed.outputs["SecurityHubSetup"].startswith("Security Hub is off here (InvalidAccessException)")
    cloudformation, hub = deployed.aws.client("cloudformation"), deployed.aws.client("securityhub")
    template = cloudformation.get_template(StackName=STACK)["TemplateBody"]
    whole = template if isinstance(template, dict) else json.loads(template)
    functions = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    (name,) = (
        each["PhysicalResourceId"]
        for each in functions
        if each["ResourceType"] == "AWS::Lambda::Function" and each["LogicalResourceId"].startswith("HubSetup")
    )
    token = deployed.aws.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    resources = {
        name: {"Type": each["Type"], "Properties": {**each["Properties"], "ServiceToken": token}}
        for name, each in whole["Resources"].items()
        if each["Type"].startswith("Custom::PullResponder")
    }
    (action,) = (name for name, each in resources.items() if each["Type"] == "Custom::PullResponderAction")
    outputs = {"Outcome": {"Value": {"Fn::GetAtt": [action, "Outcome"]}}}

    def deploy(change: str) -> str:
        body = json.dumps({"Resources": resources, "Outputs": outputs})
        getattr(cloudformation, f"{change}_stack")(StackName="e2e-hub", TemplateBody=body)
        cloudformation.get_waiter(f"stack_{change}_complete").wait(
            StackName="e2e-hub", WaiterConfig={"Delay": 1, "MaxAttempts": PATIENCE_SECONDS}
        )
        (stack,) = cloudformation.describe_stacks(StackName="e2e-hub")["Stacks"]
        return str(stack["Outputs"][0]["OutputValue"])

    assert deploy("create") == "ready", deployed.log()
    insights = {each["InsightArn"]: each["GroupByAttribute"] for each in hub.get_insights()["Insights"]}
    assert sorted(insights.values()) == ["AwsAccountId", "GeneratorId", "ResourceId"]
    assert [each["Name"] for each in hub.describe_action_targets()["ActionTargets"]] == ["Look again"]

    for each in resources.values():
        if "GroupByAttribute" in each["Properties"]:
            each["Properties"]["GroupByAttribute"] = "ResourceType"
    assert deploy("update") == "ready", deployed.log()
    changed = {each["InsightArn"]: each["GroupByAttribute"] for each in hub.get_insights()["Insights"]}
    assert changed == dict.fromkeys(insights, "ResourceType")

    cloudformation.delete_stack(StackName="e2e-hub")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="e2e-hub", WaiterConfig={"Delay": 1, "MaxAttempts": PATIENCE_SECONDS}
    )
    assert hub.get_insights()["Insights"] == hub.describe_action_targets()["ActionTargets"] == []

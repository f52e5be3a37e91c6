"""A stack of the release before becomes one of this release and goes back again. Nobody is told anything twice.

The release before is there as it was deployed: its template, and the code of its functions (tests/releases).
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import aws_cdk as cdk
import pytest

from infra import PullResponderStack, Settings
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from tests.e2e.conftest import ALL_DONE, MANIFEST, PATIENCE_SECONDS, Deployed
from tests.e2e.stacks import Bucket, Inbox, Stack, make_cluster, zipped
from tests.e2e.test_deployed_stack import INSTANCE, NO_IDENTITY_POLICY, PULL_ONLY, denied_pull, envelope
from tests.releases import CLUSTER, HELD_MINUTES, KEPT, LAYER_PARTS, package_keys, read_template
from tests.unit.events.audit_records import RECORD, container, record

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

# The tests of other files use other accounts: this stack has the name that it has by default, and so have its rules.
OWNER: Final = "333333333333"
NAME: Final = "PullResponder"
BEFORE, THIS, UNDEPLOYABLE = "Before", "This", "Undeployable"
# What each of these roles is for, the test says.
# A cause and a symptom that 0.2.0 does not know.
NEW_CAUSE: Final = "proxy_blocks_pull"
PROXY: Final = (
    'failed to resolve reference "{registry}/{name}:v1": failed to do request: Head "https://{registry}/v2/{name}'
    '/manifests/v1": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused'
)
ROLES: Final = {each: f"{CLUSTER}-{each}" for each in ("open", "mended", "in-flight", "told-here", "back", "fixed")}


@pytest.fixture(scope="module")
def there(aws: EmulatedAws) -> EmulatedAws:
    return aws.at(account=OWNER)


@pytest.fixture(scope="module", autouse=True)
def estate(there: EmulatedAws) -> None:
    """A cluster whose audit log is on, with a node group for each role. No role may pull."""
    make_cluster(there, CLUSTER, *ROLES.values())
    for each in ("one", "two", "three"):
        there.client("ecr").create_repository(repositoryName=f"{CLUSTER}/{each}")
        there.client("ecr").put_image(repositoryName=f"{CLUSTER}/{each}", imageTag="v1", imageManifest=MANIFEST)
    logs, group = there.client("logs"), f"/aws/eks/{CLUSTER}/cluster"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="kube-apiserver-audit-0123456789abcdef")
    there.client("securityhub").enable_security_hub()


@pytest.fixture(scope="module")
def templates(there: EmulatedAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The URLs of the templates. Their packages are in the bucket."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("upgraded")), analytics_reporting=False)
    for name, clusters in ((THIS, (CLUSTER,)), (UNDEPLOYABLE, (CLUSTER, "without-audit-log"))):
        settings = Settings(audit_log_clusters=clusters, hold_down_minutes=HELD_MINUTES)
        PullResponderStack(app, name, stack_name=NAME, settings=settings)
    assembly, bucket = Path(app.synth().directory), Bucket(there)
    urls = bucket.put_assembly(assembly)
    # The other one's layer had packages of the same versions, and no SDK.
    _, layer = package_keys(json.loads((assembly / f"{THIS}.template.json").read_text()))
    code_before, layer_before = package_keys(read_template())
    bucket.put(layer_before, zipped(assembly / f"asset.{layer.removesuffix('.zip')}", *LAYER_PARTS))
    bucket.put(code_before, (KEPT / "functions.zip").read_bytes())
    return {**urls, BEFORE: bucket.put("before.template.json", json.dumps(read_template()).encode())}


class Responder:
    """The stack, what happens to it, and what it tells."""

    def __init__(self, aws: EmulatedAws, templates: dict[str, str]) -> None:
        self.stack, self._templates, self._client = Stack(aws, NAME), templates, aws.client
        outputs = self.stack.deploy(templates[BEFORE])
        self.inbox = Inbox(aws, "upgraded-inbox")
        self.inbox.subscribe(outputs["TopicArn"])
        self.deployed = Deployed(aws, outputs, self.inbox.url)
        self.first_ids, self.first_release = self.stack.physical_ids(), self.release()

    def becomes(self, template: str) -> None:
        """Update the stack, and hold that it keeps its outputs, and what holds data or is known elsewhere."""
        outputs = self.stack.deploy(self._templates[template], change="update")
        assert self.deployed.outputs.items() <= outputs.items()
        assert kept(self.stack.physical_ids()) == kept(self.first_ids)
        assert (self.release() == self.first_release) is (template == BEFORE)

    def cannot_become(self, template: str) -> None:
        """Hold that an update fails, and that all is as before."""
        ids, release = self.stack.physical_ids(), self.release()
        self.stack.start(self._templates[template], change="update")
        self.stack.wait("stack_rollback_complete")
        assert (self.stack.physical_ids(), self.release()) == (ids, release)

    def fails(self, *pulls: tuple[str, str]) -> None:
        """Let roles be refused repositories of these names, and the function `diagnose` handle it."""
        denials = [
            envelope(denied_pull(f"{CLUSTER}/{name}", role=ROLES[role], reason=NO_IDENTITY_POLICY)).replace(
                ACCOUNT, OWNER
            )
            for role, name in pulls
        ]
        assert self.deployed.invoke(*denials) == ALL_DONE, self.deployed.log()

    def waits(self, role: str, repository: str = "three", *, message: str | None = None) -> None:
        """Let a pod on a node with the role wait for its image. The function `audit_log` reads of it."""
        session = f"arn:aws:sts::{OWNER}:assumed-role/{ROLES[role]}/{INSTANCE}"
        registry, name = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com", f"{CLUSTER}/{repository}"
        said = message and message.format(registry=registry, name=name)
        pod = container(f"{registry}/{name}:v1", message=said)
        # An audit record that comes once more is no failure once more.
        waiting = record(pod, auditID=str(uuid4()), user={**RECORD["user"], "extra": {"arn": [session]}})
        event = {"timestamp": int(time.time() * 1000), "message": json.dumps(waiting)}
        self._client("logs").put_log_events(
            logGroupName=f"/aws/eks/{CLUSTER}/cluster",
            logStreamName="kube-apiserver-audit-0123456789abcdef",
            logEvents=[event],
        )

    def is_queued(self) -> bool:
        """Return whether a failure waits in the queue. Wait for it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.waiting("QueueUrl") and time.monotonic() < deadline:
            pass
        return self.waiting("QueueUrl") == 1

    def mend(self, role: str) -> str:
        """Let a role pull, and return CloudTrail's event of it."""
        asked = {"roleName": ROLES[role], "policyArn": PULL_ONLY}
        self._client("iam").attach_role_policy(RoleName=ROLES[role], PolicyArn=PULL_ONLY)
        detail = {"eventSource": "iam.amazonaws.com", "eventName": "AttachRolePolicy", "requestParameters": asked}
        return json.dumps(
            {**json.loads(envelope({**detail, "awsRegion": REGION})), "source": "aws.iam", "account": OWNER}
        )

    def look(self, *changes: str) -> None:
        """Let the function `recheck` handle changes."""
        assert self.deployed.invoke(*changes, function="Recheck") == ALL_DONE, self.deployed.log()

    def send(self, change: str) -> None:
        self._client("sqs").send_message(QueueUrl=self.deployed.outputs["ChangesQueueUrl"], MessageBody=change)

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in the queue whose URL is this output."""
        name = "ApproximateNumberOfMessages"
        url = self.deployed.outputs[queue]
        answer = self._client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def take(self, *, messages: bool) -> None:
        """Let the functions take messages from their queues, or leave them there."""
        functions = self._client("lambda")
        for output in ("DiagnoseFunctionName", "RecheckFunctionName"):
            listed = functions.list_event_source_mappings(FunctionName=self.deployed.outputs[output])
            for each in listed["EventSourceMappings"]:
                functions.update_event_source_mapping(UUID=each["UUID"], Enabled=messages)

    def tells(self, *expected: tuple[str, str]) -> None:
        """Hold that people are told this, and that nothing else has been told since this was last asked."""
        told: list[tuple[str, str]] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            told += [_gist(json.loads(each)) for each in self.deployed.receive(self.inbox.url)]
            if len(told) >= len(expected) or time.monotonic() > deadline:
                break
        assert sorted(told) == sorted(expected), self.deployed.log()

    def hub(self) -> dict[str, str]:
        """Return the status of each finding in Security Hub by its id."""
        found = self._client("securityhub").get_findings()["Findings"]
        ids = [each["Id"] for each in found]
        assert len(ids) == len(set(ids))
        return {each["Id"]: each["Compliance"]["Status"] for each in found}

    def life(self, cause: str) -> dict[str, Any]:
        """Return the item of the only finding of a cause."""
        (item,) = (each for each in self.deployed.items(f'"{cause}"') if each["cause"]["S"] == cause)
        return item

    def let_time_pass_for(self, item: dict[str, Any]) -> None:
        """Make a finding due, and let the function `recheck` run by its schedule."""
        names, values = {"#at": "look_at"}, {":past": {"N": "1"}}
        self._client("dynamodb").update_item(
            TableName=self.deployed.outputs["TableName"],
            Key={"id": item["id"]},
            UpdateExpression="SET #at = :past",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        clock = {"source": "aws.events", "detail-type": "Scheduled Event", "account": OWNER, "region": REGION}
        self.look(json.dumps({**clock, "detail": {}}))

    def release(self) -> str:
        """Return the hash of the code of the function `diagnose`."""
        function = self._client("lambda").get_function(FunctionName=self.deployed.outputs["DiagnoseFunctionName"])
        return str(function["Configuration"]["CodeSha256"])


def _gist(mail: dict[str, Any]) -> tuple[str, str]:
    """Return the status of a notification, and the role that it is about, or else its cause."""
    status, cause = (mail["MessageAttributes"][each]["Value"] for each in ("status", "cause"))
    if cause != "role_lacks_pull_permissions":
        return status, cause
    (role,) = set(re.findall(rf"role/{CLUSTER}-([a-z-]+)", mail["Message"]))
    return status, role


def test_nobody_is_told_anything_twice(there: EmulatedAws, templates: dict[str, str]) -> None:
    responder = Responder(there, templates)
    responder.fails(("open", "one"), ("mended", "one"), ("fixed", "one"))
    responder.tells(("new", "open"), ("new", "mended"), ("new", "fixed"))

    upgrade(responder)
    roll_back(responder)
    upgrade_again(responder)

    responder.tells()
    assert [responder.waiting(each) for each in ("DeadLetterQueueUrl", "ChangesDeadLetterQueueUrl")] == [0, 0]
    assert sorted(responder.hub().values()) == ["FAILED"] * 3 + ["PASSED"] * 4


def upgrade(responder: Responder) -> None:
    """The second try succeeds. Meanwhile messages wait in the queues, in the form of the release before."""
    known = responder.hub()
    assert len(known) == 3
    responder.take(messages=False)
    responder.waits("in-flight")
    assert responder.is_queued()
    responder.send(responder.mend("mended"))
    responder.cannot_become(UNDEPLOYABLE)
    assert responder.waiting("QueueUrl") == 1
    # The schedule sends to this one, too, each minute.
    assert responder.waiting("ChangesQueueUrl") >= 1
    responder.becomes(THIS)

    responder.take(messages=True)
    responder.tells(("new", "in-flight"))
    # Findings of 0.2.0 are not listed for changes before they are looked at, within `recheckMinutes`. This is a look.
    responder.look(look_again(*known))
    responder.tells(("resolved", "mended"))
    # A repository that the role was not refused before is a problem that no release has diagnosed.
    responder.fails(("open", "one"), ("open", "two"), ("fixed", "two"), ("told-here", "one"))
    responder.look(responder.mend("fixed"))
    responder.tells(("new", "told-here"), ("resolved", "fixed"))
    assert known.keys() < responder.hub().keys()


def roll_back(responder: Responder) -> None:
    """A message of this release waits, and one of its findings is about a failure that 0.2.0 has no word for."""
    responder.waits("told-here", message=PROXY)
    responder.tells(("new", NEW_CAUSE))
    responder.take(messages=False)
    responder.waits("back")
    assert responder.is_queued()
    responder.becomes(BEFORE)

    responder.take(messages=True)
    responder.tells(("new", "back"))
    responder.fails(("open", "three"), ("told-here", "one"), ("told-here", "two"))
    responder.look(responder.mend("open"), responder.mend("told-here"))
    responder.tells(("resolved", "open"), ("resolved", "told-here"))
    # What it cannot read, it sets aside as it is.
    responder.let_time_pass_for(responder.life(NEW_CAUSE))
    assert "queue" not in responder.life(NEW_CAUSE)


def upgrade_again(responder: Responder) -> None:
    """What was set aside goes on when it fails again."""
    responder.becomes(THIS)
    # Another image is a problem that is diagnosed at once.
    responder.waits("told-here", "two", message=PROXY)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "queue" not in responder.life(NEW_CAUSE) and time.monotonic() < deadline:
        responder.tells()
    assert "queue" in responder.life(NEW_CAUSE)


def look_again(*findings: str) -> str:
    """Return the event of the action "Look again" in Security Hub."""
    event = {"source": "aws.securityhub", "detail-type": "Security Hub Findings - Custom Action", "account": OWNER}
    return json.dumps({**event, "region": REGION, "detail": {"findings": [{"Id": each} for each in findings]}})


def kept(ids: dict[str, str]) -> dict[str, str]:
    """Return the ids of what holds data, or is known elsewhere."""
    names = ("Findings", "NotificationsTopic", "Events", "Changes", "DiagnoseRole", "RecheckRole")
    return {name: each for name, each in ids.items() if name.startswith(names) and "Rule" not in name}

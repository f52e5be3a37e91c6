"""The node's metadata endpoint is off.

What it checks: whether HttpEndpoint is disabled in the metadata options of the instance, or of its node group's launch
template. The hop limit does not matter, because kubelet runs on the host.

What it cannot see: the node itself: a firewall rule on the host, or a wrong setting there, can block the endpoint, too.
For a node that is gone, it sees only its launch template.

Why that stops a pull: kubelet gets the credentials of the instance's role from that endpoint. Without them it pulls
anonymously and says `no basic auth credentials`.

How to fix it: turn the endpoint on, in the launch template too.

References: Amazon EC2 User Guide, "Modify instance metadata options for existing instances"; Amazon EKS User Guide,
"Customize managed nodes with launch templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_LAYERS, Check, Explains
from pull_responder.facts.ec2 import Instance, LaunchTemplate
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.failed_node import nodes_of
from pull_responder.pulls.node_identity import IDENTITY_PERMISSIONS, template_arn
from pull_responder.pulls.nodes import with_template
from pull_responder.remediation.ec2 import Where, enable_metadata
from pull_responder.remediation.instance_profile import replace_managed

if TYPE_CHECKING:
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts

_OFF = "disabled"


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed where an instance or template has it off, passed, not applicable to Fargate, or inconclusive."""
    nodes = nodes_of(pull, facts)
    if isinstance(nodes, Unread):
        return Verdict.inconclusive(nodes.reason)
    if nodes.fargate:
        return Verdict.not_applicable("Fargate pods get credentials without instance metadata")
    nodes = with_template(nodes, facts)
    if nodes.elsewhere:
        return Verdict.not_applicable(f"{nodes.elsewhere}, without EC2 instance metadata")
    off = [instance for instance in nodes.instances if instance.metadata_endpoint == _OFF]
    template = nodes.template if isinstance(nodes.template, LaunchTemplate) else None
    template_off = template is not None and template.metadata_endpoint == _OFF
    if off or (template_off and not nodes.instances):
        return _failure(nodes, off, template.id if template and template_off else None, pull.partition)
    unread = nodes.template if isinstance(nodes.template, Unread) else nodes.unseen
    if unread and not nodes.instances:
        return Verdict.inconclusive(unread.reason)
    names = ", ".join(instance.id for instance in nodes.instances) or nodes.name
    return Verdict.passed(f"The metadata endpoint of {names} is not disabled.")


def _failure(nodes: Nodes, off: list[Instance], template_id: str | None, partition: str) -> Verdict:
    arn = off[0].arn if off else template_arn(nodes, template_id or "", partition)
    ids = [instance.id for instance in off]
    which = ", ".join((*ids, *([f"launch template {template_id}"] if template_id else [])))
    return Verdict.failed(
        resource=Resource("AwsEc2Instance" if off else "AwsEc2LaunchTemplate", arn, nodes.account),
        explanation=f"The metadata endpoint of {which} is off, so kubelet has no credentials for the registry.",
        evidence=(f"MetadataOptions.HttpEndpoint of {which} is {_OFF}",),
        remediation=_fix(nodes, off, template_id),
    )


def _fix(nodes: Nodes, off: list[Instance], template_id: str | None) -> Remediation:
    if managed := next((instance for instance in off if instance.operator), None):
        problem = "its metadata endpoint is off"
        return replace_managed(account=nodes.account, region=nodes.region, instance_id=managed.id, problem=problem)
    ids = [instance.id for instance in off]
    return enable_metadata(Where(nodes.account, nodes.region), instance_ids=ids, template_id=template_id)


CHECK = Check(
    id="instance_metadata_disabled",
    title="The node's metadata endpoint is off",
    short="Node's metadata endpoint is off",
    again="The node can get credentials again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=IDENTITY_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-existing-instances.html",
    examine=examine,
    explains=(
        Explains(Symptom.NOT_AUTHENTICATED, 50),
        Explains(Symptom.UNKNOWN, 50, BEFORE_LAYERS),
    ),
    refused_by_ecr=False,
)

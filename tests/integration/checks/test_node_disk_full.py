from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.registry_estate import mentioned, of_cause, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "node_disk_full"
FULL = "failed to extract layer sha256:ab: write /var/lib/containerd/x: no space left on device"


@pytest.mark.cause(CAUSE, "fails")
def test_a_node_without_space(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), FULL)
    finding = of_cause(estate.diagnose(pull), CAUSE)
    assert finding.resource.type == "AwsEc2Instance"
    assert finding.resource.id.endswith(f":instance/{pull.node}")
    assert f"kubelet said: {FULL}" in finding.evidence
    assert any("in the registry, compressed" in line for line in finding.evidence)
    assert "larger volumes" in finding.remediation.summary
    assert finding.remediation.commands == (), "words of a node lead to no command"


@pytest.mark.cause(CAUSE, "passes")
def test_a_node_that_is_gone_is_no_fault_any_more(estate: Estate) -> None:
    node = estate.instance()
    estate.client("ec2").terminate_instances(InstanceIds=[node])
    diagnosis = estate.diagnose(reported(estate, estate.repository(), FULL, node=node))
    assert diagnosis.findings == ()
    assert CAUSE in diagnosis.passed


def test_fargate_has_no_volumes_to_enlarge(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), FULL)
    assert pull.principal
    fargate = "fargate-ip-10-0-1-2.us-east-1.compute.internal"
    principal = replace(pull.principal, session_name="FARGATE_RUNTIME")
    finding = of_cause(estate.diagnose(replace(pull, node=fargate, principal=principal)), CAUSE)
    assert finding.explanation.startswith(fargate)
    assert "ephemeral-storage" in finding.remediation.summary
    assert finding.resource.type == "AwsEksCluster"


@pytest.mark.cause(CAUSE, "unread")
def test_nothing_readable_is_needed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), FULL)
    finding = of_cause(estate.diagnose(pull, unreadable=["ecr:*", "ec2:*"]), CAUSE)
    assert finding.evidence == (f"kubelet said: {FULL}",)


@pytest.mark.cause(CAUSE, "near_miss")
def test_another_symptom_tells_nothing_of_disks(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), "something else"))
    assert CAUSE not in mentioned(diagnosis)

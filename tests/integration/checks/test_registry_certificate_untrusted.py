from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.registry_estate import mentioned, of_cause, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "registry_certificate_untrusted"
ASKED = 'failed to do request: Head "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/a/manifests/v1": '


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize(
    ("said", "why", "fix"),
    [
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "TLS-inspecting firewall",
            "TLS",
        ),
        (
            "x509: certificate is valid for proxy.corp.example, not 1.dkr.ecr.us-east-1.amazonaws.com",
            "another host",
            "TLS",
        ),
        ("x509: certificate has expired or is not yet valid: current time 2020-01-01", "out of date", "clock"),
    ],
)
def test_what_the_node_does_not_trust(estate: Estate, said: str, why: str, fix: str) -> None:
    pull = reported(estate, estate.repository(), ASKED + said)
    diagnosis = estate.diagnose(pull)
    finding = of_cause(diagnosis, CAUSE)
    assert why in finding.explanation
    assert fix in finding.remediation.summary
    assert finding.resource.id.endswith(f":instance/{pull.node}")
    assert mentioned(diagnosis) == {CAUSE}


@pytest.mark.cause(CAUSE, "near_miss")
def test_a_handshake_that_times_out_says_nothing_of_certificates(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), ASKED + "net/http: TLS handshake timeout"))
    assert CAUSE not in mentioned(diagnosis)


@pytest.mark.cause(CAUSE, "unread")
def test_nothing_readable_is_needed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), ASKED + "x509: certificate signed by unknown authority")
    assert of_cause(estate.diagnose(pull, unreadable=["ecr:*", "ec2:*", "iam:*", "eks:*"]), CAUSE)


@pytest.mark.cause(CAUSE, "passes")
def test_another_failure_is_not_this_one(estate: Estate) -> None:
    assert CAUSE not in mentioned(
        estate.diagnose(reported(estate, estate.repository(), "dial tcp 10.0.9.20:443: i/o timeout"))
    )

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.registry_estate import mentioned, of_cause, reported

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate

CAUSE = "proxy_blocks_pull"
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
ASKED_STATUS = f"unexpected status from GET request to https://{HOST}/v2/a/manifests/v1: "
ASKED = 'failed to do request: Head "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/a/manifests/v1": '


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize(
    ("said", "proxy"),
    [
        ("proxyconnect tcp: dial tcp 10.0.9.20:3128: connect: connection refused", "10.0.9.20:3128"),
        ("proxyconnect tcp: dial tcp [fd00::20]:3128: i/o timeout", "[fd00::20]:3128"),
        ("proxyconnect tcp: dial tcp: lookup proxy.corp.example on 10.0.0.2:53: no such host", "proxy.corp.example"),
    ],
)
def test_a_proxy_that_does_not_answer_is_named(estate: Estate, said: str, proxy: str) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), ASKED + said))
    finding = of_cause(diagnosis, CAUSE)
    assert f"The node's HTTP proxy {proxy} cannot be reached" in finding.explanation
    assert f"Let the nodes reach the proxy {proxy}" in finding.remediation.summary
    for host in ("api.ecr.us-east-1.amazonaws.com", ".dkr.ecr.us-east-1.amazonaws.com", "169.254.169.254"):
        assert host in finding.remediation.summary
    assert mentioned(diagnosis) == {CAUSE}


@pytest.mark.parametrize(
    "said",
    ["Forbidden", "Proxy Authentication Required", "Service Unavailable", "Blocked by policy", "unknown status code"],
)
def test_a_proxy_that_refuses_is_distinguished_from_the_registry(estate: Estate, said: str) -> None:
    finding = of_cause(estate.diagnose(reported(estate, estate.repository(), ASKED + said)), CAUSE)
    assert "refuses to connect to the registry" in finding.explanation


@pytest.mark.parametrize(
    ("host", "api", "below"),
    [
        (
            "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
            "ecr-fips.us-east-1.amazonaws.com",
            ".dkr.ecr-fips.us-east-1.amazonaws.com",
        ),
        ("123456789012.dkr-ecr.us-east-1.on.aws", "ecr.us-east-1.api.aws", ".dkr-ecr.us-east-1.on.aws"),
        ("public.ecr.aws", "public.ecr.aws", "cloudfront.net"),
    ],
)
def test_no_proxy_names_the_hosts_of_this_registry(estate: Estate, host: str, api: str, below: str) -> None:
    pull = replace(reported(estate, estate.repository(), ASKED + "Forbidden"), registry_host=host)
    summary = of_cause(estate.diagnose(pull), CAUSE).remediation.summary
    assert f"put {api}, {below}" in summary
    assert "api.ecr." not in summary


@pytest.mark.parametrize("said", ["EOF", "tls: first record does not look like a TLS handshake"])
def test_a_proxy_that_drops_the_connection_has_not_refused_the_registry(estate: Estate, said: str) -> None:
    pull = reported(estate, estate.repository(), f"{ASKED}proxyconnect tcp: {said}")
    assert "does not complete the connection" in of_cause(estate.diagnose(pull), CAUSE).explanation


def test_a_page_of_html_is_not_said_to_be_a_refused_connection(estate: Estate) -> None:
    said = "failed to unpack image on snapshotter overlayfs: unexpected media type text/html for sha256:aa: not found"
    finding = of_cause(estate.diagnose(reported(estate, estate.repository(), said)), CAUSE)
    assert "answers with a page of HTML in place of the registry" in finding.explanation


@pytest.mark.parametrize(
    ("said", "does"),
    [
        (
            f'reading manifest v1 in {HOST}/a: StatusCode: 403, "<html><head>"',
            "answers with a page of HTML in place of",
        ),
        (ASKED_STATUS + "522 <none>", "answers with HTTP 522 in place of"),
        (ASKED_STATUS + "407 Proxy Authentication Required", "answers with HTTP 407 in place of"),
        (
            ASKED_STATUS + "403 Forbidden: RBAC: access denied",
            "A proxy, or another device on the way, answers in place",
        ),
    ],
)
def test_what_answers_in_the_registrys_place_is_told(estate: Estate, said: str, does: str) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), said))
    assert does in of_cause(diagnosis, CAUSE).explanation
    assert mentioned(diagnosis) == {CAUSE}


@pytest.mark.parametrize("said", ["unauthorized: authentication required", "remote error: tls: handshake failure"])
def test_what_else_stands_after_a_url_is_no_proxys(estate: Estate, said: str) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), ASKED + said))
    assert not {CAUSE, "registry_certificate_untrusted"} & {finding.cause for finding in diagnosis.findings}


@pytest.mark.cause(CAUSE, "near_miss")
def test_the_registrys_own_403_is_no_proxys(estate: Estate) -> None:
    said = (
        "unexpected status from HEAD request to https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/: 403 Forbidden"
    )
    assert CAUSE not in mentioned(estate.diagnose(reported(estate, estate.repository(), said)))


@pytest.mark.cause(CAUSE, "unread")
def test_nothing_readable_is_needed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), ASKED + "Forbidden")
    assert of_cause(estate.diagnose(pull, unreadable=["ecr:*", "ec2:*", "iam:*", "eks:*"]), CAUSE)


@pytest.mark.cause(CAUSE, "passes")
def test_another_failure_is_not_this_one(estate: Estate) -> None:
    assert CAUSE not in mentioned(
        estate.diagnose(reported(estate, estate.repository(), "dial tcp 10.0.9.20:443: i/o timeout"))
    )

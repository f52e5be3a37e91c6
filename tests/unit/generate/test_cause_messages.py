"""What people paste into a search box finds the page of a cause that it can mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pull_responder.checks import BY_ID, CHECKS
from pull_responder.events.kubelet_message import read_message
from pull_responder.generate.cause_messages import Samples

if TYPE_CHECKING:
    from pull_responder.checks.check import Check

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_message_is_of_a_failure_that_the_cause_explains(samples: Samples, check: Check) -> None:
    explained = {each.symptom for each in check.explains}
    of_kubelet, of_aws = samples.of(check)
    for message in of_kubelet:
        assert read_message(message).symptom in explained
    assert len(of_kubelet) <= 5
    assert len(set(of_kubelet)) == len(of_kubelet)
    if check.policy_type:
        assert all(f"{check.policy_type} " in f"{message}:".replace(":", " ") for message in of_aws)
        assert of_aws


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("role_lacks_pull_permissions", "no basic auth credentials"),
        ("role_lacks_pull_permissions", "403 Forbidden"),
        ("no_route_to_ecr", "i/o timeout"),
        ("security_group_blocks_egress", "TLS handshake timeout"),
        ("vpc_dns_disabled", "server misbehaving"),
        ("s3_endpoint_not_in_route_table", "starport-layer-bucket"),
        ("image_not_found", "manifest unknown: Requested image not found"),
        ("image_platform_mismatch", "no match for platform in manifest"),
        ("registry_throttled", "toomanyrequests"),
        ("registry_token_expired", "Your authorization token has expired"),
        ("node_disk_full", "no space left on device"),
        ("registry_certificate_untrusted", "x509: certificate signed by unknown authority"),
        ("registry_unavailable", "500 Internal Server Error"),
        ("vpc_endpoint_unavailable", "dial tcp 10.0.99.1:443: i/o timeout"),
    ],
)
def test_the_words_that_people_know_are_among_them(samples: Samples, cause: str, words: str) -> None:
    assert any(words in message for message in samples.of(BY_ID[cause]).of_kubelet)


def test_what_aws_says_tells_a_missing_allow_from_a_deny(samples: Samples) -> None:
    lacking = samples.of(BY_ID["repository_policy_lacks_grant"]).of_aws
    denying = samples.of(BY_ID["repository_policy_denies_pull"]).of_aws
    assert all("because no resource-based policy allows" in each for each in lacking)
    assert all("with an explicit deny in a resource-based policy" in each for each in denying)
    assert any(
        "ecr:BatchImportUpstreamImage" in each for each in samples.of(BY_ID["pull_through_cache_failing"]).of_aws
    )
    assert not any("eks-node" in each for each in samples.of(BY_ID["unexpected_principal_denied"]).of_aws)


def test_no_message_shows_whose_it_was(samples: Samples) -> None:
    for check in CHECKS:
        for message in (*samples.of(check).of_kubelet, *samples.of(check).of_aws):
            assert "\n" not in message
            assert "X-Amz" not in message
            assert set(re.findall(r"\b\d{12}\b", message)) <= {"111111111111", "222222222222"}
            assert set(re.findall(r"\S+\.dkr\.ecr\.\S+?\.amazonaws\.com", message)) <= {
                f"{before}111111111111.dkr.ecr.us-east-1.amazonaws.com" for before in ("", "https://", '"https://', '"')
            }


def test_a_cause_that_no_message_means_has_none(samples: Samples) -> None:
    for cause in ("responder_is_blind", "pull_failing_unexplained"):
        assert samples.of(BY_ID[cause]) == ((), ())

"""The policies of the endpoints on the way: of ECR's against the role, of S3's against ECR's own signature."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.diagnosis import diagnose
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Denial, PolicyType, Symptom
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, PULL, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.hub import profile, transit_gateway

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis

BUCKET = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, on: str = "*", **more: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str = "*", **more: object) -> dict[str, Any]:
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


def ecr(estate: NetworkEstate, service: str, document: dict[str, Any]) -> str:
    estate.endpoints_only()
    estate.delete_endpoint(service)
    estate.node()
    return estate.interface_endpoint(service, policy=document)


def test_the_dkr_endpoint_allows_another_role_only(estate: NetworkEstate) -> None:
    other = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}
    endpoint = ecr(estate, "ecr.dkr", policy(allow(*PULL, Principal=other)))
    finding = only(estate.diagnose(), "endpoint_policy_blocks_pull")
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/{endpoint}"
    assert "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer" in finding.explanation
    estate.run(finding.remediation)
    assert causes(estate.diagnose()) == []


def test_the_api_endpoint_denies_tokens(estate: NetworkEstate) -> None:
    endpoint = ecr(estate, "ecr.api", policy(allow("*"), deny("ecr:GetAuthorizationToken")))
    finding = only(estate.diagnose(), "endpoint_policy_blocks_pull")
    assert finding.resource.id.endswith(endpoint)
    estate.run(finding.remediation)
    assert causes(estate.diagnose()) == []


@pytest.mark.cause("endpoint_policy_blocks_pull", "passes")
@pytest.mark.parametrize(
    ("service", "document"),
    [
        ("ecr.api", policy(allow("ecr:GetAuthorizationToken"))),
        ("ecr.dkr", policy(allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"))),
        ("ecr.dkr", policy(allow("ecr:*", Principal={"AWS": ACCOUNT}))),
        ("ecr.api", policy(allow("*"), deny("ecr:BatchGetImage"))),
    ],
    ids=["the token at api", "the images at dkr", "our account", "api denies what passes dkr"],
)
def test_policies_that_are_enough(estate: NetworkEstate, service: str, document: dict[str, Any]) -> None:
    ecr(estate, service, document)
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert "endpoint_policy_blocks_pull" in diagnosis.passed


def test_an_identity_policys_condition_on_the_endpoint_is_decided(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    endpoint = estate.endpoints["ecr.dkr"]
    document = policy(deny("ecr:BatchGetImage", Condition={"StringNotEquals": {"aws:SourceVpce": endpoint}}))
    for statement in document["Statement"]:
        del statement["Principal"]
    iam = estate.client("iam")
    iam.put_role_policy(RoleName=f"{estate.name}-node", PolicyName="deny", PolicyDocument=_text(document))
    assert "role_policy_denies_pull" in estate.diagnose().passed
    iam.put_role_policy(
        RoleName=f"{estate.name}-node", PolicyName="deny", PolicyDocument=_text(document).replace(endpoint, "vpce-0")
    )
    assert causes(estate.diagnose()) == ["role_policy_denies_pull"]


S3 = {
    "our own buckets only": policy(allow("s3:*", on="arn:aws:s3:::ours/*")),
    "our organization's principals only": policy(
        allow("s3:*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-ours"}})
    ),
    "our organization's buckets only": policy(allow("*", Condition={"StringEquals": {"aws:ResourceOrgID": "o-ours"}})),
    "our account's buckets only": policy(allow("*", Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})),
    "writing only": policy(allow("s3:PutObject")),
    "the bucket of another region": policy(
        allow("s3:GetObject", on="arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*")
    ),
}


@pytest.mark.cause("s3_endpoint_policy_blocks_layers", "fails")
@pytest.mark.parametrize("document", S3.values(), ids=S3)
def test_s3_policies_that_keep_the_layers_back(estate: NetworkEstate, document: dict[str, Any]) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("s3")
    endpoint = estate.gateway_endpoint(policy=document)
    estate.node()
    finding = only(estate.diagnose(), "s3_endpoint_policy_blocks_layers")
    assert finding.resource.id.endswith(endpoint)
    estate.run(finding.remediation)
    assert causes(estate.diagnose()) == []


def test_an_s3_policy_that_denies_everybody_outside_gives_no_command(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("s3")
    condition = {"StringNotEquals": {"aws:PrincipalOrgID": "o-ours"}}
    estate.gateway_endpoint(policy=policy(allow("*"), deny("*", Condition=condition)))
    estate.node()
    finding = only(estate.diagnose(), "s3_endpoint_policy_blocks_layers")
    assert finding.remediation.commands == ()
    # An Allow beside it would change nothing.
    assert finding.remediation.summary.endswith(f"exempt {BUCKET}/* from the Deny of s3:GetObject.")


@pytest.mark.cause("s3_endpoint_policy_blocks_layers", "passes")
@pytest.mark.parametrize("on", [f"{BUCKET}/*", "*"])
def test_s3_policies_that_are_enough(estate: NetworkEstate, on: str) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("s3")
    estate.gateway_endpoint(policy=policy(allow("s3:GetObject", on=on)))
    estate.node()
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert "s3_endpoint_policy_blocks_layers" in diagnosis.passed


def test_an_s3_policy_for_an_account_that_may_be_ecrs_is_inconclusive(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("s3")
    condition = {"StringEquals": {"aws:ResourceAccount": [ACCOUNT, "999999999999"]}}
    estate.gateway_endpoint(policy=policy(allow("*", Condition=condition)))
    estate.node()
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert "aws:ResourceAccount" in opened(diagnosis)["s3_endpoint_policy_blocks_layers"]


@pytest.mark.cause("s3_endpoint_policy_blocks_layers", "near_miss")
@pytest.mark.cause("endpoint_policy_blocks_pull", "near_miss")
def test_behind_nat_no_endpoint_policy_matters(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    diagnosis = estate.diagnose()
    for cause in ("endpoint_policy_blocks_pull", "s3_endpoint_policy_blocks_layers"):
        assert cause not in diagnosis.passed
        assert cause not in opened(diagnosis)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document)


def refused(estate: NetworkEstate) -> Diagnosis:
    """Diagnose that AWS blames an endpoint's policy for a refused manifest, in an event that names no repository."""
    asked = estate.diagnose().pull
    words = Denial("ecr:BatchGetImage", "", "words", policy_type=PolicyType.VPC_ENDPOINT)
    failure = replace(asked, symptom=Symptom.ACCESS_DENIED, denial=words, repository=None)
    return diagnose(failure, PullFacts(Reader(estate.aws())))


def test_an_image_call_that_was_not_asked_about_did_not_pass(estate: NetworkEstate) -> None:
    ecr(estate, "ecr.dkr", policy(allow("*")))
    diagnosis = refused(estate)
    assert "endpoint_policy_blocks_pull" in causes(diagnosis)
    assert "endpoint_policy_blocks_pull" not in diagnosis.passed


def test_an_event_whose_words_do_not_fit_together_spoils_no_diagnosis(estate: NetworkEstate) -> None:
    ecr(estate, "ecr.dkr", policy(allow("*")))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/node"
    asked = estate.diagnose().pull
    assert asked.principal
    words = Denial("ecr:BatchGetImage", "", "words", policy_type=PolicyType.VPC_ENDPOINT)
    failure = replace(
        asked, symptom=Symptom.ACCESS_DENIED, denial=words, principal=replace(asked.principal, arn=session)
    )
    assert "endpoint_policy_blocks_pull" not in diagnose(failure, PullFacts(Reader(estate.aws()))).passed


def test_an_ecr_policy_that_is_none_is_named(estate: NetworkEstate) -> None:
    endpoint = ecr(estate, "ecr.dkr", policy(allow("*"), deny("ecr:*", Unless={})))
    reason = opened(estate.diagnose())["endpoint_policy_blocks_pull"]
    assert f"policy the policy of endpoint {endpoint} (" in reason
    assert reason.endswith('): Statement[1]: unknown element "Unless"')


def test_an_s3_policy_that_is_none_is_named(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("s3")
    odd = deny("s3:*", Condition={"StringIs": {"a": "b"}})
    endpoint = estate.gateway_endpoint(policy=policy(allow("*"), odd))
    estate.node()
    reason = opened(estate.diagnose())["s3_endpoint_policy_blocks_layers"]
    assert f"policy the policy of endpoint {endpoint} (" in reason
    assert reason.endswith('): Statement[1].Condition: unknown operator "StringIs"')


class TestAWayOutOfTheVpc:
    """Names that come by a Route 53 Profile may lead to endpoints of another VPC, whose policies are others."""

    PROFILES = "route53profiles:ListProfileAssociations"
    OF_SUBJECT = "s3_endpoint_policy_blocks_layers"

    def closed(self, estate: NetworkEstate) -> NetworkEstate:
        estate.behind_nat()
        estate.gateway_endpoint(policy=policy(allow("s3:*", on="arn:aws:s3:::ours/*")))
        estate.node()
        return estate

    def test_names_that_cannot_be_read_leave_the_policy_open(self, estate: NetworkEstate) -> None:
        transit_gateway(self.closed(estate))
        diagnosis = estate.diagnose(denied=[self.PROFILES])
        assert causes(diagnosis) == []
        assert f"{self.PROFILES} failed" in opened(diagnosis)[self.OF_SUBJECT]

    def test_so_does_a_profile_that_was_read(self, estate: NetworkEstate) -> None:
        transit_gateway(self.closed(estate))
        profile(estate)
        assert self.OF_SUBJECT in opened(estate.diagnose())

    def test_without_a_profile_the_policy_decides(self, estate: NetworkEstate) -> None:
        transit_gateway(self.closed(estate))
        only(estate.diagnose(), self.OF_SUBJECT)

    def test_without_a_way_out_no_name_leads_there(self, estate: NetworkEstate) -> None:
        only(self.closed(estate).diagnose(denied=[self.PROFILES]), self.OF_SUBJECT)

"""What the first pull through a cache will fail by, asked before it does: the way out, and managed signing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from tests.integration.network.estate import ACCOUNT, PULL, REGION, NetworkEstate, causes
from tests.integration.seen import seen

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws

CAUSE = "pull_through_cache_failing"
QUAY = "quay.io"
SIGNED = {"signingConfiguration": {"rules": [{"repositoryFilters": [{"filter": "quay/*"}]}]}}
MAY_IMPORT = [*PULL, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"]


def answer(aws: Aws, operation: str, parsed: dict[str, Any]) -> None:
    """Have ECR answer what the emulated one cannot."""
    client = aws.client("ecr", account=None, region=REGION)
    assert not isinstance(client, Unread)
    response = AWSResponse("", 200, HTTPHeaders(), None)
    client.meta.events.register(f"before-call.ecr.{operation}", lambda **_: (response, parsed))


def first_pull(
    estate: NetworkEstate,
    *,
    upstream: str = QUAY,
    signing: dict[str, Any] | None = None,
    denied: tuple[str, ...] = (),
    templates: tuple[dict[str, Any], ...] = (),
) -> Diagnosis:
    """Ask whether the node can pull an image that the cache of quay.io may not hold yet."""
    aws = estate.aws(*denied)
    rule = {"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": upstream}
    answer(aws, "DescribePullThroughCacheRules", {"pullThroughCacheRules": [rule]})
    if "ecr:DescribeRepositoryCreationTemplates" not in denied:
        every = [{"prefix": "quay", "appliedFor": ["PULL_THROUGH_CACHE"], **each} for each in templates]
        answer(aws, "DescribeRepositoryCreationTemplates", {"repositoryCreationTemplates": every})
    if "ecr:GetSigningConfiguration" not in denied:
        answer(aws, "GetSigningConfiguration", signing or {})
    image = parse_image(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/quay/app:v1")
    assert image
    (answered,) = ask(Reader(aws), image, Chosen(estate.name, instance=estate.instance), ())
    return seen(answered.diagnosis)


def let(estate: NetworkEstate, actions: list[str]) -> None:
    """Let the nodes' role do these actions, and nothing else."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    estate.client("iam").put_role_policy(
        RoleName=f"{estate.name}-node", PolicyName="pull", PolicyDocument=json.dumps(document)
    )


@pytest.fixture
def endpoints(estate: NetworkEstate) -> NetworkEstate:
    """A VPC with endpoints only, whose nodes may import what is not cached yet."""
    estate.endpoints_only()
    estate.node()
    let(estate, MAY_IMPORT)
    return estate


@pytest.fixture
def nat(estate: NetworkEstate) -> NetworkEstate:
    estate.behind_nat()
    estate.node()
    let(estate, MAY_IMPORT)
    return estate


def test_endpoints_alone_do_not_carry_the_first_pull(endpoints: NetworkEstate) -> None:
    diagnosis = first_pull(endpoints)
    (finding,) = diagnosis.findings
    assert finding.cause == CAUSE
    assert finding.resource.id.endswith(":repository/quay/app")
    assert "the first pull through a cache over AWS PrivateLink needs a way to the internet" in finding.explanation
    assert f"Subnet {endpoints.a} has no route to it." in finding.explanation
    assert f"Route {endpoints.a} to a NAT gateway for the first pull" in finding.remediation.summary
    assert finding.remediation.commands == ()


def test_a_way_to_the_internet_beside_the_endpoints_is_enough(endpoints: NetworkEstate) -> None:
    endpoints.route(endpoints.table_public, "0.0.0.0/0", GatewayId=endpoints.igw)
    endpoints.route(endpoints.table_a, "0.0.0.0/0", NatGatewayId=endpoints.nat_gateway())
    diagnosis = first_pull(endpoints)
    assert causes(diagnosis) == []
    assert CAUSE in diagnosis.passed


def test_an_image_that_is_cached_needs_no_way_out(endpoints: NetworkEstate) -> None:
    ecr = endpoints.client("ecr")
    ecr.create_repository(repositoryName="quay/app")
    ecr.put_image(
        repositoryName="quay/app",
        imageTag="v1",
        imageManifest='{"schemaVersion": 2, "config": {"size": 1}}',
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
    )
    try:
        diagnosis = first_pull(endpoints, signing=SIGNED)
    finally:
        ecr.delete_repository(repositoryName="quay/app", force=True)
    assert causes(diagnosis) == []
    assert CAUSE not in {each.cause for each in diagnosis.inconclusive}


def test_of_another_ecr_upstream_it_is_not_claimed(endpoints: NetworkEstate) -> None:
    diagnosis = first_pull(endpoints, upstream=f"111122223333.dkr.ecr.{REGION}.amazonaws.com")
    assert causes(diagnosis) == []
    assert "needs a way to the internet" in {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]


def test_without_the_role_and_the_way_out_both_are_told(endpoints: NetworkEstate) -> None:
    let(endpoints, PULL)
    (finding,) = first_pull(endpoints).findings
    assert "may not call ecr:BatchImportUpstreamImage" in finding.explanation
    assert "needs a way to the internet" in finding.explanation
    assert "Add an inline policy" in finding.remediation.summary
    assert "to a NAT gateway" in finding.remediation.summary


@pytest.mark.parametrize("denied", ["ec2:DescribeRouteTables", "ec2:DescribeVpcEndpoints"])
def test_a_way_that_cannot_be_read_is_not_called_open(endpoints: NetworkEstate, denied: str) -> None:
    diagnosis = first_pull(endpoints, denied=(denied,))
    assert CAUSE not in causes(diagnosis)
    assert CAUSE not in diagnosis.passed


def test_managed_signing_is_told_before_the_first_pull(nat: NetworkEstate) -> None:
    diagnosis = first_pull(nat, signing=SIGNED)
    assert causes(diagnosis) == []
    why = {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]
    assert f"managed signing of registry {ACCOUNT} covers quay/app" in why
    assert "signer:SignPayload" in why


@pytest.mark.parametrize(
    "signing",
    [{}, {"signingConfiguration": {"rules": [{"repositoryFilters": [{"filter": "team/*"}]}]}}],
    ids=["no rules", "other repositories"],
)
def test_signing_that_covers_other_repositories_is_not_mentioned(nat: NetworkEstate, signing: dict[str, Any]) -> None:
    assert CAUSE in first_pull(nat, signing=signing).passed


def test_signing_of_the_whole_registry_covers_the_cache(nat: NetworkEstate) -> None:
    diagnosis = first_pull(nat, signing={"signingConfiguration": {"rules": [{}]}})
    assert CAUSE in {each.cause for each in diagnosis.inconclusive}


def test_signing_that_cannot_be_read_leaves_nothing_open(nat: NetworkEstate) -> None:
    """It is not known to stop a pull."""
    assert CAUSE in first_pull(nat, denied=("ecr:GetSigningConfiguration",)).passed


TAGS: dict[str, Any] = {"resourceTags": [{"Key": "team", "Value": "a"}]}
KEY = {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "1234abcd"}}
ROLE = {"customRoleArn": f"arn:aws:iam::{ACCOUNT}:role/templates"}
DENIES = {"repositoryPolicy": '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}}'}
ALLOWS = {"repositoryPolicy": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}'}


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize(
    ("template", "gives"),
    [
        (TAGS, "gives quay/app tags with its service-linked role"),
        ({**KEY, **ROLE}, f"gives quay/app a KMS key with the role {ROLE['customRoleArn']}"),
        (ROLE, "gives quay/app its settings with the role"),
        (DENIES, "a policy that may deny the pull"),
        ({"repositoryPolicy": "no policy"}, "a policy that may deny the pull"),
        ({**TAGS, "prefix": "ROOT"}, "the repository creation template ROOT gives quay/app tags"),
    ],
)
def test_what_a_creation_template_adds_is_told_before_the_first_pull(
    nat: NetworkEstate, template: dict[str, Any], gives: str
) -> None:
    diagnosis = first_pull(nat, templates=(template,))
    assert causes(diagnosis) == []
    assert gives in {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]


@pytest.mark.cause(CAUSE, "near_miss")
@pytest.mark.parametrize(
    "templates",
    [
        ({},),
        (ALLOWS,),
        ({"encryptionConfiguration": {"encryptionType": "AES256"}},),
        ({**TAGS, "prefix": "qua"},),
        ({**TAGS, "appliedFor": ["REPLICATION"]},),
        # The longest prefix wins, and ROOT is for what no other template is for.
        ({**TAGS, "prefix": "ROOT"}, {}),
        # The prefix quay/app is for repositories under it.
        ({**TAGS, "prefix": "quay/app"}, {}),
    ],
)
def test_a_creation_template_that_adds_nothing_to_this_pull(
    nat: NetworkEstate, templates: tuple[dict[str, Any], ...]
) -> None:
    assert CAUSE in first_pull(nat, templates=templates).passed


@pytest.mark.cause(CAUSE, "unread")
def test_creation_templates_that_cannot_be_read_leave_the_first_pull_open(nat: NetworkEstate) -> None:
    diagnosis = first_pull(nat, denied=("ecr:DescribeRepositoryCreationTemplates",))
    assert causes(diagnosis) == []
    reason = {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]
    assert "ecr:DescribeRepositoryCreationTemplates failed" in reason

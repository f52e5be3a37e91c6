"""A pull that failed: what was pulled, by whom, on which node, and what the error said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from pull_responder.model.arn import DNS_SUFFIXES, Arn, partition_of

# ECR Public User Guide, "Making requests to Amazon ECR Public registries".
ECR_PUBLIC_HOSTS = frozenset({"public.ecr.aws", "ecr-public.aws.com"})

_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


class Symptom(StrEnum):
    """What the failure looks like before anything is looked up."""

    TIMEOUT = "timeout"
    NAME_RESOLUTION_FAILED = "name_resolution_failed"
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
    """Return whether the registry answered a pull that failed like this; None where the symptom does not tell."""
    match symptom:
        case Symptom.TIMEOUT | Symptom.NAME_RESOLUTION_FAILED | Symptom.KUBELET_THROTTLED:
            return False
        case Symptom.NOT_AUTHENTICATED | Symptom.TOKEN_EXPIRED | Symptom.ACCESS_DENIED | Symptom.NOT_FOUND:
            return True
        case Symptom.PLATFORM_MISMATCH | Symptom.THROTTLED | Symptom.DISK_FULL | Symptom.DOWNLOAD_CORRUPT:
            return True
        case Symptom.CANCELED | Symptom.UNKNOWN:
            return None
        case _:
            assert_never(symptom)


class Stage(StrEnum):
    """How far the pull came: a token, then the manifest, then the layers, then unpacking them."""

    TOKEN = "token"  # noqa: S105 -- the name of a stage, not a secret
    MANIFEST = "manifest"
    LAYER = "layer"
    UNPACK = "unpack"


class PolicyType(StrEnum):
    """The kinds of policy that AWS names in an access denied message, in AWS's own words."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    VPC_ENDPOINT = "VPC endpoint policy"


class PrincipalKind(StrEnum):
    """Who may sign a request to AWS."""

    ROLE = "role"
    USER = "user"
    ROOT = "root"
    FEDERATED_USER = "federated user"
    SERVICE = "AWS service"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asked.

    `arn` is what AWS wrote: for a role the session's ARN, which has dropped the role's path, or empty when AWS
    gave none. `role_arn` is the issuing role's own ARN and is set only where the event carried it, path included.
    `role_delivery` is the version of the instance metadata service that handed out the credentials ("1.0", "2.0"),
    `issued_at` when they were issued, in ISO 8601 and UTC.
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

    @property
    def instance_id(self) -> str | None:
        """The EC2 instance whose role this session is, which EC2 names its sessions by; else None."""
        if self.session_name and _INSTANCE_ID.fullmatch(self.session_name):
            return self.session_name
        return None


@dataclass(frozen=True, slots=True)
class Denial:
    """AWS's own words about a denied request, taken apart.

    `policy_type` is None where AWS gave no reason (older messages); `explicit` tells a Deny statement from a
    missing Allow; `policy_arn` is set where AWS names the policy. `message` is bounded and redacted.
    """

    action: str
    resource: str
    message: str
    policy_type: PolicyType | None = None
    explicit: bool = False
    policy_arn: str | None = None


@dataclass(frozen=True, slots=True)
class PullFailure:
    """One failed pull. What is not known is None; nothing in it can be trusted to be true.

    `account` is where the failure was recorded, `region` the registry's region. `observed_at` is ISO 8601 in UTC.
    `registry_host` is the host that the image names where it is not the plain one of a private registry: dual-stack,
    FIPS, with a port, or ECR Public's. Its images have no `registry_account`, and `region` is where they are pulled.
    `pod_labels` are the pod's, each as "key=value". `message` is what kubelet said, `upstream_failure` why ECR could
    not fetch from an upstream registry ("CODE: reason"); both are bounded and redacted.
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

    @property
    def principal_account(self) -> str | None:
        """The account of the principal that pulled; None where the event does not tell."""
        return self.principal.account if self.principal else None

    @property
    def blamed_policy_types(self) -> frozenset[PolicyType]:
        """The policy types that AWS's words blame; empty where they name none.

        Within one account an Allow in either policy is enough. So where AWS says that no resource-based policy allows
        the action, no identity-based policy does.
        """
        denial = self.denial
        if denial is None or denial.policy_type is None:
            return frozenset()
        types = {denial.policy_type}
        one_account = self.principal is not None and self.principal.account == self.registry_account
        if denial.policy_type is PolicyType.RESOURCE and not denial.explicit and one_account:
            types.add(PolicyType.IDENTITY)
        return frozenset(types)

    @property
    def known_account(self) -> str | None:
        """An account to report the failure in: the principal's, else where it was recorded, else the registry's."""
        return self.principal_account or self.account or self.registry_account

    @property
    def partition(self) -> str:
        """The AWS partition the pull happened in, by the denied resource, the principal or the region."""
        if self.denial and (resource := Arn.parse(self.denial.resource)):
            return resource.partition
        return self.principal.partition if self.principal else partition_of(self.region)

    @property
    def repository_arn(self) -> str | None:
        """The ARN of the repository that was pulled from; None when the event does not say which."""
        if self.registry_account and self.repository:
            return f"arn:{self.partition}:ecr:{self.region}:{self.registry_account}:repository/{self.repository}"
        return None

    @property
    def from_ecr_public(self) -> bool:
        """Whether the image is in ECR Public, which is pulled from without credentials if need be."""
        return (self.registry_host or "").lower().partition(":")[0] in ECR_PUBLIC_HOSTS

    @property
    def image(self) -> str | None:
        """The image as a pod names it, as far as it is known; None when the repository is not."""
        suffix = DNS_SUFFIXES.get(self.partition)
        plain = f"{self.registry_account}.dkr.ecr.{self.region}.{suffix}" if self.registry_account and suffix else None
        host = self.registry_host or plain
        if not (host and self.repository):
            return None
        name = f"{host}/{self.repository}"
        if self.tag:
            name += f":{self.tag}"
        return f"{name}@{self.digest}" if self.digest else name

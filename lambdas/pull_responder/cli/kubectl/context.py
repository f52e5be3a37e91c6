"""Which cluster a context of kubectl's configuration is: its name, account and region, and the profile to read it with.

Sources: Amazon EKS User Guide, "Connect kubectl to an EKS cluster by creating a kubeconfig file" (contexts and
clusters are named by the cluster's ARN; `aws eks get-token --cluster-name … --region …` signs in) and "Cluster API
server endpoint" (the endpoint's name has the region); eksctl's documentation (contexts are
USER@CLUSTER.REGION.eksctl.io); aws-iam-authenticator's README (`token -i CLUSTER`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.kubectl.place import Place, of_arn
from pull_responder.cli.kubectl.process import Refused
from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.cli.kubectl.process import Kubectl

_EKSCTL: Final = re.compile(r"(?:[^@\s]{1,200}@)?([0-9A-Za-z][A-Za-z0-9_-]{0,99})\.([a-z0-9-]{5,30})\.eksctl\.io")
_ENDPOINT: Final = re.compile(
    r"https://[0-9A-Za-z]{8,64}\.(?:[a-z0-9]{2,8}\.)?([a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2})\.eks\.[a-z.]{5,40}(?::443)?/?"
)
_PROFILE: Final = re.compile(r"[^\s\x00-\x1f]{1,200}")


@dataclass(frozen=True, slots=True)
class Context:
    """A context of kubectl's configuration.

    - `place` is its cluster, as far as the configuration tells.
    - `is_eks` says that something in it shows a cluster of Amazon EKS.
    - `namespace` is the one that it names, else "default".
    - `profile` is the profile of the SDK's configuration with which it signs in. None where it names none.
    """

    name: str
    place: Place
    is_eks: bool
    namespace: str
    profile: str | None = None


def read_context(kubectl: Kubectl) -> Context | Refused:
    """Return the context that kubectl uses, or why there is none. The configuration's secrets are not printed."""
    shown = kubectl.ask("config", "view", "--minify")
    return shown if isinstance(shown, Refused) else of_configuration(shown)


def of_configuration(configuration: Mapping[str, object]) -> Context:
    """Return the one context of a configuration that holds no other."""
    context, cluster, user = (_first(configuration, key) for key in ("contexts", "clusters", "users"))
    name = fields.text(configuration, "current-context") or fields.text(context, "name")
    place, profile = _of_sign_in(fields.mapping(user, "user", "exec"))
    is_eks = place.cluster is not None
    for written in (fields.text(cluster, "name"), fields.text(context, "context", "cluster"), name):
        if found := of_arn(written) or _of_eksctl(written):
            place, is_eks = replace(found, region=found.region or place.region), True
            break
    if endpoint := _ENDPOINT.fullmatch(fields.text(cluster, "cluster", "server")):
        place, is_eks = replace(place, region=place.region or names.region(endpoint[1])), True
    namespace = kubernetes_names.object_name(fields.text(context, "context", "namespace")) or "default"
    return Context(redact(name, limit=200) or "(no name)", place, is_eks, namespace, profile)


def _first(configuration: Mapping[str, object], key: str) -> Mapping[str, object]:
    return next((each for each in fields.items(configuration, key) if isinstance(each, dict)), {})


def _of_eksctl(text: str) -> Place | None:
    found = _EKSCTL.fullmatch(text)
    return Place(found[1], None, names.region(found[2])) if found else None


def _of_sign_in(sign_in: Mapping[str, object]) -> tuple[Place, str | None]:
    """Return the cluster and the profile for which a context signs in, as far as its command tells."""
    arguments = [each for each in fields.items(sign_in, "args") if isinstance(each, str)]
    variables = {fields.text(each, "name"): fields.text(each, "value") for each in fields.items(sign_in, "env")}
    is_eks = "get-token" in arguments or fields.text(sign_in, "command").endswith("aws-iam-authenticator")
    if not is_eks:
        return Place(), None
    cluster = _option(arguments, "--cluster-name", "--cluster-id", "-i")
    region = _option(arguments, "--region") or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")
    profile = _option(arguments, "--profile") or variables.get("AWS_PROFILE")
    place = of_arn(cluster or "") or Place(kubernetes_names.cluster(cluster), None, names.region(region))
    return place, profile if profile and _PROFILE.fullmatch(profile) else None


def _option(arguments: Sequence[str], *options: str) -> str | None:
    """Return the value of an option, as two arguments or as one with "="."""
    for at, each in enumerate(arguments):
        if each in options and at + 1 < len(arguments):
            return arguments[at + 1]
        name, equals, value = each.partition("=")
        if equals and name in options:
            return value
    return None

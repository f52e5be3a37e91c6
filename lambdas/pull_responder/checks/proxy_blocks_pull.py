"""The node's HTTP proxy does not answer, or refuses the registry.

What it checks: what kubelet said. The container runtime sends its requests to the proxy that the node's environment
names (HTTPS_PROXY). `proxyconnect tcp: …` says that the proxy itself could not be reached or found; `Forbidden`,
`Proxy Authentication Required` or a sentence of the proxy's own as the whole answer to a request says that the proxy
refused to connect. A page of HTML in place of the registry's answer comes from a proxy or filter, too, and so do HTTP
407, 511 and 520 to 599: Amazon ECR answers with JSON, and with none of these.

What it cannot see: the node itself and the proxy. AWS does not show a node's proxy settings or what the proxy allows;
only kubelet's words count.

Why that stops a pull: the request ends at the proxy, whatever routes, endpoints and policies allow.

How to fix it: let the nodes reach the proxy, and let the proxy connect to the registry's hosts. Or list these hosts in
NO_PROXY of containerd and kubelet, so that the node connects to them directly. Nodes that use VPC endpoints need that.

References: Amazon EKS User Guide, "Customize managed nodes with launch templates"; AWS re:Post, "How can I automate the
configuration of HTTP proxy for EKS worker nodes with Docker?"; Go's net/http, Transport.dialConn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.events.pages import is_gateways, is_page
from pull_responder.facts import ec2
from pull_responder.model.arn import DNS_SUFFIXES, partition_of
from pull_responder.model.pull import Answer, PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.network.model import RegistryPlace
from pull_responder.network.resolution import destinations
from pull_responder.pulls.kubelet_words import node_of, quote_words
from pull_responder.pulls.path import registry_host
from pull_responder.remediation import docs
from pull_responder.remediation.node import change_proxy

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_HTML: Final = "text/html"
_ANOTHER: Final = "A proxy, or another device on the way,"
# "… /manifests/v1: 522 <none>", "StatusCode: 407, …", "HTTP 511".
_STATUS: Final = re.compile(r"(?:: |HTTP |code )(407|511|5[2-9][0-9])(?![\w.:-]|\.[0-9])")
# "proxyconnect tcp: dial tcp 10.0.9.20:3128: …", "proxyconnect tcp: dial tcp: lookup proxy.corp.example on …".
_PROXY: Final = re.compile(
    r"proxyconnect tcp: dial tcp(?: (?P<address>[0-9a-fA-F.:\[\]]{2,60})|: lookup (?P<name>[A-Za-z0-9.-]{1,253}))"
)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed by kubelet's words; not applicable where they name no proxy."""
    if pull.symptom is not Symptom.PROXY_FAILED:
        return Verdict.not_applicable("kubelet did not say that a proxy failed")
    failing = node_of(pull, facts)
    if isinstance(failing, Unread):
        return Verdict.inconclusive(failing.reason)
    node, instance = failing
    message = pull.message or ""
    proxy = _proxy_of(message)
    which = f"The node's HTTP proxy {proxy}" if proxy else "The node's HTTP proxy"
    if proxy:
        does = "cannot be reached"
    elif "proxyconnect" in message:
        # Go's net/http could open a connection to the proxy but not use it: "proxyconnect tcp: EOF".
        does = "does not complete the connection"
    elif status := _STATUS.search(message):
        which, does = _ANOTHER, f"answers with HTTP {status[1]} in place of the registry"
    elif is_gateways(message):
        which, does = _ANOTHER, "answers in place of the registry"
    elif _HTML in message or is_page(message, may_be_storage=False):
        which, does = _ANOTHER, "answers with a page of HTML in place of the registry"
    else:
        does = "refuses to connect to the registry"
    return Verdict.failed(
        resource=node,
        explanation=f"{which} {does}, so the request never gets to Amazon ECR.",
        evidence=quote_words(pull),
        remediation=change_proxy(
            account=node.account,
            region=instance.region if instance else pull.region,
            hosts=_hosts(pull),
            proxy=proxy,
        ),
    )


def _hosts(pull: PullFailure) -> tuple[str, ...]:
    """Return the hosts of the registry as NO_PROXY names them. Those of the region, where no registry is named."""
    suffix = DNS_SUFFIXES.get(partition_of(pull.region), "amazonaws.com")
    host = (registry_host(pull) or f"registry.dkr.ecr.{pull.region}.{suffix}").partition(":")[0]
    place = RegistryPlace(host, pull.region)
    if place.public:
        return tuple(each.host for each in destinations(place))
    token, *below = destinations(place)
    return (token.host, *(f".{each.host.partition('.')[2]}" for each in below))


def _proxy_of(message: str) -> str | None:
    """Return the proxy's address or name, None where the message names none."""
    match = _PROXY.search(message)
    return (match["name"] or match["address"].rstrip(":")) if match else None


CHECK = Check(
    id="proxy_blocks_pull",
    title="The node's HTTP proxy stops the pull",
    short="HTTP proxy stops the pull",
    again="The node's HTTP proxy lets the pull through again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=ec2.PERMISSIONS,
    docs_url=docs.EKS_LAUNCH_TEMPLATES,
    examine=examine,
    explains=(Explains(Symptom.PROXY_FAILED, 10), Explains(Symptom.UNKNOWN, 350, BEFORE_UNPACK)),
    ecr_public=frozenset({Symptom.PROXY_FAILED}),
    answers=frozenset({Answer.TLS, Answer.HTTP}),
    any_registry=True,
    by_words=True,
    refused_by_ecr=False,
)

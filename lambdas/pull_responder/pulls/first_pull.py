"""What the first pull through a cache needs beyond every later one, told before it fails.

A repository creation template adds to it: ECR applies it with a role of its own, whose rights are not examined here.

Sources: Amazon ECR User Guide, "Sync an upstream registry with an Amazon ECR private registry", considerations (over
AWS PrivateLink the first pull needs a NAT gateway, later pulls do not), "Creating a repository creation template" (tags
and KMS keys need a role that trusts ecr.amazonaws.com), and "Managed signing" (ECR signs as whoever pushes).
aws/containers-roadmap#2830: for a cached image that is the cache's service-linked role, whose policy lacks
signer:SignPayload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import Stage
from pull_responder.model.reason import Reason, join_reasons, reword
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation
from pull_responder.network import HopKind, PathCause, RegistryPlace, trace
from pull_responder.pulls.path import pull_path
from pull_responder.pulls.upstream_access import UpstreamFault
from pull_responder.remediation import docs

if TYPE_CHECKING:
    from pull_responder.facts.cache_rules import CacheRule
    from pull_responder.model.arn import Arn
    from pull_responder.model.pull import PullFailure
    from pull_responder.network import Fault, NodePlace
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts

# A registry that no VPC endpoint serves: the way to it is the way to the internet.
_OUTSIDE: Final = "public.ecr.aws"
_TO_INTERNET: Final = (PathCause.NO_ROUTE, PathCause.NAT_GATEWAY_UNAVAILABLE, PathCause.PUBLIC_IP_MISSING)
_ECR: Final = ".dkr.ecr."
_NEEDED: Final = (
    "the image is not cached yet, and the first pull through a cache over AWS PrivateLink needs a way to the internet"
)


def first_pull_fault(pull: PullFailure, rule: CacheRule, facts: PullFacts) -> UpstreamFault | Unread | None:
    """Return what keeps nodes from the first pull: they reach ECR by an endpoint, and the internet by no way.

    Unread where that is not known. AWS's page names no kind of upstream. Inference: the layers of another ECR registry
    come from S3, so that an endpoint may be enough; nothing is claimed then.
    """
    path = pull_path(pull, facts)
    if isinstance(path, Unread):
        return path
    doubts: list[str] = []
    for place, way in path.paths:
        by_endpoint = any(
            hop.kind is HopKind.ENDPOINT for leg in way.legs if leg.stage is Stage.MANIFEST for hop in leg.hops
        )
        outside = trace(place, RegistryPlace(_OUTSIDE, pull.region), path.network)
        faults = [fault for fault in outside.faults if fault.cause in _TO_INTERNET]
        if by_endpoint and faults and _ECR not in (rule.upstream or ""):
            return _no_way_out(path, place, faults[0])
        if by_endpoint and faults:
            doubts.append(
                Reason(
                    f"{_NEEDED}, which {place.subnet_id} lacks: whether another ECR needs it is not known",
                    f"Run `docker pull` for {pull.image or 'the image'} once from where the internet is reached.",
                )
            )
        elif by_endpoint:
            open_ = [doubt.reason for doubt in outside.undecided if doubt.cause in _TO_INTERNET]
            doubts += [reword(reason, f"{_NEEDED}: {reason}") for reason in open_]
    return Unread(join_reasons(doubts)) if doubts else None


def signing_doubt(repository: Arn, facts: PullFacts) -> str:
    """Return that ECR is to sign what the cache fetches, which the cache's role may not; empty where it is not.

    It is not known whether a missing signature stops the pull: it does where the nodes take only signed images. So
    rules that cannot be read leave nothing open.
    """
    name = repository.resource.removeprefix("repository/")
    rules = facts.signing_rules(repository.account, repository.region)
    if isinstance(rules, Unread) or not any(rule.covers(name) for rule in rules):
        return ""
    return Reason(
        f"managed signing of registry {repository.account} covers {name}, and the role of the pull through cache may "
        "not call signer:SignPayload (aws/containers-roadmap#2830): the image may get no signature, and nodes that "
        "take only signed images then refuse it. Exclude the cache by a filter, or sign the image by hand",
        f"Open managed signing of registry {repository.account} in the ECR console, and exclude {name} there.",
    )


def template_doubt(pull: PullFailure, repository: Arn, facts: PullFacts) -> str:
    """Return that a creation template may stop ECR from creating the repository, or the pull from it. Empty if not.

    Empty for a repository that exists: templates change nothing about it.
    """
    account, region = repository.account, repository.region
    if facts.repository_policy(account, region, pull.repository or "") is not None:
        return ""
    template = facts.creation_template(account, region, pull.repository or "")
    if isinstance(template, Unread):
        return reword(
            template.reason, f"ECR creates the repository by a template, if there is one for it: {template.reason}"
        )
    gives = (
        {
            "tags": template.has_tags,
            "a KMS key": template.has_key,
            "a policy that may deny the pull": template.may_deny,
        }
        if template
        else {}
    )
    given = [what for what, it_does in gives.items() if it_does]
    if template is None or not (given or template.role_arn):
        return ""
    what = f" {' and '.join(given)}" if given else " its settings"
    role = f"the role {template.role_arn}" if template.role_arn else "its service-linked role"
    return Reason(
        f"the repository creation template {template.prefix} gives {pull.repository}{what} with {role}, and whether "
        "ECR can do that was not examined",
        f"Open the repository creation template {template.prefix} of registry {account} in the ECR console, and look "
        "at its role, its key and its repository policy.",
    )


def _no_way_out(path: PullPath, place: NodePlace, fault: Fault) -> UpstreamFault:
    where = path.where(place.subnet_id)
    # The explanation of a missing route speaks of the registry, and here it is about the internet.
    own = fault.cause is PathCause.NO_ROUTE and fault.resource_id == place.subnet_id
    why = f"Subnet {place.subnet_id} has no route to it." if own else fault.explanation
    return UpstreamFault(
        f"{_NEEDED[0].upper()}{_NEEDED[1:]}. {why}",
        Remediation(
            f"Route {place.subnet_id} to a NAT gateway for the first pull, or pull the image once from where there is "
            "a way to the internet. Later pulls need none.",
            where.account,
            where.region,
            docs.ECR_CACHE_CONSIDERATIONS,
        ),
    )

"""What to do next about a cause that could not be decided: one sentence for each reason, for people on call.

The reason of an undecided cause says what was missing. From it follows who can supply that: a read that AWS refused
needs a permission, a route that leaves the VPC needs somebody who sees the other side. Every reason gets a sentence:
one that no pattern knows gets the sentence of its check.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pull_responder.checks.check import Check

# facts/aws.py writes these: "ecr:DescribeImages failed: AccessDeniedException: User: arn:… is not authorized to …".
_FAILED: Final = re.compile(
    r"(?:in account (?P<account>\d{12}): )?(?P<action>[a-z][a-z0-9-]{1,40}:[A-Z][A-Za-z0-9]{2,60})"
    r"(?: of arn:[\w-]+:iam::(?P<target>\d{12}):role/(?P<role>[\w+=,.@/-]{1,576}))? failed: (?P<code>[\w.]+)"
)
_REFUSED: Final = ("AccessDenied", "Unauthorized", "AuthorizationError", "NotAuthorized", "Client.Unauthorized")
_USER: Final = re.compile(
    r"User: arn:[\w-]+:(?:iam|sts)::(?P<account>\d{12}):(?P<kind>assumed-role|role|user)/(?P<name>[\w+=,.@/-]{1,600})"
)
_DENY: Final = re.compile(r"explicit deny in an? ([A-Za-z -]{3,40} policy|permissions boundary)")
# To grant the action to the role is not enough where one of these has no Allow.
_LIMIT: Final = re.compile(
    r"because no ((?:service|resource) control policy|permissions boundary|session policy) allows"
)
_TEMPLATE: Final = "infra/member-role.yaml"

_AGAIN: Final = "Run the diagnosis again in a few minutes."
_NODE: Final = "On the node, look at `journalctl -u kubelet -u containerd` at the time of the failure."
_RUNNING: Final = "Ask about a node that runs: `pull-responder diagnose --image … --cluster … --instance …`."
_RESOLVE: Final = "On a node, run `nslookup` for the registry's host and see to which address it leads."
_CONNECT: Final = (
    "From a node, run `curl -v https://HOST/v2/` with the registry's host, and follow the path with VPC Reachability "
    "Analyzer."
)
_MANIFEST: Final = "Look at the image's platforms yourself: `docker buildx imagetools inspect IMAGE`."

# The first pattern that fits a reason gives its sentence, in which {0} is the pattern's group.
_STEPS: Final = tuple(
    (re.compile(pattern), step)
    for pattern, step in (
        (
            r"the AWS SDK knows no such region",
            "Look for a misspelt region in the image's name. A new region needs a newer AWS SDK.",
        ),
        (
            r"sts:\w+(?: of \S+)? failed: \w*(?:Timeout|Connection)",
            "See that Pull Responder itself can reach AWS STS in its own region.",
        ),
        (r"failed: IncompleteAnswerError", _AGAIN),
        (
            r"sts:GetCallerIdentity failed|NoCredentials|ExpiredToken|InvalidClientTokenId",
            "Renew the credentials that Pull Responder runs with.",
        ),
        (
            r"failed: (?:UnrecognizedClientException|AuthFailure|OptInRequired)",
            "See that the region is enabled for the account, and that the credentials are valid there.",
        ),
        (
            r"failed: \w*(?:EndpointConnection|Connect|ProxyConnection|SSL)\w*Error",
            "See that Pull Responder itself can reach AWS's API in that region.",
        ),
        (r"failed: \w*(?:Throttl|RequestLimit|TooManyRequests|Timeout|Internal|Unavailable)", _AGAIN),
        (
            r"\btime was left|time ran out",
            "Run `pull-responder diagnose` on the event in a terminal, where no time limit applies.",
        ),
        (r"[:;] (look at [^:]+)$", "{0}."),
        (
            r"-> (\S{1,80}) (?:leads to|leaves the VPC)",
            "Follow the path behind {0}, to the endpoint, NAT gateway or firewall on its other side.",
        ),
        (
            r"DHCP options|DNS server|[Rr]esolver|Route 53|enableDns|resolve|hosted zone|private DNS",
            _RESOLVE,
        ),
        (
            r"(?:tests|depends on) ((?:[\w-]+:[\w/${}.-]+)(?:, [\w-]+:[\w/${}.-]+)*)",
            "Compare {0} of the refused request, as CloudTrail shows it, with the policy's condition.",
        ),
        (r"session policy", "Ask whoever assumes the role for the session policy that they pass."),
        (
            r"pulls for EKS",
            "Find out who uses this role; if that is not EKS, add it to `knownPrincipals` in cdk.json.",
        ),
        (
            r"belongs to AWS",
            "Compare the image's name, tag and region with AWS's list of its registries: AWS shows no more of them.",
        ),
        (r"pull through cache, and ECR would fetch|counts a read as a pull|single manifest", _MANIFEST),
        (r"whether (\S+) has it", "Look into {0} for the image, and pull it from there by hand."),
        (
            r"outside AWS|in an account of Amazon SageMaker",
            "On such a node, run `curl -v https://HOST/v2/` with the registry's host.",
        ),
        (
            r"the event (?:names|does not)|nothing names the role|role is not known|not the ARN of a role",
            "Ask again with what the event does not say: `pull-responder diagnose --image … --cluster …`.",
        ),
        (
            r"which VPC endpoint|passes a VPC endpoint|pass a VPC endpoint|different paths|no path is known",
            "Look for vpcEndpointId in CloudTrail's record of the request, and read that endpoint's policy.",
        ),
        (
            r"AWS blames a ([a-z -]+), but none was found",
            "Ask the organization's administrator for the {0} that was attached or changed since.",
        ),
        (
            r"\b((?:sg|acl|sgr)-[0-9a-f]{8,17}).*only in part|only in part, by",
            "Compare the rules with the addresses that the registry's host has on the node (`nslookup`).",
        ),
        (
            r"((?:[a-z]+ )?policy (?:of )?(?:repository )?\S+) (?:is not|cannot be)",
            "Open the {0} in the console and correct it: it could not be read as a policy.",
        ),
        (
            r"CloudTrail may have cut",
            "Take the image's full name from the pod, and ask again: `pull-responder diagnose --image … --cluster …`.",
        ),
        (r"(role \S+) does not exist", "Create {0} again, or give the nodes another role."),
        (r"launch template \S+ of (node group \S+) does not exist", "Update {0} to a launch template that exists."),
        (
            r"\b(vpce-\w+)",
            "Look at endpoint {0} in the VPC console: its state, DNS names, security groups and policy.",
        ),
        (r"is gone|is running|is in no VPC|names no (?:subnet|security group|architecture)", _RUNNING),
        (r"(?:VPC|platform|groups?|it was in)\b[^:;]* (?:is|are) not known", _RUNNING),
        (
            r"gave no answer|lists no|was not found|does not exist|was deleted|being enabled|has no default|no parent",
            f"{_AGAIN[:-1]}: the resource may have changed while it was read.",
        ),
        (
            r"([a-z][a-z0-9-]*:[A-Z]\w+) failed",
            "Call {0} as Pull Responder's role, and look at what AWS answers.",
        ),
    )
)
_ON_THE_PATH: Final = ("AwsEc2Subnet", "AwsEc2Vpc", "AwsEc2SecurityGroup", "AwsEc2NetworkAcl", "AwsEc2RouteTable")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A call that AWS refused: who has to be allowed to do what, where. `role` and `account` may not be known.

    `denied_by` is the policy that denies it, `limited_by` a policy other than the role's own that does not allow it.
    `member` says that it is the role itself that could not be assumed.
    """

    action: str
    role: str | None
    account: str | None
    denied_by: str | None = None
    limited_by: str | None = None
    member: bool = False


def next_step(check: Check, reason: str) -> str:
    """Return the sentence that says what to look at, or what to grant, where `reason` left this check undecided."""
    refused = _refusals(reason)
    return "; ".join(each[:-1] for each in _grants(refused)) + "." if refused else _by_words(reason) or _of_check(check)


def merge_steps(undecided: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the steps of several undecided causes, each once, from pairs of a reason and its step.

    What one role lacks for all of them stands in one sentence. A step that its own reason already says is left out.
    """
    pairs = list(undecided)
    refused = [each for reason, _ in pairs for each in _refusals(reason)]
    others = [step for reason, step in pairs if step[:-1].lower() not in reason.lower() and not _refusals(reason)]
    return tuple(dict.fromkeys((*_grants(refused), *others)))


def _refusals(reason: str) -> list[_Refusal]:
    """Return the calls that AWS refused, as far as one of them has to be allowed."""
    found = list(_read_refusals(reason))
    # Several accounts are asked for the organization's policies, and one that may read them is enough.
    return [each for each in found if _reads_organization(each)] or found


def _reads_organization(refusal: _Refusal) -> bool:
    """Return whether only some accounts of an organization may make the call."""
    return refusal.action.startswith("organizations:") and refusal.action != "organizations:DescribeOrganization"


def _read_refusals(reason: str) -> Iterator[_Refusal]:
    calls = list(_FAILED.finditer(reason))
    for number, call in enumerate(calls):
        if not call["code"].startswith(_REFUSED):
            continue
        end = calls[number + 1].start() if number + 1 < len(calls) else len(reason)
        text = reason[call.end() : end]
        if call["role"]:
            yield _Refusal(call["action"], call["role"], call["target"], member=True)
            continue
        user, deny, limit = _USER.search(text), _DENY.search(text), _LIMIT.search(text)
        name = user["name"] if user else None
        if user and name and user["kind"] == "assumed-role":
            name = name.partition("/")[0]
        account = user["account"] if user else call["account"]
        yield _Refusal(call["action"], name, account, deny and deny[1], limit and limit[1])


def _grants(refused: Iterable[_Refusal]) -> list[str]:
    """Return the sentences that say what to grant, one for each role or policy."""
    known = list(dict.fromkeys(refused))
    steps = [
        f"Create role {each.role} in account {each.account} from {_TEMPLATE}, and let it trust the account of Pull "
        "Responder. If the two accounts are not of one organization, list it in `readAccounts`."
        for each in known
        if each.member
    ]
    if organization := [each.action for each in known if _reads_organization(each)]:
        steps.append(
            "Set `organizationAccount` to the organization's management account or a delegated administrator, and let "
            f"Pull Responder's role there call {_listed(organization)}."
        )
    actions: dict[_Refusal, list[str]] = {}
    for each in known:
        if not each.member and not _reads_organization(each):
            actions.setdefault(replace(each, action=""), []).append(each.action)
    return [*steps, *(_grant(each, _listed(called)) for each, called in actions.items())]


def _grant(refusal: _Refusal, actions: str) -> str:
    whom = f"role {refusal.role}" if refusal.role else "Pull Responder's role"
    where = f" in account {refusal.account}" if refusal.account else ""
    if refusal.denied_by:
        return f"Exempt {whom}{where} from the {refusal.denied_by} that denies {actions}."
    if refusal.limited_by:
        return f"Allow {actions} for {whom}{where} in the {refusal.limited_by}."
    return f"Grant {actions} to {whom}{where}."


def _listed(actions: Iterable[str]) -> str:
    *first, last = dict.fromkeys(actions)
    return f"{', '.join(first)} and {last}" if first else last


def _by_words(reason: str) -> str:
    for pattern, step in _STEPS:
        if found := pattern.search(reason):
            group = next((each for each in found.groups() if each), "").strip(" ,;")
            text = step.replace("{0}", group)
            return text[:1].upper() + text[1:]
    return ""


def _of_check(check: Check) -> str:
    if check.by_words:
        return _NODE
    if check.policy_type:
        return f"Compare the {check.policy_type} with the refused request, as CloudTrail shows it."
    if check.resource_type in _ON_THE_PATH or "endpoint" in check.id or "gateway" in check.id:
        return _CONNECT
    return f"Look at it by hand, as AWS describes: {check.docs_url}"

"""What a next step has to be: one sentence that names a concrete thing, for somebody on call."""

from __future__ import annotations

import re
from typing import Final

from pull_responder.next_steps import LONGEST

_VERBS: Final = frozenset(
    [
        "Allow",
        "Ask",
        "Build",
        "Call",
        "Compare",
        "Create",
        "Exclude",
        "Exempt",
        "Find",
        "Follow",
        "Grant",
        "Look",
        "Open",
        "Pull",
        "Push",
        "Renew",
        "Run",
        "See",
        "Set",
        "Take",
        "Update",
        "On",
        "From",
    ]
)
# A command or a setting, an IAM action, an id or ARN of AWS, a log, a console, or a named resource.
_CONCRETE: Final = re.compile(
    r"`[^`]{3,}`|\b[a-z0-9-]+:[A-Z]\w+|\b(?:[a-z]{2,6}-[0-9a-f]{8,17}|arn:aws\S+)|\bkubectl \w+|--image\b|"
    r"\b(?:CloudTrail|VPC|Route 53|ECR|EKS|IAM|Organizations) console|infra/member-role\.yaml|"
    r"\b(?:role|repository|endpoint|node group|policy|account|cluster|interface|address) [\w./:-]*[\w/]"
)
_PLACEHOLDER: Final = re.compile(r"[{}…]|\bNone\b|<[^>]*>|\b(?:HOST|IMAGE|REGION|ACCOUNT|NAME|TODO)\b")


def faults_of(step: str) -> list[str]:
    """What is wrong with a step, nothing where it is right."""
    outside = re.sub(r"`[^`]*`", "`x`", step)
    found = {
        "too long": len(step) > LONGEST,
        "no single sentence": bool(re.search(r"[.!?]\s+[A-Z]", outside)) or not step.endswith("."),
        "a placeholder": bool(_PLACEHOLDER.search(step)),
        "nothing concrete": not _CONCRETE.search(step),
        "not something to do": step.split(" ", 1)[0].rstrip(",") not in _VERBS,
        "not escaped": not step.isprintable(),
    }
    return [what for what, is_so in found.items() if is_so]

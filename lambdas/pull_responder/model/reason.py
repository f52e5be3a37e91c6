"""Why something is not known, and what to do about that: a text that carries its next steps as data.

A reason is made where something could not be read or decided. What is known there (the action, the account, the
resource) says what to look at or to grant, so the step is made there, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

AGAIN: Final = "Run `pull-responder diagnose` again in a few minutes."
IN_TERMINAL: Final = "Run `pull-responder diagnose` on the event in a terminal, which waits as long as --timeout says."
ASK: Final = "Run `pull-responder diagnose` with --image and --cluster, which say what the event does not."
RUNNING: Final = "Run `pull-responder diagnose` with --image, --cluster and --instance, for a node that runs."
OUR_ROLE: Final = "Pull Responder's role"
"""Who reads, where AWS's answer does not name them. The terminal has other words for it (cli/own_words.py)."""
SESSION: Final = "Ask whoever assumes the role for the session policy that they pass to `sts:AssumeRole`."
KUBELET_LOG: Final = "On the node, look at `journalctl -u kubelet -u containerd` at the time of the failure."
ENDPOINT_OF_REQUEST: Final = (
    "Look for `vpcEndpointId` in CloudTrail's record of the request, and read the policy of that endpoint."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that AWS refused: who has to be allowed to do what, where.

    - `role` and `account` say who made the call, as far as AWS's answer tells.
    - `denied_by` is the kind of policy that denies it.
    - `limited_by` is a kind of policy other than the role's own that does not allow it.
    - `member` says that it is the role itself that could not be assumed.
    """

    action: str
    role: str | None = None
    account: str | None = None
    denied_by: str | None = None
    limited_by: str | None = None
    member: bool = False


Step = str | Refusal
"""A sentence for people on call, or a refusal, from which the sentence is made: several can be granted at once."""


class Reason(str):
    """Why something is not known. `steps` are the next steps, the best one first."""

    __slots__ = ("steps",)
    steps: tuple[Step, ...]

    def __new__(cls, text: str, *steps: Step) -> Self:
        """Return the text with these steps. Steps that the text itself carries come after them."""
        self = super().__new__(cls, text)
        self.steps = tuple(dict.fromkeys((*steps, *steps_of(text))))
        return self


def steps_of(reason: str) -> tuple[Step, ...]:
    """Return the steps that a reason carries, none for plain text."""
    return reason.steps if isinstance(reason, Reason) else ()


def join_reasons(reasons: Iterable[str], between: str = "; ") -> Reason:
    """Return several reasons as one, each once, with all their steps."""
    each = list(dict.fromkeys(reasons))
    return Reason(between.join(each), *(step for reason in each for step in steps_of(reason)))


def reword(reason: str, text: str) -> Reason:
    """Return `text`, which quotes the reason, with the reason's steps."""
    return Reason(text, *steps_of(reason))

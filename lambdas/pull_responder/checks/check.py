"""What a check is: one cause, what it can explain, and how to find it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import Denial, PolicyType, PullFailure, Stage, Symptom
from pull_responder.pulls.actions import PULL_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.verdict import Severity, Verdict
    from pull_responder.pulls.pull_facts import PullFacts

AFTER_TOKEN: Final = frozenset({Stage.MANIFEST, Stage.LAYER, Stage.UNPACK, None})
"""Every stage but that of the token, and a message that tells no stage."""

UNREACHED: Final = frozenset({Symptom.TIMEOUT, Symptom.NAME_RESOLUTION_FAILED})
"""The pull never reached the registry. No policy explains that, but one may stop the next pull."""


class Kind(StrEnum):
    """What a cause is in Security Hub's terms."""

    CONFIGURATION = "configuration"  # something is configured wrong, and can be checked
    BEHAVIOR = "behavior"  # somebody did something, which may be right
    UNEXPLAINED = "unexplained"  # something fails, and nothing is known to be configured wrong


@dataclass(frozen=True, slots=True)
class Explains:
    """That a cause can be what a message of this symptom means.

    `rank` orders the causes of a symptom, the most likely first; leave gaps. `stages` are those that the message may
    tell (None stands for a message that tells none).
    """

    symptom: Symptom
    rank: int
    stages: frozenset[Stage | None] = frozenset({*Stage, None})


@dataclass(frozen=True, slots=True)
class Check:
    """One cause. Everything that is known of it stands here; lists, pages and permissions follow from it.

    What it is called and what it needs:

    - `id` names the fault, and is the name of its file.
    - `title` states the fault in a few words.
    - `severity` is that of its findings, `severity_if_repeated` that of one that recurs often or in many forms.
    - `kind` says what Security Hub is told that it is.
    - `resource_type` is the AWS Security Finding Format's word for what is broken.
    - `permissions` are the IAM actions that `examine` needs.
    - `examine` decides. It raises nothing for what AWS refuses to tell.

    Which failures it can explain:

    - `explains` says which messages it can be the meaning of. `also_at` are further symptoms at which it is examined:
      it cannot be what the message means, but it would stop the next pull.
    - `ecr_public` are the symptoms of pulls from ECR Public that it can explain. Most causes have none: no role, policy
      or endpoint has a part in these pulls.
    - `any_registry` says that it can explain a pull from a registry that is not ECR's.
    - `by_words` says that kubelet's words alone can establish it.
    - `registry_codes` are the error codes by which a registry says exactly this (OCI Distribution Specification, "Error
      Codes", in lower case with blanks).

    How AWS words a denial by it:

    - `policy_type` and `explicit` are the words' policy type and whether they say "explicit deny"; None fits any.
    - `denied_actions` are the actions that such a denial can be about.
    - `refused_by_ecr` is false where the cause keeps a pull from being refused by ECR: then no denial can be about it.
    - `refused_by_s3` says that Amazon S3's refusal of a layer means this cause.
    - `for_nodes` is true of the causes of principals that pull for EKS, false of those of others.

    What its finding's identity needs:

    - `by_role_account` says that the resource can be broken for one pulling account and in order for another.
    - `may_name_missing` says that the finding may name a resource that does not exist. A deleted resource then does not
      mean that the fault is fixed.
    """

    id: str
    title: str
    severity: Severity
    resource_type: str
    permissions: tuple[str, ...]
    docs_url: str
    examine: Callable[[PullFailure, PullFacts], Verdict]
    explains: tuple[Explains, ...]
    also_at: frozenset[Symptom] = frozenset()
    ecr_public: frozenset[Symptom] = frozenset()
    any_registry: bool = False
    by_words: bool = False
    registry_codes: frozenset[str] = frozenset()
    policy_type: PolicyType | None = None
    explicit: bool | None = None
    denied_actions: frozenset[str] = PULL_ACTIONS
    refused_by_ecr: bool = True
    refused_by_s3: bool = False
    for_nodes: bool = True
    by_role_account: bool = False
    may_name_missing: bool = False
    severity_if_repeated: Severity | None = None
    kind: Kind = Kind.CONFIGURATION
    symptoms: frozenset[Symptom] = field(init=False)
    """The symptoms at which it is examined."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "symptoms", self.also_at | {each.symptom for each in self.explains})

    @property
    def description(self) -> str:
        """The docstring of the cause's file, which is its documentation."""
        return inspect.cleandoc(sys.modules[self.examine.__module__].__doc__ or "")

    def fits(self, pull: PullFailure) -> bool:
        """Return whether this cause can be what AWS's words in the event are about; true where there are none."""
        return pull.denial is None or self.fits_denial(pull.denial, pull.blamed_policy_types)

    def fits_denial(self, denial: Denial, blamed: frozenset[PolicyType]) -> bool:
        """Return whether this cause can be what a denial is about; `blamed` are the policy types that it blames.

        Older messages name no policy. Then every cause fits, but an explicit deny is never a missing Allow.
        """
        if not self.refused_by_ecr or denial.action not in self.denied_actions:
            return False
        if denial.policy_type is None:
            return not (denial.explicit and self.explicit is False)
        return self.policy_type in (None, *blamed) and self.explicit in (None, denial.explicit)

"""What a check is: one cause, the failures it can explain, and the function that looks for it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import Answer, Denial, PolicyType, PullFailure, Stage, Symptom
from pull_responder.pulls.actions import PULL_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.verdict import Resource, Severity, Verdict
    from pull_responder.pulls.pull_facts import PullFacts

AFTER_TOKEN: Final = frozenset({Stage.MANIFEST, Stage.LAYER, Stage.UNPACK, None})
"""Every stage after the token, and a message without a stage."""

BEFORE_UNPACK: Final = frozenset({Stage.TOKEN, Stage.MANIFEST, Stage.LAYER, None})
"""Every stage that needs the registry, and a message that tells no stage."""

BEFORE_LAYERS: Final = frozenset({Stage.TOKEN, Stage.MANIFEST, None})
"""The stages before the layers, and a message that tells no stage."""

UNREACHED: Final = frozenset({Symptom.TIMEOUT, Symptom.NAME_RESOLUTION_FAILED})
"""The pull never reached the registry. No policy explains that, but one may stop the next pull."""


class Kind(StrEnum):
    """What Security Hub is told that a cause is."""

    CONFIGURATION = "configuration"  # a wrong configuration, which can be checked
    BEHAVIOR = "behavior"  # an action of somebody, which may be right
    UNEXPLAINED = "unexplained"  # a failure without a known fault in the configuration


@dataclass(frozen=True, slots=True)
class Explains:
    """One symptom that a cause can explain.

    - `rank` orders the causes of a symptom, the most likely first. Leave gaps between ranks.
    - `stages` are the stages at which the cause can fail a pull. None stands for a message without a stage.
    """

    symptom: Symptom
    rank: int
    stages: frozenset[Stage | None] = frozenset({*Stage, None})


@dataclass(frozen=True, slots=True)
class Check:
    """One cause and everything that is known of it. Lists, pages and permissions are made from it.

    Its name and its needs:

    - `id` names the fault and is the name of the file.
    - `title` states the fault in a few words. `short` does in fewer, for a line where the title does not fit.
    - `again` says what works again once the fault is gone, for people, without a full stop.
    - `severity` is the severity of its findings. `severity_if_repeated` is for a finding that recurs often or in many
      forms.
    - `kind` is what Security Hub is told that the cause is.
    - `resource_type` is the type of the broken resource, in the AWS Security Finding Format.
    - `permissions` are the IAM actions that `examine` needs.
    - `examine` takes the pull and the facts and returns the verdict. It never raises for what AWS refuses to show.
    - `of_responder` says that it is about Pull Responder itself: no pull fails by it, and the function `examine` alone
      opens and resolves its finding.
    - `tells_more_at_first` says that it reads only at the diagnosis all that its finding tells. A later look then keeps
      the finding's words.

    The failures it can explain:

    - `explains` are the symptoms that it can explain.
    - `also_at` are further symptoms at which it is examined. It cannot explain those, but it would stop the next pull.
    - `ecr_public` are the symptoms of pulls from ECR Public that it can concern: at others it is neither examined nor
      named for them. Most causes have none: these pulls need no role and no policy, and no VPC endpoint serves their
      images (Amazon ECR User Guide, "Considerations for Amazon ECR VPC endpoints").
    - `answers` are the answers that it can explain. Where a message shows one, all other checks are no explanation.
    - `any_registry` says that it can explain a pull from a registry outside ECR.
    - `by_words` says that kubelet's message alone can prove it.
    - `knows_aws_registries` says that it speaks of registries that AWS owns, though nobody can read those.
    - `registry_codes` are the registry's error codes that mean exactly this cause, in lower case with blanks. Source:
      OCI Distribution Specification, "Error Codes".

    How AWS words a denial by this cause:

    - `policy_type` is the policy type in AWS's message. None fits any.
    - `explicit` is whether the message says "explicit deny". None fits either.
    - `denied_actions` are the actions that AWS can deny for this cause.
    - `refused_by_ecr` is false where the pull fails before ECR can refuse it. No denial can be about this cause then.
    - `for_nodes` is true for principals that pull for EKS, and false for all others.
    - `for_cache_role` says that it decides about the role with which ECR fetches from an upstream registry.

    What the identity of its finding needs:

    - `by_role_account` says that the resource can be broken for one pulling account and work for another.
    - `ends_with_failures` says that the finding is over when the pull has not failed for a while: whoever misspelt a
      name corrects it in the pod, where it cannot be read.
    - `may_name_missing` says that the finding may name a resource that does not exist. Then the absence of the resource
      does not mean that the fault is fixed.
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
    answers: frozenset[Answer] = frozenset()
    any_registry: bool = False
    by_words: bool = False
    knows_aws_registries: bool = False
    registry_codes: frozenset[str] = frozenset()
    policy_type: PolicyType | None = None
    explicit: bool | None = None
    denied_actions: frozenset[str] = PULL_ACTIONS
    refused_by_ecr: bool = True
    for_nodes: bool = True
    for_cache_role: bool = False
    by_role_account: bool = False
    may_name_missing: bool = False
    ends_with_failures: bool = False
    tells_more_at_first: bool = False
    of_responder: bool = False
    severity_if_repeated: Severity | None = None
    short: str = ""
    again: str = "The image can be pulled again"
    kind: Kind = Kind.CONFIGURATION
    symptoms: frozenset[Symptom] = field(init=False)
    """The symptoms at which it is examined."""

    def __post_init__(self) -> None:
        where = f"checks/{self.id}.py"
        for name in ("explains", "permissions"):
            if not isinstance(getattr(self, name), tuple):
                raise TypeError(f"{where}: {name} is not a tuple: a comma is missing")
        object.__setattr__(self, "symptoms", self.also_at | {each.symptom for each in self.explains})
        if missing := self.ecr_public - self.symptoms:
            raise ValueError(
                f"{where}: ecr_public names {', '.join(missing)}, which neither explains nor also_at names"
            )

    @property
    def description(self) -> str:
        """The docstring of the check's file. It is also the cause's documentation page."""
        return inspect.cleandoc(sys.modules[self.examine.__module__].__doc__ or "")

    @property
    def is_of_way(self) -> bool:
        """Whether the cause is on the way to the registry. It is ruled out where something answered."""
        return any(each.symptom in UNREACHED for each in self.explains)

    def severity_for(self, resource: Resource) -> Severity:
        """Return the severity of a finding on `resource`: one step lower where a single node is broken."""
        return self.severity.step(-1) if resource.type == "AwsEc2Instance" else self.severity

    def is_examined(self, symptom: Symptom, *, from_ecr_public: bool) -> bool:
        """Return whether a pull that fails with `symptom` is examined for this cause."""
        return symptom in (self.ecr_public if from_ecr_public else self.symptoms)

    def is_past(self, symptom: Symptom, stage: Stage | None) -> bool:
        """Return whether a pull that fails with `symptom` at `stage` has got past all that this cause can stop."""
        stages = [each.stages for each in self.explains if each.symptom is symptom]
        return bool(stages) and not any(stage in each for each in stages)

    def explains_answer(self, answer: Answer, symptom: Symptom) -> bool:
        """Return whether this cause can explain a pull that fails with `symptom`, and whose message shows `answer`."""
        return answer in self.answers and symptom in self.symptoms

    def fits(self, pull: PullFailure) -> bool:
        """Return whether this cause can be what AWS's message blames. True where the event has no such message."""
        return pull.denial is None or self.fits_denial(pull.denial, pull.blamed_policy_types)

    def fits_denial(self, denial: Denial, blamed: frozenset[PolicyType]) -> bool:
        """Return whether this cause can explain a denial whose message blames the policy types `blamed`.

        Older messages name no policy type. Every cause fits these, except that a missing Allow never fits an explicit
        deny. What a node quotes proves no more than which action was refused. So every cause of that action fits.
        """
        if not self.refused_by_ecr or denial.action not in self.denied_actions:
            return False
        if denial.quoted and not blamed:
            return True
        if denial.policy_type is None:
            return not (denial.explicit and self.explicit is False)
        return self.policy_type in (None, *blamed) and self.explicit in (None, denial.explicit)

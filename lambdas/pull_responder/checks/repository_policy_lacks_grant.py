"""The repository's policy does not let the other account pull.

What it checks: where the role and the repository are in different accounts, whether the policy of the repository (or of
its registry) allows the role, or its account, both `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`.

What it cannot see: the policy of a repository in an account without the role PullResponderReadOnly. There, a repository
that does not exist looks the same.

Why that stops a pull: across accounts both sides must allow. Within one account the role's own policies are enough, so
this cause does not arise there.

What it cannot see: a repository in a registry that cannot be read. AWS refuses a name that does not exist there in the
same words.

How to fix it: add a statement to the repository's policy that allows both actions to the pulling account. This needs
credentials of the repository's account.

References: Amazon ECR User Guide, "Private repository policies"; IAM User Guide, "Cross-account policy evaluation
logic"; AWS re:Post, "How do I troubleshoot Amazon ECR issues with Amazon EKS?".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.authorization.statement import Effect
from pull_responder.checks.check import AFTER_TOKEN, BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.deciding_policies import deciding_policies
from pull_responder.pulls.policies import REPOSITORY_POLICY
from pull_responder.pulls.policy_fault import (
    PolicyFault,
    describe_missing_allows,
    find_fault,
    quote_denial,
    stopped_actions,
)
from pull_responder.pulls.policy_proof import prove
from pull_responder.remediation.ecr import ask_for_grant, grant_account
from pull_responder.remediation.isolation import exempt_unnamed

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_SAME_WORDS: Final = (
    " The registry cannot be read from here, and AWS refuses a repository that does not exist there in the same words: "
    "check the image's name and region, too."
)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the missing actions, passed, not applicable in one account, or inconclusive."""
    repository = Arn.parse(pull.repository_arn or "")
    if repository is None:
        return Verdict.not_applicable("the event names no repository")
    if pull.principal and pull.principal.account == repository.account:
        return Verdict.not_applicable("the role and the repository are in one account")
    fault = find_fault(pull, facts, PolicyKind.RESOURCE, (State.BLOCKS_IMPLICITLY,))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    what = (
        "the repository policy"
        if fault.authorization.names(PolicyKind.RESOURCE)
        else "a repository policy (it has none)"
    )
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), repository.account),
        explanation=(
            f"The policy of the repository {repository} does not allow account {role.account} to call "
            f"{', '.join(stopped_actions(fault, pull))}. Across accounts the repository's policy must allow the pull, "
            f"too.{_SAME_WORDS if fault.by_words else ''}"
        ),
        evidence=(*describe_missing_allows(fault, what), *quote_denial(pull)),
        remediation=prove(_fix(fault, repository), fault.authorization, PolicyKind.RESOURCE, *Effect),
        policies=deciding_policies(fault, PolicyKind.RESOURCE),
    )


def _fix(fault: PolicyFault, repository: Arn) -> Remediation:
    role = fault.authorization.role
    if fault.by_words:
        return ask_for_grant(repository, pulling_account=role.account)
    present = fault.authorization.documents.get(REPOSITORY_POLICY)
    document = dict(present.document) if present else None
    if document and (denying := fault.authorization.denies(PolicyKind.RESOURCE).get(REPOSITORY_POLICY)):
        # The other cause, repository_policy_denies_pull, is reported, too. Both fixes replace the policy, so each must
        # hold both changes. But a Deny that lets only named principals pass is deliberate: the proof of the fix says
        # that it is still in the way.
        document = exempt_unnamed(document, denying, str(role))
    return grant_account(repository, document=document, pulling_account=role.account)


CHECK = Check(
    id="repository_policy_lacks_grant",
    title="The repository policy does not let the other account pull",
    short="Repository policy lacks a grant",
    again="The repository policy lets the other account pull again",
    severity=Severity.MEDIUM,
    resource_type="AwsEcrRepository",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 20, AFTER_TOKEN),
        Explains(Symptom.NOT_AUTHENTICATED, 200),
        Explains(Symptom.UNKNOWN, 200, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.RESOURCE,
    explicit=False,
    by_role_account=True,
)

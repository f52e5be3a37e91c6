"""The key that encrypts the repository cannot be used.

What it checks: the state of the KMS key in the repository's encryption configuration. A key that is disabled, is
pending deletion, has no key material or does not exist is a fault.

What it cannot see: a key in an account without the role PullResponderReadOnly, the key's policy and its grants.

Why that stops a pull: ECR needs KMS to decrypt the data key of each manifest and layer. With an unusable key nobody can
pull from the repository.

How to fix it: enable the key, or cancel its deletion and enable it. What a deleted key has encrypted is lost.

References: Amazon ECR User Guide, "Encryption at rest"; AWS KMS Developer Guide, "Key states of AWS KMS keys".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import AFTER_TOKEN, BEFORE_UNPACK, Check, Explains
from pull_responder.facts import kms
from pull_responder.facts.images import REPOSITORY_PERMISSIONS
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Answer, PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.image import repository_of
from pull_responder.remediation import docs
from pull_responder.remediation.registry import replace_repository, restore_key

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

# Decrypt fails in these states (AWS KMS Developer Guide, "Key states of AWS KMS keys"). Creating and Updating are
# temporary.
_UNUSABLE: Final = ("Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion", "Unavailable")


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: PLR0911 -- each return is another answer
    """Return failed with the key's state, passed, not applicable without a KMS key, or inconclusive."""
    repository = repository_of(pull, facts)
    if isinstance(repository, Verdict):
        return repository
    found = facts.repository(repository.account, pull.region, pull.repository or "")
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    if found is None:
        return Verdict.not_applicable("there is no such repository")
    if found.key_arn is None:
        return Verdict.not_applicable("the repository is not encrypted with a key of KMS")
    named = Arn.parse(found.key_arn)
    # ECR stores the key's ARN, even for a repository created with an alias or an id.
    account, region = (named.account, named.region) if named else (repository.account, pull.region)
    key = facts.key(account, region, found.key_arn)
    if isinstance(key, Unread):
        return Verdict.inconclusive(key.reason)
    if key is not None and key.state not in _UNUSABLE:
        return Verdict.passed(f"The key {key.arn} that encrypts the repository is in state {key.state}.")
    state = "gone" if key is None else f"in state {key.state}"
    remediation = (
        replace_repository(repository, key=found.key_arn) if key is None else restore_key(key.arn, state=key.state)
    )
    return Verdict.failed(
        resource=Resource("AwsKmsKey", found.key_arn, account),
        explanation=(
            f"The KMS key {found.key_arn} that encrypts the repository {repository} is {state}, so ECR cannot "
            "decrypt its images."
        ),
        evidence=(
            f"The encryption configuration of {repository} names the key {found.key_arn}.",
            f"kms:DescribeKey: {'there is no such key' if key is None else f'KeyState is {key.state}'}.",
        ),
        remediation=remediation,
    )


CHECK = Check(
    id="repository_key_unusable",
    title="The key that encrypts the repository cannot be used",
    short="The KMS key is unusable",
    again="The key that encrypts the repository can be used again",
    severity=Severity.MEDIUM,
    resource_type="AwsKmsKey",
    permissions=(*REPOSITORY_PERMISSIONS, *kms.PERMISSIONS),
    docs_url=docs.KMS_KEY_STATES,
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 120, AFTER_TOKEN),
        Explains(Symptom.UNKNOWN, 310, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.NOT_AUTHENTICATED}),
    answers=frozenset({Answer.KEY}),
    may_name_missing=True,
    refused_by_ecr=False,
)

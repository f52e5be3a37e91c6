"""What a kubelet message can mean: the causes whose checks can explain it, the most likely first."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.registry_urls import is_of_ecr
from pull_responder.known_causes import known_causes
from pull_responder.model.pull import PolicyType, Symptom, registry_answered
from pull_responder.pulls.actions import FIRST_PULL_ACTIONS, MANIFEST, PULL_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.checks.check import Check
    from pull_responder.events.kubelet_message import KubeletMessage
    from pull_responder.model.pull import Denial


_AT_ENDPOINT: Final = (
    "endpoint_security_group_blocks_ingress",
    "vpc_endpoint_unavailable",
    "security_group_blocks_egress",
    "network_acl_blocks_traffic",
)
"""The causes on the way to an interface endpoint, which is the way to a private address."""


def can_mean(message: KubeletMessage) -> tuple[str, ...]:
    """Return the ids of the causes that can explain `message`, the most likely first. Empty where none can."""
    image = message.image
    if not message.tells_of_pull or (message.symptom is Symptom.UNKNOWN and image and image.problem):
        return ()
    causes = _causes_of(message)
    if image is not None and image.kind is RegistryKind.ECR_PUBLIC:
        examined = [check for check in _checks() if check.is_examined(message.symptom, from_ecr_public=True)]
        said = [check for check in examined if check.by_words and check not in causes]
        causes = [*(check for check in causes if check in examined), *said]
    # A refused ECR action is about a private registry, whatever the image's host looks like.
    of_ecr = message.denial is not None and message.denial.action.startswith("ecr:")
    elsewhere = image is not None and image.kind is RegistryKind.OTHER
    if (elsewhere and not of_ecr) or _failed_at_another_host(message):
        causes = [check for check in causes if check.any_registry]
    if message.symptom is Symptom.TIMEOUT and _is_of_endpoint(message):
        causes = sorted(causes, key=_place_at_endpoint)
    return tuple(check.id for check in causes)


def _checks() -> tuple[Check, ...]:
    return tuple(each.check for each in known_causes())


def _is_of_endpoint(message: KubeletMessage) -> bool:
    """Whether a private address was dialled for a host of ECR, as where its name leads to an interface endpoint."""
    written, host = message.sighting.address, message.sighting.host
    if not written or (host and not is_of_ecr(host)):
        return False
    address = ip_address(written)
    return address.is_private and not address.is_loopback and not address.is_link_local


def _place_at_endpoint(check: Check) -> int:
    """Return the place of a cause where the way leads to an endpoint, the most likely first."""
    return _AT_ENDPOINT.index(check.id) if check.id in _AT_ENDPOINT else len(_AT_ENDPOINT)


def _failed_at_another_host(message: KubeletMessage) -> bool:
    """Whether a host that is none of ECR was not reached, such as the storage of a cache rule's upstream registry."""
    host = message.sighting.host
    return bool(host) and registry_answered(message.symptom) is False and not is_of_ecr(host)


def _causes_of(message: KubeletMessage) -> list[Check]:
    if message.answer is not None:
        return [check for check in _checks() if check.explains_answer(message.answer, message.symptom)]
    if message.symptom is Symptom.UNKNOWN:
        return _rank(_checks(), message)
    if coded := [check for check in _checks() if message.error_code in check.registry_codes]:
        return _rank(coded, message)
    if message.denial:
        return _causes_of_denial(message.denial, message)
    return _rank(_checks(), message)


def _causes_of_denial(denial: Denial, message: KubeletMessage) -> list[Check]:
    """Return the causes that AWS's message leaves possible. Those of the policy that it names come first."""
    if denial.action not in PULL_ACTIONS | FIRST_PULL_ACTIONS:
        # No pull needs this action, but the policy that refuses it can refuse those that a pull needs.
        denial = replace(denial, action=MANIFEST)
    if denial.policy_type is None:
        explaining = [check for check in _rank(_checks(), message) if check.fits_denial(denial, frozenset())]
        return explaining or [check for check in _checks() if check.explains and check.fits_denial(denial, frozenset())]
    blamed = {denial.policy_type}
    if denial.policy_type is PolicyType.RESOURCE and not denial.explicit:
        # Within one account either policy may allow, and a message does not say who owns the repository.
        blamed.add(PolicyType.IDENTITY)
    fitting = [check for check in _checks() if check.explains and check.fits_denial(denial, frozenset(blamed))]
    return sorted(fitting, key=lambda check: check.policy_type is not denial.policy_type)


def _rank(checks: Iterable[Check], message: KubeletMessage) -> list[Check]:
    """Return the checks that explain the message's symptom at its stage, the most likely first."""
    ranks = [
        (each.rank, number, check)
        for number, check in enumerate(checks)
        for each in check.explains
        if each.symptom is message.symptom and message.stage in each.stages
    ]
    return [check for _, _, check in sorted(ranks, key=lambda each: each[:2])]

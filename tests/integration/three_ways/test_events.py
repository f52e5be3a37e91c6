"""Failures that are more than a message: a missing repository, an image volume, ECR Public, statuses of pods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.events.audit_log import Dropped
from pull_responder.handlers import audit_log
from tests.integration.handlers.test_audit_log import CONTEXT, received
from tests.integration.handlers.test_diagnose import ACCOUNT
from tests.integration.handlers.test_signals import REGISTRY
from tests.integration.three_ways.room import OF_AWS, STRANGER, Room, image_of
from tests.integration.three_ways.ways import UNEXPLAINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.three_ways.ways import Ways

NO_GRANT = " because no resource-based policy allows the ecr:BatchGetImage action"
OF_PUBLIC = "public.ecr.aws/docker/library/nginx:1"


def missing(room: Room, account: str, *, status: str = "403 Forbidden") -> dict[str, Any]:
    """kubelet's event of a pull from a repository that does not exist."""
    host, name = REGISTRY.replace(ACCOUNT, account), f"gone/{uuid4().hex[:8]}"
    image = image_of(name, registry=host)
    message = (
        f'Failed to pull image "{image}": failed to resolve reference "{image}": unexpected status from HEAD request '
        f"to https://{host}/v2/{name}/manifests/v1: {status}"
    )
    return room.event(message, image)


def of_volume(room: Room) -> tuple[str, str]:
    """The image of a volume that has no such tag, and kubelet's words about it."""
    image = image_of(room.repository()).replace(":v1", ":v9")
    resolve = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    return image, f'Back-off pulling image "{image}": ErrImagePull: {resolve}'


def volume_event(room: Room) -> dict[str, Any]:
    image, message = of_volume(room)
    return room.event(message, image, reason="BackOff")


def volume_status(room: Room) -> dict[str, Any]:
    """The container's own image is fine: the message's is diagnosed."""
    return room.audited(of_volume(room)[1], image_of(room.repository()), reason="ImagePullBackOff")


def stale(image: str = OF_PUBLIC) -> str:
    return (
        f'Failed to pull image "{image}": failed to resolve reference "{image}": unexpected status from HEAD request '
        "to https://public.ecr.aws/v2/docker/library/nginx/manifests/1: 403 Forbidden"
    )


@pytest.mark.parametrize(
    ("make", "causes", "undecided", "why"),
    [
        (lambda room: missing(room, ACCOUNT), {"repository_not_found"}, "", ""),
        (lambda room: room.refused(f"gone/{uuid4().hex[:8]}", NO_GRANT), {"repository_not_found"}, "", ""),
        (lambda room: room.refused(f"gone/{uuid4().hex[:8]}", ""), set(), "repository_not_found", "may have cut"),
        (lambda room: missing(room, ACCOUNT, status="404 Not Found"), {"repository_not_found"}, "", ""),
        (lambda room: missing(room, STRANGER), set(), "repository_policy_lacks_grant", "sts:AssumeRole"),
        (lambda room: missing(room, room.member), {"repository_not_found"}, "", ""),
        (
            lambda room: room.refused(f"gone/{uuid4().hex[:8]}", NO_GRANT, account=room.member),
            {"repository_not_found"},
            "",
            "",
        ),
        (lambda room: missing(room, OF_AWS), set(), "repository_not_found", "its tag or the region is what is left"),
        (
            lambda room: room.refused(f"gone/{uuid4().hex[:8]}", NO_GRANT, account=STRANGER),
            {"repository_policy_lacks_grant"},
            "",
            "",
        ),
        (
            lambda room: room.refused("eks/coredmz", NO_GRANT, account=OF_AWS),
            set(),
            "repository_not_found",
            "its tag or the region is what is left",
        ),
        (volume_event, {"image_not_found"}, "", ""),
        (volume_status, {"image_not_found"}, "", ""),
        (lambda room: room.event(stale(), OF_PUBLIC), {"registry_token_expired"}, "", ""),
        (lambda room: room.audited(stale(), OF_PUBLIC), {"registry_token_expired"}, "", ""),
        (lambda room: room.audited(None, image_of(room.repository())), set(), UNEXPLAINED, "journalctl"),
        (
            lambda room: room.audited(None, image_of(room.repository()), reason="SignatureValidationFailed"),
            set(),
            UNEXPLAINED,
            "journalctl",
        ),
    ],
    ids=[
        "missing in our account", "refused by our account, where it is missing",
        "refused without a reason, where it is missing", "missing in our account, 404",
        "missing in an account that cannot be read",
        "missing in an account that can be read", "refused by an account that can be read",
        "missing in a registry of AWS", "refused by an account that cannot be read", "refused by a registry of AWS",
        "image volume, event", "image volume, audit record", "ECR Public, event", "ECR Public, audit record",
        "a status without a message", "a signature's status without a message",
    ],
)  # fmt: skip
def test_the_terminal_and_the_functions_agree(  # noqa: PLR0913, PLR0917 -- one argument a column, and the room
    make: Callable[[Room], dict[str, Any]], causes: set[str], undecided: str, why: str, ways: Ways, room: Room
) -> None:
    document = make(room)
    answer, _ = ways.terminal(document)
    assert answer.causes == causes
    if undecided:
        assert why in answer.undecided[undecided]
    deployed, notified = ways.deployed(document)
    assert deployed == answer
    if not causes:
        assert [each["cause"] for each in notified] == [UNEXPLAINED]


def test_a_grant_that_is_missing_may_be_a_wrong_name(ways: Ways, room: Room) -> None:
    document = room.refused(f"gone/{uuid4().hex[:8]}", NO_GRANT, account=STRANGER)
    _, (finding,) = ways.deployed(document)
    assert "does not exist there in the same words" in finding["explanation"] + finding["remediation"]["summary"]


@pytest.mark.parametrize("reason", ["ErrImageNeverPull", "ImageInspectError"])
def test_a_status_about_no_pull_is_skipped_by_terminal_and_functions(reason: str, ways: Ways, room: Room) -> None:
    document = room.audited(None, image_of(room.repository()), reason=reason)
    ended = ways.run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(document).encode())
    (one,) = ended.objects
    assert (ended.status, one["findings"], one["skipped"]) == (0, [], f"1 in the batch: {Dropped.UNASKED}")
    audit_log.handler(document, CONTEXT)
    assert received(ways.aws, ways.queue) == []

"""A reader for answers of AWS that the emulated AWS never gives."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pull_responder.doctor.deployment import Deployment
from pull_responder.facts.aws import describe_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pull_responder.doctor.examination import Examination
    from pull_responder.doctor.resource import Resource
    from pull_responder.doctor.result import Result
    from pull_responder.facts.reader import Reader

ACCOUNT, REGION = "111122223333", "eu-west-1"


class _Client:
    """A client whose operations answer with what was given for them."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**asked: Any) -> Any:  # noqa: ANN401 -- any answer
            given = self._answers[operation]
            found = given(**asked) if callable(given) else given
            if isinstance(found, Exception):
                raise found
            return found

        return answer


class Answers:
    """Reads as `Reader` does, from given answers by operation, such as describe_trails."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401 -- any answer
        self._answers = answers
        self.aws = SimpleNamespace(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def each(self, read: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        return [read(each) for each in arguments]

    def call(self, permission: str, *, request: Callable[[Any], Any], absent: Iterable[str] = (), **_: object) -> Any:  # noqa: ANN401 -- any answer
        try:
            return request(_Client(self._answers))
        except ClientError as error:
            if error.response["Error"]["Code"] in absent:
                return None
            return describe_failure(permission, error)


def examine(check: Examination, *resources: Resource, status: str = "CREATE_COMPLETE", **answers: Any) -> list[Result]:  # noqa: ANN401 -- any answer
    """Return what a check finds of a deployment with these resources, from these answers."""
    return list(check.examine(deployment(*resources, status=status), cast("Reader", Answers(**answers))))


def deployment(*resources: Resource, status: str = "CREATE_COMPLETE", **outputs: str) -> Deployment:
    return Deployment(
        stack="PullResponder",
        status=status,
        partition="aws",
        account=ACCOUNT,
        region=REGION,
        resources={each.logical_id: each for each in resources},
        outputs=outputs,
    )

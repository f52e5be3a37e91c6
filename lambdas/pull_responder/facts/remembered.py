"""What all kinds of facts share: each fact is read when it is first needed, and then kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from datetime import datetime

    from pull_responder.facts.reader import Reader
    from pull_responder.model.arn import Arn
    from pull_responder.model.unread import Unread

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
F = TypeVar("F", bound="Remembered")


def once(read: Callable[Concatenate[F, P], T]) -> Callable[Concatenate[F, P], T]:
    """Read a fact when it is first needed with these arguments, and keep it. The first argument is the account."""

    def remembered(self: F, /, *args: P.args, **kwargs: P.kwargs) -> T:
        account, *rest = args
        alias = (read.__name__, self._reader.also_known_as(cast("str | None", account)), *rest)
        return self._reader.once((read.__name__, *args), lambda: read(self, *args, **kwargs), alias=alias)

    remembered.__doc__ = read.__doc__
    return remembered


class Remembered:
    """Facts that one `Reader` reads and keeps."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read_ahead(self, reads: Sequence[Callable[[], object]]) -> None:
        """Read several facts in parallel. Later requests for each of them wait for no further call."""
        self._reader.each(lambda read: read(), reads)

    def start(self, reads: Sequence[Callable[[], object]]) -> None:
        """Start to read facts that are known to be needed, without waiting for them."""
        self._reader.start(reads)

    def side_by_side(self, read: Callable[[A], T], arguments: Sequence[A]) -> list[T]:
        """Return the result of `read` for each of the arguments, in order. The reads run in parallel."""
        return self._reader.each(read, arguments)

    def seconds_left(self) -> float | None:
        """Return the seconds left for reading, None without a limit."""
        remaining = self._reader.remaining()
        return None if remaining == float("inf") else max(remaining, 0.0)

    def now(self) -> datetime:
        """Return the time."""
        return self._reader.aws.now()

    def identity(self) -> Arn | Unread:
        """Return our own ARN."""
        return self._reader.aws.identity()

    def is_own_session(self, account: str, region: str, name: str, session: str | None, /) -> bool:
        """Return whether a session of the role `name` is one in which we read, in our account or elsewhere."""
        key = ("own session", account, name, session)
        return self._reader.once(key, lambda: self._reader.aws.is_own_session(account, name, session, region=region))

    def belongs_to_aws(self, registry: str | None, /) -> bool:
        """Return whether a registry is AWS's own. Customers can pull from it, and can read nothing else of it."""
        return registry in self._reader.aws.aws_registries

    @property
    def region(self) -> str | None:
        """Our own region, None where the SDK's configuration names none."""
        return self._reader.aws.region

    @property
    def is_later_look(self) -> bool:
        """Whether a known finding is looked at again. What a diagnosis found out beside it needs no read then."""
        return self._reader.is_later_look

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return the result of `work`. It runs only the first time that `key` is used."""
        return self._reader.once(key, work)

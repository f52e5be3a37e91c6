"""What every kind of fact has in common: it is read when first asked for, and then kept."""

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
    """Read a fact the first time it is asked for with these arguments, and remember it. The first is the account."""

    def remembered(self: F, /, *args: P.args, **kwargs: P.kwargs) -> T:
        account, *rest = args
        alias = (read.__name__, self._reader.also_known_as(cast("str | None", account)), *rest)
        return self._reader.once((read.__name__, *args), lambda: read(self, *args, **kwargs), alias=alias)

    remembered.__doc__ = read.__doc__
    return remembered


class Remembered:
    """Facts by one `Reader`, which remembers them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read_ahead(self, reads: Sequence[Callable[[], object]]) -> None:
        """Ask for several facts side by side, so that asking for each of them afterwards costs no round of its own."""
        self._reader.each(lambda read: read(), reads)

    def start(self, reads: Sequence[Callable[[], object]]) -> None:
        """Begin to read facts that are known to be needed, without waiting for them."""
        self._reader.start(reads)

    def side_by_side(self, read: Callable[[A], T], arguments: Sequence[A]) -> list[T]:
        """Return what `read` gives for each of the arguments, in order, reading in parallel."""
        return self._reader.each(read, arguments)

    @property
    def out_of_time(self) -> bool:
        """Whether something was not read for want of time."""
        return self._reader.out_of_time

    def seconds_left(self) -> float | None:
        """Return how long reading may go on, None without end."""
        remaining = self._reader.remaining()
        return None if remaining == float("inf") else max(remaining, 0.0)

    def now(self) -> datetime:
        """Return what time it is."""
        return self._reader.aws.now()

    def identity(self) -> Arn | Unread:
        """Return who we are."""
        return self._reader.aws.identity()

    def belongs_to_aws(self, registry: str | None, /) -> bool:
        """Return whether a registry is AWS's own: customers can pull from it and read nothing else of it."""
        return registry in self._reader.aws.aws_registries

    @property
    def region(self) -> str | None:
        """Our own region, None where the SDK's configuration names none."""
        return self._reader.aws.region

    def known_regions(self) -> tuple[str, ...]:
        """Return the regions that the SDK knows."""
        return tuple(self._reader.aws.known_regions())

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return what `work` gives, doing it only the first time that `key` is asked for."""
        return self._reader.once(key, work)

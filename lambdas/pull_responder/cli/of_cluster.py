"""What is asked of AWS about the pods of a cluster: where, with whose credentials, and what then answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.cli.kubectl.answers import answers_to_seen, answers_without_pulls
from pull_responder.cli.kubectl.asked import ask_kubectl
from pull_responder.cli.kubectl.place import Place, region_of, region_of_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.cli.answered import Answer
    from pull_responder.cli.kubectl.asked import Wanted
    from pull_responder.cli.kubectl.seen import Seen
    from pull_responder.facts.aws import Aws
    from pull_responder.settings import Settings


@dataclass(frozen=True, slots=True)
class OfCluster:
    """A question about the pods of a cluster.

    - `region` is the one that the cluster tells: it comes before any that is configured. None where it tells none.
    - `otherwise` is the region to ask where none is told and none is configured: that of the images.
    - `profile` is that of kubectl's sign-in, for where nobody has chosen credentials. None for what was read elsewhere.
    """

    seen: Seen
    place: Place
    region: str | None
    otherwise: str | None
    profile: str | None = None

    @property
    def needs_aws(self) -> bool:
        """Whether there is anything to ask AWS: a pod that runs needs no credentials."""
        return bool(self.seen.pulls)

    def answers(self, aws: Aws, settings: Settings) -> Iterator[Answer]:
        """Answer the question."""
        return answers_to_seen(self.seen, self.place, aws, settings)

    def without_aws(self) -> Iterator[Answer]:
        """Answer a question that needs no AWS."""
        return answers_without_pulls(self.seen)


def of_seen(seen: Seen, place: Place, profile: str | None = None) -> OfCluster:
    """Return the question about what was read. `place` is the cluster, as far as options and a context tell it."""
    if any(os.environ.get(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID")):
        profile = None
    return OfCluster(seen, place, place.region or region_of(seen), region_of_images(seen), profile)


def of_kubectl(wanted: Wanted, place: Place) -> OfCluster:
    """Ask kubectl, and return the question about what it says. Raises click.ClickException with one line."""
    seen, context = ask_kubectl(wanted, needs_cluster=place.cluster is None)
    return of_seen(seen, place.completed_by(context.place), context.profile)

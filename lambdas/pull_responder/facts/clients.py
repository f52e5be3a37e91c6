"""The SDK's clients, kept for the next read. Each takes memory and time to make, and an event can name any region."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

from pull_responder.facts.answers import check_answer
from pull_responder.facts.tls import share_tls

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    from botocore.config import Config

# One client is about half a megabyte. A diagnosis uses about ten, and as many again in each further account or region.
_MOST_CLIENTS: Final = 160


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials that STS gave out for a role."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)


class Clients:
    """The clients of all sessions and keys, at most `most`: the one that was not used for the longest time goes first.

    `config_of` has the configuration of services that need another one than `config`.
    Safe to use from several threads. Who still has a client that went can use it on.
    """

    def __init__(
        self, config: Config, *, config_of: Mapping[str, Config] | None = None, most: int = _MOST_CLIENTS
    ) -> None:
        self._config = config
        self._config_of = config_of or {}
        self._most = most
        self._kept: OrderedDict[tuple[boto3.session.Session, str, str, Keys | None], Any] = OrderedDict()
        # Making clients is not safe in several threads; using them is.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def get(
        self, session: boto3.session.Session, service: str, region: str, keys: Keys | None = None
    ) -> Any | BotoCoreError | ValueError:  # noqa: ANN401 -- one of boto3's generated clients
        """Return the client of `service` in `region`, or why the SDK can make none: no region, a malformed endpoint.

        Its credentials are `keys`, or those of the session.
        """
        key = (session, service, region, keys)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            config = self._config_of.get(service, self._config)
            try:
                client: Any = session.client(  # type: ignore[call-overload]  # the stubs know services by literal name only
                    service,
                    region_name=region,
                    config=config,
                    aws_access_key_id=keys and keys.access_key,
                    aws_secret_access_key=keys and keys.secret_key,
                    aws_session_token=keys and keys.token,
                )
            except (BotoCoreError, ValueError) as error:
                return error
            client.meta.events.register("after-call", check_answer)
            share_tls(client)
            self._kept[key] = client
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return client

"""Sessions and clients: this account directly, other accounts through the member role."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.events.eks_registries import AWS_REGISTRIES
from pull_responder.facts.answers import ask
from pull_responder.facts.clients import Clients, Keys
from pull_responder.facts.failed_call import out_of_time, step_after
from pull_responder.facts.failures import Failures
from pull_responder.facts.kept import Kept
from pull_responder.model.arn import Arn, partition_of
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_sts import STSClient

    from pull_responder.facts.patience import Patience

T = TypeVar("T")

# A read that hangs must not use up the diagnosis: two tries of a quick call fit into any function's time.
_CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    user_agent_extra="pull-responder",
)
# Who we are and whose role we have is needed before anything else, so a hanging STS may take even less.
_STS_CONFIG: Final = _CONFIG.merge(Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2}))
# A repeated Publish is another message. So the SDK does not repeat it after an answer that was lost.
# CloudTrail allows two look-ups a second. Who changed something is not worth a retry: people wait for the alert.
_CONFIG_OF: Final = {
    "cloudtrail": _CONFIG.merge(Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1})),
    "sns": _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1})),
}
AWS_ERRORS: Final = (BotoCoreError, ClientError)
"""What clients raise when AWS refuses a call, or cannot be reached."""

# By partition, a region that nobody can disable (AWS Account Management Reference Guide, "Enable or disable AWS
# Regions in your account").
_ALWAYS_ENABLED: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_SESSION_NAME: Final = "pull-responder"
_RENEW_BEFORE: Final = timedelta(minutes=5)
_REASON_LENGTH: Final = 400
# Keys take little room. Of an account that was not asked about for long, the role is assumed again, by one call.
_MOST_MEMBERS: Final = 1000
# Events can name any account.
_MOST_LOCKS: Final = 1000


def describe_failure(call: str, error: BotoCoreError | ClientError | ValueError) -> Unread:
    """Say in one bounded line that `call` (an IAM action such as iam:GetRole) failed with `error`."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        text = f"{details.get('Code', 'error')}: {details.get('Message', '')}"
    else:
        text = f"{type(error).__name__}: {error}"
    if out_of_time(error):
        text = str(error)
    line = " ".join(f"{call} failed: {text}".split())
    cut = line if len(line) <= _REASON_LENGTH else line[: _REASON_LENGTH - 1] + "…"
    return Unread(Reason(cut, step_after(call, error)))


@dataclass(frozen=True, slots=True)
class _Member:
    """Whose credentials are used: those of the keys, or without keys our own.

    All clients are made by one session. One of their own would load the SDK's models of each service anew: some thirty
    megabytes an account, and most of the time that it takes to make the clients
    (docs/adr/0169-one-session-for-all-accounts.md).
    """

    keys: Keys | None
    expires_at: datetime


class Aws:
    """AWS clients by service, account and region.

    - `session` is the session of this account.
    - `member_role` is the name of the role to assume in every other account. Its trust and permissions come from
      infra's member template.
    - `identity` is any ARN of our own, where it is known without a call.
    - `organization_account` is the account that the operator names as able to read the organization.
    - `aws_registries` are registries that the operator names as AWS's own, beside the known ones.
    - `read_accounts` are accounts outside the organization that the operator names as ours.
    - `assume_proves_membership` says that our credentials may assume the member role in our organization and in
      `read_accounts` only, as those of the deployed functions. A terminal's may assume it wherever its owner lets them.
    - `now` returns the time.
    - `patience` is how long a terminal waits for answers; None where somebody else sees to the time.
    - `identity_error` is how the last try to learn our identity failed.

    Safe to use from several threads, and across invocations: assumed credentials are renewed in time.
    """

    def __init__(  # noqa: PLR0913 -- each is one keyword
        self,
        session: boto3.session.Session,
        *,
        member_role: str,
        identity: Arn | None = None,
        organization_account: str | None = None,
        aws_registries: Iterable[str] = (),
        read_accounts: Iterable[str] = (),
        assume_proves_membership: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: Patience | None = None,
    ) -> None:
        self._session = session
        self.patience = patience
        self.organization_account = organization_account
        self.aws_registries = AWS_REGISTRIES.union(aws_registries)
        self.read_accounts = frozenset(read_accounts)
        self.assume_proves_membership = assume_proves_membership
        self.member_role = member_role
        self._identity = identity
        self._caller: Arn | None = None
        self.identity_error: Exception | None = None
        self.now = now
        self._own = _Member(None, datetime.max.replace(tzinfo=UTC))
        self._members: Kept[_Member] = Kept(_MOST_MEMBERS)
        self._clients = Clients(_CONFIG, config_of=_CONFIG_OF)
        self._sts_clients = Clients(_STS_CONFIG)
        self._failures = Failures(now)
        self._asking: Kept[threading.Lock] = Kept(_MOST_LOCKS)

    @classmethod
    def connect(  # noqa: PLR0913 -- each is one keyword
        cls,
        *,
        member_role: str,
        identity: Arn | None = None,
        organization_account: str | None = None,
        aws_registries: Iterable[str] = (),
        read_accounts: Iterable[str] = (),
        assume_proves_membership: bool = False,
        region: str | None = None,
        profile: str | None = None,
        patience: Patience | None = None,
    ) -> Self:
        """Return AWS with the SDK's usual configuration (profile, region, endpoints). Raises BotoCoreError.

        `region` and `profile` come before those of the configuration.
        """
        # Unlike the other SDKs, boto3 ignores AWS_REGION.
        session = boto3.session.Session(
            region_name=region or os.environ.get("AWS_REGION") or None, profile_name=profile or None
        )
        return cls(
            session,
            member_role=member_role,
            identity=identity,
            organization_account=organization_account,
            aws_registries=aws_registries,
            read_accounts=read_accounts,
            assume_proves_membership=assume_proves_membership,
            patience=patience,
        )

    def with_settings(
        self,
        identity: Arn,
        *,
        member_role: str,
        organization_account: str | None,
        aws_registries: Iterable[str],
        read_accounts: Iterable[str],
    ) -> Self:
        """Return AWS with the same credentials and patience, and with other settings."""
        return type(self)(
            self._session,
            member_role=member_role,
            identity=identity,
            organization_account=organization_account,
            aws_registries=aws_registries,
            read_accounts=read_accounts,
            patience=self.patience,
        )

    @property
    def profile(self) -> str:
        """The profile of the SDK's configuration that is used."""
        return self._session.profile_name

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles of the SDK's configuration."""
        return tuple(self._session.available_profiles)

    def find_credentials(self) -> str | None:
        """Get our own credentials, and return in which way the SDK found them, None if there are none.

        Every call waits for them, and the SDK looks for them anew for each client while there are none. Raises what the
        SDK raises, which may be an error of a credential process, of a file, or of a prompt for an MFA code.
        """
        found = self._session.get_credentials()
        if found is None:
            return None
        found.get_frozen_credentials()
        return str(found.method)

    @property
    def region(self) -> str | None:
        """Our own region, None where the SDK's configuration names none."""
        return self._session.region_name

    @cached_property
    def known_regions(self) -> tuple[str, ...]:
        """The regions that the SDK knows, of every partition. Newer ones may exist."""
        partitions = self._session.get_available_partitions()
        return tuple(r for name in partitions for r in self._session.get_available_regions("ecr", partition_name=name))

    def _knows(self, region: str) -> bool:
        return region in (self.region, "") or region in self.known_regions

    def offers(self, service: str, region: str) -> bool:
        """Return whether the SDK knows `service` (boto3's name) in `region`. Newer regions may have it too."""
        return region in self._session.get_available_regions(service, partition_name=partition_of(region))

    def identity(self, region: str | None = None) -> Arn | Unread:
        """Return our own ARN (sts:GetCallerIdentity, which needs no permission), or why it is not known.

        `region` is where to call if the SDK's configuration names no region.
        """
        with self._lock("identity"):
            if self._identity is None:
                read = self._read_identity(region)
                if isinstance(read, Unread):
                    return read
                self._identity = read
            return self._identity

    def is_own_session(self, account: str, name: str, session: str | None, *, region: str) -> bool:
        """Return whether a session of the role `name` is ours: of the role of our own credentials, or of a member role.

        A member role's session is ours only in an account where we may assume that role, and under the name that we
        give to sessions. In our own account we assume none.
        """
        own = self.identity(region)
        if isinstance(own, Unread):
            return False
        if account == own.account:
            return name == self._own_role(own, region)
        named_so = name == self.member_role and session == _SESSION_NAME
        return named_so and self.reach(account, region=region) is None

    def _own_role(self, own: Arn, region: str) -> str | None:
        """Return the name of the role of our own credentials. None if they are no role's, or AWS does not say."""
        with self._lock("own role"):
            if self._caller is None:
                # A function knows itself by its own ARN, which does not name its role.
                read = own if own.service in ("iam", "sts") else self._read_identity(region)
                if isinstance(read, Unread):
                    return None
                self._caller = read
        kind, *names = self._caller.resource.split("/")
        return names[0] if kind == "assumed-role" else None

    def role_name(self, region: str) -> str | None:
        """Return the name of the role of our own credentials. None if they are no role's, or AWS does not say."""
        own = self.identity(region)
        return None if isinstance(own, Unread) else self._own_role(own, region)

    @property
    def knows_identity(self) -> bool:
        """Whether `identity` answers without a call."""
        return self._identity is not None

    def reach(self, account: str | None, *, region: str) -> Unread | None:
        """Return why there are no credentials for `account`, None if there are some."""
        member = self._member(account, region)
        return member if isinstance(member, Unread) else None

    def ask(self, service: str, region: str, request: Callable[[], T]) -> T:
        """Return the result of `request`, a call of `service` in `region`; see `answers.ask` and `Patience.ask`."""
        if self.patience is None:
            return ask(request)
        return self.patience.ask(service, region, lambda: ask(request))

    def take_calls(self) -> tuple[int, int]:
        """Return how many calls were made since this was asked last, and how many of them were throttled."""
        calls, throttled = zip(self._clients.take_calls(), self._sts_clients.take_calls(), strict=True)
        return sum(calls), sum(throttled)

    def client(self, service: str, *, account: str | None, region: str, role: str | None = None) -> Any | Unread:  # noqa: ANN401 -- one of boto3's generated clients
        """Return a client of `service` for `account` (None means our own), or why there is none.

        `role` is the name of the role to assume there, if not the member role.
        """
        if not self._knows(region):
            reason = f"{service} in {region[:40]!r}: the AWS SDK knows no such region"
            step = "Look for a misspelt region in the image's name (`aws account list-regions`)."
            return Unread(Reason(reason, step))
        member = self._member(account, region, role)
        if isinstance(member, Unread):
            return member
        client = self._clients.get(self._session, service, region, member.keys)
        if isinstance(client, BotoCoreError | ValueError):
            return describe_failure(f"{service} in {region}", client)
        return client

    def _lock(self, asked: str) -> threading.Lock:
        """Return the lock of one question. If so many are asked that it went, somebody may ask the same once more."""
        return self._asking.get_or_make(asked, threading.Lock)

    def _member(self, account: str | None, region: str, role: str | None = None) -> _Member | Unread:
        if account is None:
            return self._own
        identity = self.identity(region)
        if isinstance(identity, Unread):
            return identity
        if account == identity.account:
            return self._own
        name = role or self.member_role
        key = account if name == self.member_role else f"{account} {name}"
        with self._lock(key):
            member = self._members.get(key)
            if member is None or member.expires_at - self.now() < _RENEW_BEFORE:
                arn = f"arn:{identity.partition}:iam::{account}:role/{name}"
                assumed = self._failures.get(key) or self._assume(arn, key, region)
                if isinstance(assumed, Unread):
                    # The last minutes of what was assumed before are better than nothing.
                    return member if member and member.expires_at > self.now() else assumed
                return self._members.put(key, assumed)
            return member

    def _read_identity(self, region: str | None) -> Arn | Unread:
        """Ask AWS who we are. A failure is the answer for whoever asks in the next seconds, too."""
        if failed := self._failures.get("identity"):
            return failed
        call = "sts:GetCallerIdentity"
        try:
            sts = self._sts(region)
            text = self.ask("sts", sts.meta.region_name, lambda: sts.get_caller_identity()["Arn"])
        except (BotoCoreError, ClientError, ValueError) as error:
            self.identity_error = error
            return self._failures.keep("identity", describe_failure(call, error))
        return Arn.parse(text) or self._failures.keep("identity", Unread(f"{call} answered {text!r}, which is no ARN"))

    def _assume(self, role: str, key: str, region: str) -> _Member | Unread:
        """Assume the role of this ARN. A failure stands for some seconds, and for no other `key`."""

        def request(sts: STSClient) -> _Member:
            answer = sts.assume_role(RoleArn=role, RoleSessionName=_SESSION_NAME)["Credentials"]
            keys = Keys(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
            return _Member(keys, answer["Expiration"])

        try:
            sts = self._sts(region)
            return self.ask("sts", sts.meta.region_name, lambda: request(sts))
        except (BotoCoreError, ClientError, ValueError) as error:
            return self._failures.keep(key, describe_failure(f"sts:AssumeRole of {role}", error))

    def _sts(self, region: str | None) -> STSClient:
        """Return the STS of our own region: what an event names may be disabled there, or made up.

        Without a region of our own, it is one that every account of the partition of `region` has.
        """
        home = self.region or _ALWAYS_ENABLED.get(partition_of(region or ""), region) or "us-east-1"
        client: STSClient | BotoCoreError | ValueError = self._sts_clients.get(self._session, "sts", home)
        if isinstance(client, BotoCoreError | ValueError):
            raise client
        return client

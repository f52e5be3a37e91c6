"""AWS as one command asks it: with the credentials of whoever runs it, which are looked at before anything else."""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from dataclasses import dataclass
from getpass import GetPassWarning
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.cli.credentials import (
    Used,
    asks_for_mfa,
    none_found,
    read_profiles,
    unreachable,
    unusable,
    wrong_account,
)
from pull_responder.cli.question import check_region
from pull_responder.facts.aws import Aws
from pull_responder.facts.patience import NoTimeLeftError, Patience
from pull_responder.model.reason import Refusal, steps_of
from pull_responder.model.unread import Unread
from pull_responder.settings import SettingError, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS: Final = 30
"""How long a command waits for AWS if it is not told."""

_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,4}-[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class Access:
    """What the options say of how to ask AWS: None is what the SDK's configuration says.

    - `timeout` is in seconds.
    - `otherwise` is the region where neither the options nor the configuration name one.
    """

    region: str | None = None
    profile: str | None = None
    timeout: float = SECONDS
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """AWS, the settings of this terminal, and the credentials that are used. The time begins when it is made."""

    aws: Aws
    settings: Settings
    used: Used
    patience: Patience

    def fault(self, accounts: Iterable[str] = (), region: str | None = None) -> str | None:
        """Return why the credentials are not usable for a question about `accounts`, None if they are.

        They are if one of these accounts is theirs, or has a role that they may assume. Asks AWS who they are, in
        `region` if the SDK's configuration names none.
        """
        own = self.aws.identity(region)
        if isinstance(own, Unread):
            error = self.aws.identity_error
            if isinstance(error, ValueError):  # so the SDK says that an endpoint is none
                return f"AWS cannot be asked: {error}"
            return unusable(error, self.used) if error is not None else None
        asked = list(dict.fromkeys(accounts))
        if not asked or own.account in asked:
            return None
        refused = ""
        for account in asked:
            why = self.aws.reach(account, region=region or self.aws.region or "")
            if why is None or not any(isinstance(step, Refusal) for step in steps_of(why.reason)):
                return None
            refused = refused or why.reason
        return wrong_account(own.account, asked, self.settings.member_role, refused, self.used)

    def out_of_reach(self) -> str | None:
        """Return that AWS cannot be reached, None if it can, or does not answer in time."""
        error = self.aws.identity_error
        return unreachable(error) if error is not None else None

    def what_failed(self) -> str:
        """Return how AWS failed to say who we are, empty if it did say so."""
        own = self.aws.identity()
        return own.reason if isinstance(own, Unread) else ""


def open_connection(access: Access) -> Connection:
    """Return the connection that the options and the SDK's configuration lead to.

    Raises ClickException if they lead to none, or to no credentials.
    """
    settings = settings_in(os.environ)
    profile = access.profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    used = Used(profile, read_profiles())
    patience = Patience(access.timeout)
    try:
        aws = _connect(access.region, access, settings, patience)
        _check_region(access.region, aws)
        if aws.region is None and access.otherwise:
            aws = _connect(access.otherwise, access, settings, patience)
        method = _find_credentials(aws, used, access.timeout)
    except NoTimeLeftError as error:
        raise click.ClickException(f"{used.name} gave no credentials within {access.timeout:g} seconds") from error
    except (BotoCoreError, ClientError, OSError, ValueError, EOFError) as error:
        raise click.ClickException(unusable(error, used) or unreachable(error) or str(error)) from error
    if method is None:
        raise click.ClickException(none_found(used))
    patience.begin()
    return Connection(aws, settings, Used(used.profile, used.profiles, method), patience)


def _connect(region: str | None, access: Access, settings: Settings, patience: Patience) -> Aws:
    return Aws.connect(
        member_role=settings.member_role,
        organization_account=settings.organization_account,
        aws_registries=settings.aws_registries,
        read_accounts=settings.read_accounts,
        region=region,
        profile=access.profile,
        patience=patience,
    )


def settings_in(environment: Any) -> Settings:  # noqa: ANN401 -- a mapping of texts
    """Return the settings in a mapping of texts. Raises ClickException if one is not valid."""
    try:
        return read_settings(environment)
    except SettingError as error:
        raise click.ClickException(str(error)) from error


def _check_region(given: str | None, aws: Aws) -> None:
    option, region = ("--region", given) if given else ("AWS_REGION", aws.region)
    if not region:
        return
    if not _REGION.fullmatch(region):
        raise click.ClickException(f"{option}: {region[:80]!r} is no region's name")
    check_region(option, region, aws)


def _find_credentials(aws: Aws, used: Used, seconds: float) -> str | None:
    """Get the credentials, and return how they were found. Whoever types an MFA code takes the time that it takes."""
    if not asks_for_mfa(used):
        return Patience(seconds).ask("credentials", used.profile, aws.find_credentials)
    with contextlib.ExitStack() as stack:
        if not _has_terminal():
            # getpass would ask on standard input and on standard error.
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", GetPassWarning)
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        return aws.find_credentials()


def _has_terminal() -> bool:
    try:
        with Path("/dev/tty").open("rb"):
            return True
    except OSError:
        return False

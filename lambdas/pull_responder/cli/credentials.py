"""What is wrong with the credentials of a terminal, in one line with what to run.

Sources: the SDK's own errors (botocore, exceptions.py and credentials.py); AWS STS API Reference, "Common Errors"; AWS
CLI User Guide, "Configuration and credential file settings" and `aws sso login`, `aws login`, `aws configure`.
"""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import botocore.session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NotConnectedError

from pull_responder.facts.answers import IncompleteAnswerError
from pull_responder.facts.patience import NoTimeLeftError
from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST: Final = 300
_NAMED: Final = 8
_MOST_SOURCES: Final = 10
_EXPIRED: Final = ("ExpiredToken", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN_KEY: Final = ("InvalidClientTokenId", "UnrecognizedClient", "InvalidAccessKeyId", "MissingAuthenticationToken")
_WRONG_SECRET: Final = ("SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature", "AuthFailure")
_CLOCK: Final = re.compile(r"RequestTimeTooSkewed|Signature expired|Signature not yet current", re.IGNORECASE)
# botocore, credentials.py: METHOD of InstanceMetadataProvider and of ContainerProvider.
_OF_MACHINE: Final = ("iam-role", "container-role")
_VARIABLES: Final = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"


@dataclass(frozen=True, slots=True)
class Used:
    """The credentials that are used.

    - `profile` is the profile's name, and `profiles` are the settings of all profiles.
    - `method` is how the SDK found the credentials, in botocore's word, such as "env"; empty if it found none.
    """

    profile: str
    profiles: Mapping[str, Mapping[str, object]]
    method: str = ""

    @property
    def name(self) -> str:
        """The profile in words."""
        return f"profile {_shown(self.profile)!r}"


def read_profiles() -> Mapping[str, Mapping[str, object]]:
    """Return the profiles of the SDK's configuration files, none where these cannot be read."""
    try:
        found: Mapping[str, Mapping[str, object]] = botocore.session.Session().full_config.get("profiles", {})
    except BotoCoreError:
        return {}
    return found


def none_found(used: Used) -> str:
    """Return what to do where there are no credentials at all."""
    settings = used.profiles.get(used.profile)
    if settings is not None and used.profile != "default":
        return f"{used.name} has no credentials: run `{_configure(used)}`"
    others = [name for name in used.profiles if name != used.profile]
    if others:
        return f"no AWS credentials: choose a profile with --profile or `export AWS_PROFILE=…`: {_listed(others)}"
    return "no AWS credentials: run `aws configure sso` or `aws configure`"


def no_profile(name: str, used: Used) -> str:
    """Return what to do where there is no profile of this name."""
    near = difflib.get_close_matches(name, used.profiles, 3)
    if near:
        hint = f"; did you mean {' or '.join(map(_shown, near))}?"
    elif used.profiles:
        hint = f"; there are {_listed(list(used.profiles))}"
    else:
        hint = f": run `aws configure --profile {shlex.quote(_shown(name))}`"
    return f"there is no profile {_shown(name)!r}{hint}"


def unusable(error: Exception, used: Used) -> str | None:
    """Return what is wrong with the credentials, and what to run; None if `error` does not say that they are."""
    if isinstance(error, HTTPClientError | NotConnectedError | NoTimeLeftError | IncompleteAnswerError):
        return None
    if isinstance(error, ClientError):
        return _refused(error, used)
    if isinstance(error, SSOError | TokenRetrievalError | LoginError):
        login = (
            _login("login", used.profile) if isinstance(error, LoginError) else _login("sso login", signed_in_by(used))
        )
        return f"nobody is signed in for {used.name}, or the sign-in has expired: run `{login}`"
    return _misconfigured(error, used)


def _misconfigured(error: Exception, used: Used) -> str:
    if isinstance(error, ProfileNotFound):
        return no_profile(str(error.kwargs.get("profile", used.profile)), used)
    if isinstance(error, EOFError):
        export = f"aws configure export-credentials --profile {shlex.quote(_shown(used.profile))} --format env"
        return f'{used.name} asks for an MFA code, and there is no terminal for it: run `eval "$({export})"` before'
    provider = error.kwargs.get("provider") if isinstance(error, BotoCoreError) else None
    if isinstance(error, PartialCredentialsError):
        lacking = error.kwargs.get("cred_var")
        if provider == "env":
            return f"the environment has only some of {_VARIABLES}: it lacks {lacking}"
        return f"{used.name} lacks {lacking}: run `{_configure(used)}`, or edit ~/.aws/config"
    if isinstance(error, CredentialRetrievalError) and provider == "custom-process":
        said = _shown(str(error.kwargs.get("error_msg", ""))) or "it says nothing"
        return f"{used.name}: its credential_process failed: {said}"
    return f"{used.name} gives no credentials: {_message(error)}"


def unreachable(error: Exception) -> str | None:
    """Return that AWS cannot be reached; None if `error` does not say so, as when AWS takes too long."""
    is_late = isinstance(error, ConnectTimeoutError | ReadTimeoutError)
    if is_late or not isinstance(error, HTTPClientError | NotConnectedError):
        return None
    return f"AWS cannot be reached, so nothing was read: {_message(error)} (`pull-responder explain` needs no network)"


def wrong_account(own: str, accounts: Sequence[str], role: str, why: str, used: Used) -> str:
    """Return that the credentials are of an account that is not asked about, and cannot read one that is."""
    where = " and ".join(accounts)
    whose = f"account {own} ({used.name})" if used.method != "env" else f"account {own} (from the environment)"
    return (
        f"asked about account {where}, but the credentials are of {whose}, which may not assume the role {role} there:"
        f" run `export AWS_PROFILE=…` with a profile of account {accounts[0]}. {_shown(why)}"
    )


def signed_in_by(used: Used) -> str:
    """Return the profile that somebody signs in for: the profile itself, or the one that its role is assumed with."""
    name = used.profile
    for _ in range(_MOST_SOURCES):
        settings = used.profiles.get(name, {})
        source = settings.get("source_profile")
        if "sso_session" in settings or "sso_start_url" in settings or not isinstance(source, str) or source == name:
            break
        name = source
    return name


def asks_for_mfa(used: Used) -> bool:
    """Return whether the SDK asks for an MFA code: a role of the profile or of its sources is assumed with a device."""
    name: object = used.profile
    for _ in range(_MOST_SOURCES):
        settings = used.profiles.get(str(name), {})
        if "role_arn" in settings and "mfa_serial" in settings:
            return True
        name = settings.get("source_profile")
    return False


def _refused(error: ClientError, used: Used) -> str | None:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message", ""))
    if _CLOCK.search(f"{code} {message}"):
        return f"the clock of this machine is wrong, so AWS refuses what it signs: set it. {_shown(message)}"
    if code.startswith(_EXPIRED):
        return f"the credentials {_whose(used)} have expired: {_renew(used)}"
    if code.startswith(_UNKNOWN_KEY):
        # So does a region answer that is off (IAM User Guide, "Manage AWS STS in an AWS Region").
        known = f"AWS does not know the access key {_whose(used)} ({_shown(code)})"
        return f"{known}, or the account has not enabled the region: {_renew(used)}"
    if code.startswith(_WRONG_SECRET):
        return f"the secret key {_whose(used)} does not belong to its access key ({_shown(code)}): {_renew(used)}"
    if error.operation_name in ("AssumeRole", "AssumeRoleWithWebIdentity", "GetRoleCredentials"):
        role = _shown(str(used.profiles.get(used.profile, {}).get("role_arn", "its role")))
        return f"{used.name} may not have {role}: {_shown(f'{code}: {message}')}"
    return None


def _whose(used: Used) -> str:
    return "in the environment" if used.method == "env" else f"of {used.name}"


def _renew(used: Used) -> str:
    if used.method == "env":
        return f"set {_VARIABLES} anew, or unset them and give --profile"
    if used.method in _OF_MACHINE:
        return "this machine's role gave them out: look at its instance or container metadata"
    source = signed_in_by(used)
    settings = used.profiles.get(source, {})
    if "sso_session" in settings or "sso_start_url" in settings:
        return f"run `{_login('sso login', source)}`"
    if "login_session" in settings:
        return f"run `{_login('login', source)}`"
    if "credential_process" in settings:
        return f"its credential_process {_shown(str(settings['credential_process']))!r} gave them out"
    return f"run `aws configure{_option(source)}`"


def _configure(used: Used) -> str:
    settings = used.profiles.get(used.profile, {})
    sso = " sso" if "sso_session" in settings or "sso_start_url" in settings else ""
    return f"aws configure{sso}{_option(used.profile)}"


def _login(how: str, profile: str) -> str:
    return f"aws {how}{_option(profile)}"


def _option(profile: str) -> str:
    return "" if profile == "default" else f" --profile {shlex.quote(_shown(profile))}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(_shown, names[:_NAMED])) + more


def _message(error: Exception) -> str:
    return _shown(str(error)) or type(error).__name__


def _shown(text: str) -> str:
    line = clean_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"

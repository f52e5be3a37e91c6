"""Each way in which credentials can be unusable is one line with what to run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import click
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    LoginRefreshRequired,
    SSLError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from pull_responder.cli.connection import Access, open_connection
from pull_responder.cli.credentials import Used, unreachable, unusable, wrong_account
from pull_responder.facts.answers import IncompleteAnswerError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Admin
[sso-session corp]
sso_start_url = https://corp.example.com/start
sso_region = eu-west-1
[profile chained]
role_arn = arn:aws:iam::222233334444:role/reader
source_profile = middle
[profile middle]
role_arn = arn:aws:iam::222233334444:role/middle
source_profile = sso
[profile mfa]
role_arn = arn:aws:iam::222233334444:role/reader
source_profile = keys
mfa_serial = arn:aws:iam::111122223333:mfa/me
[profile keys]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = secret
[profile partial]
aws_access_key_id = AKIAEXAMPLE
[profile process]
credential_process = sh -c "echo the vault is locked >&2; exit 1"
[profile gone]
credential_process = /nowhere/vault
[profile garbage]
credential_process = echo hello
[profile sourceless]
role_arn = arn:aws:iam::222233334444:role/reader
source_profile = nope
[profile web]
role_arn = arn:aws:iam::222233334444:role/reader
web_identity_token_file = /nowhere/token
[profile empty]
output = json
[profile "two words"]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = Admin
"""
PROFILES: dict[str, dict[str, Any]] = {
    "sso": {"sso_session": "corp"},
    "chained": {"role_arn": "arn:aws:iam::222233334444:role/reader", "source_profile": "sso"},
    "keys": {"aws_access_key_id": "AKIAEXAMPLE"},
    "signed": {"login_session": "arn:aws:iam::111122223333:user/me"},
    "loop": {"source_profile": "pool"},
    "pool": {"source_profile": "loop"},
    "process": {"credential_process": "vault print"},
}


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(CONFIG, encoding="utf-8")
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("sso", "nobody is signed in for profile 'sso', or the sign-in has expired: run `aws sso login --profile sso`"),
        # Only the profile with the settings of the sign-in can be signed in for.
        ("chained", "signed in for profile 'chained', or the sign-in has expired: run `aws sso login --profile sso`"),
        ("two words", "run `aws sso login --profile 'two words'`"),
        ("partial", "profile 'partial' lacks aws_secret_access_key: run `aws configure --profile partial`"),
        ("process", "profile 'process': its credential_process failed: the vault is locked"),
        ("gone", "profile 'gone' gives no credentials: [Errno 2] No such file or directory: '/nowhere/vault'"),
        ("garbage", "profile 'garbage' gives no credentials: Expecting value"),
        ("sourceless", "profile 'sourceless' gives no credentials: The source_profile \"nope\" referenced in"),
        ("web", "profile 'web' gives no credentials: [Errno 2] No such file or directory: '/nowhere/token'"),
        ("empty", "profile 'empty' has no credentials: run `aws configure --profile empty`"),
        ("ssso", "there is no profile 'ssso'; did you mean sso?"),
        (
            "qqqq",
            "'qqqq'; there are sso, chained, middle, mfa, keys, partial, process, gone and 5 more",
        ),
        (None, "no AWS credentials: choose a profile with --profile or `export AWS_PROFILE=…`: sso, chained,"),
    ],
)
def test_a_profile_without_usable_credentials(profile: str | None, said: str) -> None:
    with pytest.raises(click.ClickException) as unusable:
        open_connection(Access(profile=profile))
    assert said in unusable.value.format_message()
    assert "\n" not in unusable.value.format_message()


def test_a_profile_of_the_environment_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "sso")
    with pytest.raises(click.ClickException, match="aws sso login --profile sso"):
        open_connection(Access())
    monkeypatch.setenv("AWS_PROFILE", "keyz")
    with pytest.raises(click.ClickException, match="there is no profile 'keyz'; did you mean keys"):
        open_connection(Access())


def test_without_any_profile_the_aws_command_line_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(click.ClickException, match="no AWS credentials: run `aws configure sso` or `aws configure`"):
        open_connection(Access())


def test_half_of_the_credentials_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    with pytest.raises(click.ClickException, match=r"only some of .* it lacks AWS_SECRET_ACCESS_KEY"):
        open_connection(Access())


def test_a_configuration_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("[profile x\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))
    with pytest.raises(click.ClickException, match=r"Unable to parse config file: .*broken"):
        open_connection(Access())


def test_an_mfa_code_is_not_asked_for_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pull_responder.cli.connection._has_terminal", lambda: False)

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(click.ClickException) as refused:
        open_connection(Access(profile="mfa"))
    export = "aws configure export-credentials --profile mfa --format env"
    assert f'there is no terminal for it: run `eval "$({export})"` before' in refused.value.format_message()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("eu-wst-1", "--region: there is no region 'eu-wst-1'; did you mean eu-west-1"),
        ("EU-WEST-1", "--region: 'EU-WEST-1' is no region's name"),
        ("eu-west-1.evil.example", "is no region's name"),
        ("eu-west-1a", "is no region's name"),
    ],
)
def test_a_region_that_is_none(given: str, said: str) -> None:
    with pytest.raises(click.ClickException) as refused:
        open_connection(Access(region=given, profile="keys"))
    assert said in refused.value.format_message()


def test_the_option_comes_before_the_configuration() -> None:
    connection = open_connection(Access(region="us-west-2", profile="keys", timeout=7))
    assert (connection.aws.region, connection.aws.profile, connection.patience.seconds) == ("us-west-2", "keys", 7)
    assert open_connection(Access(profile="keys")).aws.region == "eu-west-1"


def test_a_region_for_where_none_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_connection(Access(profile="keys", otherwise="us-west-2")).aws.region == "eu-west-1"
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert open_connection(Access(profile="keys", otherwise="us-west-2")).aws.region == "us-west-2"
    assert open_connection(Access(profile="keys")).aws.region is None


def refused(code: str, message: str = "no", operation: str = "GetCallerIdentity") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "profile", "method", "said"),
    [
        (refused("ExpiredToken"), "sso", "sso", "of profile 'sso' have expired: run `aws sso login --profile sso`"),
        (refused("ExpiredTokenException"), "signed", "login", "have expired: run `aws login --profile signed`"),
        (refused("ExpiredToken"), "keys", "shared-credentials-file", "run `aws configure --profile keys`"),
        (refused("ExpiredToken"), "process", "custom-process", "credential_process 'vault print' gave them out"),
        (
            refused("ExpiredToken"),
            "default",
            "env",
            "credentials in the environment have expired: set AWS_ACCESS_KEY_ID",
        ),
        (
            refused("ExpiredToken", operation="AssumeRole"),
            "chained",
            "assume-role",
            "run `aws sso login --profile sso`",
        ),
        (refused("ExpiredToken"), "default", "iam-role", "have expired: this machine's role gave them out"),
        (refused("InvalidClientTokenId"), "default", "env", ", or the account has not enabled the region: set"),
        (refused("UnrecognizedClientException"), "keys", "", "AWS does not know the access key of profile 'keys'"),
        (
            refused("SignatureDoesNotMatch"),
            "keys",
            "",
            "secret key of profile 'keys' does not belong to its",
        ),
        (
            refused("SignatureDoesNotMatch", "Signature expired: 20260301T1 is now earlier than 20260301T2"),
            "keys",
            "",
            "the clock of this machine is wrong, so AWS refuses what it signs: set it. Signature expired: 20260301T1",
        ),
        (refused("RequestTimeTooSkewed"), "keys", "", "the clock of this machine is wrong"),
        (
            refused("AccessDenied", "not allowed", "AssumeRole"),
            "chained",
            "assume-role",
            "profile 'chained' may not have arn:aws:iam::222233334444:role/reader: AccessDenied: not allowed",
        ),
        (SSOTokenLoadError(error_msg="x"), "chained", "", "run `aws sso login --profile sso`"),
        (UnauthorizedSSOTokenError(), "sso", "", "run `aws sso login --profile sso`"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "sso", "", "run `aws sso login --profile sso`"),
        (LoginRefreshRequired(), "signed", "", "run `aws login --profile signed`"),
        (SSOTokenLoadError(error_msg="x"), "loop", "", "run `aws sso login --profile "),
    ],
)
def test_what_aws_says_of_credentials(error: Exception, profile: str, method: str, said: str) -> None:
    line = unusable(error, Used(profile, PROFILES, method))
    assert line
    assert said in line


@pytest.mark.parametrize(
    "error",
    [
        refused("AccessDenied", "an endpoint policy says no"),
        refused("Throttling"),
        refused("RegionDisabledException"),
        ConnectTimeoutError(endpoint_url="https://sts.amazonaws.com"),
        IncompleteAnswerError(missing="Arn"),
    ],
)
def test_what_says_nothing_of_credentials(error: Exception) -> None:
    assert unusable(error, Used("keys", PROFILES)) is None
    assert unreachable(error) is None


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://sts.amazonaws.com"),
        SSLError(endpoint_url="u", error=OSError("self-signed")),
    ],
)
def test_an_aws_that_cannot_be_reached_is_no_fault_of_credentials(error: Exception) -> None:
    assert unusable(error, Used("keys", PROFILES)) is None
    line = unreachable(error)
    assert line
    assert line.startswith("AWS cannot be reached, so nothing was read: ")


def test_a_hostile_answer_stays_one_line() -> None:
    line = unusable(refused("ExpiredToken\x1b[2J", "x\ny"), Used("a\nb", {"a\nb": {}}))
    assert line
    assert line.isprintable()
    line = wrong_account("111122223333", ["222233334444"], "Reader", "no\nyes\x1b[1m", Used("p", {}))
    assert line.isprintable()

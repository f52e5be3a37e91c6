"""Credentials and control characters never leave; what people need to read stays."""

from __future__ import annotations

import importlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.events import redaction
from pull_responder.events.redaction import REDACTED, join_wrapped, redact
from pull_responder.events.secret_rules import RULES

PASSWORD = "eyJwYXlsb2FkIjoiNHZGMmlXc1hyN0pVMkRSdGZ5"
TOKEN = "IQoJb3JpZ2luX2VjEA4aCXVzLWVhc3QtMSJHMEUCIQ"


@pytest.mark.parametrize(
    ("text", "secrets", "kept"),
    [
        (
            (
                f"GET https://b.s3.amazonaws.com/sha256:ab/data?X-Amz-Security-Token={TOKEN}&X-Amz-Date=20260301T120000Z"
                '&X-Amz-Credential=ASIAEXAMPLE000000000%2F20260301&X-Amz-Signature=0a1b2c": dial tcp: i/o timeout'
            ),
            [TOKEN, "20260301", "ASIA", "0a1b2c"],
            (
                "data?X-Amz-Security-Token=[redacted]&X-Amz-Date=[redacted]&X-Amz-Credential=[redacted]"
                '&X-Amz-Signature=[redacted]": dial tcp: i/o timeout'
            ),
        ),
        (
            "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIAEXAMPLE000000000&Signature=vjby%2Bs%3D&Expires=1141889120",
            ["AKIA", "vjby"],
            "&Expires=1141889120",
        ),
        ("X-Amz-Signature%3D0a1b2c3d%26x", ["0a1b2c3d"], "X-Amz-Signature%3D[redacted]"),
        ("Authorization: Basic QVdTOnBhc3M=", ["QVdTOnBhc3M="], "Authorization: [redacted]"),
        ('Authorization:["Bearer abc.def"] next', ["abc.def"], "next"),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE000000000/x, SignedHeaders=host, Signature=fe5f80",
            ["AKIA", "fe5f80"],
            "SignedHeaders=[redacted], Signature=[redacted]",
        ),
        ("sent Basic QVdTOnBhc3M= to it", ["QVdTOnBhc3M="], "sent Basic [redacted] to it"),
        ('{"auths":{"h":{"auth":"QVdTOnBhc3M=","identitytoken":"a\\"bc"}}}', ["QVdT", "bc"], '{"auths":{"h":{"auth":"'),
        (r"{\"auth\": \"QVdTOnBhc3M=\"}", ["QVdT"], r"{\"auth\": \"[redacted]\"}"),
        ("https://AWS:hunter2@111111111111.dkr.ecr.us-east-1.amazonaws.com/v2/", ["hunter2"], "@111111111111.dkr.ecr"),
        ("docker login -u AWS -p " + PASSWORD, [PASSWORD], "docker login -u AWS -p [redacted]"),
        (f"AWS_SESSION_TOKEN={TOKEN} x", [TOKEN], "AWS_SESSION_TOKEN=[redacted] x"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx", ["wJalr"], "aws_secret_access_key = [redacted]"),
        ("session " + TOKEN + " expired", [TOKEN], "session [redacted] expired"),
        ("token: abcdef0123456789abcdef", ["abcdef0123"], "token: [redacted]"),
        ("password: hunter2", ["hunter2"], "password: [redacted]"),
        ("Sig\x00nature=se\u200bcret", ["se", "cret"], "Signature=[redacted]"),
    ],
)
def test_secrets_go_and_the_rest_stays(text: str, secrets: list[str], kept: str) -> None:
    redacted = redact(text)
    assert REDACTED in redacted
    assert kept in redacted
    for secret in secrets:
        assert secret not in redacted.replace(REDACTED, "")


@pytest.mark.parametrize(
    "text",
    [
        (
            "User: arn:aws:sts::111111111111:assumed-role/eks-node/i-0123456789abcdef0 is not authorized to perform: "
            "ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the "
            "ecr:GetAuthorizationToken action"
        ),
        (
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed"
        ),
        "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
        "no basic auth credentials",
        "Basic authentication required",
        "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/payments:v1@sha256:" + "9f" * 32,
        "docker://payments:v1@sha256:" + "9f" * 32,
        "rpc error: code = Unknown desc = failed to pull and unpack image",
    ],
)
def test_plain_messages_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


def test_terminal_escapes_and_invisible_characters_go() -> None:
    text = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1bPq\x1b\\name\u202e.txt\x9b1m\ud800\nnext\ttab"
    assert redact(text) == "red name.txt next tab"


@given(st.text())
def test_any_text_comes_out_printable_and_bounded(text: str) -> None:
    redacted = redact(text, limit=100)
    assert len(redacted) <= 100
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", redacted)


@given(st.sampled_from(["X-Amz-Signature=", "token=", "Authorization: Basic ", '"auth": "']), st.integers(0, 300))
def test_a_cut_never_uncovers_a_secret(key: str, before: int) -> None:
    assert "s3cr" not in redact("x " * before + key + "s3cr3tS3cr3t" * 40, limit=200)


def test_text_beyond_twice_the_limit_is_not_examined() -> None:
    text = "token token : " * 40_000
    assert redact(text) == redact(text[:8192])


def test_what_stands_after_twice_the_limit_is_left_out() -> None:
    assert redact("token=" + "x" * 9000 + " end") == "token=[redacted]"
    assert redact("token=" + "x" * 8000 + " end") == "token=[redacted] end"


def test_without_another_limit_four_kibibytes_are_kept() -> None:
    assert redact("x " * 4000) == "x " * 2048


def test_no_pattern_can_backtrack_without_bound() -> None:
    """Time cannot be asserted, but its cause can: an unbounded repetition that gives characters back."""
    compiled = [value for value in vars(redaction).values() if isinstance(value, re.Pattern)]
    assert compiled
    patterns = [*compiled, *(re.compile(each.pattern) for each in RULES)]
    for pattern in patterns:
        parsed = importlib.import_module("re._parser").parse(pattern.pattern, pattern.flags)
        assert not re.search(r"(MAX|MIN)_REPEAT, \(\d+, MAXREPEAT", repr(parsed)), pattern.pattern


_KEYS = ("token", "Password", "secret", "api_key", "auth", "sig", "X-Amz-Signature", "Authorization", "Basic", "bearer")
_NAMES = ("passwd", "passphrase", "private_key", "client-secret", "SessionToken", "--secret-key", "--api-key")
_BETWEEN = ("=", " = ", "%3D", ": ", ":", " ", "&", '"', "'", '\\"', "://u:p@h", "\N{LATIN SMALL LETTER DOTLESS I}")
_VALUES = ("AKIA", "eyJ", "IQoJ", "abcdefgh12345678ABCD")
_PARTS = st.sampled_from([*_KEYS, *_NAMES, *_BETWEEN, *_VALUES])


@settings(max_examples=1000)
@given(st.lists(_PARTS, max_size=14).map("".join))
def test_what_is_left_out_as_needless_would_have_found_nothing(text: str) -> None:
    every = text
    for pattern, replacement, *_ in redaction._SECRETS:
        every = re.sub(pattern, replacement, every)
    assert redact(text) == every


@pytest.mark.parametrize(
    "prefix",
    [
        *(
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "gldt-",
            "dckr_pat_",
            "npm_",
            "xoxb-",
            "xapp-",
        ),
        *("hvs.", "pypi-", "dop_v1_", "shpat_", "AKCp", "AIza", "ya29.", "sk_live_", "rk_live_", "ATATT3", "cmVmdGtu"),
    ],
)
def test_a_token_whose_prefix_names_its_issuer_is_hidden(prefix: str) -> None:
    assert "0123456789abcdef" not in redact(f"refused {prefix}0123456789abcdef0123456789 of somebody")


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\\n", "\\\\n", "\\r\\n", "\n    "])
def test_the_lines_of_a_base64_text_are_one_word(line_break: str) -> None:
    assert join_wrapped(f"{'a' * 76}{line_break}b=") == f"{'a' * 76}b="
    shorter = f"{'a' * 75}{line_break}b="
    assert join_wrapped(shorter) == shorter

"""What credentials look like: one table of rules, in the order of their use.

Every pattern runs in linear time. Repetitions are possessive or bounded, and the text that a failed match consumed
contains no other place where the pattern could begin. docs/adr/0068-own-rules-for-secrets.md says why the rules are
our own. The prefixes of tokens are those that their issuers document (GitHub, GitLab, Docker, npm, Slack, HashiCorp).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

REDACTED: Final = "[redacted]"

# An equals sign, a percent sign, and a quotation mark in a URL may be encoded, and encoded again.
_EQUALS: Final = r"%(?:25){0,4}3D"
_COLON: Final = r"%(?:25){0,4}3A"
_SLASH: Final = r"%(?:25){0,4}2F"
_AT: Final = r"%(?:25){0,4}40"
_QUOTE: Final = r"%(?:25){0,4}22"

# Names that are never followed by prose.
_SURE: Final = (
    r"passwd|passphrase|secret[_-]?(?:access[_-]?)?key|session[_-]?token|identity[_-]?token|registry[_-]?token|"
    r"client[_-]?secret|private[_-]?key|refresh[_-]?token|access[_-]?token"
)
_KEYS: Final = rf"{_SURE}|authorizationtoken|token|password|secret|api[_-]?key|auth|sig"
NAMES: Final = ("token", "passw", "passphrase", "secret", "key", "auth", "sig")
"""Texts in lower case, one of which occurs in each name of a secret that a rule looks for."""

# Prose may follow a colon, too ("may require authorization: server message"). A secret is long and has a digit.
_OPAQUE: Final = r"(?=[a-z+/=_.~-]{0,200}[0-9])[a-z0-9+/=_.~-]{16,}+"
_HEADERS: Final = (
    r"authorization|x-registry-auth|x-registry-config|x-amz-security-token|x-vault-token|x-jfrog-art-api|private-token|"
    r"job-token|x-api-key|set-cookie|cookie"
)
_OPTIONS: Final = (
    r"password|passwd|token|secret|identity-token|registry-token|secret-key|api-key|auth-token|access-token"
)
_SCHEMES: Final = r"basic|bearer|digest|negotiate|token|apikey|aws4-hmac-sha256"
# Within quotes: up to the closing one, which may be missing.
_IN_QUOTES: Final = r"(?:\"(?:[^\"\\]|\\.){1,8192}+|'(?:[^'\\]|\\.){1,8192}+|\\++\"[^\"\\]++|\\++'[^'\\]++)"


@dataclass(frozen=True, slots=True)
class Rule:
    """One form of a credential.

    - `hides`: what the rule hides, and an example of it.
    - `pattern`: a regular expression. It is compiled when it is first needed: few processes meet a credential.
    - `replacement`: what stands in place of a match; groups are what stays.
    - `needles`: texts in lower case, one of which occurs in whatever the pattern matches. A search for them is far
      quicker than the pattern, and nearly no message has one.
    - `is_named`: whether one of NAMES occurs there, too.
    """

    hides: str
    example: str
    pattern: str
    replacement: str
    needles: tuple[str, ...]
    is_named: bool


def _rule(hides: str, example: str, pattern: str, replacement: str, *needles: str) -> Rule:
    is_named = _SURE in pattern or _OPTIONS in pattern
    return Rule(hides, example, pattern, replacement + REDACTED, needles, is_named)


RULES: Final = (
    _rule(
        "a private key",
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----",
        r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----)(?:[^-]|-(?!----))++",
        r"\1",
        "private key",
    ),
    _rule(
        "the credential of a header",
        "Authorization: Basic QVdTOnBhc3M=",
        rf"(?i)((?:{_HEADERS})(?:\\?[\"'])?\s*+:\s*+\[?+(?:\\?[\"'])?)"
        rf"(?:(?:{_SCHEMES})\s++[^\s\"'\\,]++|{_OPAQUE})",
        r"\1",
        *("authorization", "x-", "-token", "cookie"),
    ),
    _rule(
        "what signs a URL: Signature Version 4 and 2, and CloudFront's",
        "X-Amz-Signature=0a1b",
        rf"(?i)(X-Amz-[a-z-]{{1,40}}|Signature|AWSAccessKeyId|Key-Pair-Id|SignedHeaders|Credential)(=|{_EQUALS})"
        r"[^&,\s\"'<>]++",
        r"\1\2",
        *("=", "%3d", "253d"),
    ),
    _rule(
        "a quoted assignment",
        'password="two words"',
        rf"(?i)({_KEYS})( ?= ?){_IN_QUOTES}",
        r"\1\2",
        "=",
    ),
    _rule(
        "an assignment",
        "AWS_SESSION_TOKEN=x",
        rf"(?i)({_KEYS})( ?= ?|{_EQUALS})(?:\\?[\"'])?[^&\s\"'\\<>,;]++",
        r"\1\2",
        *("=", "%3d", "253d"),
    ),
    _rule(
        "a member of a JSON object",
        '{"auth": "QVdTOnBhc3M="}',
        rf"(?i)({_KEYS})([\"']\s*+:\s*+[\"'])(?:[^\"'\\]|\\.){{0,8192}}",
        r"\1\2",
        *('"', "'"),
    ),
    _rule(
        "a number in a JSON object",
        '{"password": 12345678}',
        rf"(?i)({_SURE}|password)(\\*+[\"']\s*+:\s*+)-?[0-9][0-9.e+-]*+",
        r"\1\2",
        *('"', "'"),
    ),
    _rule(
        "a member of a JSON object in a string",
        r"{\"auth\": \"QVdTOnBhc3M=\"}",
        rf"(?i)({_KEYS})(\\++[\"']\s*+:\s*+\\++[\"'])[^\"'\\]*+",
        r"\1\2",
        "\\",
    ),
    _rule(
        "a member of a JSON object in a URL",
        "%22password%22%3A%22x%22",
        rf"(?i)({_KEYS})({_QUOTE}(?:%(?:25){{0,4}}20|\+)?{_COLON}(?:%(?:25){{0,4}}20|\+)?{_QUOTE})"
        rf"(?:(?!{_QUOTE})[^\s\"'])++",
        r"\1\2",
        *("%22", "2522"),
    ),
    _rule(
        "an element of XML",
        "<SecretAccessKey>x</SecretAccessKey>",
        rf"(?i)((?:{_KEYS})(?:>|&gt;))[^<>&]++",
        r"\1",
        *(">", "&gt;"),
    ),
    _rule(
        "a quoted value as Go and YAML print it",
        'Password:"two words"',
        rf"(?i)({_SURE}|password)(:\s*+){_IN_QUOTES}",
        r"\1\2",
        ":",
    ),
    _rule(
        "a value as Go and YAML print it",
        "{AccessKeyID:x SecretAccessKey:wJalr}",
        rf"(?i)({_SURE}|password)(:\s*+)[^\s\"'}}&]++",
        r"\1\2",
        ":",
    ),
    _rule(
        "an opaque value after a colon",
        "token: abcdef0123456789",
        rf"(?i)({_KEYS})(:\s*+){_OPAQUE}",
        r"\1\2",
        ":",
    ),
    _rule(
        "an option of a command",
        "--password x",
        rf"(?i)((?<![a-z-])--?(?:{_OPTIONS}))([ =]++)(?:{_IN_QUOTES}|[^\s\"']++)",
        r"\1\2",
        "-",
    ),
    _rule(
        "the password of docker login",
        "docker login -u AWS -p x",
        rf"(?i)(\blogin\b[^\n]{{0,400}}?\s-p)([ =]*+)(?:{_IN_QUOTES}|[^\s\"']++)",
        r"\1\2",
        "login",
    ),
    _rule(
        "a user with a password as an option",
        "ctr image pull --user AWS:x",
        rf"(?i)((?<=\s)(?:-u|--user|--creds|--src-creds|--dest-creds)[ =]++)(?:{_IN_QUOTES}|[^\s:\"']++:[^\s\"']++)",
        r"\1",
        *("-u", "creds"),
    ),
    _rule(
        "a scheme of HTTP authentication",
        "Bearer abcdef0123",
        r"(?i:\b(basic|bearer))(\s++)(?=[A-Za-z0-9.~-]{0,200}(?:[0-9+/=_]|[a-z][A-Z]))[A-Za-z0-9+/=_.~-]{8,}+",
        r"\1\2",
        *("basic", "bearer"),
    ),
    _rule(
        "the password of a URL; one with a slash is no port",
        "https://AWS:pass/word@host",
        r"(://)[^\s/@:\"']*+:(?![0-9]{1,5}/)(?:[^\s@\"'/]|/(?!/))*+(?=@(?!sha(?:256|512):))",
        r"\1",
        "://",
    ),
    _rule(
        "a token as the user of a URL",
        "https://0123456789abcdef@host",
        r"(://)[^\s/@:\"'?#\[\]]{8,}+(?=@(?!sha(?:256|512):))",
        r"\1",
        "://",
    ),
    _rule(
        "the user of a URL in a URL",
        "https%3A%2F%2FAWS%3Ax%40host",
        rf"(?i)({_COLON}(?:{_SLASH}){{2}})(?:(?!{_AT}|{_SLASH})[^\s\"'&])++(?={_AT})",
        r"\1",
        *("%3a", "253a"),
    ),
    _rule(
        "the secret part of a webhook",
        "https://hooks.slack.com/services/T0/B0/x",
        r"(?i)(hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/|"
        r"webhook\.office\.com/)[^\s\"'<>]++",
        r"\1",
        *("hooks.slack", "/webhooks/", "webhook.office"),
    ),
    _rule(
        "a token whose prefix names its issuer",
        "ghp_0123456789abcdef0123456789abcdef0123",
        r"(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|gl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent|oas)-|dckr_[a-z]{3}_|npm_|"
        r"xox[abeoprs]-|xapp-|hv[sbr]\.|pypi-|dop_v1_|shpat_|AKCp|AIza|ya29\.|[sr]k_live_|ATATT3|cmVmdGtu)"
        r"[A-Za-z0-9_.=+/-]{12,}+",
        "",
        *("gh", "github_pat_", "gl", "dckr_", "npm_", "xox", "xapp-", "hv", "pypi-", "dop_v1_", "shpat_"),
        *("akcp", "aiza", "ya29.", "k_live_", "atatt3", "cmvmdgtu"),
    ),
    _rule(
        "the id of an AWS access key",
        "AKIAIOSFODNN7EXAMPLE",
        r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{12,124}+",
        "",
        *("akia", "asia", "abia", "acca"),
    ),
    _rule(
        "JSON in base64, indented or not: passwords of ECR, JSON Web Tokens, Docker's configuration",
        "eyJwYXlsb2FkIjoiNHZGMmlXc1hy",
        r"(?:eyJ|eyA[gi]|ewo[gJi]|ew0K|ewki)[A-Za-z0-9+/=%_.-]{20,}+",
        "",
        *("eyj", "eyag", "eyai", "ewo", "ew0k", "ewki"),
    ),
    _rule(
        "AWS: and a password in base64",
        "QVdTOmV5SnBZWGxz",
        r"QVdTO[A-Za-z0-9+/=%_-]{3,}+",
        "",
        "qvdto",
    ),
    _rule(
        "a session token of AWS STS",
        "IQoJb3JpZ2luX2VjEA4aCXVz",
        r"(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9+/=%_-]{20,}+",
        "",
        *("iqoj", "fwog", "fqog", "aqod"),
    ),
)

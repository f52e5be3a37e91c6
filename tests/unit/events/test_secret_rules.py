"""One table of credentials in the forms that logs and messages give them, and one of what only looks like them."""

from __future__ import annotations

import base64
import importlib
import json
import logging
import re
from urllib.parse import quote

import pytest

from pull_responder import handlers
from pull_responder.events.kubelet_message import plain_text
from pull_responder.events.redaction import REDACTED, redact
from pull_responder.events.secret_rules import NAMES, RULES

KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
BASIC = base64.b64encode(b"AWS:eyJwYXlsb2FkIjoiNHZG").decode()
CONFIG = {"auths": {"h": {"auth": BASIC}}}
INDENTED = base64.b64encode(json.dumps(CONFIG, indent=2).encode()).decode()
TABBED = base64.b64encode(json.dumps(CONFIG, indent="\t").encode()).decode()
SPACED = base64.b64encode(b'{ "auths": {"h": {"auth": "x"}}}').decode()
LONG = base64.b64encode(json.dumps({"payload": "pq" * 90}).encode()).decode()
WRAPPED = "\n".join(LONG[at : at + 76] for at in range(0, len(LONG), 76))
BARE = [
    base64.b64encode(each + b'"credHelpers": {}}').decode() for each in (b"{\r\n", b"{\t", b"{  ", b"{\n ", b"{\n\t")
]
HEX = "0123456789abcdef0123456789abcdef"
ALNUM = "0123456789abcdefABCDEF0123456789abcd"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n7bq98ZxC\n-----END RSA PRIVATE KEY-----"

SECRETS: list[tuple[str, str]] = [
    (f"sent {BASIC} to it", BASIC[4:]),
    (f"sent {base64.urlsafe_b64encode(b'AWS:ey???>>>').decode()}", "ey"),
    (f"{{AccessKeyID:x SecretAccessKey:{KEY} SessionToken:abc}}", KEY),
    (f"{{AccessKeyID:x SecretAccessKey:{KEY} SessionToken:abcd-ef}}", "abcd-ef"),
    (f"&{{Username:AWS Password:{HEX} Auth: Email:}}", HEX),
    ("map[password:hunter2 user:AWS]", "hunter2"),
    (f"&{{IdentityToken:{HEX} RegistryToken:zzz}}", "zzz"),
    ('types.AuthConfig{Password:"hunter2 word"}', "hunter2 word"),
    (f"<SecretAccessKey>{KEY}</SecretAccessKey>", KEY),
    ("<SessionToken>abc</SessionToken>", "abc<"),
    ("&lt;Password&gt;hunter2&lt;/Password&gt;", "hunter2"),
    (f"secretKey: {KEY}", KEY),
    (f"secret-key: {KEY}", KEY),
    (f"aws_secret_access_key: {KEY}", KEY),
    ("clientSecret: short", "short"),
    ("password: hunter2", "hunter2"),
    ("password:hunter2", "hunter2"),
    ("PASSWORD:  hunter2", "hunter2"),
    ("passphrase: 'two words'", "two words"),
    (INDENTED, INDENTED[4:]),
    (TABBED, TABBED[4:]),
    (SPACED, SPACED[4:]),
    (f"data {WRAPPED} end", LONG[-30:]),
    (WRAPPED.replace("\n", "\r\n"), LONG[-30:]),
    (WRAPPED.replace("\n", "\\n"), LONG[-30:]),
    ("X-Amz-Signature=0a1b2c", "0a1b2c"),
    ("X-Amz-Signature%3D0a1b2c", "0a1b2c"),
    ("X-Amz-Signature%253D0a1b2c", "0a1b2c"),
    ("X-Amz-Signature%25253D0a1b2c", "0a1b2c"),
    ("token%3Dhunter2", "hunter2"),
    ("password%253Dhunter2", "hunter2"),
    (quote('{"password":"hunter2"}'), "hunter2"),
    (quote(quote('{"auth": "hunter2"}')), "hunter2"),
    (quote("https://AWS:hunter2@host", safe=""), "hunter2"),
    (quote(quote("https://AWS:hunter2@host", safe=""), safe=""), "hunter2"),
    ("sent BASIC QVdUOnBhc3M=", "QVdUOnBhc3M="),
    ("sent BEARER abcdef0123456789", "abcdef0123456789"),
    ("sent Bearer abcdefGH", "abcdefGH"),
    ("sent bearer abc_defgh", "abc_defgh"),
    ("".join(chr(ord(each) + 0xFEE0) for each in "AKIAIOSFODNN7EXAMPLE"), "IOSFODNN"),
    ("".join(chr(0x1D400 + ord(each) - 65) for each in "AKIAIOSFODNNXEXAMPLE"), "IOSFODNN"),
    ("\u24b6\u24c0\u24be\u24b6IOSFODNN7EXAMPLE", "IOSFODNN"),
    ("AK\u200bIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ("AK\x1b[0mIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ("AK\x9b0mIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ('password="two words"', "words"),
    ("password='two words'", "words"),
    ('password: "two words"', "words"),
    ("PASSWORD = 'two words' next", "words"),
    ('password=\\"two words\\"', "words"),
    ('{"password": 12345678}', "12345678"),
    ('{"password":-12.5e3}', "12.5"),
    ("password=12345678", "12345678"),
    ("password: 12345678", "12345678"),
    ("https://AWS:pa/ss/word@host/v2/", "word"),
    ("https://AWS:/word@host/v2/", "word"),
    ("https://AWS:hunter2@host", "hunter2"),
    (f"https://{HEX}@host/v2/", HEX),
    (f"https://{JWT}@host/v2/", JWT),
    ("https://AWS%3Ahunter2@host/v2/", "hunter2"),
    (f"ghp_{ALNUM}", ALNUM),
    (f"gho_{ALNUM}", ALNUM),
    (f"ghs_{ALNUM}", ALNUM),
    (f"github_pat_{ALNUM}_{ALNUM}", ALNUM),
    (f"glpat-{ALNUM[:20]}", ALNUM[:20]),
    (f"gldt-{ALNUM[:20]}", ALNUM[:20]),
    (f"dckr_pat_{ALNUM[:27]}", ALNUM[:27]),
    (f"dckr_oat_{ALNUM[:27]}", ALNUM[:27]),
    (f"npm_{ALNUM}", ALNUM),
    ("xoxb-123456789012-abcdefABCDEF", "abcdefABCDEF"),
    (f"hvs.{ALNUM}", ALNUM),
    (f"AKCp{ALNUM}", ALNUM),
    (PEM, "MIIEow"),
    (PEM, "7bq98ZxC"),
    (PEM.replace("\n", "\\n"), "7bq98ZxC"),
    (PEM.replace("RSA ", "OPENSSH ")[:60], "MIIEow"),
    (PEM.replace("MIIE", "Proc-Type: 4,ENCRYPTED\nMIIE"), "7bq98ZxC"),
    ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX", "XXXXXXXX"),
    ("https://hooks.slack.com/workflows/T00000000/A0/XXXXXXXX", "XXXXXXXX"),
    ("https://discord.com/api/webhooks/1234/abcdef", "abcdef"),
    ("tool --password hunter2", "hunter2"),
    ("tool --password=hunter2", "hunter2"),
    ("tool --password 'two words' host", "words"),
    ('tool --password="two words" host', "words"),
    ("tool --token hunter2", "hunter2"),
    ("docker login -u AWS -p hunter2 host", "hunter2"),
    ("docker login -p 'two words' host", "words"),
    ("docker login --username AWS -phunter2 host", "hunter2"),
    ("ctr image pull --user AWS:hunter2 host", "hunter2"),
    ("skopeo copy --src-creds=AWS:hunter2 host", "hunter2"),
    ("curl -u AWS:hunter2 host", "hunter2"),
    ("Authorization: Bearer abc", "abc"),
    ("authorization: bearer abc", "abc"),
    ("AUTHORIZATION: BEARER abc", "abc"),
    ("Authorization: token abc", "abc"),
    ("Authorization:[Basic abc]", "abc"),
    ("proxy-authorization: Basic abc", "abc"),
    (f"X-Registry-Auth: {BASIC}", BASIC[4:]),
    (f"PRIVATE-TOKEN: {HEX}", HEX),
    (f"X-Vault-Token: {HEX}", HEX),
    (f"Set-Cookie: {HEX}", HEX),
    (json.dumps(CONFIG), BASIC[4:]),
    (json.dumps({"auth": "short"}), "short"),
    (json.dumps(json.dumps({"auth": "short"})), "short"),
    (json.dumps(json.dumps(json.dumps({"auth": "short"}))), "short"),
    ('{"identitytoken": "a b"}', "a b"),
    (f"jwt {JWT} expired", JWT[-20:]),
    ("AWS_SECRET_ACCESS_KEY=abc/def", "abc/def"),
    ("[AWS_SESSION_TOKEN=abc AWS_REGION=x]", "abc "),
    ("aws_access_key_id = AKIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    # Each by the one word in it that has the rule tried at all.
    ("api_key=hunter2", "hunter2"),
    # Whatever a letter's lower case is: a pattern that ignores case takes it for an i.
    ("Author\u0131zation: Basic abc", "abc"),
    # With every word that a name of a secret may have.
    ("token passphrase secret key auth sig passwd=hunter2", "hunter2"),
    ("&sig=hunter2", "hunter2"),
    ("Job-Token: Bearer abc", "abc"),
    ("{'auth': 'short'}", "short"),
    ("{'password': 12345678}", "12345678"),
    ("https://shop.webhook.office.com/webhookb2/abc", "webhookb2"),
    ("sent ASIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ("sent ABIAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ("sent ACCAIOSFODNN7EXAMPLE", "IOSFODNN"),
    ("sent FwoGZXIvYXdzEBYaDHNlY3JldHNlY3JldA", "ZXIvYXdz"),
    ("sent FQoGZXIvYXdzEBYaDHNlY3JldHNlY3JldA", "ZXIvYXdz"),
    ("sent AQoDYXdzEJr1K3NlY3JldHNlY3JldHNlY3", "YXdzEJr1"),
    *((f"sent {each}", each[8:]) for each in BARE),
]

PLAIN = [
    "sha256:" + "9f" * 32,
    "repo@sha256:" + "9f" * 32 + "\nfailed to resolve",
    "arn:aws:secretsmanager:us-east-1:111111111111:secret:ecr-pullthroughcache/docker-hub-AbCdEf",
    "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:iam::111111111111:role/eks-node",
    "arn:aws:sts::111111111111:assumed-role/token-vending/i-0123456789abcdef0",
    "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/auth-service:v1.2.3",
    "https://111111111111.dkr.ecr.us-east-1.amazonaws.com/v2/team/password-store/manifests/v1",
    "https://registry.example.com:5000/v2/app/manifests/v1",
    "https://registry.example.com:5000/v2/app@sha256:" + "9f" * 32,
    "docker://payments:v1/x@sha256:" + "9f" * 32,
    "proxy http://proxy:3128, https://proxy:3129 failed",
    "RequestID: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "request id: 1234abcd-12ab-34cd-56ef-1234567890ab",
    "account 111111111111",
    "550e8400-e29b-41d4-a716-446655440000",
    "secretKeyRef: name",
    "imagePullSecrets: my-secret",
    "secretName: my-secret",
    'secret "my-secret" not found',
    "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
    "pod web-7c9d8b5f6-x2x9k in namespace glpat",
    "pod token-refresher-7c9d8b5f6-x2x9k",
    "GetAuthorizationToken: operation error ECR: RequestError",
    "get authorization token: no such host",
    "failed to fetch oauth token: unexpected status: 401 Unauthorized",
    'Www-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    "Basic authentication required",
    "BASIC AUTHENTICATION REQUIRED",
    "no basic auth credentials",
    "the bearer authenticator failed",
    "docker login --password-stdin 111111111111.dkr.ecr.us-east-1.amazonaws.com",
    "docker login -u AWS host",
    "mkdir -p /var/lib/x; kubectl get pods -p",
    "kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock",
    "git@github.com:org/repo.git",
    "-----BEGIN CERTIFICATE-----",
    "KMS key: 1234abcd-12ab-34cd-56ef-1234567890ab",
    "keys: a, b",
    "https://hooks.slack.com/services",
    "i-0123456789abcdef0",
    "vpce-0123456789abcdef0.api.ecr.us-east-1.vpce.amazonaws.com",
    "npm_config",
    "user --user 1000:1000x"[:6],
    "größe 容器 🐳 “quoted” …",
    "x509: certificate signed by unknown authority",
    "AWS: unable to read",
    "dial tcp 10.0.0.1:443: i/o timeout",
]


def test_the_tables_are_long() -> None:
    assert len({text for text, _ in SECRETS}) >= 80
    assert len(PLAIN) >= 45


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_credential_is_hidden(text: str, secret: str) -> None:
    assert secret not in redact(text).replace(REDACTED, "")
    assert secret not in plain_text(text).replace(REDACTED, "")
    assert REDACTED in redact(text)


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert redact(text) == text.replace("\n", " ")


# What each rule leaves of its example.
HIDDEN = {
    "a private key": "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----",
    "the credential of a header": "Authorization: [redacted]",
    "what signs a URL: Signature Version 4 and 2, and CloudFront's": "X-Amz-Signature=[redacted]",
    "a quoted assignment": 'password=[redacted]"',
    "an assignment": "AWS_SESSION_TOKEN=[redacted]",
    "a member of a JSON object": '{"auth": "[redacted]"}',
    "a number in a JSON object": '{"password": [redacted]}',
    "a member of a JSON object in a string": r"{\"auth\": \"[redacted]\"}",
    "a member of a JSON object in a URL": "%22password%22%3A%22[redacted]%22",
    "an element of XML": "<SecretAccessKey>[redacted]</SecretAccessKey>",
    "a quoted value as Go and YAML print it": 'Password:[redacted]"',
    "a value as Go and YAML print it": "{AccessKeyID:x SecretAccessKey:[redacted]}",
    "an opaque value after a colon": "token: [redacted]",
    "an option of a command": "--password [redacted]",
    "the password of docker login": "docker login -u AWS -p [redacted]",
    "a user with a password as an option": "ctr image pull --user [redacted]",
    "a scheme of HTTP authentication": "Bearer [redacted]",
    "the password of a URL; one with a slash is no port": "https://[redacted]@host",
    "a token as the user of a URL": "https://[redacted]@host",
    "the user of a URL in a URL": "https%3A%2F%2F[redacted]%40host",
    "the secret part of a webhook": "https://hooks.slack.com/services/[redacted]",
    "a token whose prefix names its issuer": "[redacted]",
    "the id of an AWS access key": "[redacted]",
    "JSON in base64, indented or not: passwords of ECR, JSON Web Tokens, Docker's configuration": "[redacted]",
    "AWS: and a password in base64": "[redacted]",
    "a session token of AWS STS": "[redacted]",
}


@pytest.mark.parametrize(("hides", "hidden"), HIDDEN.items())
def test_each_rule_hides_its_example_and_finds_a_needle_in_it(hides: str, hidden: str) -> None:
    (rule,) = (each for each in RULES if each.hides == hides)
    assert re.sub(rule.pattern, rule.replacement, rule.example) == hidden
    assert any(needle in rule.example.lower() for needle in rule.needles)
    assert not rule.is_named or any(name in rule.example.lower() for name in NAMES)


def test_what_each_rule_hides_is_said_once() -> None:
    assert [each.hides for each in RULES] == list(HIDDEN)


@pytest.mark.parametrize("name", ["botocore", "botocore.parsers", "boto3", "urllib3.connectionpool"])
def test_the_sdk_does_not_follow_the_runtimes_log_level(name: str) -> None:
    """The runtime sets the root logger to the function's log level."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    for each in ("botocore", "boto3", "urllib3"):
        logging.getLogger(each).setLevel(logging.NOTSET)
    try:
        importlib.reload(handlers)
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
        assert logging.getLogger(name).isEnabledFor(logging.INFO)
    finally:
        root.setLevel(before)


@pytest.mark.parametrize(
    "header",
    [
        *("authorization", "x-registry-auth", "x-registry-config", "x-amz-security-token", "x-vault-token"),
        *("x-jfrog-art-api", "private-token", "job-token", "x-api-key", "set-cookie", "cookie"),
    ],
)
def test_what_a_header_holds_is_left_out(header: str) -> None:
    secret = "q9w8e7r6t5z4u3i2o1p0"
    for text in (f"sent {header}: {secret}", f"sent {header.title()}: {secret}"):
        assert secret not in redact(text)
    assert secret in redact(f"sent x-request-id: {secret}")

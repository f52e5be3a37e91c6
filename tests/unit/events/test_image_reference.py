"""Image references: every form a pod may name, and what is said of those that no runtime can pull."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.image_reference import TEXT_LIMIT, RegistryKind, parse_image

HOST = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    ("host", "region", "partition", "fips", "dual_stack"),
    [
        (HOST, "us-east-1", "aws", False, False),
        ("111111111111.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", "aws", True, False),
        ("111111111111.dkr-ecr.eu-west-1.on.aws", "eu-west-1", "aws", False, True),
        ("111111111111.dkr-ecr-fips.us-gov-west-1.on.aws", "us-gov-west-1", "aws-us-gov", True, True),
        ("111111111111.dkr.ecr.us-gov-east-1.amazonaws.com", "us-gov-east-1", "aws-us-gov", False, False),
        ("111111111111.dkr.ecr.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1", "aws-cn", False, False),
        ("111111111111.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", "aws-cn", False, True),
        ("111111111111.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "aws-eusc", False, False),
        (
            "111111111111.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu",
            *("eusc-de-east-1", "aws-eusc", False, True),
        ),
        ("111111111111.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "aws-iso", False, False),
        ("111111111111.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "aws-iso-b", False, False),
        ("111111111111.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", "aws-iso-e", False, False),
        ("111111111111.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", "aws-iso-f", False, False),
    ],
)
def test_private_registries(host: str, region: str, partition: str, fips: bool, dual_stack: bool) -> None:  # noqa: FBT001 -- columns of the table
    image = parse_image(f"{host}/team/app:v1")
    assert image is not None
    assert image.kind is RegistryKind.ECR_PRIVATE
    assert (image.registry_account, image.region, image.partition) == ("111111111111", region, partition)
    assert (image.fips, image.dual_stack, image.problem) == (fips, dual_stack, None)
    assert (image.host, image.repository, image.tag, image.digest) == (host, "team/app", "v1", None)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"{HOST}/app", (HOST, None, "app", None, None)),
        (f"{HOST}/app:v1", (HOST, None, "app", "v1", None)),
        (f"{HOST}/app@{DIGEST}", (HOST, None, "app", None, DIGEST)),
        (f"{HOST}/app:v1@{DIGEST}", (HOST, None, "app", "v1", DIGEST)),
        (f"{HOST}:443/app:v1", (HOST, 443, "app", "v1", None)),
        (f"  {HOST}/app:v1 \n", (HOST, None, "app", "v1", None)),
        ("nginx", ("docker.io", None, "library/nginx", None, None)),
        ("nginx:1.27", ("docker.io", None, "library/nginx", "1.27", None)),
        ("index.docker.io/nginx", ("docker.io", None, "library/nginx", None, None)),
        ("team/app:v1", ("docker.io", None, "team/app", "v1", None)),
        ("localhost/app", ("localhost", None, "app", None, None)),
        ("localhost:5000/app:v1", ("localhost", 5000, "app", "v1", None)),
        ("[fd00::1]:5000/app", ("[fd00::1]", 5000, "app", None, None)),
        ("Registry/app", ("Registry", None, "app", None, None)),
        ("quay.io/a/b__c/d--e", ("quay.io", None, "a/b__c/d--e", None, None)),
    ],
)
def test_the_parts(text: str, parts: tuple[object, ...]) -> None:
    image = parse_image(text)
    assert image is not None
    assert (image.host, image.port, image.repository, image.tag, image.digest) == parts
    assert image.problem is None
    assert str(image) == text.strip()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("public.ecr.aws/eks/pause:3.5", RegistryKind.ECR_PUBLIC),
        ("ecr-public.aws.com/eks/pause:3.5", RegistryKind.ECR_PUBLIC),
        ("public.ecr.aws.example/eks/pause", RegistryKind.OTHER),
        (f"{HOST}.example/app", RegistryKind.OTHER),
        (f"example.com/{HOST}/app", RegistryKind.OTHER),
        ("111111111111.dkr.ecr.us-east-1.amazonaws.evil/app", RegistryKind.OTHER),
        ("docker.io/library/nginx", RegistryKind.OTHER),
    ],
)
def test_whose_registry_it_is(text: str, kind: RegistryKind) -> None:
    image = parse_image(text)
    assert image is not None
    assert (image.kind, image.registry_account, image.region) == (kind, None, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{HOST}/Team/app:v1", "the repository 'Team/app' has upper case letters"),
        ("MyApp:v1", "the repository 'MyApp' has upper case letters"),
        (f"{HOST}/team//app", "'team//app' is not a repository name"),
        (f"{HOST}/app-", "'app-' is not a repository name"),
        (f"{HOST}/a", "'a' is too short for a repository of Amazon ECR"),
        (f"{HOST}/{'a' * 256}", "the repository name is longer than 255 characters"),
        (HOST, "it names a registry but no repository"),
        (f"{HOST}:v1", "it names a registry but no repository"),
        (f"{HOST}/app:", "the tag after the colon is missing"),
        (f"{HOST}/app:-v1", "'-v1' is not a tag"),
        (f"{HOST}/app:v1:v2", "'v1:v2' is not a tag"),
        (f"{HOST}/app:{'a' * 129}", f"'{'a' * 129}' is not a tag"),
        (f"{HOST}/app@sha256:0f", "'sha256:0f' is not a digest"),
        (f"{HOST}/app@", "'' is not a digest"),
        (f"{HOST}/app@{DIGEST}@x", f"'{DIGEST}@x' is not a digest"),
        ("quay.io/...", "'...' is not a repository name"),
        (f"{HOST}:99999/app", "'99999' is not a valid port"),
        (f"https://{HOST}/app", "an image reference does not begin with 'https://'"),
        ("$REGISTRY/app:v1", "an image reference cannot contain the character '$'"),
        ("{{image}}", "an image reference cannot contain the character '{'"),
        (HOST.upper() + "/app", "the registry's host has upper case letters"),
        ("1111.dkr.ecr.us-east-1.amazonaws.com/app", "'1111' is not an account id of twelve digits"),
        ("111111111111.dkr.ecr.us-east.amazonaws.com/app", "'us-east' is not a region"),
        ("111111111111.dkr.ecr.cn-north-1.amazonaws.com/app", "the registry hosts of cn-north-1 end in"),
        ("111111111111.dkr-ecr.us-east-1.on.amazonwebservices.com.cn/app", "the registry hosts of us-east-1 end in"),
        ("-bad.example.com/app", "'-bad.example.com' is not a valid host"),
    ],
)
def test_what_is_spelt_wrong(text: str, problem: str) -> None:
    image = parse_image(text)
    assert image is not None
    assert (image.problem or "").startswith(problem)


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.amazonaws.com",
        "123456789012.dkr.ecrx.us-east-1.amazonaws.com",
        "123456789012.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.us-east-1.amazonaws.com",
        "dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonws.com",
        "123456789012.DKR.ecr.us-east-1.amazonaws.co",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.cn",
        "123456789012.dkr.ecr.us-east-1",
        "123456789012.dkr-ecr.us-east-1",
        "dkr.ecr",
    ],
)
@pytest.mark.parametrize("rest", ["/app:v1", ":v1", ""])
def test_hosts_that_are_nearly_amazons(host: str, rest: str) -> None:
    image = parse_image(host + rest)
    assert image is not None
    assert (image.kind, image.host) == (RegistryKind.OTHER, host)
    written = "an image in Amazon ECR is written 123456789012.dkr.ecr.us-east-1.amazonaws.com/name:tag"
    assert image.problem == f"{written}; this host differs"


@pytest.mark.parametrize(
    "text",
    [
        "public.ecr.aws/team/app",
        "ecr-public.aws.com/team/app",
        "ecr",
        "dkr-ecr:v1",
        "team/dkr.ecr.us-east-1.amazonaws.com",
        "ecr.example.com/app",
        "registry.ecr:5000/app",
        "dkr.ecr.mirror.example.com/app",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.proxy.example.net/app",
        "000000000000.dkr.ecr.us-east-1.localhost.localstack.cloud:4566/app",
        "ecr-mirror-0123.us-east-1.elb.amazonaws.com/app",
    ],
)
def test_hosts_of_others_that_have_amazons_words(text: str) -> None:
    image = parse_image(text)
    assert image is not None
    assert image.kind is not RegistryKind.ECR_PRIVATE
    assert image.problem is None


@pytest.mark.parametrize(
    "text",
    ["", "  ", "two words", ":v1", f"@{DIGEST}", "...", ".../app", "a\x1b[31m", "\u0430pp", "a" * (TEXT_LIMIT + 1)],
)
def test_no_reference_at_all(text: str) -> None:
    assert parse_image(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{HOST}/{'a' * 255}", None),
        (f"{HOST}/aa", None),
        (f"{HOST}/app:{'a' * 128}", None),
        (f"{HOST}/app:_v1", None),
        ("quay.io:65535/app", None),
        ("quay.io:65536/app", "'65536' is not a valid port"),
        ("quay.io:1/app", None),
        ("quay.io:0/app", "'0' is not a valid port"),
        ("quay.io:x/app", "'x' is not a valid port"),
        ("quay.io:/app", "'' is not a valid port"),
        ("quay.io:123456/app", "'123456' is not a valid port"),
        ("[fd00::1]/app", None),
        ("quay.io/a", None),
        ("docker://quay.io/app", "an image reference does not begin with 'docker://'"),
        ("oci://quay.io/app", "an image reference does not begin with 'oci://'"),
        ("http://quay.io/app", "an image reference does not begin with 'http://'"),
    ],
)
def test_what_is_just_right_and_what_is_just_wrong(text: str, problem: str | None) -> None:
    image = parse_image(text)
    assert image is not None
    assert image.problem == problem
    assert (image.port or 0) <= 99_999


def test_the_longest_reference_has_1024_characters_without_the_blanks_around_it() -> None:
    longest = "a" * 1_024
    for blanks in (" ", " " * 3):
        assert parse_image(f"{blanks}{longest}{blanks}") == parse_image(longest)
    assert parse_image(f" {longest} tail") is None
    assert parse_image(longest) is not None
    assert parse_image(f"{longest}a") is None


def test_what_holds_a_credential_is_no_reference() -> None:
    assert parse_image("https://bucket.s3.amazonaws.com/key?X-Amz-Signature=0123abcd") is None


PIECES = st.sampled_from([HOST, "app", "/", ":", "@", ".", "-", "_", "A", "v1", DIGEST, "[", "]", "443", "é", " ", "$"])


@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)))
def test_any_text_is_accepted_and_nothing_is_invented(text: str) -> None:
    image = parse_image(text)
    if image is None:
        return
    assert image.text == text.strip()
    assert image.tag is None or image.tag in text
    assert image.repository.removeprefix("library/") in text
    if image.problem is None and image.kind is RegistryKind.ECR_PRIVATE:
        assert image.registry_account is not None
        assert image.region is not None
        assert image.text.startswith(image.host)


@pytest.mark.parametrize(
    ("host", "registry_host"),
    [
        ("111111111111.dkr.ecr.us-east-1.amazonaws.com", None),
        ("111111111111.dkr.ecr.us-east-1.amazonaws.com:443", "111111111111.dkr.ecr.us-east-1.amazonaws.com:443"),
        (
            "111111111111.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            "111111111111.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        ),
        ("111111111111.dkr-ecr.us-east-1.on.aws", "111111111111.dkr-ecr.us-east-1.on.aws"),
        ("public.ecr.aws", "public.ecr.aws"),
        ("quay.io:443", None),
    ],
)
def test_the_host_is_kept_where_the_way_to_it_is_another(host: str, registry_host: str | None) -> None:
    image = parse_image(f"{host}/team/app:v1")
    assert image is not None
    assert image.registry_host == registry_host


@pytest.mark.parametrize("text", ["nginx", "public.ecr.aws/nginx/nginx:1"])
def test_only_a_private_registry_has_hosts_of_other_kinds(text: str) -> None:
    image = parse_image(text)
    assert image is not None
    assert (image.fips, image.dual_stack, image.registry_account, image.region) == (False, False, None, None)

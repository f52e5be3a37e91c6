"""The hosts of a pull in few words."""

from __future__ import annotations

import pytest

from pull_responder.pulls.host_words import few_words

API, REGISTRY = "api.ecr.us-east-1.amazonaws.com", "111111111111.dkr.ecr.us-east-1.amazonaws.com"
LAYERS = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ((LAYERS,), "the layers"),
        ((REGISTRY, LAYERS), "the registry and the layers"),
        ((API,), "api.ecr"),
        (("ecr-fips.us-east-1.amazonaws.com", "ecr.us-east-1.api.aws"), "api.ecr"),
        (("111111111111.dkr-ecr-fips.us-east-1.on.aws",), "the registry"),
        (("public.ecr.aws",), "the registry"),
        (("d2glxqk2uabbnd.cloudfront.net",), "the layers"),
        ((API, REGISTRY, LAYERS), "the hosts of pulls"),
        ((), "the hosts of pulls"),
    ],
)
def test_hosts_are_told_by_what_they_are_for(hosts: tuple[str, ...], words: str) -> None:
    assert few_words(hosts) == words

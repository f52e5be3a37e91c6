"""Whose answer a status is: the registry's, a mirror's, or that of another registry's storage."""

from __future__ import annotations

import pytest

from pull_responder.events.image_reference import parse_image
from pull_responder.events.mirrors import is_upstreams, mirror_of
from pull_responder.events.registry_urls import find_urls
from pull_responder.model.pull import Stage
from tests.unit.events.messages import BUCKET, IMAGE, MANIFEST

OURS, OTHERS = parse_image(IMAGE), parse_image("quay.io/team/app:v1")
MIRROR = "https://mirror.example.com/v2/team/app/manifests/v1"


@pytest.mark.parametrize(
    ("asked", "mirror"),
    [
        (MANIFEST, ""),
        ("https://api.ecr.us-east-1.amazonaws.com/", ""),
        (f"https://{BUCKET}/layer", ""),
        ("http://169.254.169.254/latest/api/token", ""),
        ("https://d1.cloudfront.net/layer", ""),
        ("https://sts.us-east-1.amazonaws.com/", ""),
        ("https://d1.cloudfront.net:443/layer", ""),
        ("https://sts.us-east-1.amazonaws.com:443/", ""),
        ("https://eks-auth.us-east-1.api.aws/", ""),
        ("https://x.us-east-1.on.aws/", ""),
        ("https://ecr.us-east-1.api.aws/", ""),
        ("https://ecr.cn-north-1.api.amazonwebservices.com.cn/", ""),
        ("https://ecr.eusc-de-east-1.api.amazonwebservices.eu/", ""),
        ("https://vpce-1.dkr.ecr.us-east-1.vpce.amazonaws.com/v2/", ""),
        ("https://portal.example.com/login", "portal.example.com"),
        ("https://mirror.example.com:5000/v2/team/app/manifests/v1", "mirror.example.com"),
    ],
)
def test_whose_status_a_link_with_its_url_has(asked: str, mirror: str) -> None:
    (url,) = find_urls(asked)
    place = ["unexpected", "status", "from", "head", "request", "to", asked]
    assert mirror_of(place, [], url, OURS) == mirror
    assert mirror_of(["403"], place, url, OURS) == mirror
    assert is_upstreams(url, OURS) is is_upstreams(url, OTHERS) is bool(mirror)
    # Of an image of another registry, or of none, nothing is known.
    assert mirror_of(place, [], url, OTHERS) == mirror_of(place, [], url, None) == ""
    assert mirror_of(["forbidden"], ["x"], url, OURS) == ""


def test_a_portal_counts_only_where_its_url_stands_beside_the_status_and_before_a_layer() -> None:
    (portal,), (mirror,) = find_urls("https://portal.example.com/login"), find_urls(MIRROR)
    place = ["unexpected", "status"]
    assert mirror_of(place, [], portal, OURS) == ""
    assert mirror_of([*place, "https://portal.example.com/login"], [], portal, OURS, Stage.LAYER) == ""
    assert mirror_of(place, [], mirror, OURS, Stage.LAYER) == "mirror.example.com"
    assert mirror_of(place, [], None, OURS) == ""


def test_a_host_may_stand_in_the_words_alone() -> None:
    place = ["pulling", "from", "host", "mirror.example.com:5000", "failed", "with", "status", "code"]
    assert mirror_of(place, [], None, OURS) == "mirror.example.com"
    for host in (IMAGE.partition("/")[0], "public.ecr.aws", "mirror{example"):
        assert mirror_of([*place[:3], host, *place[4:]], [], None, OURS) == ""


def test_the_token_service_of_aws_in_china_is_no_mirror() -> None:
    asked = "https://sts.cn-north-1.api.amazonwebservices.com.cn/"
    assert mirror_of(["unexpected", "status", asked], [], find_urls(asked)[0], OURS) == ""


def test_without_a_url_the_images_registry_was_asked() -> None:
    assert [is_upstreams(None, each) for each in (OURS, OTHERS, None)] == [False, True, False]

"""URLs in messages: the stage of a pull that requests each, the image it names, and whose host it has."""

from __future__ import annotations

import pytest

from pull_responder.events.registry_urls import find_urls
from pull_responder.model.pull import Stage
from tests.unit.events.messages import BLOB, BUCKET, DIGEST, HOST, IMAGE, MANIFEST

OTHER = "https://registry.example.com"


@pytest.mark.parametrize(
    ("url", "stage", "image"),
    [
        (MANIFEST, Stage.MANIFEST, IMAGE),
        (f"https://{HOST}/v2/team/app/manifests/{DIGEST}", Stage.MANIFEST, f"{HOST}/team/app@{DIGEST}"),
        (f"https://{HOST}/v2/team/app/manifests/vX", Stage.MANIFEST, f"{HOST}/team/app:vX"),
        (f"https://{HOST}/v2/manifests/blobs/manifests/v1", Stage.MANIFEST, f"{HOST}/manifests/blobs:v1"),
        (BLOB, Stage.LAYER, f"{HOST}/team/app"),
        (f"https://{BUCKET}/x", Stage.LAYER, None),
        ("https://d1a2b3.cloudfront.net/x", Stage.LAYER, None),
        # It takes the same way as the manifest, and names no image.
        (f"https://{HOST}/v2/", Stage.MANIFEST, None),
        (f"https://{HOST}/v2", Stage.MANIFEST, None),
        (f"https://{HOST}/v2/team/app/manifests/", Stage.MANIFEST, None),
        (f"https://{HOST}/v2/team/app/tags/list", Stage.MANIFEST, None),
        (f"https://{HOST}/v2/manifests/v1", Stage.MANIFEST, None),
        (f"https://{HOST}/v20/team/app/manifests/v1", None, None),
        (f"{OTHER}/v1/team/app", None, None),
        (OTHER, None, None),
        (f"{OTHER}/service/token", Stage.TOKEN, None),
        (f"{OTHER}/service/token/", Stage.TOKEN, None),
        (f"{OTHER}/service/tokenX", None, None),
        (f"{OTHER}/tokens", None, None),
        ("https://auth.docker.io/x", Stage.TOKEN, None),
        ("https://api.ecr.us-east-1.amazonaws.com/", Stage.TOKEN, None),
        ("https://api.ecr.us-east-1.api.aws/", Stage.TOKEN, None),
        ("https://ecr.cn-north-1.api.amazonwebservices.com.cn/", Stage.TOKEN, None),
        ("https://ecr.eusc-de-east-1.api.amazonwebservices.eu/", Stage.TOKEN, None),
        ("https://sts.us-east-1.amazonaws.com:443/", Stage.TOKEN, None),
        ("https://sts.example.com/", None, None),
        ("http://169.254.169.254/latest/api", Stage.TOKEN, None),
        ("http://169.254.170.23/v1/credentials", None, None),
    ],
)
@pytest.mark.parametrize("after", ["", ":", ",", ".", ";", ")", "]", "?scope=x"])
def test_what_a_url_is_asked_for(url: str, stage: Stage | None, image: str | None, after: str) -> None:
    if after and url.count("/") < 3:
        return  # what follows a host alone may be its port
    (found,) = find_urls(f'Head "x": {url}{after} said')
    assert (found.stage, str(found.image) if found.image else None) == (stage, image)


@pytest.mark.parametrize(
    ("host", "is_metadata"),
    [
        *(
            ("169.254.169.254", True),
            ("169.254.169.254:80", True),
            ("[fd00:ec2::254]", True),
            ("[fd00:ec2::254]:80", True),
        ),
        *(("169.254.170.2", True), ("169.254.170.23", True), ("169.254.170.23:80", True)),
        *(("169.254.169.253", False), ("169.254.169.254:443", False), (HOST, False)),
    ],
)
def test_who_answers_with_credentials(host: str, is_metadata: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert [each.is_metadata for each in find_urls(f"http://{host}/x")] == [is_metadata]


@pytest.mark.parametrize(
    ("host", "is_layer_bucket"),
    [(BUCKET, True), ("d1a2b3.cloudfront.net", True), (HOST, False), ("d1a2b3.cloudfront.net.example", False)],
)
def test_what_stores_the_layers(host: str, is_layer_bucket: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert [each.is_layer_bucket for each in find_urls(f"https://{host}/x")] == [is_layer_bucket]


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("no URL", []),
        ("xhttps://a.example/", []),
        ('Get "https://A.example:5000/v2/": x', ["a.example:5000"]),
        (
            f"https://<account id>.dkr.ecr.us-east-1.amazonaws.com/v2/ then {MANIFEST}",
            ["<account id>.dkr.ecr.us-east-1.amazonaws.com", HOST],
        ),
    ],
)
def test_all_urls_in_their_order(text: str, hosts: list[str]) -> None:
    assert [each.host for each in find_urls(text)] == hosts

"""Answers of hosts that are none of ECR: an upstream registry's storage, its gateway, an interface endpoint."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_chain import LINK
from pull_responder.events.kubelet_message import read_message
from pull_responder.events.registry_urls import find_urls
from pull_responder.events.runtime_faults import _FAILED, _SILENT
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Answer, Stage, Symptom
from tests.unit.events.messages import HOST

CACHED = f"{HOST}/docker-hub/library/nginx:1"
OF_POLICIES = {"role_lacks_pull_permissions", "s3_endpoint_policy_blocks_layers", "repository_policy_denies_pull"}
PULLING = 'Failed to pull image "{0}": failed to pull and unpack image "{0}": '
COPYING = PULLING + "failed to copy: httpReadSeeker: failed open: "
STORAGE = "https://production.cloudflare.docker.com/registry-v2/docker/registry/v2/blobs/sha256/aa/aabb/data"


def layer_of(host: str) -> str:
    return f"https://{host}/v2/docker-hub/library/nginx/blobs/sha256:aa"


@pytest.mark.parametrize("status", ["520 <none>", "522 <none>", "403 Forbidden", "530 <none>"])
def test_the_storage_of_an_upstream_is_no_proxy_and_no_policy(status: str) -> None:
    read = read_message(COPYING.format(CACHED) + f"unexpected status code {STORAGE}: {status}")
    assert (read.symptom, read.answer) == (Symptom.UNKNOWN, Answer.HTTP)
    assert not set(can_mean(read)) & OF_POLICIES


@pytest.mark.parametrize("host", [HOST, "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"])
def test_no_host_of_ecr_answers_so(host: str) -> None:
    read = read_message(COPYING.format(CACHED) + f"unexpected status code {layer_of(host)}: 522 <none>")
    assert read.symptom is Symptom.PROXY_FAILED


@pytest.mark.parametrize("host", [HOST, "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"])
def test_a_refusal_of_ecr_or_its_storage_stays_one(host: str) -> None:
    read = read_message(COPYING.format(CACHED) + f"unexpected status code {layer_of(host)}: 403 Forbidden")
    assert read.symptom is Symptom.ACCESS_DENIED


def test_the_gateway_of_another_registry_is_no_proxy() -> None:
    image = "quay.io/team/app:v1"
    asked = "https://quay.io/v2/team/app/manifests/v1"
    read = read_message(PULLING.format(image) + f"unexpected status from HEAD request to {asked}: 522 <none>")
    assert (read.symptom, read.answer) == (Symptom.UNKNOWN, Answer.HTTP)


def test_a_proxy_before_the_storage_of_an_upstream_is_still_one() -> None:
    read = read_message(COPYING.format(CACHED) + f"unexpected status code {STORAGE}: 407 Proxy Authentication Required")
    assert read.symptom is Symptom.PROXY_FAILED


@pytest.mark.parametrize(
    "shown", ["<html><center>cloudflare</center>", "<html><h1>403</h1><center>cloudflare</center>"]
)
def test_a_page_of_cloudflares_for_a_layer_may_be_the_upstreams(shown: str) -> None:
    said = f'initializing source docker://{CACHED}: reading blob sha256:aa: fetching blob: StatusCode: 403, "{shown}"'
    read = read_message(f'Failed to pull image "{CACHED}": {said}')
    assert (read.symptom, read.answer) == (Symptom.UNKNOWN, Answer.HTTP)
    early = said.replace(
        "reading blob sha256:aa: fetching blob", f"reading manifest 1 in {HOST}/docker-hub/library/nginx"
    )
    assert read_message(f'Failed to pull image "{CACHED}": {early}').symptom is Symptom.PROXY_FAILED


@pytest.mark.parametrize("suffix", ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov"])
def test_an_interface_endpoint_is_no_mirror(suffix: str) -> None:
    host = f"vpce-0a1b2c3d-e4f5.dkr.ecr.us-east-1.vpce.{suffix}"
    read = read_message(COPYING.format(CACHED) + f"unexpected status code {layer_of(host)}: 429 Too Many Requests")
    assert (read.symptom, read.answer) == (Symptom.THROTTLED, None)


@pytest.mark.parametrize("name", ["team/err_access_denied:v1", "team/app:err_access_denied", "a.err_access_denied/b:1"])
def test_the_name_of_an_image_is_no_word_of_a_gateway(name: str) -> None:
    image = f"{HOST}/{name}"
    read = read_message(PULLING.format(image) + f'failed to resolve reference "{image}": {image}: not found')
    assert read.symptom is Symptom.NOT_FOUND


def test_the_page_of_squid_is_one() -> None:
    body = "<body id=ERR_ACCESS_DENIED>"
    said = f'reading manifest 1 in {HOST}/docker-hub/library/nginx: StatusCode: 403, "{body}"'
    read = read_message(f'Failed to pull image "{CACHED}": initializing source docker://{CACHED}: {said}')
    assert read.symptom is Symptom.PROXY_FAILED


@pytest.mark.parametrize(
    "host",
    [
        *("api.ecr.us-east-1.amazonaws.com", "ecr.us-east-1.api.aws", "ecr-fips.us-gov-west-1.amazonaws.com"),
        *("api.ecr-public.us-east-1.amazonaws.com", "sts.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn"),
        *("api.ecr.eusc-de-east-1.amazonaws.eu", "auth.docker.io", "sts-fips.us-east-1.amazonaws.com:443"),
    ],
)
def test_a_host_that_gives_tokens_is_of_their_stage(host: str) -> None:
    assert [url.stage for url in find_urls(f"https://{host}/")] == [Stage.TOKEN]


@pytest.mark.parametrize(
    "host",
    [
        *("ecr.us-east-1.evil.example", "api.ecr.us-east-1.evil.example", "sts.evil.example", "auth.docker.io.evil"),
        *("sts.us-east-1.amazonaws.com.evil.example", "ecr.us-east-1.notamazonaws.com"),
    ],
)
def test_a_host_that_only_begins_so_has_no_stage(host: str) -> None:
    assert [url.stage for url in find_urls(f"https://{host}/")] == [None]


def test_no_phrase_of_the_runtime_holds_what_parts_links() -> None:
    assert not [phrase for phrase in (*_SILENT, *_FAILED) if LINK.search(phrase)]

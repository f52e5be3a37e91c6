"""Answers of hosts that are none of ECR: an upstream registry's storage, its gateway, an interface endpoint."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Answer, Symptom
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

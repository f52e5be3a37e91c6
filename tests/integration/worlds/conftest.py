"""moto in this process, built up once for all worlds."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from moto.core import responses, utils
from moto.ecr.responses import ECRResponse
from moto.organizations.models import organizations_backends

from pull_responder.emulator import (
    access_entries,
    dns_firewall,
    hosted_zones,
    ipv6,
    route53_profiles,
    transit_gateways,
    vpc_endpoints,
)
from tests.integration.worlds.building import Builder
from tests.integration.worlds.recorded import OURS, REGION, Emulated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder: Path = tmp_path_factory.mktemp("worlds")
    for gaps in (vpc_endpoints, access_entries, transit_gateways, hosted_zones, dns_firewall, ipv6):
        gaps.apply()
    route53_profiles.apply_to_moto()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(folder / "none"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        # It reads all that botocore knows of regions for each role; the roles here are right.
        patch.setattr("moto.eks.models.validate_role_arn", lambda *_: None)
        # It lists the methods of a class for each request.
        patch.setattr(responses, "method_names_from_class", cache(utils.method_names_from_class))
        # moto knows registry policies, and not what they apply to.
        scope = json.dumps({"name": "REGISTRY_POLICY_SCOPE", "value": "V2"})
        patch.setattr(ECRResponse, "get_account_setting", lambda _: scope, raising=False)
        # And no managed signing.
        patch.setattr(ECRResponse, "get_signing_configuration", lambda _: "{}", raising=False)
        builder = Builder(Emulated(), folder)
        patch.setattr(
            ECRResponse, "describe_pull_through_cache_rules", lambda asked: _rules(asked, builder), raising=False
        )
        patch.setattr(
            ECRResponse,
            "describe_repository_creation_templates",
            lambda asked: _templates(asked, builder),
            raising=False,
        )
        yield builder
        # moto keeps it beyond a reset, and other tests are in no organization.
        organizations_backends.master_accounts.clear()


def _rules(asked: ECRResponse, builder: Builder) -> str:
    rules = builder.caches.rules if asked.current_account == OURS else []
    return json.dumps({"pullThroughCacheRules": rules})


def _templates(asked: ECRResponse, builder: Builder) -> str:
    templates = builder.caches.templates if asked.current_account == OURS else []
    return json.dumps({"repositoryCreationTemplates": templates})

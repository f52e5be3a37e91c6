"""An emulated AWS of networks alone: VPCs of several accounts, what joins them, and the clusters in them.

It is moto, in this process. ministack, which `emulated_aws` starts, has neither transit gateways nor firewalls. moto
does not enforce IAM: who may read what is not tried here.
"""
# ruff: noqa: ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

import logging
import os
import re
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pull_responder.emulator import (
    access_entries,
    cache_rules,
    dns_firewall,
    hosted_zones,
    ipv6,
    network_firewall,
    route53_profiles,
    transit_gateways,
    vpc_endpoints,
)
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION, EmulatedAws, EmulatorError

if TYPE_CHECKING:
    from collections.abc import Iterator

_APPLIED: Final = "_knows_roots_by_their_keys"
_ROOT: Final = re.compile(r"Credential=(?P<account>\d{12})/")


def apply() -> None:
    """Patch moto in this process, so that networks do as in AWS. Call it before moto's server starts."""
    for part in (vpc_endpoints, ipv6, transit_gateways, hosted_zones, dns_firewall, network_firewall):
        part.apply()
    access_entries.apply()
    cache_rules.apply()
    route53_profiles.apply_to_moto()


@contextmanager
def emulated_networks() -> Iterator[EmulatedAws]:
    """Yield an emulated AWS of networks, and stop it afterwards.

    A twelve-digit access key is the root of that account, and session keys are of their role's account. Raises
    EmulatorError when moto is not installed.
    """
    try:
        apply()
        _know_roots()
        moto = import_module("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    except ModuleNotFoundError as missing:
        raise EmulatorError(f"the emulator needs {missing.name}: pip install -r requirements.txt") from missing
    # moto's web server logs every request, whatever log level moto has.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        yield EmulatedAws(
            environment={
                "PATH": os.environ["PATH"],
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_REGION": REGION,
            },
            log=Path(os.devnull),
        )
    finally:
        moto.stop()


def _know_roots() -> None:
    """Moto takes every key that it has not given out for its default account."""
    responses: Any = import_module("moto.core.responses").BaseResponse
    if getattr(responses, _APPLIED, False):
        return
    stock = responses.get_current_account

    def account(self: Any) -> str:
        root = _ROOT.search(self.headers.get("Authorization", ""))
        return root["account"] if root else str(stock(self))

    responses.get_current_account = account
    setattr(responses, _APPLIED, True)

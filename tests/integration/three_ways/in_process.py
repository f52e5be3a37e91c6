"""The three ways before moto in this process, for what only moto keeps: endpoints with policies, and organizations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pull_responder.emulator.emulated_aws import EmulatedAws
from tests.integration.handlers.test_signals import forwarded
from tests.integration.network.estate import ACCOUNT, REGION
from tests.integration.three_ways.room import LATER

if TYPE_CHECKING:
    from tests.integration.network.estate import NetworkEstate


@dataclass(frozen=True, slots=True)
class InProcess(EmulatedAws):
    """moto, which answers in this process whatever is asked of AWS."""

    def client(self, service: str, **_: object) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return self._session.client(service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")


def in_process() -> InProcess:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return InProcess({**keys, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}, Path(os.devnull))


def kubelet_says(estate: NetworkEstate, message: str, image: str = "") -> dict[str, Any]:
    """The event of the estate's node, as a forwarder sends it: {image}, {host} and {name} stand for the image's."""
    image = image or estate.image
    host, _, name = image.removesuffix(":v1").partition("/")
    event = forwarded(image, f"{estate.instance}.ec2.internal", cluster=estate.name, id=str(uuid4()))
    said = f'Failed to pull image "{image}": ' + message.replace("{image}", image).replace("{host}", host)
    event["detail"] |= {"message": said.replace("{name}", name)}
    event["detail"] |= dict.fromkeys(("firstTimestamp", "lastTimestamp", "eventTime"), LATER)
    return event


def session(estate: NetworkEstate) -> str:
    """The ARN of the node's session."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{estate.name}-node/{estate.instance}"

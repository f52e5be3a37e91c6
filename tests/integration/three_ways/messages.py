"""What kubelet said of pulls that failed, each with what it must mean where everything readable is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.three_ways.of_credentials import OF_CREDENTIALS
from tests.integration.three_ways.of_the_node import OF_THE_NODE
from tests.integration.three_ways.of_the_registry import OF_THE_REGISTRY
from tests.integration.three_ways.on_the_way import ON_THE_WAY

if TYPE_CHECKING:
    from tests.integration.three_ways.row import Row

MESSAGES: list[Row] = [*ON_THE_WAY, *OF_CREDENTIALS, *OF_THE_NODE, *OF_THE_REGISTRY]

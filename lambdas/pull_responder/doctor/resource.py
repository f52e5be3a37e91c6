"""A resource of the stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the stack. `properties` is its part of the template, empty if that could not be read."""

    logical_id: str
    kind: str
    physical_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)

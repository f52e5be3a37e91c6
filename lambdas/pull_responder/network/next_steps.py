"""What to look at where the way to a registry cannot be read: sentences for people on call."""

from __future__ import annotations

from typing import Final

RESOLVE: Final = "On a node, run `nslookup` for the registry's host and see to which address it leads."


def behind(target: str) -> str:
    """Return the step for a route to `target` that leaves what can be read."""
    return f"Follow the path behind {target}, to the endpoint, NAT gateway or firewall on its other side."


def connect(host: str) -> str:
    """Return the step for a way to `host` of which nothing more can be read."""
    return f"From a node, run `curl -v https://{host}/v2/`, and follow the path with VPC Reachability Analyzer."

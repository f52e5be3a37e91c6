"""Messages about what failed inside the node, and of devices that answer in the registry's place."""

from __future__ import annotations

from pull_responder.checks import CHECKS
from tests.integration.three_ways.row import LAYER, RESOLVE, UNPACK, Row

# The runtime of the node is at fault, whatever is broken on the way and whatever its role may do.
_AWAY = frozenset(check.id for check in CHECKS if check.is_of_way or check.policy_type)
_SOCKET = 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '

OF_THE_NODE = [
    *[
        Row(
            name,
            said,
            "unknown",
            stage,
            undecided="pull_failing_unexplained",
            why=why,
            ruled_out=_AWAY,
        )
        for name, said, stage, why in (
            (
                "the runtime is down",
                _SOCKET + 'dial unix /run/containerd/containerd.sock: connect: connection refused"',
                None,
                "systemctl status containerd",
            ),
            (
                "a layer is locked",
                UNPACK + "failed to copy: failed to send write: ref layer-sha256:aa locked for 7m12s (since 2026-03-01 "
                "00:00:00 +0000 UTC m=+1.0): unavailable",
                "layer",
                "journalctl -u containerd",
            ),
            ("hosts.toml", RESOLVE + "failed to decode hosts.toml: (5, 1): unexpected token", "manifest", "containerd"),
            (
                "a file is gone",
                UNPACK + "failed to extract layer sha256:aa: failed to create temp dir: stat /var/lib/containerd/x: no "
                "such file or directory",
                "unpack",
                "journalctl -u containerd",
            ),
        )
    ],
    Row(
        "a mirror on the node is down",
        RESOLVE + 'failed to do request: Head "http://localhost:30021/v2/{name}/manifests/v1?ns={host}": dial tcp '
        "127.0.0.1:30021: connect: connection refused",
        "timeout",
        "manifest",
        undecided="pull_failing_unexplained",
        why="a mirror on the node itself",
        ruled_out=_AWAY,
    ),
    *[
        Row(name, said, "proxy_failed", stage, causes=("proxy_blocks_pull",), ruled_out=_AWAY)
        for name, said, stage in (
            (
                "a filter's page",
                (
                    "initializing source docker://{image}: reading manifest v1 in {host}/{name}: StatusCode: 403, "
                    '"<html><head><title>Blocked</title></head>"'
                ),
                "manifest",
            ),
            (
                "HTTP 522",
                UNPACK + LAYER + "unexpected status code https://{host}/v2/{name}/blobs/sha256:aa: 522 <none>",
                "layer",
            ),
        )
    ],
    Row(
        "credential helper missing",
        "initializing source docker://{image}: getting username and password: 1 error occurred: error getting "
        'credentials - err: exec: "docker-credential-ecr-login": executable file not found in $PATH, out: ``',
        "not_authenticated",
        "token",
        causes=("credential_provider_failing",),
    ),
]

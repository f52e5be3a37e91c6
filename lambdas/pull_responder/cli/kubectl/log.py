"""Read lines of kubelet's and containerd's logs about a failed pull, as the Events that kubelet makes of them.

Sources: kubernetes pkg/kubelet/kuberuntime/kuberuntime_image.go ("Failed to pull image" with err and image) and
pkg/kubelet/pod_workers.go ("Error syncing pod, skipping" with err, pod and podUID), in klog's text format; containerd
internal/cri/server (PullImage failed, with error). journalctl writes the node's host name before them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERROR: Final = re.compile(r'\b(?:err|error)=("(?:[^"\\]|\\.){1,8000}+")')
_OF_PULL: Final = re.compile(r"ErrImagePull|ImagePullBackOff|[Ff]ailed to pull|PullImage")
_POD: Final = re.compile(r'\bpod="([a-z0-9.-]{1,253})/([a-z0-9.-]{1,253})"')
_IMAGE: Final = re.compile(r'\bimage="([^"\s]{1,1024})"')
_HOST: Final = re.compile(r"^[A-Z][a-z]{2} +[0-9]{1,2} [0-9:]{8} (\S{1,253}) \S{1,60}: ")
_QUOTED: Final = re.compile(r"\\(.)", re.DOTALL)
_MOST_LINES: Final = 100_000


def read_log(text: str) -> Iterator[dict[str, Any]]:
    """Yield an Event for each line of a log that tells of a failed pull."""
    for line in text.split("\n")[:_MOST_LINES]:
        error = _ERROR.search(line)
        if error is None or _OF_PULL.search(line) is None:
            continue
        message = _unquoted(error[1])
        pod, image, host = _POD.search(line), _IMAGE.search(line), _HOST.search(line)
        if image and image[1] not in message:
            message = f'Failed to pull image "{image[1]}": {message}'
        yield {
            "kind": "Event",
            "reason": "Failed",
            "message": message,
            "involvedObject": {"kind": "Pod", "namespace": pod[1] if pod else "", "name": pod[2] if pod else ""},
            "source": {"component": "kubelet", "host": host[1] if host else ""},
        }


def _unquoted(quoted: str) -> str:
    """Return the text that a Go %q stands for, as far as quotes and backslashes go. Kubelet quotes an error twice."""
    return _QUOTED.sub(lambda each: "\n" if each[1] == "n" else each[1], quoted[1:-1])

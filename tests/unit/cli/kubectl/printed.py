"""What kubectl prints of one pod, in its several forms. All names and accounts are made up."""

from __future__ import annotations

import json
from typing import Any

ACCOUNT = "111111111111"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/shop/web:v1.4.2"
NODE = "ip-10-0-1-23.us-west-2.compute.internal"
POD = "web-7c9d8b5f6-x2x9k"
DENIED = (
    f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": unexpected status from HEAD '
    f"request to https://{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/v2/shop/web/manifests/v1.4.2: 403 Forbidden"
)
# As kubelet writes it since 1.32, and before.
WITH_REASON = f'Back-off pulling image "{IMAGE}": ErrImagePull: {DENIED}'
BARE = f'Back-off pulling image "{IMAGE}"'


def pod(
    name: str = POD,
    *,
    message: str = WITH_REASON,
    reason: str = "ImagePullBackOff",
    node: str = NODE,
    image: str = IMAGE,
) -> dict[str, Any]:
    """A pod that waits, as `kubectl get pod -o json` prints it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "creationTimestamp": "2026-03-01T11:50:00Z",
            "generateName": "web-7c9d8b5f6-",
            "labels": {"app": "web", "pod-template-hash": "7c9d8b5f6"},
            "name": name,
            "namespace": "shop",
            "ownerReferences": [
                {"apiVersion": "apps/v1", "controller": True, "kind": "ReplicaSet", "name": "web-7c9d8b5f6", "uid": "0"}
            ],
            "uid": "6b4f6b4e-0000-4000-8000-000000000002",
        },
        "spec": {
            "containers": [{"image": image, "imagePullPolicy": "IfNotPresent", "name": "web", "resources": {}}],
            "nodeName": node,
            "serviceAccount": "web",
            "serviceAccountName": "web",
        },
        "status": {
            "conditions": [{"status": "False", "type": "Ready", "reason": "ContainersNotReady"}],
            "containerStatuses": [
                {
                    "image": image,
                    "imageID": "",
                    "lastState": {},
                    "name": "web",
                    "ready": False,
                    "restartCount": 0,
                    "started": False,
                    "state": {"waiting": {"message": message, "reason": reason}},
                }
            ],
            "hostIP": "10.0.1.23",
            "phase": "Pending",
            "startTime": "2026-03-01T11:50:00Z",
        },
    }


def running(name: str = POD) -> dict[str, Any]:
    """A pod that runs."""
    made = pod(name)
    made["status"]["phase"] = "Running"
    made["status"]["containerStatuses"][0] |= {
        "ready": True,
        "state": {"running": {"startedAt": "2026-03-01T11:51:00Z"}},
    }
    return made


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    """A list as kubectl prints it."""
    return {"apiVersion": "v1", "items": list(items), "kind": "List", "metadata": {"resourceVersion": ""}}


def event(
    message: str = f'Failed to pull image "{IMAGE}": {DENIED}',
    *,
    reason: str = "Failed",
    name: str = POD,
    last: str = "2026-03-01T12:00:00Z",
    node: str = NODE,
) -> dict[str, Any]:
    """An Event of core/v1, as `kubectl get events -o json` prints it."""
    return {
        "apiVersion": "v1",
        "count": 4,
        "eventTime": None,
        "firstTimestamp": "2026-03-01T11:50:00Z",
        "involvedObject": {
            "apiVersion": "v1",
            "fieldPath": "spec.containers{web}",
            "kind": "Pod",
            "name": name,
            "namespace": "shop",
        },
        "kind": "Event",
        "lastTimestamp": last,
        "message": message,
        "metadata": {"name": f"{name}.17a0", "namespace": "shop"},
        "reason": reason,
        "reportingComponent": "kubelet",
        "reportingInstance": node,
        "source": {"component": "kubelet", "host": node},
        "type": "Warning",
    }


def newer_event() -> dict[str, Any]:
    """The same of events.k8s.io/v1, as `kubectl get events.events.k8s.io -o json` prints it."""
    old = event()
    return {
        "apiVersion": "events.k8s.io/v1",
        "deprecatedCount": 4,
        "deprecatedFirstTimestamp": old["firstTimestamp"],
        "deprecatedLastTimestamp": old["lastTimestamp"],
        "deprecatedSource": old["source"],
        "eventTime": None,
        "kind": "Event",
        "metadata": old["metadata"],
        "note": old["message"],
        "reason": "Failed",
        "regarding": old["involvedObject"],
        "reportingController": "kubelet",
        "reportingInstance": NODE,
        "type": "Warning",
    }


def described(name: str = POD, *, source: str = "kubelet", message: str = DENIED) -> str:
    """What `kubectl describe pod` prints of it, v1.29 to v1.35."""
    return f"""\
Name:             {name}
Namespace:        shop
Priority:         0
Service Account:  web
Node:             {NODE}/10.0.1.23
Start Time:       Sun, 01 Mar 2026 11:50:00 +0000
Labels:           app=web
                  pod-template-hash=7c9d8b5f6
Annotations:      <none>
Status:           Pending
IP:               10.0.1.57
IPs:
  IP:           10.0.1.57
Controlled By:  ReplicaSet/web-7c9d8b5f6
Containers:
  web:
    Container ID:
    Image:          {IMAGE}
    Image ID:
    Port:           8080/TCP
    Host Port:      0/TCP
    State:          Waiting
      Reason:       ImagePullBackOff
    Ready:          False
    Restart Count:  0
    Environment:    <none>
    Mounts:
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-abcde (ro)
Conditions:
  Type                        Status
  PodReadyToStartContainers   True
  Initialized                 True
  Ready                       False
  ContainersReady             False
  PodScheduled                True
Volumes:
  kube-api-access-abcde:
    Type:                    Projected (a volume that contains injected data from multiple sources)
    TokenExpirationSeconds:  3607
    ConfigMapName:           kube-root-ca.crt
QoS Class:                   BestEffort
Node-Selectors:              <none>
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                             node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
  Normal   Scheduled  35s                default-scheduler  Successfully assigned shop/{name} to {NODE}
  Normal   Pulling    19s (x2 over 34s)  {source:<17}  Pulling image "{IMAGE}"
  Warning  Failed     19s (x2 over 34s)  {source:<17}  Failed to pull image "{IMAGE}": {message}
  Warning  Failed     19s (x2 over 34s)  {source:<17}  Error: ErrImagePull
  Normal   BackOff    4s (x2 over 33s)   {source:<17}  Back-off pulling image "{IMAGE}"
  Warning  Failed     4s (x2 over 33s)   {source:<17}  Error: ImagePullBackOff
"""


def described_job() -> str:
    """What `kubectl describe job` prints of one whose pod cannot pull."""
    return f"""\
Name:             web
Namespace:        shop
Selector:         batch.kubernetes.io/controller-uid=0b1f7f0e
Labels:           app=web
Annotations:      <none>
Parallelism:      1
Completions:      1
Completion Mode:  NonIndexed
Start Time:       Sun, 01 Mar 2026 11:50:00 +0000
Pods Statuses:    1 Active (0 Ready) / 0 Succeeded / 0 Failed
Pod Template:
  Labels:           app=web
  Service Account:  web
  Containers:
   web:
    Image:         {IMAGE}
  Volumes:         <none>
Events:
  Type    Reason            Age   From            Message
  ----    ------            ----  ----            -------
  Normal  SuccessfulCreate  34s   job-controller  Created pod: {POD}
"""


def events_table(*, wide: bool = False, all_namespaces: bool = False, header: bool = True) -> str:
    """What `kubectl get events` prints of it."""
    said = [
        ("Normal", "Scheduled", "default-scheduler", f"Successfully assigned shop/{POD} to {NODE}"),
        ("Normal", "Pulling", f"kubelet, {NODE}", f'Pulling image "{IMAGE}"'),
        ("Warning", "Failed", f"kubelet, {NODE}", f'Failed to pull image "{IMAGE}": {DENIED}'),
        ("Warning", "Failed", f"kubelet, {NODE}", "Error: ErrImagePull"),
        ("Normal", "BackOff", f"kubelet, {NODE}", BARE),
    ]
    head = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    rows = [["2m4s", kind, reason, f"pod/{POD}", message] for kind, reason, _, message in said]
    if wide:
        head = [
            "LAST SEEN",
            "TYPE",
            "REASON",
            "OBJECT",
            "SUBOBJECT",
            "SOURCE",
            "MESSAGE",
            "FIRST SEEN",
            "COUNT",
            "NAME",
        ]
        rows = [
            ["2m4s", kind, why, f"pod/{POD}", "spec.containers{web}", source, message, "3m", "4", f"{POD}.17a0"]
            for kind, why, source, message in said
        ]
    if all_namespaces:
        head, rows = ["NAMESPACE", *head], [["shop", *row] for row in rows]
    return table(head, rows) if header else table(head, rows).partition("\n")[2]


def pods_table(*statuses: str) -> str:
    """What `kubectl get pods -A` prints of pods in these states."""
    rows = [["shop", f"web-{at}", "0/1", status, "0", "5m"] for at, status in enumerate(statuses)]
    return table(["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"], rows)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table as kubectl aligns it."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("   ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *rows))
    return "".join(f"{line}\n" for line in lines)


def as_json(document: object) -> bytes:
    return json.dumps(document, indent=4).encode()

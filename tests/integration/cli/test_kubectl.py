"""`diagnose --pod` and its like: kubectl is asked, and the answer is that of the pod's own JSON."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.cli.kubectl import process
from tests import aws_cli
from tests.integration.cli.test_cluster_input import Estate, causes, estate
from tests.integration.cli.test_diagnose import ACCOUNT, run
from tests.unit.cli.kubectl import printed
from tests.unit.cli.kubectl.fake import FakeKubectl, configuration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws

    Run = Callable[..., Any]

__all__ = ["estate", "run"]

POD = printed.POD
TIMEOUT = f'failed to do request: Head "https://{printed.IMAGE}": dial tcp 10.0.0.7:443: i/o timeout'


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
    monkeypatch.setenv("PATH", str(tmp_path))
    return FakeKubectl(tmp_path)


def arn_of(estate: Estate) -> str:
    return f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{estate.cluster}"


def put(kubectl: FakeKubectl, estate: Estate, *pods: dict[str, Any], events: tuple[dict[str, Any], ...] = ()) -> None:
    """Put pods, their node and their service account into the cluster."""
    here = [estate.of(each) for each in pods or (printed.pod(),)]
    kubectl.answer("config", "view", out=configuration(context=arn_of(estate), cluster=arn_of(estate)))
    kubectl.answer("get", "pods", out=printed.listed(*here))
    for each in here:
        kubectl.answer("get", "pod", each["metadata"]["name"], "--namespace", "shop", out=each)
    kubectl.answer("get", "events", out=printed.listed(*map(estate.of, events)))
    metadata = {"name": estate.nodes[0]}
    node = {"kind": "Node", "apiVersion": "v1", "metadata": metadata, "spec": {"providerID": estate.provider_id}}
    kubectl.answer("get", "nodes", out=node)
    kubectl.answer("get", "serviceaccount", "web", out=service_account())


def service_account(role: str | None = None) -> dict[str, Any]:
    annotations = {"eks.amazonaws.com/ecr-role-arn": role} if role else {}
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations}
    return {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata}


@pytest.mark.parametrize(
    "asked",
    [
        ("--pod", f"shop/{POD}"),
        ("--pod", POD, "--namespace", "shop"),
        ("--pod", f"pod/{POD}", "-n", "shop"),
        ("-n", "shop"),
        ("--all-namespaces",),
        ("-A",),
    ],
)
def test_a_pod_is_diagnosed_by_its_name(run: Run, estate: Estate, kubectl: FakeKubectl, asked: tuple[str, ...]) -> None:
    put(kubectl, estate)
    ended = run("diagnose", *asked, "-o", "json")
    (answer,) = ended.objects
    assert (ended.status, causes(answer)) == (1, [estate.found])
    assert (answer["pull"]["cluster"], answer["pull"]["pod"]) == (estate.cluster, POD)
    assert answer["pods"]["workloads"] == ["Deployment web"]
    assert ["get", "secrets"] not in [each[:2] for each in kubectl.asked]


def test_the_context_is_passed_on_as_one_argument(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate)
    context = "--kubeconfig=/etc/passwd; $(reboot)"
    run("diagnose", "--pod", f"shop/{POD}", "--context", context)
    assert kubectl.asked
    assert all(f"--context={context}" in each for each in kubectl.asked)
    assert all(each[0] in {"config", "get"} for each in kubectl.asked)


def test_hostile_names_are_no_arguments(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    made = printed.pod(node="--raw=/api/v1/secrets")
    made["spec"]["serviceAccountName"] = "-oyaml;reboot"
    made["spec"]["imagePullSecrets"] = [{"name": "--token"}]
    made["metadata"]["ownerReferences"] = [{"kind": "--all", "name": "$(reboot)"}]
    put(kubectl, estate, made)
    ended = run("diagnose", "-n", "shop", "-o", "json")
    assert ended.objects[0]["pods"]["workloads"] == []
    written = json.dumps(kubectl.asked)
    assert "secrets" not in written
    assert "reboot" not in written
    assert {tuple(each[:2]) for each in kubectl.asked} == {
        ("config", "view"),
        ("get", "pods"),
        ("get", "events"),
        ("get", "serviceaccount"),
    }


def test_the_namespace_is_that_of_the_context(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate)
    kubectl.answer("config", "view", out=configuration(cluster=arn_of(estate), namespace="shop"))
    assert causes(run("diagnose", "--pod", POD, "-o", "json").objects[0]) == [estate.found]


def test_the_reason_of_a_bare_back_off_is_read_from_the_events(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate, printed.pod(message=printed.BARE), events=(printed.event(),))
    (answer,) = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    assert (answer["pull"]["symptom"], causes(answer)) == ("access_denied", [estate.found])


def test_events_of_pods_that_are_gone_do_not_count(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate, printed.running(), events=(printed.event(name="web-gone"),))
    ended = run("diagnose", "-n", "shop")
    assert (ended.status, ended.out.strip()) == (0, f"Skipped: pod shop/{POD} runs: all its images are pulled")


def test_a_role_of_the_pods_own_decides(run: Run, estate: Estate, kubectl: FakeKubectl, aws: EmulatedAws) -> None:
    own = f"pods-{uuid4().hex[:8]}"
    role = f"arn:aws:iam::{ACCOUNT}:role/{own}"
    aws.client("iam").create_role(RoleName=own, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    put(kubectl, estate)
    kubectl.answer("get", "serviceaccount", "web", out=service_account(role))
    (answer, *_) = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    assert ("role_lacks_pull_permissions", role) in causes(answer)
    assert estate.found not in causes(answer)


def fix(run: Run, aws: EmulatedAws) -> None:
    """Run the command that is printed for the pod's cause."""
    (answer,) = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    (finding,) = answer["findings"]
    environment = {**aws.environment, "PATH": f"{aws_cli.folder()}:{os.defpath}"}
    for command in finding["remediation"]["commands"]:
        subprocess.run(command, shell=True, env=environment, check=True)  # noqa: S602 -- what people paste into a shell


def test_after_the_printed_fix_no_fault_is_found(
    run: Run, estate: Estate, kubectl: FakeKubectl, aws: EmulatedAws
) -> None:
    put(kubectl, estate)
    fix(run, aws)
    ended = run("diagnose", "--pod", f"shop/{POD}")
    assert (ended.status, ended.out.count("\n")) == (0, 1)
    assert ended.out.startswith(f"No fault found: pod shop/{POD}, image {estate.image}")
    assert "the configuration has changed since, or the pod tries again within 5 minutes" in ended.out
    account = service_account()
    given = json.dumps(printed.listed(estate.of(printed.pod()), account)).encode()
    assert run("diagnose", "-", stdin=given).status == 0


def with_secret() -> dict[str, Any]:
    made = printed.pod()
    made["spec"]["imagePullSecrets"] = [{"name": "regcred"}]
    return made


def without_service_account(kubectl: FakeKubectl) -> None:
    kubectl.refuse("get", "serviceaccount", err='Error from server (Forbidden): serviceaccounts "web" is forbidden')


def with_role(kubectl: FakeKubectl) -> None:
    kubectl.answer("get", "serviceaccount", "web", out=service_account("not an ARN"))


@pytest.mark.parametrize(
    ("pods", "change"),
    [
        ((with_secret(),), None),
        ((printed.pod(), with_secret() | {"metadata": printed.pod("web-b")["metadata"]}), None),
        ((), without_service_account),
        ((), with_role),
    ],
    ids=["pull secret", "pull secret of one of two pods", "service account unread", "own role"],
)
def test_credentials_of_the_pods_own_leave_it_open_after_the_fix(  # noqa: PLR0913, PLR0917 -- fixtures and parameters
    run: Run,
    estate: Estate,
    kubectl: FakeKubectl,
    aws: EmulatedAws,
    pods: tuple[dict[str, Any], ...],
    change: Callable[[FakeKubectl], None] | None,
) -> None:
    put(kubectl, estate)
    fix(run, aws)
    put(kubectl, estate, *pods)
    if change:
        change(kubectl)
    ended = run("diagnose", "-n", "shop", "-o", "json")
    answer, *_ = ended.objects
    assert (ended.status, answer["findings"]) == (3, [])
    left = {each["cause"]: each["reason"] for each in answer["inconclusive"]}
    assert "imagePullSecrets" in left["pull_failing_unexplained"]


def test_a_described_pod_leaves_its_pull_secrets_open(
    run: Run, estate: Estate, kubectl: FakeKubectl, aws: EmulatedAws
) -> None:
    put(kubectl, estate)
    fix(run, aws)
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(printed.described()))
    assert ended.status == 3
    assert "imagePullSecrets" in ended.objects[0]["inconclusive"][0]["reason"]


def test_the_time_is_that_of_the_pods_event(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate, events=(printed.event(),))
    said = "Failed     access_denied, stage manifest"
    assert f"{said}, at 2026-03-01T12:00:00Z\n" in run("diagnose", "--pod", f"shop/{POD}").out
    other = printed.DENIED.replace("403 Forbidden", "404 Not Found")
    put(kubectl, estate, events=(printed.event(f'Failed to pull image "{printed.IMAGE}": {other}'),))
    assert f"{said}\n" in run("diagnose", "--pod", f"shop/{POD}").out


def test_a_role_of_another_account_is_not_taken_for_the_nodes(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    role = "arn:aws:iam::222222222222:role/pods"
    put(kubectl, estate)
    kubectl.answer("get", "serviceaccount", "web", out=service_account(role))
    (answer, *_) = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    assert answer["pull"]["role_arn"] in {role, None}
    assert estate.found not in causes(answer)


@pytest.mark.parametrize(
    ("role", "message", "why"),
    [
        ("arn:aws:iam::222222222222:role/pods", printed.BARE, "pull with the role arn:aws:iam::222222222222:role/pods"),
        ("arn:aws:iam::222222222222:role/pods", TIMEOUT, "pull with the role arn:aws:iam::222222222222:role/pods"),
        ("pods", printed.WITH_REASON, "of service account shop/web is not the ARN of a role"),
    ],
)
def test_the_role_of_a_node_whose_pods_pull_with_another_is_not_blamed(  # noqa: PLR0913, PLR0917 -- fixtures and parameters
    run: Run, estate: Estate, kubectl: FakeKubectl, role: str, message: str, why: str
) -> None:
    put(kubectl, estate, printed.pod(message=message))
    kubectl.answer("get", "serviceaccount", "web", out=service_account(role))
    answer = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects[0]
    assert estate.found not in causes(answer)
    assert "role_lacks_pull_permissions" not in answer["passed"]
    reasons = {each["cause"]: each["reason"] for each in answer["inconclusive"]}
    assert why in reasons["role_lacks_pull_permissions"]


def test_pull_secrets_are_named_and_not_read(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    made = printed.pod()
    made["spec"]["imagePullSecrets"] = [{"name": "regcred"}]
    put(kubectl, estate, made)
    answer, told = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    assert causes(answer) == [estate.found]
    assert told["skipped"].startswith(f"the pull secrets regcred of shop/{POD} were not read: kubelet shows them")
    assert "secret" not in json.dumps(kubectl.asked)


def test_a_node_with_a_name_of_its_own_is_found_by_its_object(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate, printed.pod(node="worker-1"))
    node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "worker-1"}}
    kubectl.answer("get", "nodes", "worker-1", out={**node, "spec": {"providerID": estate.provider_id}})
    (answer,) = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    assert (answer["pull"]["node"], causes(answer)) == (estate.provider_id.rpartition("/")[2], [estate.found])


def test_a_node_that_is_gone_does_not_hide_the_others(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate, printed.pod(node="worker-1"), printed.pod("web-b", node="worker-2"))
    node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "worker-1"}}
    kubectl.refuse("get", "nodes", err='Error from server (NotFound): nodes "worker-2" not found')
    found = printed.listed({**node, "spec": {"providerID": estate.provider_id}})
    kubectl.answer("get", "nodes", "worker-1", "worker-2", "--ignore-not-found", out=found)
    answers = run("diagnose", "-n", "shop", "-o", "json").objects
    assert (estate.provider_id.rpartition("/")[2], [estate.found]) in [
        (each["pull"]["node"], causes(each)) for each in answers
    ]


def test_nodes_that_are_all_gone_are_no_error(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate)
    kubectl.answer("get", "nodes", "--ignore-not-found", out="")
    ended = run("diagnose", "--pod", f"shop/{POD}", "-o", "json")
    assert [causes(each) for each in ended.objects] == [[estate.found]]


@pytest.mark.parametrize("kind", ["nodes", "serviceaccount", "events"])
def test_what_may_not_be_read_is_said_and_the_rest_goes_on(
    run: Run, estate: Estate, kubectl: FakeKubectl, kind: str
) -> None:
    put(kubectl, estate)
    forbidden = f'Error from server (Forbidden): {kind} "web" is forbidden: User "me" cannot get resource "{kind}"'
    kubectl.refuse("get", kind, err=forbidden)
    ended = run("diagnose", "--pod", f"shop/{POD}", "-o", "json")
    answer, told = ended.objects
    assert (ended.status, causes(answer)) == (1, [estate.found])
    assert forbidden in told["skipped"]


@pytest.mark.parametrize(
    ("asked", "err", "said"),
    [
        (("config",), 'error: context "other" does not exist', 'its current context: error: context "other" does not'),
        (
            ("get", "pod"),
            f'Error from server (NotFound): pods "{POD}" not found',
            f"there is no pod {POD} in namespace shop",
        ),
        (("get", "pod"), "error: You must be logged in to the server (Unauthorized)", "(sign in again, or look at the"),
        (
            ("get", "pod"),
            'Error from server (Forbidden): pods "x" is forbidden: User "me" cannot get resource "pods"',
            'User "me" cannot get resource "pods"',
        ),
        (("get", "pod"), "Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout", "reachable from here?"),
        (
            ("get", "pod"),
            (
                "Error loading SSO Token: Token for corp does not exist\n"
                "E0301 12:00:00.000000 1 memcache.go:265] couldn't get current server API group list\n"
                "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255"
            ),
            "Error loading SSO Token: Token for corp does not exist: Unable to connect to the server: getting",
        ),
    ],
)
def test_a_kubectl_that_does_not_answer_is_one_line_and_exit_status_2(  # noqa: PLR0913, PLR0917 -- fixtures and parameters
    run: Run, estate: Estate, kubectl: FakeKubectl, asked: tuple[str, ...], err: str, said: str
) -> None:
    put(kubectl, estate)
    kubectl.refuse(*asked, err=err)
    ended = run("diagnose", "--pod", f"shop/{POD}")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err


def test_a_missing_kubectl_is_one_line_and_exit_status_2(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = run("diagnose", "--pod", f"shop/{POD}")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "kubectl is not installed" in ended.err


def test_a_context_of_no_eks_cluster_is_one_line_and_exit_status_2(
    run: Run, estate: Estate, kubectl: FakeKubectl
) -> None:
    put(kubectl, estate)
    kubectl.answer("config", "view", out=configuration(context="kind-kind", cluster="kind-kind"))
    ended = run("diagnose", "--pod", f"shop/{POD}")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "the context kind-kind is not known to be a cluster of Amazon EKS" in ended.err
    named = run("diagnose", "--pod", f"shop/{POD}", "--cluster", estate.cluster, "-o", "json")
    assert causes(named.objects[0]) == [estate.found]


def test_a_kubectl_that_hangs_is_ended(
    run: Run, estate: Estate, kubectl: FakeKubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kubectl, estate)
    script = kubectl.folder / "kubectl"
    script.write_text(script.read_text().replace("import json", "import time; time.sleep(600); import json"))
    monkeypatch.setattr(process, "SECONDS", 0.2)
    ended = run("diagnose", "--pod", f"shop/{POD}")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "it did not answer within 0.2 s" in ended.err


def test_what_a_hanging_kubectl_has_started_is_not_waited_for(
    run: Run, estate: Estate, kubectl: FakeKubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kubectl, estate)
    # A shell that waits for another program, which keeps its standard output open until somebody writes.
    pipe = kubectl.folder / "pipe"
    os.mkfifo(pipe)
    (kubectl.folder / "kubectl").write_text(f"#!/bin/sh\n/bin/cat '{pipe}'\n:\n")
    monkeypatch.setattr(process, "SECONDS", 1)
    ended = run("diagnose", "--pod", f"shop/{POD}")
    os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "it did not answer within 1 s" in ended.err


def test_a_kubectl_that_prints_something_else_is_one_line_and_exit_status_2(
    run: Run, estate: Estate, kubectl: FakeKubectl
) -> None:
    put(kubectl, estate)
    kubectl.answer("get", "pod", out="\x1b]0;owned\x07 not JSON")
    ended = run("diagnose", "--pod", f"shop/{POD}")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "\x1b" not in ended.err
    assert "what it printed is not JSON" in ended.err


def test_the_profile_of_the_sign_in_is_used_where_nobody_has_chosen_another(
    run: Run, estate: Estate, kubectl: FakeKubectl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(kubectl, estate)
    keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    file = tmp_path / "credentials"
    lines = (f"{name.lower()} = {value}\n" for name, value in keys.items())
    file.write_text("[of-kubectl]\n" + "".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    for name in (*keys, "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    sign_in = {
        "command": "aws",
        "args": [
            "eks",
            "get-token",
            "--cluster-name",
            estate.cluster,
            "--region",
            "us-east-1",
            "--profile",
            "of-kubectl",
        ],
    }
    kubectl.answer("config", "view", out=configuration(sign_in=sign_in))
    (answer,) = run("diagnose", "--pod", f"shop/{POD}", "-o", "json").objects
    assert causes(answer) == [estate.found]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pod", "Shop/Web"), "--pod: 'Shop' cannot be a name in Kubernetes"),
        (("--pod", "--all"), "--pod: '--all' cannot be a name in Kubernetes"),
        (("--pod", "a/b", "-n", "c"), "--pod names the namespace 'a', and --namespace 'c'"),
        (("--pod", "a/b", "-A"), "it takes no --all-namespaces"),
        (("--pod", "a/b", "-"), "FILE and --pod are different questions"),
        (("--context", "x", "-"), "--context goes with --pod"),
        (("--pod", "a/b", "--instance", "i-0123456789abcdef0"), "go with --image"),
        (
            ("--pod", "a/b", "--cluster", "arn:aws:eks:x:y:cluster/z"),
            "--cluster: 'arn:aws:eks:x:y:cluster/z' cannot be",
        ),
        (("--pod", ""), "--pod is empty"),
        (
            ("-", "--cluster", "arn:aws:eks:eu-west-1:111111111111:cluster/prod", "--region", "us-west-2"),
            "--region is 'us-west-2', but the cluster's ARN is of eu-west-1",
        ),
    ],
)
def test_options_that_cannot_be_used_are_one_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run("diagnose", *arguments)
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert said in ended.err


def others(estate: Estate, *pods: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """The list of all pods: some of other workloads, in other namespaces."""
    made = []
    for namespace, owner, each in pods:
        pod = estate.of(each)
        pod["metadata"] |= {"namespace": namespace, "ownerReferences": [{"kind": "StatefulSet", "name": owner}]}
        pod["spec"].pop("serviceAccountName")
        made.append(pod)
    return printed.listed(estate.of(printed.pod()), *made)


def all_pods(estate: Estate) -> dict[str, Any]:
    foreign = printed.running("proxy-0")
    foreign["spec"]["containers"][0]["image"] = "docker.io/library/proxy:1"
    ended = printed.running("job-0")
    ended["status"]["phase"] = "Succeeded"
    return others(
        estate,
        ("search", "index", printed.running("index-0")),
        ("search", "index", printed.running("index-1")),
        ("edge", "gate", printed.pod("gate-0")),
        ("edge", "proxy", foreign),
        ("jobs", "night", ended),
    )


SHARED = ["StatefulSet edge/gate", "StatefulSet search/index"]


def test_who_else_uses_what_is_broken_is_told(run: Run, estate: Estate, kubectl: FakeKubectl) -> None:
    put(kubectl, estate)
    kubectl.answer("get", "pods", "--all-namespaces", out=all_pods(estate))
    ended = run("diagnose", "--pod", f"shop/{POD}", "-o", "json")
    (answer,) = ended.objects
    (finding,) = answer["findings"]
    assert answer["pods"]["count"] == 1
    assert finding["scope"] == {
        "shared": f"role {estate.role}",
        "count": 2,
        "workloads": SHARED,
        "pods": 3,
        "waiting": 1,
        "at_risk": 2,
        "doubt": "service accounts of other pods were not read, which may name roles of their own for pulls",
    }
    text = " ".join(run("diagnose", "--pod", f"shop/{POD}").out.split())
    assert f"Also hit 2 more workloads use role {estate.role}: {', '.join(SHARED)}. 1 pod of theirs cannot" in text
    assert "2 pods of theirs run, and are at risk when restarted." in text


def test_who_else_uses_it_is_told_of_a_list(run: Run, estate: Estate) -> None:
    given = json.dumps(all_pods(estate)).encode()
    scopes = [each["findings"][0]["scope"] for each in run("diagnose", "-", "-o", "json", stdin=given).objects[:1]]
    assert [each["workloads"] for each in scopes] == [SHARED]


def test_a_pod_alone_tells_of_nobody_else(run: Run, estate: Estate) -> None:
    given = json.dumps(estate.of(printed.pod())).encode()
    (answer,) = run("diagnose", "-", "-o", "json", stdin=given).objects
    assert [each["scope"] for each in answer["findings"]] == [None]


def test_where_other_pods_cannot_be_read_that_is_said_once_and_the_rest_is_told(
    run: Run, estate: Estate, kubectl: FakeKubectl
) -> None:
    put(kubectl, estate)
    said = 'Error from server (Forbidden): User "me" cannot list resource "pods" at the cluster scope'
    kubectl.refuse("get", "pods", "--all-namespaces", err=said)
    ended = run("diagnose", "-n", "shop")
    assert (ended.status, ended.err) == (1, "")
    assert "role_lacks_pull_permissions" in ended.out
    assert ended.out.count("which other workloads use the same was not read: kubectl: ") == 1
    assert "Also hit" not in ended.out


def test_other_pods_are_asked_about_once_and_only_where_a_pull_has_failed(
    run: Run, estate: Estate, kubectl: FakeKubectl
) -> None:
    put(kubectl, estate, printed.running())
    run("diagnose", "--pod", f"shop/{POD}")
    assert not [each for each in kubectl.asked if "--all-namespaces" in each]
    put(kubectl, estate)
    run("diagnose", "-A")
    assert len([each for each in kubectl.asked if each[:2] == ["get", "pods"]]) == 1

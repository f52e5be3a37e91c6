"""`pull-responder diagnose --manifests`: what a rollout would meet, on which nodes, before it begins."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.backends import get_backend

from pull_responder.cli.main import main
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, trust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., "Ended"]

ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@dataclass
class Ended:
    status: object
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["skipped"] is None]

    @property
    def causes(self) -> dict[tuple[str, str], list[str]]:
        """The causes by the image's repository and tag and the nodes, without the cluster."""
        return {
            (each["pull"]["image"].rpartition("/")[2], each["nodes"].partition(" of cluster")[0]): [
                finding["cause"] for finding in each["findings"]
            ]
            for each in self.asked
        }

    @property
    def doubts(self) -> dict[str, str | None]:
        """Why the first workload may not run on each kind of nodes."""
        return {each["nodes"].partition(" of cluster")[0]: each["workloads"][0]["doubt"] for each in self.asked}


@pytest.fixture
def run(estate: NetworkEstate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for key, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    def command(path: object, *arguments: str, form: str = "json", stdin: str = "") -> Ended:
        words = ["diagnose", "--manifests", str(path), "--cluster", estate.name, "-o", form, *arguments]
        monkeypatch.setattr(sys, "argv", ["pull-responder", *words])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def shop(estate: NetworkEstate) -> NetworkEstate:
    """Nodes of two architectures, of which the ARM ones are tainted, and a Fargate profile; they can all pull v1."""
    cluster = get_backend("eks")[ACCOUNT][REGION].clusters[estate.name]
    # moto makes no security group for a cluster, and no issuer of its own.
    cluster.resources_vpc_config |= {"clusterSecurityGroupId": estate.group, "vpcId": estate.vpc}
    cluster.identity = {"oidc": {"issuer": f"https://{ISSUER}"}}
    estate.behind_nat()
    group(estate, "intel", amiType="AL2023_x86_64_STANDARD", capacityType="SPOT", instanceTypes=["m7i.large"])
    taint = {"key": "arch", "value": "arm", "effect": "NO_SCHEDULE"}
    group(estate, "graviton", amiType="AL2023_ARM_64_STANDARD", labels={"team": "a"}, taints=[taint])
    estate.fargate_profile("pods")
    return estate


def group(estate: NetworkEstate, name: str, **more: object) -> None:
    estate.client("eks").create_nodegroup(
        clusterName=estate.name, nodegroupName=name, subnets=[estate.a, estate.b], nodeRole=estate.role, **more
    )


def push(estate: NetworkEstate, tag: str, *platforms: str) -> None:
    """Push an image of several platforms."""
    manifests = []
    for number, each in enumerate(platforms):
        system, _, architecture = each.partition("/")
        digest = f"sha256:{number:064x}"
        manifests.append({"digest": digest, "size": 1, "platform": {"os": system, "architecture": architecture}})
    kind = "application/vnd.oci.image.index.v1+json"
    index = {"schemaVersion": 2, "mediaType": kind, "manifests": manifests}
    estate.client("ecr").put_image(
        repositoryName=f"{estate.name}/app", imageTag=tag, imageManifest=json.dumps(index), imageManifestMediaType=kind
    )


def deployment(
    image: str,
    *,
    name: str = "web",
    namespace: str | None = "shop",
    kind: str = "Deployment",
    **pod: Any,  # noqa: ANN401 -- JSON
) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    spec = {"containers": [{"name": "app", "image": image}], **pod}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": template}}


def write(folder: Path, *objects: dict[str, Any], name: str = "app.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n---\n".join(json.dumps(each, indent=1) for each in objects), encoding="utf-8")  # JSON is YAML
    return path


INTEL, GRAVITON, PODS = "node group intel", "node group graviton", "Fargate profile pods"
ARM: dict[str, Any] = {"nodeSelector": {"kubernetes.io/arch": "arm64"}}
TOLERANT: dict[str, Any] = {"tolerations": [{"key": "arch", "operator": "Exists"}]}


def affinity(*expressions: dict[str, Any]) -> dict[str, Any]:
    term = {"matchExpressions": list(expressions)}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"affinity": {"nodeAffinity": required}}


def test_an_image_is_asked_about_for_the_nodes_that_it_may_run_on(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    push(shop, "arm", "linux/arm64")
    image = f"{HOST}/{shop.name}/app:arm"
    write(
        tmp_path,
        deployment(image, name="anywhere"),
        deployment(image, name="tolerant", **TOLERANT),
        deployment(image, name="arm", **ARM, **TOLERANT),
        deployment(image, name="pods", namespace="default"),
    )
    ended = run(tmp_path)
    assert (ended.status, ended.err) == (1, "")
    assert ended.causes == {
        ("app:arm", INTEL): ["image_platform_mismatch"],
        ("app:arm", GRAVITON): [],
        ("app:arm", PODS): ["image_platform_mismatch"],
    }
    users = {each["nodes"].partition(" of ")[0]: [user["name"] for user in each["workloads"]] for each in ended.asked}
    assert users == {INTEL: ["anywhere", "tolerant"], GRAVITON: ["tolerant", "arm"], PODS: ["pods"]}
    # Nothing has failed yet, so no failure proves anything.
    assert [each["evidence"] for each in ended.asked[0]["findings"]] == [
        [f"The manifest of {shop.name}/app:arm lists linux/arm64."]
    ]
    assert ended.asked[0]["workloads"][0] == {
        "kind": "Deployment",
        "namespace": "shop",
        "name": "anywhere",
        "container": "app",
        "file": str(tmp_path / "app.yaml"),
        "line": 19,
        "doubt": None,
    }


@pytest.mark.parametrize(
    ("pod", "nodes"),
    [
        ({}, {INTEL}),
        (TOLERANT, {INTEL, GRAVITON}),
        ({"tolerations": [{"operator": "Exists"}]}, {INTEL, GRAVITON}),
        ({"tolerations": [{"key": "arch", "value": "arm", "effect": "NoSchedule"}]}, {INTEL, GRAVITON}),
        ({"tolerations": [{"key": "arch", "value": "x86", "effect": "NoSchedule"}]}, {INTEL}),
        ({"tolerations": [{"key": "arch", "value": "arm", "effect": "NoExecute"}]}, {INTEL}),
        ({**ARM, **TOLERANT}, {GRAVITON}),
        ({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}, **TOLERANT}, {INTEL}),
        ({"nodeSelector": {"eks.amazonaws.com/nodegroup": "graviton"}, **TOLERANT}, {GRAVITON}),
        ({"nodeSelector": {"eks.amazonaws.com/capacityType": "SPOT"}, **TOLERANT}, {INTEL}),
        ({"nodeSelector": {"node.kubernetes.io/instance-type": "m7i.large"}}, {INTEL}),
        ({"nodeSelector": {"topology.kubernetes.io/zone": f"{REGION}b"}}, {INTEL}),
        ({"nodeSelector": {"team": "a"}, **TOLERANT}, {GRAVITON}),
        ({"os": {"name": "linux"}, **TOLERANT}, {INTEL, GRAVITON}),
        (affinity({"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["amd64"]}) | TOLERANT, {GRAVITON}),
        (affinity({"key": "team", "operator": "DoesNotExist"}) | TOLERANT, {INTEL}),
        (
            affinity({"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]}) | TOLERANT,
            {INTEL, GRAVITON},
        ),
        ({"runtimeClassName": "gvisor"}, {INTEL, GRAVITON}),
        ({"nodeName": "ip-10-0-0-1.ec2.internal"}, {INTEL, GRAVITON}),
    ],
)
def test_which_nodes(shop: NetworkEstate, run: Run, tmp_path: Path, pod: dict[str, Any], nodes: set[str]) -> None:
    write(tmp_path, deployment(shop.image, **pod))
    ended = run(tmp_path)
    assert ended.causes == {("app:v1", each): [] for each in nodes}
    assert ended.status == 0


@pytest.mark.parametrize(
    "pod",
    [
        ARM,
        {"nodeSelector": {"kubernetes.io/os": "windows"}},
        {"nodeSelector": {"eks.amazonaws.com/compute-type": "fargate"}},
        {"nodeSelector": {"topology.kubernetes.io/zone": "us-east-1f"}},
        affinity({"key": "karpenter.sh/nodepool", "operator": "Exists"}),
    ],
)
def test_where_no_node_fits_only_what_no_node_decides_is_told(
    shop: NetworkEstate, run: Run, tmp_path: Path, pod: dict[str, Any]
) -> None:
    write(tmp_path, deployment(shop.image, **pod), deployment(f"{HOST}/{shop.name}/app:gone", **pod))
    ended = run(tmp_path)
    fine, gone = ended.asked
    assert ended.status == 1
    assert fine["findings"] == []
    assert any("no node of cluster" in each["reason"] for each in fine["inconclusive"])
    assert [each["cause"] for each in gone["findings"]] == ["image_not_found"]


def test_pods_that_a_fargate_profile_selects_run_nowhere_else(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    write(
        tmp_path,
        deployment(shop.image, namespace="default"),
        deployment(shop.image, name="agent", namespace="default", kind="DaemonSet"),
    )
    ended = run(tmp_path)
    users = {each["nodes"].partition(" of ")[0]: [user["name"] for user in each["workloads"]] for each in ended.asked}
    assert users == {PODS: ["web"], INTEL: ["agent"]}


def test_without_a_namespace_a_fargate_profile_may_select_the_pods_and_that_is_said(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    write(tmp_path, deployment(shop.image, namespace=None))
    why = "no namespace is named, by which a Fargate profile may select the pods (--namespace)"
    assert run(tmp_path).doubts == {PODS: why, INTEL: why}
    assert run(tmp_path, "-n", "shop").doubts == {INTEL: None}


def test_running_nodes_are_told_apart_by_what_ec2_shows_of_them(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    here, there = shop.node(group="intel"), shop.node(shop.b, group="intel")
    selector: dict[str, Any] = {"nodeSelector": {"topology.kubernetes.io/zone": f"{REGION}b"}}
    write(tmp_path, deployment(shop.image, **selector))
    (answer,) = run(tmp_path).asked
    assert answer["nodes"] == f"{INTEL} of cluster {shop.name} with topology.kubernetes.io/zone={REGION}b"
    assert answer["pull"]["node"] == there != here
    shop.ec2.terminate_instances(InstanceIds=[there])
    (answer,) = run(tmp_path).asked
    assert answer["nodes"] == f"new nodes of {INTEL} of cluster {shop.name}"


def test_a_label_that_aws_does_not_show_leaves_it_open_where_the_pods_run(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    write(tmp_path, deployment(shop.image, nodeSelector={"disk": "ssd"}))
    (answer,) = run(tmp_path).asked
    assert answer["nodes"].startswith(INTEL)
    assert answer["workloads"][0]["doubt"] == "AWS does not show which of these nodes have the label disk=ssd"


def test_what_fails_on_one_kind_of_node_only_is_told_with_its_fix(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    shop.client("iam").delete_role_policy(RoleName=f"{shop.name}-pods", PolicyName="pull")
    write(tmp_path, deployment(shop.image, namespace=None))
    ended = run(tmp_path)
    assert ended.causes == {("app:v1", PODS): ["role_lacks_pull_permissions"], ("app:v1", INTEL): []}
    text = run(tmp_path, form="text")
    assert text.status == 1
    assert f"Fine: {shop.image} by {INTEL} of cluster {shop.name}" in text.out.splitlines()
    assert f"aws iam attach-role-policy --role-name {shop.name}-pods" in text.out
    assert f"Used by    Deployment web, app ({tmp_path / 'app.yaml'}:18), if it runs there: no namespace" in text.out
    assert text.out.splitlines()[-1] == (
        "1 image in Amazon ECR: 1 cannot be pulled, 0 not decided, 0 fine. 0 skipped, 0 not asked."
    )


def test_one_cause_on_several_kinds_of_node_is_one_block(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    write(tmp_path, deployment(f"{HOST}/{shop.name}/app:gone", **TOLERANT))
    text = run(tmp_path, form="text").out
    assert text.count("Cause      image_not_found\n") == 1
    assert f"By         {GRAVITON} of cluster {shop.name}; {INTEL} of cluster {shop.name}" in text


def test_a_role_of_the_pods_own_takes_the_place_of_the_nodes_role(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    iam = shop.client("iam")
    role = iam.create_role(RoleName=f"{shop.name}-pull", AssumeRolePolicyDocument=trust("ec2"))["Role"]["Arn"]
    iam.delete_role_policy(RoleName=f"{shop.name}-node", PolicyName="pull")
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "puller",
            "namespace": "shop",
            "annotations": {"eks.amazonaws.com/ecr-role-arn": role},
        },
    }
    write(
        tmp_path,
        deployment(shop.image, serviceAccountName="puller"),
        deployment(shop.image, name="other", serviceAccountName="other"),
        account,
    )
    own, of_node = run(tmp_path).asked
    assert own["pull"]["role_arn"] == role
    assert {each["cause"]: each["resource"]["id"] for each in own["findings"]} == {
        "role_lacks_pull_permissions": role,
        "role_trust_policy_excludes_service": role,
    }
    (command,) = own["findings"][0]["remediation"]["commands"]
    assert command.startswith(f"aws iam put-role-policy --role-name {shop.name}-pull ")
    assert {each["resource"]["id"] for each in of_node["findings"]} == {shop.role}


@pytest.mark.parametrize("annotation", ["not an ARN", "arn:aws:iam::123456789012:user/somebody"])
def test_an_annotation_that_names_no_role_leaves_what_roles_decide_open(
    shop: NetworkEstate, run: Run, tmp_path: Path, annotation: str
) -> None:
    metadata = {"name": "default", "namespace": "shop", "annotations": {"eks.amazonaws.com/ecr-role-arn": annotation}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    write(tmp_path, deployment(shop.image), account)
    ended = run(tmp_path)
    (answer,) = ended.asked
    assert ended.status == 3
    reasons = {each["cause"]: each["reason"] for each in answer["inconclusive"]}
    assert "of service account shop/default is not the ARN of a role" in reasons["role_lacks_pull_permissions"]
    assert "image_not_found" in answer["passed"]


def test_a_pull_secret_leaves_open_what_the_role_alone_would_decide(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    secret: dict[str, Any] = {"imagePullSecrets": [{"name": "regcred"}]}
    write(tmp_path, deployment(shop.image, **secret))
    assert run(tmp_path).status == 0
    shop.client("iam").delete_role_policy(RoleName=f"{shop.name}-node", PolicyName="pull")
    ended = run(tmp_path)
    (answer,) = ended.asked
    assert ended.status == 3
    assert answer["findings"] == []
    assert [each["cause"] for each in answer["inconclusive"]] == ["role_lacks_pull_permissions"]
    assert "the pull secret regcred, whose content is not read" in answer["inconclusive"][0]["reason"]
    shop.unroute(shop.table_a)
    shop.unroute(shop.table_b)
    # No credentials make a way.
    assert [each["cause"] for each in run(tmp_path).asked[0]["findings"]] == ["no_route_to_ecr"]


HELM = """\
---
# Source: shop/templates/web.yaml
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  template:
    spec:
      initContainers:
        - name: migrate
          image: {image}
      containers:
        - name: app
          image: "{image}"
        - name: proxy
          image: docker.io/envoyproxy/envoy:v1.30.1
      volumes:
        - name: model
          image:
            reference: {host}/models:1
---
# Source: shop/templates/job.yaml
apiVersion: batch/v1
kind: CronJob
metadata:
  name: report
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: report
              image: public.ecr.aws/docker/library/busybox
"""


def test_what_helm_prints_is_read_from_standard_input(shop: NetworkEstate, run: Run) -> None:
    ended = run("-", "--namespace", "shop", stdin=HELM.format(image=shop.image, host=HOST).replace("\n", "\r\n"))
    assert ended.status == 1
    assert ended.causes == {
        ("app:v1", INTEL): [],
        ("models:1", INTEL): ["repository_not_found"],
        ("busybox", INTEL): [],
    }
    places = {
        (each["name"], each["container"]): (each["kind"], each["file"], each["line"])
        for answer in ended.asked
        for each in answer["workloads"]
    }
    assert places == {
        ("web", "migrate"): ("StatefulSet", "standard input", 12),
        ("web", "app"): ("StatefulSet", "standard input", 15),
        ("web", "volume model"): ("StatefulSet", "standard input", 21),
        ("report", "report"): ("CronJob", "standard input", 35),
    }
    assert [each["skipped"] for each in ended.objects if each["skipped"]] == [
        "docker.io/envoyproxy/envoy:v1.30.1 is not in Amazon ECR but in docker.io (1 workload)"
    ]


def test_five_hundred_manifests_are_read_with_one_call_a_fact(
    shop: NetworkEstate, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own place for it

    def count(client: BaseClient, operation: str, parameters: object) -> object:
        calls.append(f"{operation} {json.dumps(parameters, sort_keys=True, default=str)}")
        return ask(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", count)
    for number in range(500):
        write(tmp_path, deployment(shop.image, name=f"web-{number}"), name=f"{number % 7}/web-{number}.yaml")
    ended = run(tmp_path)
    (answer,) = ended.asked
    assert (ended.status, len(answer["workloads"])) == (0, 500)
    assert sorted(calls) == sorted(set(calls))
    assert len(calls) < 80


def test_what_cannot_be_read_is_one_line_each_and_the_rest_is_asked(
    shop: NetworkEstate, run: Run, tmp_path: Path
) -> None:
    write(tmp_path, deployment(shop.image), name="fine.yaml")
    chart = "kind: Deployment\n{{- if .Values.on }}\nimage: {{ .Values.image }}\n{{- end }}\n"
    laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (tmp_path / "chart.yaml").write_text(chart)
    (tmp_path / "bomb.yml").write_text(laughs)
    (tmp_path / "broken.json").write_text('{"kind": [')
    (tmp_path / "latin.yaml").write_bytes(b"a: b\nc: \xff")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("kind: Pod")
    write(tmp_path, deployment("${REGISTRY}/app:v1"), name="sub/placeholder.yaml")
    upper = f"{HOST}/{shop.name}/App:v1"
    write(tmp_path, deployment(upper), name="sub/upper.yaml")
    write(tmp_path, deployment("123456789012.dkr.ecr.us-esat-1.amazonaws.com/app:v1"), name="sub/zone.yaml")
    ended = run(tmp_path)
    assert ended.status == 3
    said = [each["skipped"].replace(f"{tmp_path}/", "") for each in ended.objects if each["skipped"]]
    assert said == [
        "bomb.yml:6: its aliases repeat more than 100000 values",
        "broken.json:1: it is not JSON: Expecting value",
        "chart.yaml:2: it is a template, not a manifest: render it first, as with `helm template`",
        "gone.yaml: No such file or directory",
        "latin.yaml: byte 8 is not UTF-8",
        "sub/placeholder.yaml:19: the image '${REGISTRY}/app:v1' has a placeholder that is not filled in",
        f"sub/upper.yaml:19: {upper}: the repository '{shop.name}/App' has upper case letters (Deployment shop/web)",
        "sub/zone.yaml:19: there is no region 'us-esat-1'; did you mean us-west-1 or us-east-1 or us-west-2?",
    ]
    assert [each["nodes"] for each in ended.asked] == [f"{INTEL} of cluster {shop.name}"]
    # A cause outweighs what could not be read.
    write(tmp_path, deployment(f"{HOST}/{shop.name}/app:gone"), name="fine.yaml")
    assert run(tmp_path).status == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "standard input is empty: did the command before it fail?"),
        ("\n\n", "standard input is empty: did the command before it fail?"),
        ("Error: chart not found", "--manifests: - holds no object of Kubernetes, with apiVersion and kind"),
        ("replicas: 3", "--manifests: - holds no object of Kubernetes, with apiVersion and kind"),
    ],
)
def test_standard_input_without_manifests_is_unusable(run: Run, text: str, said: str) -> None:
    ended = run("-", stdin=text)
    assert (ended.status, ended.out, ended.err) == (2, "", f"pull-responder: {said}\n")


def test_a_folder_without_manifests_is_unusable(run: Run, tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "has no file that ends in .yaml, .yml, .json"),
        (tmp_path / "none", "No such file or directory"),
    ):
        ended = run(path)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("pull-responder: --manifests: ")
        assert said in ended.err
        assert ended.err.count("\n") == 1


def test_manifests_without_pods_are_no_fault(run: Run, tmp_path: Path) -> None:
    write(tmp_path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    ended = run(tmp_path)
    assert ended.status == 0
    assert [each["skipped"] for each in ended.objects] == ["none of the 1 objects in the manifests has pods"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image", "app:1"], "--image and --manifests are different questions: ask one"),
        (["--nodegroup", "intel"], "--nodegroup, --fargate-profile and --instance go with --image"),
        (["--context", "prod"], "--context goes with --pod, --namespace or --all-namespaces"),
        (["--cluster", "no/cluster"], "--cluster: 'no/cluster' cannot be an EKS cluster's name"),
        (["--cluster", "prod", "-n", "No_Namespace"], "--namespace: 'No_Namespace' cannot be the name of a namespace"),
        (["--cluster", "elsewhere"], "there is no cluster 'elsewhere' in us-east-1"),
    ],
)
def test_unusable_options_are_one_line(run: Run, tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = run(write(tmp_path, deployment(f"{HOST}/app:v1")), *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_the_cluster_has_to_be_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del run
    monkeypatch.setattr(sys, "argv", ["pull-responder", "diagnose", "--manifests", "."])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "pull-responder: --manifests needs --cluster, whose nodes are to pull the images\n"
    )


HOSTILE = "evil\x1b[31m\u202e\u2028name\n::error::"


def test_hostile_names_are_one_printable_line(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    image = f"{HOST}/{shop.name}/app:gone"
    write(tmp_path, deployment(image, name=HOSTILE, namespace=HOSTILE), deployment(f"{image} \x1b[2J"))
    text = run(tmp_path, form="text").out
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line.startswith("::") for line in text.split("\n"))
    for form in ("json", "junit", "sarif"):
        assert all(line.isprintable() for line in run(tmp_path, form=form).out.split("\n"))


def test_a_reference_with_a_password_is_not_shown(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    write(tmp_path, deployment(f"https://robot:hunter2-secret@{HOST}/{shop.name}/app:v1"))
    for form in ("json", "text", "junit", "sarif"):
        ended = run(tmp_path, form=form)
        assert ended.status == 3
        assert "hunter2" not in ended.out + ended.err


def pool_node(estate: NetworkEstate, pool: str) -> str:
    """A running node that Karpenter has started for a node pool."""
    tags = {f"kubernetes.io/cluster/{estate.name}": "owned", "karpenter.sh/nodepool": pool}
    made = estate.ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=estate.a,
        SecurityGroupIds=[estate.group],
        IamInstanceProfile={"Name": estate.name},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}],
    )
    instance: str = made["Instances"][0]["InstanceId"]
    return instance


@pytest.mark.parametrize(
    ("pod", "pools", "doubt"),
    [
        ({"nodeSelector": {"karpenter.sh/nodepool": "spot"}}, {"spot"}, None),
        ({"nodeSelector": {"eks.amazonaws.com/compute-type": "auto"}}, {"spot", "general"}, "compute-type=auto"),
        ({"nodeSelector": {"disk": "ssd", "karpenter.sh/nodepool": "general"}}, {"general"}, "disk=ssd"),
        ({"nodeSelector": {"eks.amazonaws.com/nodegroup": "intel"}}, set(), None),
        ({"nodeSelector": {"kubernetes.io/arch": "amd64", "karpenter.sh/nodepool": "gpu"}}, None, None),
    ],
)
def test_nodes_of_karpenter_are_told_by_their_tags(  # noqa: PLR0913, PLR0917 -- fixtures
    shop: NetworkEstate, run: Run, tmp_path: Path, pod: dict[str, Any], pools: set[str] | None, doubt: str | None
) -> None:
    nodes = {pool: pool_node(shop, pool) for pool in ("spot", "general")}
    write(tmp_path, deployment(shop.image, **pod))
    answers = run(tmp_path).asked
    if pools is None:
        assert [each["nodes"].partition(" with ")[0] for each in answers] == ["nodes"]
        assert "no node of cluster" in answers[0]["inconclusive"][0]["reason"]
        return
    expected = {f"nodes {nodes[pool]} of cluster {shop.name} (node pool {pool})" for pool in pools}
    assert {each["nodes"] for each in answers} == expected | (set() if pools else {f"{INTEL} of cluster {shop.name}"})
    for each in answers:
        said = each["workloads"][0]["doubt"]
        assert (said is None) is (doubt is None)
        assert (doubt or "") in (said or "")


def refuse(monkeypatch: pytest.MonkeyPatch, *operations: str) -> None:
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own place for it

    def answer(client: BaseClient, operation: str, parameters: object) -> object:
        if operation in operations:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "refused"}}, operation)
        return ask(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)


def test_nodes_that_cannot_be_read_are_never_a_pass(
    shop: NetworkEstate, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, deployment(shop.image))
    refuse(monkeypatch, "ListNodegroups")
    ended = run(tmp_path)
    assert ended.status == 3
    unread = {each["nodes"]: each["workloads"][0]["doubt"] for each in ended.asked}
    assert unread[f"node groups of cluster {shop.name}"] == "nothing of these nodes could be read"


def test_of_a_node_group_that_cannot_be_read_its_name_is_known(
    shop: NetworkEstate, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: dict[str, Any] = {"nodeSelector": {"eks.amazonaws.com/nodegroup": "graviton"}}
    write(tmp_path, deployment(shop.image, **named))
    refuse(monkeypatch, "DescribeNodegroup")
    ended = run(tmp_path)
    assert ended.status == 3
    assert ended.doubts == {GRAVITON: "nothing of these nodes could be read"}


def test_a_profile_whose_selectors_cannot_be_read_may_select_every_pod(
    shop: NetworkEstate, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, deployment(shop.image))
    refuse(monkeypatch, "DescribeFargateProfile")
    ended = run(tmp_path)
    assert ended.status == 3
    assert ended.doubts == {INTEL: None, PODS: "the selectors of the Fargate profile could not be read"}

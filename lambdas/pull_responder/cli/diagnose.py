"""`pull-responder diagnose`."""

from __future__ import annotations

import click

from pull_responder.cli import options, question
from pull_responder.cli.answering import ask_about_image, ask_about_input, ask_about_kubectl, ask_about_manifests
from pull_responder.cli.as_sarif import NO_FILE
from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.connection import Access
from pull_responder.cli.diagnosis_report import OPTION as REPORT
from pull_responder.cli.examples import examples
from pull_responder.cli.kubectl.asked import read_wanted
from pull_responder.cli.report_file import is_same_file
from pull_responder.cli.sources import one_file, source_of
from pull_responder.cli.status_line import StatusLine
from pull_responder.cli.telling import Telling, tell


@click.command(
    epilog=examples(
        "kubectl get pod web-0 -o json | pull-responder diagnose -",
        "pull-responder diagnose --pod shop/web-0 --context prod",
        "pull-responder diagnose --image URI --cluster prod --nodegroup workers",
        "helm template . | pull-responder diagnose --manifests - --cluster prod",
    )
)
@click.argument("given", metavar="[FILE]", required=False)
@click.option("--event", "file", metavar="FILE", help="The same as FILE.")
@click.option("--pod", metavar="[NAMESPACE/]NAME", help="The pod to ask kubectl about.")
@click.option("-n", "--namespace", metavar="NAME", help="The namespace of --pod and of manifests; alone, all its pods.")
@click.option("-A", "--all-namespaces", is_flag=True, help="All pods of the cluster that cannot pull.")
@click.option("--context", metavar="NAME", help="The context of kubectl's configuration.")
@click.option("--image", metavar="URI", help="The image to ask about before a pull has failed; needs --cluster.")
@click.option(
    "--manifests",
    metavar="PATH",
    help="Manifests to ask about before a rollout: a folder, a file, or - for standard input; needs --cluster.",
)
@click.option(
    "--cluster", metavar="NAME", help="The cluster, by its name or ARN: whose nodes are to pull, or whose pods fail."
)
@click.option("--nodegroup", metavar="NAME", help="One node group of the cluster.")
@click.option("--fargate-profile", metavar="NAME", help="One Fargate profile of the cluster.")
@click.option("--instance", metavar="ID", help="One running node of the cluster, by its instance's id or its name.")
@click.option(
    "--path", "whole_path", is_flag=True, help="Show the path to the registry hop by hop, not only its faults."
)
@click.option(
    "--sarif-file",
    metavar="PATH",
    help="For -o sarif: the file of the repository at which results stand that are about no file, as of --manifests -.",
)
@click.option(REPORT, metavar="FILE.html", help="Write all answers as one page, too, which stands alone.")
@options.region
@options.profile
@options.timeout
@options.diagnosis_form
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    given: str | None,
    file: str | None,
    pod: str | None,
    namespace: str | None,
    all_namespaces: bool,  # noqa: FBT001 -- a flag of the command line
    context: str | None,
    image: str | None,
    manifests: str | None,
    cluster: str | None,
    nodegroup: str | None,
    fargate_profile: str | None,
    instance: str | None,
    whole_path: bool,  # noqa: FBT001 -- a flag of the command line
    sarif_file: str | None,
    report: str | None,
    region: str | None,
    profile: str | None,
    timeout: int,
    form: str,
) -> int:
    """Diagnose failed pulls, or say whether nodes of a cluster can pull an image.

    FILE, or - for standard input, is what kubectl prints (pods or events as JSON or YAML, `kubectl describe pod`,
    `kubectl get events`), or an event that a deployed function takes. --pod, --namespace and --all-namespaces ask
    kubectl. --image and --manifests ask before a pull has failed: without further options, about all node groups,
    Fargate profiles and other nodes of the cluster.

    It asks AWS with your credentials, and reads the cluster's account and those that it can assume the member role in.

    Exit status: 0 nothing wrong found, or no pull from ECR; 1 at least one cause; 2 the input, the options or the
    credentials are unusable; 3 nothing found, but something inconclusive.
    """
    file = one_file(given, file)
    values = {"FILE": file, "--pod": pod, "--namespace": namespace, "--context": context, "--image": image}
    values |= {"--manifests": manifests, "--cluster": cluster, "--nodegroup": nodegroup, "--instance": instance}
    values |= {"--fargate-profile": fargate_profile, "--region": region, "--profile": profile}
    source = source_of(values, all_namespaces=all_namespaces)
    is_file = (file or manifests or "-") != "-"
    if sarif_file is not None and (form != "sarif" or is_file or not sarif_file.strip()):
        raise click.UsageError("--sarif-file names a file for -o sarif, where what is asked about is in none")
    place = question.read_cluster(cluster)
    if region and place.region and region != place.region:
        raise click.UsageError(f"--region is {region[:40]!r}, but the cluster's ARN is of {place.region}")
    if report is not None and file is not None and is_same_file(report, file):
        raise click.UsageError(f"--report: {report[:200]!r} is the file to read")
    chosen = Chosen(place.cluster or "", nodegroup, fargate_profile, instance, account=place.account)
    access, line = Access(region, profile, timeout), StatusLine.of_terminal(as_json=form != "text")
    if source == "FILE":
        answers = ask_about_input(file or "", namespace, place, access, line)
    elif source == "--pod":
        wanted = read_wanted(pod, namespace, context, all_namespaces=all_namespaces)
        answers = ask_about_kubectl(wanted, place, access, line)
    elif source == "--manifests":
        answers = ask_about_manifests(manifests or "", namespace, chosen, place, access, line)
    else:
        answers = ask_about_image(image or "", chosen, place, access, line)
    about = file or manifests or image or pod or namespace or "the cluster"
    return tell(
        answers,
        Telling(
            form,
            about,
            whole_path,
            report,
            of_manifests=source == "--manifests",
            at=None if is_file else sarif_file or NO_FILE,
        ),
    )

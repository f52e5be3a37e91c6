"""`kubectl pull-why`: `pull-responder diagnose --pod`, with the options that kubectl has.

kubectl runs the program `kubectl-pull_why` for it: Kubernetes documentation, "Extend kubectl with plugins".
"""

from __future__ import annotations

import os
from typing import Any, Final

import click

from pull_responder.cli.examples import examples
from pull_responder.cli.main import NAME, cli

_KINDS: Final = ("pod", "pods", "po")


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "kubectl pull-why web-5d8f7c-x2x7q -n shop",
        "kubectl pull-why --namespace shop --context prod",
        "kubectl pull-why --all-namespaces -o json | jq .findings",
    ),
)
@click.argument("pod", nargs=-1)
@click.option("-n", "--namespace", metavar="NAME", help="The namespace of the pod; without a pod: all that fail there.")
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="All pods of the cluster that fail to pull.")
@click.option("--context", metavar="NAME", help="A context of the kubeconfig file, instead of the current one.")
@click.option("--kubeconfig", metavar="FILE", help="The kubeconfig file, instead of kubectl's usual ones.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="Text is for people.")
@click.option("--profile", metavar="NAME", help="A profile of the AWS SDK's configuration.")
@click.option("--region", metavar="NAME", help="The AWS region, where neither the image nor the context names one.")
def pull_why(
    pod: tuple[str, ...],
    *,
    namespace: str | None,
    everywhere: bool,
    kubeconfig: str | None,
    output: str,
    **passed_on: str | None,
) -> Any:  # noqa: ANN401 -- what `diagnose` returns
    """Say why a POD on Amazon EKS cannot pull its image from Amazon ECR.

    It asks what `pull-responder diagnose` asks, which has more options.

    Exit status: 0 nothing wrong found; 1 at least one cause; 2 the pod, the options or the credentials are unusable; 3
    nothing found, but something inconclusive.
    """
    if kubeconfig is not None:
        os.environ["KUBECONFIG"] = kubeconfig
    asked = _asked(_name_of(pod), namespace, everywhere=everywhere)
    # Each with its value in one argument, so that no value can pass for an option.
    options = [f"--{name}={value}" for name, value in passed_on.items() if value is not None]
    return cli.main(["diagnose", *asked, *options, f"--format={output}"], prog_name=NAME, standalone_mode=False)


def _name_of(pod: tuple[str, ...]) -> str | None:
    """Return the pod's name, in any of kubectl's forms: NAME, pod/NAME, pod NAME."""
    names = pod[1:] if len(pod) > 1 and pod[0] in _KINDS else pod
    if len(names) > 1:
        raise click.UsageError(f"one pod at a time, or --namespace for all that fail there: {' '.join(names)!r}")
    if not names:
        return None
    kind, slash, name = names[0].rpartition("/")
    if (slash and kind not in _KINDS) or not name:
        raise click.UsageError(f"{names[0]!r} is no pod: give its name, or pod/NAME")
    return name


def _asked(name: str | None, namespace: str | None, *, everywhere: bool) -> list[str]:
    """Return the arguments of `diagnose` that say which pods are asked about."""
    if everywhere:
        if name or namespace:
            raise click.UsageError("--all-namespaces takes neither a pod nor --namespace")
        return ["--all-namespaces"]
    if not name and not namespace:
        raise click.UsageError("name a pod, or give --namespace or --all-namespaces")
    return [*([f"--pod={name}"] if name else []), *([f"--namespace={namespace}"] if namespace else [])]

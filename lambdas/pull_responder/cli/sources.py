"""Which of its sources `diagnose` is given, and whether its options go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


def one_file(argument: str | None, option: str | None) -> str | None:
    """Return the file to read: that of the argument or of --event, None without either."""
    if argument is not None and option is not None:
        raise click.UsageError(f"give {argument[:100]!r} or --event, not both")
    return option if argument is None else argument


def source_of(values: Mapping[str, str | None], *, all_namespaces: bool) -> str:
    """Return what is asked about: "FILE", "--pod", "--image" or "--manifests".

    `values` are the values of the options by their names, None for those that are not given. --namespace and
    --all-namespaces ask kubectl, as --pod does. Raises click.UsageError for options that do not go together.
    """
    if empty := next((name for name, value in values.items() if value is not None and not value.strip()), None):
        raise click.UsageError(f"{empty} is empty")
    given = {name for name, value in values.items() if value is not None}
    if all_namespaces or given & {"--pod", "--namespace", "FILE", "--image", "--manifests"} == {"--namespace"}:
        given.add("--pod")
    sources = [name for name in ("FILE", "--pod", "--image", "--manifests") if name in given]
    nodes = given & {"--nodegroup", "--fargate-profile", "--instance"}
    wrong = {
        f"{' and '.join(sources)} are different questions: ask one": len(sources) > 1,
        "--nodegroup, --fargate-profile and --instance go with --image": bool(nodes) and "--image" not in given,
        "--namespace does not go with --image": given >= {"--namespace", "--image"},
        "--context goes with --pod, --namespace or --all-namespaces": "--context" in given and "--pod" not in given,
        "give a file, or - for standard input, or --pod, or --image or --manifests with --cluster": not sources,
        "--image needs --cluster, whose nodes are to pull it": sources == ["--image"] and "--cluster" not in given,
        "--manifests needs --cluster, whose nodes are to pull the images": sources == ["--manifests"]
        and "--cluster" not in given,
        "give one of --nodegroup, --fargate-profile and --instance": len(nodes) > 1,
    }
    if problem := next((problem for problem, is_so in wrong.items() if is_so), None):
        raise click.UsageError(problem)
    return sources[0]

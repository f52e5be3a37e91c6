"""`pull-responder explain`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from pull_responder.cli import options
from pull_responder.cli.examples import examples
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.events.no_reason import NoReason
from pull_responder.events.pod_failure import not_pullable
from pull_responder.events.redaction import redact
from pull_responder.meanings import can_mean
from pull_responder.model.printable import clean_line as shown
from pull_responder.model.printable import escape_json
from pull_responder.model.pull import Stage, Symptom, registry_answered
from pull_responder.pulls.after_answer import after_answer, after_unpack


@click.command(
    epilog=examples(
        "pull-responder explain 'Failed to pull image \"…\": 403 Forbidden'",
        "kubectl describe pod POD | pull-responder explain -",
        "pull-responder explain - --format json < messages.jsonl",
    )
)
@click.argument("message", required=False)
@options.form
def explain(message: str | None, form: str) -> None:
    """Read what kubelet says of a failed pull, offline: symptom, stage, image, and what it can mean.

    MESSAGE is one message. - reads standard input, and so does a MESSAGE that is left out where standard input is a
    file or a pipe: with --format json JSON Lines of {"message": ...}, answered line by
    line, otherwise one message. A line that cannot be used is answered by a line with the error.

    Exit status: 0 whatever the message means; 2 there is no message.
    """
    if message is None and sys.stdin.isatty():
        raise click.MissingParameter(param_hint="'MESSAGE'", param_type="argument")
    if message is not None and message != "-":
        _show(message, form)
    elif form == "json":
        for number, line in enumerate(sys.stdin.buffer, start=1):
            if line.strip():
                sys.stdout.write(escape_json(json.dumps(_answer(line, number))) + "\n")
                sys.stdout.flush()
    else:
        _show(sys.stdin.buffer.read().decode("utf-8", errors="replace"), form)


def _show(message: str, form: str) -> None:
    read = read_message(message)
    click.echo(escape_json(json.dumps(_as_json(read, message))) if form == "json" else _as_text(read, message))


def _answer(line: bytes, number: int) -> dict[str, Any]:
    """Return the answer to one line of JSON Lines: what its message can mean, or why the line cannot be used."""
    try:
        document = json.loads(line.strip())
    except json.JSONDecodeError as error:
        problem = f"is not JSON: {error.msg} at column {error.colno}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
    except (RecursionError, ValueError):
        problem = "is not usable: its JSON is nested too deeply, or holds a number too long"
    else:
        message = document.get("message") if isinstance(document, dict) else None
        if isinstance(message, str):
            return _as_json(read_message(message), message)
        problem = 'has no key "message"' if message is None else "has a message that is not text"
    return {"error": f"line {number} {redact(problem, limit=200)}", "line": number}


def _as_json(read: KubeletMessage, message: str) -> dict[str, Any]:
    image = read.image
    return {
        "symptom": read.symptom,
        "stage": read.stage,
        "image": str(image) if image else None,
        "can_mean": list(can_mean(read)),
        "tells_of_pull": read.tells_of_pull,
        "skipped": _skipped(read),
        "image_problem": image.problem if image else None,
        "denied": read.denial.message if read.denial else None,
        "host": read.sighting.host or None,
        "address": read.sighting.address or None,
        "dns_server": read.sighting.server or None,
        "proxy": read.sighting.proxy or None,
        "answer": read.answer,
        "next": _next(read, message),
    }


def _next(read: KubeletMessage, message: str) -> str | None:
    """Return what is left and where to look, where the message itself rules out the rest. Else None."""
    registry = read.image.host.lower() if read.image else None
    if not read.tells_of_pull:
        return None
    if read.answer is not None:
        why, look = after_answer(read.answer, asked=read.sighting.host, registry=registry, message=message)
    elif read.symptom is Symptom.UNKNOWN and read.stage is Stage.UNPACK:
        why, look = after_unpack()
    else:
        return None
    return f"{why[0].upper()}{why[1:]}. {look}"


def _skipped(read: KubeletMessage) -> str | None:
    """Return why a diagnosis of an event with this text would skip it, as far as the text alone tells."""
    if read.image and (reason := not_pullable(read.image)):
        return reason
    return f"this text {read.no_reason}" if read.no_reason else None


def _as_text(read: KubeletMessage, message: str) -> str:
    image, causes = read.image, can_mean(read)
    rows = [
        ("Symptom", read.symptom),
        ("Stage", read.stage or "not known"),
        ("Image", str(image) if image else "not named"),
    ]
    if image and image.problem:
        rows.append(("Spelt wrong", image.problem))
    elif image and image.kind is RegistryKind.OTHER:
        rows.append(("", "not in Amazon ECR: a diagnosis would skip it"))
    seen = {"Asked": read.sighting.host, "Dialled": read.sighting.address, "DNS server": read.sighting.server}
    seen["Proxy"] = read.sighting.proxy
    if registry_answered(read.symptom) is False or read.answer:
        rows.extend((label, value) for label, value in seen.items() if value)
    if read.denial:
        rows.append(("AWS said", read.denial.message))
    rows.extend(("" if number else "Can mean", cause) for number, cause in enumerate(causes))
    if read.no_reason and not (read.no_reason is NoReason.MISSPELT and image and image.problem):
        rows.append(("Can mean", f"nothing: this text {read.no_reason}"))
    elif not causes and not _next(read, message) and not (image and image.problem):
        rows.append(("Can mean", "none of the causes that a diagnosis knows"))
    if look := _next(read, message):
        rows.append(("Look next", look))
    return "\n".join(f"{label:<12}{shown(value)}" for label, value in rows)

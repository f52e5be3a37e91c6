"""`pull-responder explain`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from pull_responder.cli import options
from pull_responder.cli.examples import examples
from pull_responder.cli.explain_text import BACK_OFF, commands_for, lines_of
from pull_responder.cli.lines import terminal_width
from pull_responder.cli.pasted import MOST, Pasted, messages_of
from pull_responder.cli.reader import is_read
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.events.pod_failure import not_pullable
from pull_responder.events.redaction import redact
from pull_responder.meanings import can_mean
from pull_responder.model.printable import escape_json
from pull_responder.model.pull import Stage, Symptom
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
    line, otherwise one message, or what `kubectl describe pod` or `kubectl get events` prints of several pods. A line
    that cannot be used is answered by a line with the error.

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
            if not is_read():
                break
    else:
        _show(sys.stdin.buffer.read().decode("utf-8", errors="replace"), form)


def _show(message: str, form: str) -> None:
    if form == "json":
        click.echo(escape_json(json.dumps(_as_json(read_message(message), message))))
        return
    found, width = messages_of(message), terminal_width()
    for number, each in enumerate(found[:MOST]):
        if number:
            click.echo()
        click.echo("\n".join(lines_of(each, _next(each.read, each.text), width)))
    if len(found) > MOST:
        click.echo(f"\n{len(found) - MOST} more messages are not shown.")


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
    image, pasted = read.image, Pasted(message, read)
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
        "next": BACK_OFF if pasted.is_back_off else _next(read, message),
        "run_next": commands_for(pasted),
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

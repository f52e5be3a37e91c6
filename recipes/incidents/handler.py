"""A function that takes notifications of Pull Responder from a queue and tells an incident tool of them.

The environment names the vendor's module (VENDOR), the secret in Secrets Manager with its access (SECRET_ARN) and the
severities that open an incident (SEVERITIES). What is over closes its incident, whatever its last cause's severity.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

from incident import incidents, read_document

# A digest of what is over may close many.
_AT_ONCE = 8


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle the messages of a batch in the order in which things happened. Return those that are to be tried again."""
    tell = import_module(os.environ["VENDOR"]).tell
    severities = set(os.environ["SEVERITIES"].split(","))
    secrets = import_module("boto3").client("secretsmanager")
    secret = json.loads(secrets.get_secret_value(SecretId=os.environ["SECRET_ARN"])["SecretString"])
    read = [(read_document(record["body"]), record["messageId"]) for record in event["Records"]]
    ours = sorted(((document, each) for document, each in read if document), key=lambda pair: str(pair[0].get("at")))
    print(f"{len(ours)} notifications, {len(read) - len(ours)} other messages that are left alone")  # noqa: T201 -- its log
    waiting: set[str] = set()
    failed = []
    for document, message_id in ours:
        try:
            told = [each for each in incidents(document) if each.is_over or {each.severity, each.had} & severities]
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            print(f"{message_id} is not as schema 2.0 has it: {type(error).__name__}: {error}")  # noqa: T201 -- its log
            failed.append(message_id)
            continue
        # What comes later about a problem is not told before what failed.
        lost = {each.key for each in told if each.key in waiting}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            asked = {each.key: pool.submit(tell, each, secret) for each in told if each.key not in waiting}
        for key, answer in asked.items():
            if problem := answer.exception():
                print(f"{key}: {type(problem).__name__}: {problem}")  # noqa: T201 -- its log
                lost.add(key)
        if lost:
            waiting |= lost
            failed.append(message_id)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

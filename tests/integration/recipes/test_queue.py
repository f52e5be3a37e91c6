"""docs/recipes.md: the commands that make a queue, and the lines that read it, with real notifications."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests import aws_cli
from tests.integration.recipes.pages import blocks
from tests.integration.responder.scene import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene


def test_a_queue_knows_what_is_open(scene: Scene) -> None:
    name = f"pull-failures-{uuid4().hex[:8]}"
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    (script,) = blocks("A queue", "sh")
    script = script.replace("QUEUE_ARN", queue).replace("TOPIC_ARN", scene.topic)
    # Version 1 of the AWS CLI knows an address of SQS of its own, and looks at no variable.
    script = script.replace("aws sqs", f"aws --endpoint-url {os.environ['AWS_ENDPOINT_URL']} sqs")
    path = f"{aws_cli.folder()}:{os.environ['PATH']}"
    made = subprocess.run(  # noqa: S603 -- the page's own text
        ["/bin/sh", "-euc", script.replace("--queue-name pull-failures", f"--queue-name {name}")],
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    (lines,) = blocks("A queue", "python")
    recipe: dict[str, Any] = {}
    exec(lines, recipe)  # noqa: S102 -- the page's own text
    problems: dict[str, tuple[str, bool]] = {}
    sqs = scene.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def take() -> list[str]:
        bodies = []
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                recipe["take"](each["Body"], problems)
                bodies.append(each["Body"])
        return bodies

    # What has no schema, as an alarm, does not pass the filter.
    scene.aws.client("sns").publish(TopicArn=scene.topic, Message=json.dumps({"AlarmName": "DeadLetters"}))
    assert take() == []
    node = scene.role()
    scene.respond(node.denied(scene.clock.now))
    new = take()
    assert [is_open for _, is_open in problems.values()] == [True]
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=6)
    scene.recheck()
    over = take()
    assert (len(new), len(over)) == (1, 1)
    assert [is_open for _, is_open in problems.values()] == [False]
    # A message that SQS hands out late, or twice, changes nothing.
    for body in (*new, *over):
        recipe["take"](body, problems)
    assert [is_open for _, is_open in problems.values()] == [False]

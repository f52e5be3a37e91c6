"""One fault on a way over four accounts: the break, the pod, the answer, the fix, and that nothing is wrong then."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.demo.enterprise.asking import ask
from pull_responder.demo.enterprise.estate import CLUSTER, GATEWAY, IMAGE, NAMES
from pull_responder.demo.shell import run
from pull_responder.emulator.emulated_aws import REGION
from pull_responder.remediation.shell import aws as aws_command
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.demo.enterprise.asking import Answer
    from pull_responder.demo.enterprise.estate import Estate
    from pull_responder.demo.shell import CommandResult

TITLE: Final = "A pod cannot pull, and the fault is in a fourth account"
CAUSE: Final = "transit_gateway_blocks_traffic"
POD: Final = ("shop", "web-0")
SAID: Final = (
    "The network team tidies up the transit gateway. The hub and the egress VPC lose their route back to the spoke: "
    "requests still arrive there, and no answer comes back."
)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, in order. `message` is what kubelet says of the pod."""

    estate: Estate
    before: Answer
    breaking: CommandResult
    message: str
    answer: Answer
    fixing: tuple[CommandResult, ...]
    after: Answer

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, a line each. Empty when the fault alone was found, and is gone after the printed fix."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[str]:
        if self.before.exit_status:
            yield f"something was wrong before the break: {self.before.text.partition(chr(10))[0]}"
        if self.breaking.exit_status:
            yield f"the break could not be made: {self.breaking.output}"
        found = [(each["cause"], each["resource"]["id"]) for each in self.answer.findings]
        if found != [(CAUSE, self.estate.shared_arn)]:
            yield f"the answer should name {CAUSE} on {self.estate.shared_arn}, but names {found or 'nothing'}"
        accounts = {each["remediation"]["account"] for each in self.answer.findings}
        if accounts - {GATEWAY}:
            yield f"the fix should be for account {GATEWAY}, but is for {', '.join(sorted(accounts))}"
        if missing := NAMES.keys() - self.accounts:
            yield f"the ways do not lead over account {', '.join(sorted(missing))}"
        if not self.fixing:
            yield "there is no command that fixes it"
        for command in self.fixing:
            if command.exit_status:
                yield f"the fix `{command.line}` ended with exit status {command.exit_status}: {command.output}"
        if self.after.exit_status:
            yield f"something is wrong after the fix: {self.after.text.partition(chr(10))[0]}"

    @property
    def accounts(self) -> set[str]:
        """The accounts over which the broken way to the registry leads, and the one to the layers after the fix."""
        hops = (*self.answer.hops("manifest"), *self.after.hops("layer"))
        return {each["account"] or self.answer.account for each in hops}

    def as_json(self) -> dict[str, Any]:
        """Return the object to print for it."""
        return {
            "title": TITLE,
            "accounts": {name: account for account, name in NAMES.items()},
            "before": self.before.as_json(),
            "break": asdict(self.breaking),
            "message": self.message,
            "answer": self.answer.as_json(),
            "fix": [asdict(each) for each in self.fixing],
            "after": self.after.as_json(),
            "problems": self.problems,
        }


def play(estate: Estate, progress: Callable[[str], None]) -> Story:
    """Ask, break, ask about the pod that fails, fix it, and ask again. `progress` is called with what comes next.

    Raises DidNotAnswerError when `diagnose` gives no answer.
    """
    progress("asking before the break")
    before = _question(estate)
    progress("breaking it")
    command = aws_command(
        "ec2",
        "disable-transit-gateway-route-table-propagation",
        transit_gateway_route_table_id=estate.shared,
        transit_gateway_attachment_id=estate.attachment,
        region=REGION,
    )
    breaking = run(estate.aws, render(command), account=GATEWAY)
    progress("asking about the pod that fails")
    message = _message(estate)
    namespace, pod = POD
    line = f"kubectl get pod {pod} -n {namespace} -o json | pull-responder diagnose -"
    answer = ask(estate.aws, line, "-", given=json.dumps(_pod(estate, message)))
    progress("running the fix")
    fixing = tuple(
        run(estate.aws, each, account=finding["remediation"]["account"])
        for finding in answer.findings
        for each in finding["remediation"]["commands"]
    )
    progress("asking again")
    return Story(estate, before, breaking, message, answer, fixing, _question(estate))


def _question(estate: Estate) -> Answer:
    options = ("--image", IMAGE, "--cluster", CLUSTER)
    return ask(estate.aws, f"pull-responder diagnose {' '.join(options)}", *options)


def _message(estate: Estate) -> str:
    """Return what kubelet says, in containerd's words, when the registry does not answer."""
    host, _, rest = IMAGE.partition("/")
    repository, _, tag = rest.rpartition(":")
    return (
        f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": failed to do request: '
        f'Head "https://{host}/v2/{repository}/manifests/{tag}": dial tcp {estate.endpoint_address}:443: i/o timeout'
    )


def _pod(estate: Estate, message: str) -> dict[str, Any]:
    """Return the pod as `kubectl get pod -o json` prints it."""
    namespace, name = POD
    waiting = {"waiting": {"reason": "ErrImagePull", "message": message}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"nodeName": estate.node, "containers": [{"name": "web", "image": IMAGE}]},
        "status": {
            "phase": "Pending",
            "containerStatuses": [
                {"name": "web", "image": IMAGE, "ready": False, "restartCount": 0, "state": waiting},
            ],
        },
    }

"""What is said of a failure that nothing explains: where to look next, and nothing of what explains itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.checks.pull_failing_unexplained import CHECK, what_is_left
from pull_responder.diagnosis import Diagnosis, Undecided
from pull_responder.findings.problem import Problem
from pull_responder.model.pull import Answer, Denial, PolicyType, PullFailure, Stage, Symptom
from pull_responder.model.reason import Reason, steps_of
from pull_responder.next_steps import next_step
from pull_responder.publish.as_document import finding_object
from pull_responder.pulls.after_answer import after_answer
from pull_responder.pulls.own_credentials import where_to_look
from pull_responder.pulls.puller import Puller
from pull_responder.responder.unexplained import finding_of_unexplained
from pull_responder.settings import Settings
from tests.next_step import faults_of

PULL = PullFailure(Symptom.TIMEOUT, None, "us-east-1", account="123456789012", registry_account="111111111111")
HOST = "111111111111.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("symptom", "of_aws", "look_at"),
    [
        (Symptom.TIMEOUT, False, f"`curl -v https://{HOST}/v2/`"),
        (Symptom.TIMEOUT, True, f"`curl -v https://{HOST}/v2/`"),
        (Symptom.NAME_RESOLUTION_FAILED, False, f"`nslookup {HOST}`"),
        (Symptom.ACCESS_DENIED, False, "imagePullSecrets"),
        (Symptom.ACCESS_DENIED, True, "name, tag or region"),
        (Symptom.NOT_FOUND, True, "name, tag or region"),
        (Symptom.UNKNOWN, False, "journalctl"),
        (Symptom.DOWNLOAD_CORRUPT, False, "journalctl"),
    ],
)
def test_the_next_thing_to_look_at_is_named(symptom: Symptom, look_at: str, *, of_aws: bool) -> None:
    pull = PullFailure(symptom, None, "us-east-1", account="123456789012", registry_account="111111111111")
    assert look_at in what_is_left(pull, of_aws=of_aws)


def test_of_what_failed_after_the_registry_nothing_is_said_of_the_registry() -> None:
    left = what_is_left(replace(PULL, symptom=Symptom.UNKNOWN, stage=Stage.UNPACK), of_aws=False)
    assert "AWS does not show why that failed" in left
    assert "lets this pull through" not in left


IN_IMAGE = "Failed to pull image: failed to extract layer sha256:0f0f: mount callback failed on /var/lib/tmp"


@pytest.mark.parametrize(
    ("message", "look_at"),
    [
        # A file of the node that the runtime may not use.
        (
            "getting username and password: 1 error occurred: open /run/containers/0/auth.json: permission denied",
            "`ls -lZ`",
        ),
        (f"{IN_IMAGE}: failed to set xattr: lsetxattr /app/a: operation not permitted", "SELinux"),
        (r"hcs failed: open C:\ProgramData\containerd\a: Access is denied.", "modes and owner"),
        # An owner in the image that a user namespace does not have.
        (
            f'{IN_IMAGE}: failed to Lchown "/x" for UID 1000640000: lchown /x: invalid argument (Hint: /etc/subgid)',
            "`/etc/subuid`",
        ),
        (
            f'{IN_IMAGE}: failed to Lchown "/app/a" for UID 1, GID 1: lchown /app/a: operation not permitted',
            "/etc/subgid",
        ),
        (f"{IN_IMAGE}: open /app/{'a' * 300}: file name too long", "findmnt -T"),
        (f"{IN_IMAGE}: mkdir /app/a: read-only file system", "`findmnt`"),
        (f"{IN_IMAGE}: write /app/a: input/output error", "`dmesg -T`"),
        ("open /var/lib/containerd/a: too many open files", "`free -m`"),
        # Blanks, with a hint and without: their number is the sender's.
        (f"{IN_IMAGE}: lchown /x:{' ' * 9_000}invalid argument{' ' * 9_000}(Hint: see", "`/etc/subuid`"),
        (f"{IN_IMAGE}: lchown /x{' ' * 9_000}(hint): invalid argument", "`/etc/subuid`"),
        (f"{IN_IMAGE}: mkdir /app/a: file{' ' * 18_000}exists", "disk, memory and limits"),
        (f"{IN_IMAGE}: stat /app: no such file or directory: unknown", "deletes the file"),
        (f"{IN_IMAGE}: mkdir /app/a: not a directory", "`crictl rmi`"),
        (f"{IN_IMAGE}: rename /app/a /app/b: device or resource busy", "`lsof`"),
        # Near misses: the words are a path's, or of something else.
        (f"{IN_IMAGE}: write /app/permission denied/file name too long: input/output error", "how it is mounted"),
        (f"{IN_IMAGE}: open /app/lchown: invalid argument", "disk, memory and limits"),
        ("open /app/chown: permission denied", "`ls -lZ`"),
        ("", "disk, memory and limits"),
    ],
)
def test_a_file_that_failed_is_looked_at_by_the_kernels_own_words(message: str, look_at: str) -> None:
    why, look = after_answer(Answer.FILE, asked="", registry=HOST, message=message)
    assert look_at in look
    reason = Reason(f"{why}: {look[0].lower()}{look[1:].removesuffix('.')}", look)
    assert faults_of(next_step(CHECK, reason, PULL)) == []


def test_of_an_action_that_no_pull_needs_nothing_is_known() -> None:
    denied = Denial("ecr:DescribeImages", "*", "User: … is not authorized", PolicyType.IDENTITY)
    left = what_is_left(replace(PULL, symptom=Symptom.ACCESS_DENIED, denial=denied), of_aws=False)
    assert "ecr:DescribeImages, is none that a pull needs" in left


@pytest.mark.parametrize("symptom", [Symptom.KUBELET_THROTTLED, Symptom.CANCELED])
def test_what_explains_itself_leaves_nothing(symptom: Symptom) -> None:
    pull = PullFailure(symptom, None, "us-east-1", account="123456789012", registry_account="111111111111")
    assert what_is_left(pull, of_aws=False) == ""


def test_that_nothing_explains_it_is_not_counted_as_one_more_undecided_cause() -> None:
    """It is what the finding itself says: that everything was read, and where to look."""
    left = what_is_left(PULL, of_aws=False)
    diagnosis = Diagnosis(
        pull=PULL,
        puller=Puller(for_eks=True, because="a test says so", cluster="prod"),
        inconclusive=(Undecided("pull_failing_unexplained", left),),
    )
    problem = Problem("problem/a", count=20, first_seen=1, last_seen=7200, unexplained_since=1)
    finding = finding_of_unexplained(problem, diagnosis, now=7200, settings=Settings())
    assert finding is not None
    assert "nothing in the AWS configuration explains it" in finding.explanation
    assert f"{left}." in finding.evidence
    assert not any("Not decided" in line for line in finding.evidence)
    assert finding.remediation.summary.startswith("To find the cause, check what AWS does not show")


@pytest.mark.parametrize("symptom", list(Symptom))
@pytest.mark.parametrize("of_aws", [True, False])
def test_what_is_left_is_one_step(symptom: Symptom, *, of_aws: bool) -> None:
    for pull in (replace(PULL, symptom=symptom, namespace="a" * 63, pod="p" * 253), PullFailure(symptom, None, "r")):
        left = what_is_left(pull, of_aws=of_aws)
        assert bool(left) is (symptom not in {Symptom.KUBELET_THROTTLED, Symptom.CANCELED})
        assert not left or faults_of(next_step(CHECK, left, pull)) == []
        assert not left or steps_of(left) == (next_step(CHECK, left, pull),)


def test_a_pods_name_cannot_end_a_command() -> None:
    step = where_to_look(replace(PULL, namespace="shop; reboot", pod="$(reboot)"))
    assert "-n 'shop; reboot' '$(reboot)' -o yaml" in step


def test_the_finding_says_the_same_next_step_everywhere() -> None:
    """In the text, for chat, as JSON and for Security Hub."""
    steps = ("Look at `a`.", f"Look at `{'b' * 280}`.", f"Look at `{'c' * 280}`.")
    opened = tuple(Undecided(f"cause_{number}", Reason("x", each), each) for number, each in enumerate(steps))
    diagnosis = Diagnosis(PULL, Puller(for_eks=True, because="a test says so", cluster="prod"), inconclusive=opened)
    problem = Problem("problem/a", count=20, first_seen=1, last_seen=7200, unexplained_since=1)
    finding = finding_of_unexplained(problem, diagnosis, now=7200, settings=Settings())
    assert finding is not None
    # Security Hub takes 512 characters: whole sentences, as many as fit.
    assert finding.remediation.summary == f"To find the cause: {steps[0]} {steps[1]}"
    assert len(finding.remediation.summary) <= 512
    assert finding_object(finding)["remediation"]["summary"] == finding.remediation.summary

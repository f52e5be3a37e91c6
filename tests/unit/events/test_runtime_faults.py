"""Faults inside a node: links that tell of one after the link before them, and near misses."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_link import words_of
from pull_responder.events.meaning import Weight
from pull_responder.events.runtime_faults import read_runtime_fault
from pull_responder.model.pull import Answer


def fault(link: str, *, after: str = "") -> Answer | None:
    meaning = read_runtime_fault(words_of(link), words_of(after))
    return meaning.answer if meaning else None


DENIED = "permission denied"


@pytest.mark.parametrize(
    "before",
    [
        "open /var/lib/containerd/io.containerd.content.v1.content/ingest/x",
        "open '/var/lib/x'",
        "link /var/lib/a /var/lib/b",
        "mkdir C:\\ProgramData\\containerd",
        'rename "C:\\a" "C:\\b"',
        "open \\\\server\\share\\x",
        "cannot open /var/lib/x",
    ],
)
def test_why_a_file_of_the_node_was_refused(before: str) -> None:
    assert fault(DENIED, after=before) is Answer.FILE


@pytest.mark.parametrize(
    "before",
    [
        "",
        # An operation on no file, a file without an operation, and a file that is not the node's by its path.
        "open",
        "mount",
        "/var/lib/x",
        "walk /var/lib/x",
        "open x",
        "open server\\x",
        "open C:x",
        "open xC:\\x",
        "open \\server\\x",
        "open /var/lib/x today",
    ],
)
def test_what_was_refused_elsewhere_is_not_the_nodes(before: str) -> None:
    assert fault(DENIED, after=before) is None


@pytest.mark.parametrize(
    ("link", "answer"),
    [
        ("open //./pipe/containerd-containerd", Answer.RUNTIME),
        ("open \\\\.\\pipe\\docker_engine", Answer.RUNTIME),
        ("open the pipe //./pipe/docker_engine", Answer.RUNTIME),
        ("close //./pipe/docker_engine", None),
        ("open //./pipe/docker_engine again", None),
        ("open", None),
        ("hcsshim::PrepareLayer", Answer.RUNTIME),
        ("failed to hcsshim::ImportLayer x", Answer.RUNTIME),
        ("xhcsshim::PrepareLayer", None),
        ('failed to load "/etc/containerd/certs.d/docker.io/hosts.toml"', Answer.RUNTIME),
        ("failed to load /etc/containerd/certs.d/docker.io/hosts.tomlx", None),
        ("dial tcp 127.0.0.1:30020", Answer.LOCAL),
        ("dial tcp [::1]:5000", Answer.LOCAL),
        ("dial tcp 10.0.0.9:443", None),
        ("dial tcp 127.0.0.1", None),
        ("dial tcp", None),
        ("dial udp 127.0.0.1:53", None),
        ("read-only file system", Answer.FILE),
        ("read-only file system of somebody", None),
    ],
)
def test_what_a_link_says_of_the_node_by_itself(link: str, answer: Answer | None) -> None:
    assert fault(link) is answer


# What the runtime's client says of a runtime that does not answer, one for each phrase.
SILENT = (
    "dial unix /run/containerd/containerd.sock",
    "Error while dialing dial unix /run/containerd/containerd.sock",
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "error reading from server",
    "error reading server preface",
    "transport is closing",
    "the connection is closing",
    "connection closed before server preface received",
    "the client connection is closing",
    "read unix @->/run/containerd/containerd.sock",
    "write unix @->/run/containerd/containerd.sock",
    "all SubConns are in TransientFailure",
    "container runtime is down",
)
# What the runtime says of its own store and configuration, one for each phrase.
FAILED = (
    "server is not initialized yet",
    "unknown service runtime.v1.ImageService",
    "database not open",
    "invalid database",
    "namespace is required",
    "ref layer-sha256:0f locked for 1.5s (since 2026-03-01 12:00:00)",
    "content digest sha256:0f",
    "snapshotter not found",
    "snapshotter not loaded",
    "snapshotter stargz not found",
    "snapshotter overlaybd not loaded",
    "snapshotter nydus was not found",
    'unknown snapshotter "soci"',
    "parent snapshot sha256:0f does not exist",
    "snapshot sha256:0f does not exist",
    'target snapshot "sha256:0f"',
    'missing parent "sha256:0f" bucket',
    "lease does not exist",
    "unable to initialize unpacker",
    "no unpack platforms defined",
    "toml",
    "invalid `host` tree",
    "invalid plugin config",
    'unable to load CA cert "/etc/containerd/certs.d/ca.crt"',
    'unable to read CA cert "/etc/containerd/certs.d/ca.crt"',
    'unable to read cert file "/etc/containerd/certs.d/client.crt"',
    "unable to initialize cert pool",
    "failed to load X509 key pair",
    'unable to parse server "https://[::1"',
    "layer not known",
    "Error loading trust policy",
    'loading registries configuration "/etc/containers/registries.conf"',
    'error loading registries configuration "/etc/containers/registries.conf"',
    "registry docker.io is blocked in /etc/containers/registries.conf",
)


@pytest.mark.parametrize(
    ("link", "weight"),
    [*((link, Weight.SOMEBODY_ELSE) for link in SILENT), *((link, Weight.EXACT) for link in FAILED)],
)
def test_what_a_runtime_that_failed_says(link: str, weight: Weight) -> None:
    meaning = read_runtime_fault(words_of(link), [])
    assert meaning is not None
    assert (meaning.answer, meaning.weight) == (Answer.RUNTIME, weight)


OPERATIONS = (
    *("open", "openat", "openat2", "stat", "lstat", "mkdir", "mkdirat", "remove", "unlink", "unlinkat", "rename"),
    *("symlink", "link", "linkat", "readlink", "readdirent", "readdir", "chmod", "lchown", "chown", "chtimes"),
    *("write", "read", "truncate", "sync", "fsync", "fdatasync", "mknod", "mkfifo", "lsetxattr", "setxattr"),
    *("flock", "fallocate", "copy_file_range", "CreateFile", "mount", "unmount"),
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_of_the_kernel_on_a_file(operation: str) -> None:
    assert fault(DENIED, after=f"{operation} /var/lib/containerd/x") is Answer.FILE


@pytest.mark.parametrize(
    ("why", "is_always_of_a_file"),
    [
        *(("read-only file system", True), ("input/output error", True), ("structure needs cleaning", True)),
        *(("cannot allocate memory", True), ("too many open files", True), ("stale NFS file handle", True)),
        *(("stale file handle", True), ("no such file or directory", False), ("file exists", False)),
        *(("permission denied", False), ("operation not permitted", False), ("operation not supported", False)),
        *(("device or resource busy", False), ("no such device", False), ("invalid argument", False)),
        *(("not a directory", False), ("is a directory", False), ("directory not empty", False)),
        *(("too many levels of symbolic links", False), ("too many links", False), ("file name too long", False)),
        *(("bad file descriptor", False), ("file already closed", False), ("invalid cross-device link", False)),
        *(("text file busy", False), ("Access is denied.", False), ("no such process", None)),
        ("The system cannot find the file specified.", False),
        ("The system cannot find the path specified.", False),
        ("The process cannot access the file because it is being used by another process.", False),
    ],
)
def test_each_reason_of_the_kernel(why: str, *, is_always_of_a_file: bool | None) -> None:
    of_file, alone = fault(why, after="open /var/lib/containerd/x"), fault(why)
    assert of_file is (None if is_always_of_a_file is None else Answer.FILE)
    assert alone is (Answer.FILE if is_always_of_a_file else None)

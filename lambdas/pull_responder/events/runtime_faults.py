"""Words of faults inside a node: its container runtime, the runtime's configuration and store, and the node's files.

No registry and no network can cause one of them. Sources: containerd (core/content, core/metadata, core/snapshots,
core/remotes/docker/config, core/transfer), bbolt (errors.go), gRPC for Go (internal/transport), microsoft/hcsshim, and
Go's os and syscall packages.
"""

from __future__ import annotations

import re
from typing import Final

from pull_responder.events.meaning import Meaning, Weight
from pull_responder.events.phrase import PhraseTable
from pull_responder.model.pull import Answer, Symptom

_RUNTIME_FAILED: Final = Meaning(Symptom.UNKNOWN, Weight.EXACT, answer=Answer.RUNTIME)
# A socket or pipe on the node. What follows is why nobody answered there, in the words of any connection.
_RUNTIME_SILENT: Final = Meaning(Symptom.UNKNOWN, Weight.SOMEBODY_ELSE, answer=Answer.RUNTIME)
_FILE_FAILED: Final = Meaning(Symptom.UNKNOWN, Weight.EXACT, answer=Answer.FILE)

_SILENT: Final = (
    "dial unix *",
    "error while dialing dial unix *",
    "cannot connect to the docker daemon at *",
    "error reading from server",
    "error reading server preface",
    "transport is closing",
    "the connection is closing",
    "connection closed before server preface received",
    "the client connection is closing",
    "read unix *",
    "write unix *",
    "all subconns are in transientfailure",
    "container runtime is down",
)
_FAILED: Final = (
    # The runtime as a service.
    "server is not initialized yet",
    "unknown service *",
    # containerd's database and content store.
    "database not open",
    "invalid database",
    "namespace is required",
    "ref * locked",
    "content digest *",
    # core/metadata/snapshot.go, core/snapshots/storage; proxies of snapshotters as nodes configure them.
    "snapshotter not found",
    "snapshotter not loaded",
    "snapshotter * not found",
    "snapshotter * not loaded",
    "snapshotter * was not found",
    "unknown snapshotter *",
    "parent snapshot * does not exist",
    "snapshot * does not exist",
    "target snapshot *",
    "missing parent * bucket",
    "lease does not exist",
    "unable to initialize unpacker",
    "no unpack platforms defined",
    # core/remotes/docker/config/hosts.go: certificates that the node's configuration names.
    "toml",
    "invalid `host tree",
    "invalid plugin config",
    "unable to load ca cert *",
    "unable to read ca cert *",
    "unable to read cert file *",
    "unable to initialize cert pool",
    "failed to load x509 key pair",
    "unable to parse server *",
    # CRI-O: containers/storage and containers/image (pkg/sysregistriesv2, signature/policy_config.go).
    "layer not known",
    "error loading trust policy",
    "loading registries configuration *",
    "error loading registries configuration *",
    "registry * is blocked in *",
)
# A mirror on the node itself, such as Spegel's or Dragonfly's. What follows is why it did not take the connection.
_LOCAL: Final = Meaning(Symptom.TIMEOUT, Weight.EXACT, answer=Answer.LOCAL)
_ON_THE_NODE: Final = re.compile(r"(?:127(?:\.[0-9]{1,3}){3}|\[::1\]):[0-9]{1,5}")
_DIAL: Final = ["dial", "tcp"]
_PHRASES: Final = PhraseTable(
    {
        **dict.fromkeys(_SILENT, _RUNTIME_SILENT),
        **dict.fromkeys(_FAILED, _RUNTIME_FAILED),
    }
)

# EROFS, EIO, EUCLEAN, ENOMEM, EMFILE and ESTALE (Go's syscall package): no registry can cause one.
_OF_FILES: Final = frozenset(
    {
        "read-only file system",
        "input/output error",
        "structure needs cleaning",
        "cannot allocate memory",
        "too many open files",
        "stale nfs file handle",
        "stale file handle",
    }
)
# Go's fs.PathError and os.LinkError: the operation, then the file, then why it failed.
_OPERATIONS: Final = frozenset(
    {
        *("open", "openat", "openat2", "stat", "lstat", "mkdir", "mkdirat", "remove", "unlink", "unlinkat", "rename"),
        *("symlink", "link", "linkat", "readlink", "readdirent", "readdir", "chmod", "lchown", "chown", "chtimes"),
        *("write", "read", "truncate", "sync", "fsync", "fdatasync", "mknod", "mkfifo", "lsetxattr", "setxattr"),
        *("flock", "fallocate", "copy_file_range", "createfile", "mount", "unmount"),
    }
)
_WHY: Final = (
    "no such file or directory",
    "file exists",
    "permission denied",
    "operation not permitted",
    "operation not supported",
    "device or resource busy",
    "no such device",
    "invalid argument",
    "not a directory",
    "is a directory",
    "directory not empty",
    "too many levels of symbolic links",
    "too many links",
    "file name too long",
    "bad file descriptor",
    "file already closed",
    "invalid cross-device link",
    "text file busy",
    "access is denied",
    "the system cannot find the file specified",
    "the system cannot find the path specified",
    "the process cannot access the file",
)
_PIPES: Final = ("//./pipe/", "\\\\.\\pipe\\")
_HCS: Final = "hcsshim::"
_HOSTS_FILE: Final = "hosts.toml"


def read_runtime_fault(words: list[str], before: list[str]) -> Meaning | None:
    """Return the meaning of a link that tells of a fault inside the node, None if it tells of none.

    `before` is the words of the link before it.
    """
    if found := _PHRASES.find(words):
        return found
    if words[:2] == _DIAL and len(words) > len(_DIAL) and _ON_THE_NODE.fullmatch(words[2]):
        return _LOCAL
    if words[:1] == ["open"] and words[-1].startswith(_PIPES):
        return _RUNTIME_SILENT
    text = " ".join(words)
    if text in _OF_FILES or (_is_of_file(before) and text.startswith(_WHY)):
        return _FILE_FAILED
    if any(word.startswith(_HCS) or word.strip("\"'`").endswith(_HOSTS_FILE) for word in words):
        return _RUNTIME_FAILED
    return None


def _is_of_file(words: list[str]) -> bool:
    """Whether a link ends in an operation of the kernel on a file with an absolute path, or on two of them."""
    is_path = [word.strip("\"'`").startswith(("/", "\\\\")) or word.strip("\"'`")[1:3] == ":\\" for word in words]
    last = next((number for number in range(len(words) - 1, -1, -1) if not is_path[number]), None)
    return last is not None and last + 1 < len(words) and words[last] in _OPERATIONS

"""What it shows that the node's kernel failed on a file, by the kernel's own words, and where to look next.

The words are the last link of the message, as Go writes an `fs.PathError`: "lchown /app/a: invalid argument". A path
stands before them, so a file with such a name is not taken for them.
"""

from __future__ import annotations

import re
from typing import Final

_LINK: Final = re.compile(r":\s+")
_OWNER: Final = re.compile(r"(?:^|\s)l?chown\s")
# Characters. kubelet's messages are shorter.
_MOST: Final = 20_000
# Podman and containerd add a hint in parentheses to what the kernel said. The blanks before it are left to `strip`: to
# look for them here would take a time that grows with the square of their number.
_HINT: Final = re.compile(r"\(.*")

_DISK_OR_LIMITS: Final = (
    "a file of the node could not be read or written",
    "Look at the node's disk, memory and limits: run `dmesg -T` and `journalctl -u containerd` on the node.",
)
_DISK: Final = (
    "the node's disk or file system failed, or is mounted so that nothing can be written",
    "Look at the node's disk and at how it is mounted: run `dmesg -T` and `findmnt` on the node.",
)
_LIMITS: Final = (
    "the node had no memory or no open file left for its container runtime",
    "Look at the node's memory and at the runtime's limits: run `free -m` and `systemctl show containerd` on the node.",
)
_MODES: Final = (
    "the node's container runtime may not use a file of the node",
    (
        "Look at the modes and owner of the file that kubelet names (`ls -lZ`), and at what SELinux or AppArmor "
        "refused: run `dmesg -T` on the node."
    ),
)
_OWNERS: Final = (
    "a file of the image has an owner that the node's container runtime may not give it, as in a user namespace",
    (
        "Look at the ranges of ids on the node (`/etc/subuid` and `/etc/subgid`), or build the image again with files "
        "of owners within them."
    ),
)
_LONG: Final = (
    "a file of the image has a longer name than the node's file system takes",
    (
        "Build the image again without the file that kubelet names, or look which file system has the runtime's "
        "directory: run `findmnt -T /var/lib/containerd` on the node."
    ),
)
_GONE: Final = (
    "a file or device of the node is not there",
    (
        "Look whether something deletes the file that kubelet names, as a cleaner of the runtime's directory does: run "
        "`journalctl -u containerd` on the node."
    ),
)
_IN_THE_WAY: Final = (
    "a file of the image does not fit what is on the node already, or the layers of the image do not fit each other",
    (
        "Run `crictl rmi` for the image on the node, so that it is fetched and unpacked anew; if that fails, "
        "too, build and push it again."
    ),
)
_BUSY: Final = (
    "another program uses a file of the node",
    (
        "Look which program has the file that kubelet names open, such as a virus scanner: run `lsof` (on Windows "
        "`openfiles`) on the node."
    ),
)
_BY_WORDS: Final = {
    "read-only file system": _DISK,
    "input/output error": _DISK,
    "structure needs cleaning": _DISK,
    "stale nfs file handle": _DISK,
    "stale file handle": _DISK,
    "operation not supported": _DISK,
    "cannot allocate memory": _LIMITS,
    "too many open files": _LIMITS,
    "permission denied": _MODES,
    "operation not permitted": _MODES,
    "access is denied": _MODES,
    "file name too long": _LONG,
    "no such file or directory": _GONE,
    "no such device": _GONE,
    "the system cannot find the file specified": _GONE,
    "the system cannot find the path specified": _GONE,
    "file exists": _IN_THE_WAY,
    "not a directory": _IN_THE_WAY,
    "is a directory": _IN_THE_WAY,
    "directory not empty": _IN_THE_WAY,
    "too many levels of symbolic links": _IN_THE_WAY,
    "too many links": _IN_THE_WAY,
    "device or resource busy": _BUSY,
    "text file busy": _BUSY,
    "the process cannot access the file": _BUSY,
}
# What a user namespace answers to an owner that it does not have, or may not give.
_OF_OWNERS: Final = ("invalid argument", "operation not permitted")


def after_file(message: str) -> tuple[str, str]:
    """Return what a failed operation on a file shows, and the sentence that says where to look next.

    `message` is kubelet's. If it has no words that are known, it is only said that a file is at fault.
    """
    links = [_HINT.sub("", each).strip(" .\"'").lower() for each in _LINK.split(message[-_MOST:])]
    for before, said in reversed([*zip(["", *links], links, strict=False)]):
        if _OWNER.search(before) and said.startswith(_OF_OWNERS):
            return _OWNERS
        for words, found in _BY_WORDS.items():
            if said.startswith(words):
                return found
    return _DISK_OR_LIMITS

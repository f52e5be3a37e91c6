"""Where to look next after an answer that no cause explains, by what kubelet's message shows of it.

Source: the words of containerd, of the registry and of Amazon S3 behind each answer, which `model.pull.Answer` names.
"""

from __future__ import annotations

from typing import Final

from pull_responder.model.pull import Answer
from pull_responder.model.reason import KUBELET_LOG
from pull_responder.pulls.file_faults import after_file

AT_LAYER: Final = (
    "the registry gave out the image's manifest, and a part of the image was not found",
    "Push the image again (`docker push`), and look whether a proxy answers for the registry or its storage.",
)
_AT_UNPACK: Final = ("the node had fetched what it was to unpack, and AWS does not show why that failed", KUBELET_LOG)
_AFTER_ANSWER: Final = {
    Answer.NODE: (
        "the node itself refused to send the request",
        "Look at the node's own firewall and at network policies for its host: run `nft list ruleset` on the node.",
    ),
    Answer.RUNTIME: (
        "the node's container runtime did not answer, or failed by itself, so no registry is at fault",
        (
            "Run `systemctl status containerd` and `journalctl -u containerd` on the node, and look at the runtime's "
            "configuration in /etc/containerd."
        ),
    ),
    Answer.LOCAL: (
        "the runtime asks a mirror on the node itself, which does not take connections",
        (
            "Look at the mirror's pod on this node (such as Spegel's or Dragonfly's), and at "
            "`/etc/containerd/certs.d/*/hosts.toml`."
        ),
    ),
    Answer.TLS: (
        "something answered, and TLS failed before any request, as where a firewall or proxy inspects TLS",
        "Look who answers: run `openssl s_client -connect {host}:443 -servername {host}` on the node.",
    ),
    Answer.HTTP: (
        "something answered by HTTP, in a way that Amazon ECR does not",
        "Look whether a proxy, mirror or filter answers in its place: run `curl -v https://{host}/v2/` on the node.",
    ),
    Answer.SIGNED_URL: (
        "Amazon S3 refused the URL that ECR signed for a layer, by its time or its signature, and no policy",
        "Look at the node's clock (`chronyc tracking`), and whether a proxy delays its downloads or changes URLs.",
    ),
    Answer.SIGNATURE: (
        "AWS refused the signature with which the node asks for a registry token",
        "Look at the node's clock (`chronyc tracking`), and remove AWS credentials of its own from kubelet.",
    ),
    Answer.OBJECT: AT_LAYER,
    Answer.BLOB: AT_LAYER,
    Answer.KEY: (
        "Amazon S3 could not use the KMS key of the repository",
        "Look at the key's state, policy and grants (`aws kms describe-key`).",
    ),
    Answer.STORAGE: (
        "the storage of layers refused a URL that ECR had signed, so no policy of the role or the repository did",
        (
            "Look at S3 endpoints on the way (`aws ec2 describe-vpc-endpoints`), at proxies before it and at the "
            "node's clock."
        ),
    ),
    Answer.MIRROR: (
        "{host} answered in the registry's place",
        "Look at `/etc/containerd/certs.d/*/hosts.toml` on the node, and at what {host} answers.",
    ),
    Answer.FORMAT: (
        "the node's container runtime does not take the format of the image's manifest or layers",
        "Build and push the image again with a current tool (`docker buildx build --push`), or update the runtime.",
    ),
}


def after_unpack() -> tuple[str, str]:
    """Return the same as `after_answer` for a pull that failed when it unpacked, with words that say no more."""
    return _AT_UNPACK


def after_answer(answer: Answer, *, asked: str, registry: str | None, message: str) -> tuple[str, str]:
    """Return what an answer shows, and the sentence that says where to look next.

    `asked` is the host in kubelet's `message`, `registry` the one in the image's name, None if it is not known.
    """
    if answer is Answer.FILE:
        return after_file(message)
    host = asked if answer is Answer.MIRROR else registry or "the registry"
    why, look = _AFTER_ANSWER[answer]
    return why.format(host=host), look.format(host=host)

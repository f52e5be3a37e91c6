"""The phrases with which container runtimes, kubelet and AWS say why a pull failed, by source.

A runtime's error is a chain, "outer: inner: innermost". Each phrase is the start of one of its links. A star is any one
word, such as an image, a digest or a path. Names contain no blanks, so no name can pass for a phrase.
"""

from __future__ import annotations

from typing import Final

from pull_responder.events.http_statuses import UNKNOWN_STATUS
from pull_responder.events.meaning import Meaning, Weight
from pull_responder.model.pull import Answer, Stage, Symptom

NODE_REFUSED: Final = Meaning(Symptom.TIMEOUT, Weight.EXACT, answer=Answer.NODE)
_TLS_REFUSED: Final = Meaning(Symptom.UNKNOWN, answer=Answer.TLS)
_WRONG_SIGNATURE: Final = Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT, answer=Answer.SIGNATURE)
_WRONG_FORMAT: Final = Meaning(Symptom.UNKNOWN, Weight.EXACT, answer=Answer.FORMAT)


# From Go's net, net/http, context and syscall packages. All runtimes and the AWS SDK pass these errors on.
_GO: Final = {
    # Any error of a connection, also where the message is cut before it says which.
    "dial tcp *": Meaning(Symptom.TIMEOUT, Weight.WRAPPER),
    "read tcp *": Meaning(Symptom.TIMEOUT, Weight.WRAPPER),
    "write tcp *": Meaning(Symptom.TIMEOUT, Weight.WRAPPER),
    "i/o timeout": Meaning(Symptom.TIMEOUT),
    "tls handshake timeout": Meaning(Symptom.TIMEOUT),
    "timeout awaiting response headers": Meaning(Symptom.TIMEOUT),
    "context deadline exceeded": Meaning(Symptom.TIMEOUT),
    "request canceled while waiting for connection": Meaning(Symptom.TIMEOUT, Weight.EXACT),
    "request canceled (client.timeout": Meaning(Symptom.TIMEOUT, Weight.EXACT),
    "connection refused": Meaning(Symptom.TIMEOUT),
    "connection reset by peer": Meaning(Symptom.TIMEOUT),
    "connection timed out": Meaning(Symptom.TIMEOUT),
    # The connection was cut while the client waited for an answer.
    "eof": Meaning(Symptom.TIMEOUT, Weight.WRAPPER),
    "server closed idle connection": Meaning(Symptom.TIMEOUT),
    "broken pipe": Meaning(Symptom.TIMEOUT),
    "cannot assign requested address": Meaning(Symptom.TIMEOUT),
    # net/http's HTTP/2: the connection or the request on it was cut.
    "client connection lost": Meaning(Symptom.TIMEOUT),
    "server sent goaway and closed the connection": Meaning(Symptom.TIMEOUT),
    "stream error": Meaning(Symptom.TIMEOUT),
    # The registry did not answer: the network path is at fault, as with a timeout.
    "no route to host": Meaning(Symptom.TIMEOUT),
    "network is unreachable": Meaning(Symptom.TIMEOUT),
    # The same errors on Windows (Microsoft Learn, "Windows Sockets Error Codes").
    "a connection attempt failed because the connected party did not properly respond": Meaning(Symptom.TIMEOUT),
    "no connection could be made because the target machine actively refused it": Meaning(Symptom.TIMEOUT),
    "an existing connection was forcibly closed by the remote host": Meaning(Symptom.TIMEOUT),
    "an attempt was made to access a socket in a way forbidden by its access permissions": NODE_REFUSED,
    "a socket operation was attempted to an unreachable host": Meaning(Symptom.TIMEOUT),
    "a socket operation was attempted to an unreachable network": Meaning(Symptom.TIMEOUT),
    # A request to the proxy itself (net/http, Transport.dialConn), and a proxy's answer to CONNECT.
    "proxyconnect tcp": Meaning(Symptom.PROXY_FAILED, Weight.SOMEBODY_ELSE),
    "proxy authentication required": Meaning(Symptom.PROXY_FAILED, Weight.SOMEBODY_ELSE),
    "socks connect *": Meaning(Symptom.PROXY_FAILED, Weight.SOMEBODY_ELSE),
    "error connecting to proxy *": Meaning(Symptom.PROXY_FAILED, Weight.SOMEBODY_ELSE),
    # What answered does not speak HTTP (net/http, readLoop, ReadResponse).
    "malformed http *": _TLS_REFUSED,
    "malformed mime header": _TLS_REFUSED,
    "frame too large": _TLS_REFUSED,
    "stopped after 10 redirects": UNKNOWN_STATUS,
    # encoding/json: a page for people, or XML, came where JSON was asked for.
    "invalid character '< looking for beginning of value": UNKNOWN_STATUS,
    # crypto/tls and crypto/x509: who answered could not show that it is the registry.
    "x509": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "failed to verify certificate": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "certificate signed by unknown authority": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "certificate has expired or is not yet valid": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "certificate is valid for *": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "first record does not look like a tls handshake": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "server gave http response to https client": Meaning(Symptom.CERTIFICATE_UNTRUSTED, Weight.EXACT),
    "lookup *": Meaning(Symptom.NAME_RESOLUTION_FAILED, Weight.EXACT),
    "no such host": Meaning(Symptom.NAME_RESOLUTION_FAILED, Weight.EXACT),
    "context canceled": Meaning(Symptom.CANCELED),
    "request canceled": Meaning(Symptom.CANCELED),
    "operation was canceled": Meaning(Symptom.CANCELED),
    "disk quota exceeded": Meaning(Symptom.DISK_FULL, Weight.EXACT),
    "no space left on device": Meaning(Symptom.DISK_FULL, Weight.EXACT),
    "there is not enough space on the disk": Meaning(Symptom.DISK_FULL, Weight.EXACT),
}

# Error codes of the distribution API, ECR's included, as docker/distribution spells them (registry/api/errcode).
_REGISTRY: Final = {
    "unauthorized": Meaning(Symptom.NOT_AUTHENTICATED, code="unauthorized"),
    "authentication required": Meaning(Symptom.NOT_AUTHENTICATED),
    "denied": Meaning(Symptom.ACCESS_DENIED, code="denied"),
    "requested access to the resource is denied": Meaning(Symptom.ACCESS_DENIED),
    "name unknown": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="name unknown"),
    "manifest unknown": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="manifest unknown"),
    # The same as go-containerregistry spells them.
    "name_unknown": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="name unknown"),
    "manifest_unknown": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="manifest unknown"),
    "blob_unknown": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="blob unknown"),
    "toomanyrequests": Meaning(Symptom.THROTTLED, Weight.EXACT, code="toomanyrequests"),
    "insufficient_scope": Meaning(Symptom.ACCESS_DENIED),
    "blob unknown": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="blob unknown"),
    "unknown blob": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="blob unknown"),
    "invalid_token": Meaning(Symptom.NOT_AUTHENTICATED),
}

# containerd: core/remotes/docker (resolver, fetcher, authorizer), core/images, core/content, core/unpack.
_CONTAINERD: Final = {
    "no basic auth credentials": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
    "no match for platform in manifest": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    "could not fetch content descriptor * * from remote": Meaning(Symptom.NOT_FOUND),
    "content at * not found": Meaning(Symptom.NOT_FOUND),
    "unexpected commit digest *": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "unexpected commit size *": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "failed size validation": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "* failed size validation": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "failed to find a descriptor for platform": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    "unexpected eof": Meaning(Symptom.DOWNLOAD_CORRUPT),
    # Readers of a layer's compression and archive (compress/flate, compress/gzip, klauspost/compress, archive/tar).
    "flate": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "gzip": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "zlib": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "archive/tar": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "magic number mismatch": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "invalid checksum": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "wrong diff id calculated on extraction": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    # core/images/handlers.go and core/remotes/docker/schema1: manifests of 2015 and before.
    "media type * is no longer supported": _WRONG_FORMAT,
    "conversion failed for schema 1 manifest": _WRONG_FORMAT,
    # core/diff/stream.go: layers that are compressed or encrypted in a way that the node's containerd cannot read.
    "failed to get stream processor for": _WRONG_FORMAT,
    "no processor for media-type": _WRONG_FORMAT,
    "unsupported media type": _WRONG_FORMAT,
    "unexpected media type": _WRONG_FORMAT,
    "short read": Meaning(Symptom.DOWNLOAD_CORRUPT),
    "failed to read expected number of bytes": Meaning(Symptom.DOWNLOAD_CORRUPT),
    "wrong diff id * calculated on extraction": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
}

NO_IMAGE: Final = "no image"
"""Stands for the registry's error code where it has the manifest, but that describes no container image."""

NOT_IMAGES: Final = (
    "application/vnd.in-toto+json",
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
)
"""What a tag can point to that is no image: an attestation (BuildKit documentation, "Image attestation storage") and a
Helm chart (Helm documentation, "Use OCI-based registries")."""

# containerd (pkg/unpack, diff/stream.go, core/images) and moby's distribution package meet one of these.
_OF_NO_IMAGE: Final = {
    f"{words} {media_type}": Meaning(Symptom.NOT_FOUND, Weight.EXACT, NO_IMAGE)
    for media_type in NOT_IMAGES
    for words in (
        "failed to get stream processor for",
        "unexpected media type",
        "unsupported media type",
        "unsupported docker v2s2 image layer media type",
    )
}

# CRI-O, from containers/image: docker/docker_client.go, docker/errors.go, copy, internal/manifest, storage.
_CRI_O: Final = {
    "unable to retrieve auth token": Meaning(Symptom.NOT_AUTHENTICATED),
    "too many requests to registry": Meaning(Symptom.THROTTLED, Weight.EXACT),
    "no image found in image index for architecture": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    "no image found in manifest list for architecture": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    "unsupported schema version *": _WRONG_FORMAT,
    "unimplemented manifest mime type *": _WRONG_FORMAT,
    "digest did not match": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "digest mismatch": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "blob digest mismatch": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "blob size mismatch": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "layer * (blob * does not match config's diffid": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
}

# Docker, used by dockershim and cri-dockerd: moby's distribution package (errors.go, pull_v2.go) and image store.
_DOCKER: Final = {
    "pull access denied for *": Meaning(Symptom.ACCESS_DENIED, Weight.WRAPPER),
    "manifest for * not found": Meaning(Symptom.NOT_FOUND),
    "repository * not found": Meaning(Symptom.NOT_FOUND),
    "no matching manifest for *": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    "image operating system * cannot be used on this platform": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    # ERROR_HCS_CONTAINER... 0xC0370101 (microsoft/hcsshim, internal/hcs/errors.go).
    "the container operating system does not match the host operating system": Meaning(
        Symptom.PLATFORM_MISMATCH, Weight.EXACT
    ),
    "a windows version * image is incompatible": Meaning(Symptom.PLATFORM_MISMATCH, Weight.EXACT),
    "filesystem layer verification failed for digest": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "layers from manifest don't match image configuration": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "layers from manifest don`t match image configuration": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    # containerd, core/unpack: as many layers as the configuration has diff IDs.
    "mismatched image rootfs and manifest layers": Meaning(Symptom.DOWNLOAD_CORRUPT, Weight.EXACT),
    "expected http 206 from byte range request": Meaning(Symptom.TIMEOUT),
    # docker/distribution, manifest/schema2 and ocischema.
    "mediatype in manifest should be *": _WRONG_FORMAT,
    "docker image format v1": _WRONG_FORMAT,
    "deprecation notice docker image format v1": _WRONG_FORMAT,
    "unsupported manifest format": _WRONG_FORMAT,
    "error unmarshalling content": UNKNOWN_STATUS,
}

# kubelet: pkg/kubelet/images and pkg/credentialprovider; the AWS SDK inside the ECR credential provider.
_KUBELET: Final = {
    "pull qps exceeded": Meaning(Symptom.KUBELET_THROTTLED, Weight.EXACT),
    "error execing credential provider plugin *": Meaning(Symptom.NOT_AUTHENTICATED, Weight.WRAPPER),
    # docker/docker-credential-helpers (credentials/error.go): what the Amazon ECR Docker Credential Helper answers.
    "credentials not found in native keychain": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
    "no credentials server url": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
    "no credentials username": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
    "error getting credentials": Meaning(Symptom.NOT_AUTHENTICATED, Weight.WRAPPER),
    "no ec2 imds role found": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
    "nocredentialproviders": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
    "operation error ec2imds": Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT),
}

# Sentences of AWS, in the answer of the registry or of its API.
_AWS: Final = {
    "* is not authorized to perform": Meaning(Symptom.ACCESS_DENIED, Weight.EXACT),
    "the request was denied due to a vpc endpoint policy": Meaning(Symptom.ACCESS_DENIED, Weight.EXACT),
    "your authorization token has expired": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
    "the security token included in the request is invalid": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
    "the security token included in the request is expired": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
}

NOT_PERMITTED: Final = ("operation not permitted", "permission denied", "too many open files")
"""EPERM, EACCES and EMFILE. After "connect" or "socket" they are the answer of the node's kernel, of its firewall,
policy or limit (connect(2), socket(2)). Elsewhere they are about files."""

WHOLE_LINKS: Final = {
    "rate exceeded": Meaning(Symptom.THROTTLED, Weight.EXACT),
    "not authorized": Meaning(Symptom.NOT_AUTHENTICATED),
    # crypto/tls: "remote error: tls: …" is an alert of whoever answered, "tls: …" is what the node did not accept.
    "tls": _TLS_REFUSED,
}
"""Words that are too common for a phrase, unless they are a whole link. The first two are ECR's own for 429 and 401,
which some clients pass on without the status."""

PHRASES: Final = {**_GO, **_REGISTRY, **_CONTAINERD, **_OF_NO_IMAGE, **_CRI_O, **_DOCKER, **_KUBELET, **_AWS}

AWS_ERROR_CODES: Final = {
    "AccessDeniedException": Meaning(Symptom.ACCESS_DENIED),
    "AccessDenied": Meaning(Symptom.ACCESS_DENIED),
    "ThrottlingException": Meaning(Symptom.THROTTLED, Weight.EXACT),
    "TooManyRequestsException": Meaning(Symptom.THROTTLED, Weight.EXACT),
    "ExpiredTokenException": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
    "ExpiredToken": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
    # The clock of whoever signed is wrong by more than five minutes, or the secret key is.
    "InvalidSignatureException": _WRONG_SIGNATURE,
    "RequestExpired": _WRONG_SIGNATURE,
    "SignatureDoesNotMatch": _WRONG_SIGNATURE,
    "UnrecognizedClientException": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
    "InvalidClientTokenId": Meaning(Symptom.TOKEN_EXPIRED, Weight.EXACT),
    "RepositoryNotFoundException": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="name unknown"),
    "ImageNotFoundException": Meaning(Symptom.NOT_FOUND, Weight.EXACT, code="manifest unknown"),
}
"""Error codes of the AWS APIs that the credential provider calls. Each is the last word of its link."""

STAGES: Final = {
    "failed to authorize": Stage.TOKEN,
    "failed to fetch oauth token": Stage.TOKEN,
    "failed to fetch anonymous token": Stage.TOKEN,
    "unable to retrieve auth token": Stage.TOKEN,
    "error execing credential provider plugin *": Stage.TOKEN,
    "error getting credentials": Stage.TOKEN,
    "operation error ec2imds": Stage.TOKEN,
    "nocredentialproviders": Stage.TOKEN,
    "getauthorizationtoken": Stage.TOKEN,
    "requesting bearer token": Stage.TOKEN,
    "failed to resolve reference": Stage.MANIFEST,
    "failed to resolve image": Stage.MANIFEST,
    "failed to resolve ref": Stage.MANIFEST,
    "pulling from host *": Stage.MANIFEST,
    "unexpected status code [manifests": Stage.MANIFEST,
    "no match for platform in manifest": Stage.MANIFEST,
    "no matching manifest for *": Stage.MANIFEST,
    "no image found in": Stage.MANIFEST,
    "choosing an image from manifest list": Stage.MANIFEST,
    "initializing source *": Stage.MANIFEST,
    "pinging container registry *": Stage.MANIFEST,
    "reading manifest *": Stage.MANIFEST,
    "manifest for * not found": Stage.MANIFEST,
    "manifest unknown": Stage.MANIFEST,
    "media type *": Stage.MANIFEST,
    "mediatype in manifest should be *": Stage.MANIFEST,
    "unsupported manifest": Stage.MANIFEST,
    "conversion failed for schema 1 manifest": Stage.MANIFEST,
    "name unknown": Stage.MANIFEST,
    "repository * not found": Stage.MANIFEST,
    "pull access denied for *": Stage.MANIFEST,
    "repository does not exist or may require authorization": Stage.MANIFEST,
    "error pulling image configuration": Stage.LAYER,
    "failed to copy": Stage.LAYER,
    "httpreadseeker": Stage.LAYER,
    "could not fetch content descriptor": Stage.LAYER,
    "failed commit on ref *": Stage.LAYER,
    "reading blob *": Stage.LAYER,
    "fetching blob": Stage.LAYER,
    "copying layer": Stage.LAYER,
    "copying config": Stage.LAYER,
    "parsing image configuration": Stage.LAYER,
    "reading config blob *": Stage.LAYER,
    "writing blob": Stage.LAYER,
    "storing blob to file *": Stage.LAYER,
    "filesystem layer verification failed": Stage.LAYER,
    "failed to read expected number of bytes": Stage.LAYER,
    "expected http 206 from byte range request": Stage.LAYER,
    "blob unknown": Stage.LAYER,
    "unknown blob": Stage.LAYER,
    "layer * (blob * does not match config's diffid": Stage.UNPACK,
    "layers from manifest don't match image configuration": Stage.UNPACK,
    "mismatched image rootfs and manifest layers": Stage.UNPACK,
    "too many requests to registry": Stage.TOKEN,
    "error reading manifest *": Stage.MANIFEST,
    "failed to extract layer": Stage.UNPACK,
    "failed to unpack image": Stage.UNPACK,
    "failed to commit snapshot *": Stage.UNPACK,
    "failed to prepare extraction snapshot": Stage.UNPACK,
    "unable to prepare extraction snapshot": Stage.UNPACK,
    "wrong diff id": Stage.UNPACK,
    "failed to register layer": Stage.UNPACK,
    "adding layer with blob": Stage.UNPACK,
    "applying layer": Stage.UNPACK,
    "applylayer": Stage.UNPACK,
    "committing the finished image": Stage.UNPACK,
}
"""The stage of a pull, by the operation that the runtime names."""

SIGNATURE_REJECTED: Final = ("signaturevalidationfailed", "signature validation failed", "source image rejected")
"""What says that the node refuses an image that is not signed as it wants, wherever it stands (kubernetes
pkg/kubelet/images, ErrSignatureValidationFailed; containers-policy.json)."""

NO_FAILURE: Final = ("successfully pulled image", "already present on machine", "some image pull secrets")
"""What kubelet's events say of a pull that has not failed (kubernetes pkg/kubelet/images and kubelet_pods.go)."""

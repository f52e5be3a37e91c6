"""Messages of kubelet, the runtimes and AWS's article with what each of them says, by source."""

from __future__ import annotations

from typing import Final

HOST: Final = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
IMAGE: Final = f"{HOST}/team/app:v1"
DIGEST: Final = "sha256:" + "0f" * 32
BUCKET: Final = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
MANIFEST: Final = f"https://{HOST}/v2/team/app/manifests/v1"
BLOB: Final = f"https://{HOST}/v2/team/app/blobs/{DIGEST}"
NODE: Final = "arn:aws:sts::111111111111:assumed-role/node/i-0123456789abcdef0"
DENIED: Final = (
    f"User: {NODE} is not authorized to perform: ecr:BatchGetImage on resource: "
    "arn:aws:ecr:us-east-1:111111111111:repository/team/app"
)

PULLING: Final = (
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": '
)
RESOLVING: Final = PULLING + f'failed to resolve reference "{IMAGE}": '
ASKING: Final = RESOLVING + f'failed to do request: Head "{MANIFEST}": '
COPYING: Final = PULLING + "failed to copy: httpReadSeeker: failed open: "
SOURCE: Final = f'Failed to pull image "{IMAGE}": initializing source docker://{IMAGE}: '
READING: Final = SOURCE + f"reading manifest v1 in {HOST}/team/app: "
DAEMON: Final = f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = Error response from daemon: '
PROVIDER: Final = "Error running credential provider plugin: operation error ECR: GetAuthorizationToken, "

# containerd: core/remotes/docker/{resolver,fetcher,authorizer,httpreadseeker}.go, core/remotes/errors, core/content,
# core/images, core/unpack; remotes/docker of releases 1.4 to 1.7 for the older spellings.
CONTAINERD = [
    (
        PULLING
        + f"failed to extract layer {DIGEST}: failed to get stream processor for application/vnd.in-toto+json: no "
        "processor for media-type: unknown",
        "not_found",
        "unpack",
    ),
    (
        PULLING + "failed to unpack image on snapshotter overlayfs: unexpected media type application/vnd.in-toto+json "
        f"for {DIGEST}: not found",
        "not_found",
        "unpack",
    ),
    (
        PULLING + f"failed to extract layer {DIGEST}: failed to get stream processor for "
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip: no processor for media-type: unknown",
        "not_found",
        "unpack",
    ),
    # The layers of an image, which this runtime is too old for.
    (
        PULLING + f"failed to extract layer {DIGEST}: failed to get stream processor for "
        "application/vnd.oci.image.layer.v1.tar+zstd: no processor for media-type: unknown",
        "unknown",
        "unpack",
    ),
    (RESOLVING + f"{IMAGE}: not found", "not_found", "manifest"),
    (RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 403 Forbidden", "access_denied", "manifest"),
    (
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 401 Unauthorized",
        "not_authenticated",
        "manifest",
    ),
    (RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 429 Too Many Requests", "throttled", "manifest"),
    (
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 500 Internal Server Error",
        "registry_error",
        "manifest",
    ),
    (RESOLVING + f"unexpected status from HEAD request to {BLOB}: 403 Forbidden", "access_denied", "manifest"),
    (RESOLVING + "unexpected status code [manifests v1]: 401 Unauthorized", "not_authenticated", "manifest"),
    (
        RESOLVING + f"pulling from host {HOST} failed with status code [manifests v1]: 401 Unauthorized",
        "not_authenticated",
        "manifest",
    ),
    (
        RESOLVING + f"pulling from host {HOST} failed with unexpected status code [manifests v1]: 403 Forbidden",
        "access_denied",
        "manifest",
    ),
    (
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 403 Forbidden\n"
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "token_expired",
        "manifest",
    ),
    (
        RESOLVING + "pull access denied, repository does not exist or may require authorization: "
        "authorization failed: no basic auth credentials",
        "not_authenticated",
        "manifest",
    ),
    (
        RESOLVING + "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed",
        "access_denied",
        "manifest",
    ),
    (
        RESOLVING + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
        "https://public.ecr.aws/token/?scope=a: 403 Forbidden",
        "access_denied",
        "token",
    ),
    (
        RESOLVING + "failed to authorize: failed to fetch oauth token: unexpected status: 404 Not Found",
        "unknown",
        "token",
    ),
    (ASKING + "dial tcp 10.0.0.1:443: i/o timeout", "timeout", "manifest"),
    (ASKING + "dial tcp 10.0.0.1:443: connect: connection refused", "timeout", "manifest"),
    (ASKING + "dial tcp 10.0.0.1:443: connect: no route to host", "timeout", "manifest"),
    # Nodes that run Windows.
    (
        ASKING + "dial tcp 10.0.0.1:443: connectex: A connection attempt failed because the connected party did not "
        "properly respond after a period of time, or established connection failed because connected host has failed "
        "to respond.",
        "timeout",
        "manifest",
    ),
    (
        ASKING + "dial tcp 10.0.0.1:443: connectex: No connection could be made because the target machine actively "
        "refused it.",
        "timeout",
        "manifest",
    ),
    (
        ASKING + "read tcp 10.0.0.9:41->10.0.0.1:443: wsarecv: An existing connection was forcibly closed by the "
        "remote host.",
        "timeout",
        "manifest",
    ),
    (
        ASKING + "dial tcp 10.0.0.1:443: connectex: A socket operation was attempted to an unreachable network.",
        "timeout",
        "manifest",
    ),
    (ASKING + "dial tcp: lookup x on 10.0.0.2:53: no such host", "name_resolution_failed", "manifest"),
    (ASKING + "dial tcp: lookup x on 10.0.0.2:53: server misbehaving", "name_resolution_failed", "manifest"),
    (
        ASKING + "dial tcp: lookup x on 10.0.0.2:53: read udp 10.0.0.9:41->10.0.0.2:53: i/o timeout",
        "name_resolution_failed",
        "manifest",
    ),
    (
        ASKING + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "certificate_untrusted",
        "manifest",
    ),
    (ASKING + "Forbidden", "proxy_failed", "manifest"),  # Go's word for a proxy that refuses to connect
    (ASKING + "EOF", "timeout", "manifest"),
    (
        COPYING + f'failed to do request: Get "https://{BUCKET}/a-b": dial tcp 52.0.0.1:443: i/o timeout',
        "timeout",
        "layer",
    ),
    (
        COPYING + f"unexpected status code https://{BUCKET}/a-b?X-Amz-Signature=abc: 403 Forbidden",
        "access_denied",
        "layer",
    ),
    (COPYING + f"unexpected status from GET request to {BLOB}: 403 Forbidden", "access_denied", "layer"),
    (
        COPYING
        + f"could not fetch content descriptor {DIGEST} (application/vnd.oci.image.config.v1+json) from remote: "
        "not found",
        "not_found",
        "layer",
    ),
    (PULLING + "failed to copy: read tcp 10.0.0.1:4->52.0.0.1:443: read: connection reset by peer", "timeout", "layer"),
    (PULLING + "failed to copy: write /var/lib/containerd/ingest/data: no space left on device", "disk_full", "layer"),
    (
        PULLING
        + f'failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip {DIGEST}) to overlayfs as "x": '
        "write /var/lib/containerd/403 Forbidden: no space left on device",
        "disk_full",
        "unpack",
    ),
    (
        PULLING + f'failed commit on ref "layer-{DIGEST}": unexpected commit digest {DIGEST}, expected {DIGEST}: '
        "failed precondition",
        "download_corrupt",
        "layer",
    ),
    (PULLING + f"no match for platform in manifest {DIGEST}: not found", "platform_mismatch", "manifest"),
    (PULLING.replace("Unknown", "Canceled") + "failed to copy: context canceled", "canceled", "layer"),
    ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", "timeout", None),
    (ASKING + "proxyconnect tcp: dial tcp 10.0.0.3:3128: connect: connection refused", "proxy_failed", "manifest"),
    (ASKING + "net/http: timeout awaiting response headers", "timeout", "manifest"),
    (
        ASKING + "dial tcp: lookup x on [fd00:ec2::253]:53: dial udp [fd00:ec2::253]:53: connect: network is "
        "unreachable",
        "name_resolution_failed",
        "manifest",
    ),
    (ASKING + "http2: client connection lost", "timeout", "manifest"),
    (ASKING + "http2: server sent GOAWAY and closed the connection; LastStreamID=3", "timeout", "manifest"),
    (ASKING + "dial tcp 10.0.0.5:443: connect: cannot assign requested address", "timeout", "manifest"),
    (ASKING + "http: server gave HTTP response to HTTPS client", "certificate_untrusted", "manifest"),
    (COPYING + f"content at {BLOB} not found: not found", "not_found", "layer"),
    (
        COPYING + f"unexpected status code {BLOB}: 429 Too Many Requests - Server message: toomanyrequests: Data limit "
        "exceeded",
        "throttled",
        "layer",
    ),
    (COPYING + f"unexpected status code https://{BUCKET}/a: 503 Slow Down", "registry_error", "layer"),
    (
        PULLING + 'media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since '
        "containerd v2.0, please rebuild the image",
        "unknown",
        "manifest",
    ),
    (
        PULLING + f"failed to extract layer {DIGEST}: failed to get reader from content store: not found",
        "unknown",
        "unpack",
    ),
    (
        (
            f'time="2026-01-01T00:00:00Z" level=error msg="PullImage \\"{IMAGE}\\" failed" error="rpc error: code '
            f"= NotFound "
            f'desc = failed to pull and unpack image \\"{IMAGE}\\": failed to resolve reference \\"{IMAGE}\\": '
            f"{IMAGE}: not "
            'found"'
        ),
        "not_found",
        "manifest",
    ),
]

# CRI-O: server/image_pull.go, internal/storage/image.go; containers/image: docker, copy, internal/manifest, storage.
CRI_O = [
    (READING + "manifest unknown: Requested image not found", "not_found", "manifest"),
    (READING + "name unknown: The repository with name 'team/app' does not exist", "not_found", "manifest"),
    (READING + "unauthorized: authentication required", "not_authenticated", "manifest"),
    (READING + "authentication required", "not_authenticated", "manifest"),
    (READING + "requested access to the resource is denied", "access_denied", "manifest"),
    (READING + f"denied: {DENIED}", "access_denied", "manifest"),
    (READING + "received unexpected HTTP status: 503 Service Unavailable", "registry_error", "manifest"),
    (READING + "toomanyrequests: Rate exceeded", "throttled", "manifest"),
    (
        SOURCE + "unable to retrieve auth token: invalid username/password: unauthorized: x",
        "not_authenticated",
        "token",
    ),
    (
        SOURCE + f'pinging container registry {HOST}: Get "https://{HOST}/v2/": dial tcp 10.0.0.1:443: i/o timeout',
        "timeout",
        "manifest",
    ),
    (
        (
            f"choosing an image from manifest list docker://{IMAGE}: no image found in manifest list for "
            'architecture "arm64", variant "v8", OS "linux"'
        ),
        "platform_mismatch",
        "manifest",
    ),
    (
        'writing blob: storing blob to file "/var/tmp/storage1/1": write /var/tmp/storage1/1: no space left on device',
        "disk_full",
        "layer",
    ),
    (
        (
            f'writing blob: adding layer with blob "{DIGEST}": Error processing tar file(exit status 1): write /a: '
            "no space left on device"
        ),
        "disk_full",
        "unpack",
    ),
    ("writing blob: Digest did not match, expected sha256:0f, got sha256:0e", "download_corrupt", "layer"),
    # The registry that the pod names comes last, after its mirrors.
    (
        SOURCE + f"(Mirrors also failed: [mirror:5000/app:v1: pinging container registry mirror:5000: "
        f'Get "https://mirror:5000/v2/": dial tcp: lookup mirror: no such host]): {IMAGE}: '
        f"reading manifest v1 in {HOST}/team/app: requested access to the resource is denied",
        "access_denied",
        "manifest",
    ),
    (
        (
            f"unable to pull image or OCI artifact: pull image err: {READING}requested access to the resource is "
            f"denied; artifact err: get manifest: reading manifest v1 in {HOST}/team/app: manifest unknown"
        ),
        "access_denied",
        "manifest",
    ),
    (
        (
            f"image pull failed for {IMAGE} because the registry is unavailable: pinging container registry {HOST}: "
            f'Get "https://{HOST}/v2/": dial tcp 10.0.0.1:443: connect: connection refused'
        ),
        "timeout",
        "manifest",
    ),
    (
        (
            f"image pull failed for {IMAGE} because the signature validation failed: Source image rejected: reading "
            "signature from https://signatures.example/a: received unexpected HTTP status: 403 Forbidden"
        ),
        "signature_rejected",
        None,
    ),
]

CRI_O += [
    # A token service that is not found says nothing of the image.
    (SOURCE + "Requesting bearer token: invalid status code from registry 404 (Not Found)", "unknown", "token"),
    (SOURCE + "Requesting bearer token: invalid status code from registry 403 (Forbidden)", "access_denied", "token"),
    (
        SOURCE + "unable to retrieve auth token: invalid username/password: denied: Your authorization token has "
        "expired. Reauthenticate and try again.",
        "token_expired",
        "token",
    ),
    (
        (
            f"copying system image from manifest list: parsing image configuration: fetching blob: denied: "
            f"{DENIED.replace('BatchGetImage', 'GetDownloadUrlForLayer')}"
        ),
        "access_denied",
        "layer",
    ),
    (
        f"fetching target platform image selected from image index: {READING}denied: {DENIED}",
        "access_denied",
        "manifest",
    ),
    (READING + "manifest invalid: x", "unknown", "manifest"),
]

# Docker: moby's daemon/internal/distribution/{errors,pull_v2}.go, docker/distribution's registry/client/errors.go.
DOCKER = [
    (DAEMON + f'Get "{MANIFEST}": no basic auth credentials', "not_authenticated", "manifest"),
    (DAEMON + f"manifest for {IMAGE} not found: manifest unknown: Requested image not found", "not_found", "manifest"),
    (
        DAEMON + f"repository {HOST}/team/app not found: name unknown: The repository does not exist",
        "not_found",
        "manifest",
    ),
    (
        DAEMON + f"pull access denied for {HOST}/team/app, repository does not exist or may require 'docker login': "
        f"denied: {DENIED}",
        "access_denied",
        "manifest",
    ),
    (
        DAEMON + f"pull access denied for {HOST}/team/app, repository does not exist or may require 'docker login': "
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "token_expired",
        "manifest",
    ),
    (DAEMON + "toomanyrequests: Rate exceeded", "throttled", "manifest"),
    (DAEMON + "error parsing HTTP 429 response body: invalid character 'T': \"Too Many\"", "throttled", "manifest"),
    (DAEMON + "no matching manifest for linux/arm64/v8 in the manifest list entries", "platform_mismatch", "manifest"),
    (
        DAEMON
        + f'Get "https://{HOST}/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        "timeout",
        "manifest",
    ),
    (DAEMON + f"filesystem layer verification failed for digest {DIGEST}", "download_corrupt", "layer"),
    (DAEMON.removesuffix("Error response from daemon: ") + "context canceled", "canceled", None),
    (
        (
            "CannotPullContainerError: error pulling image configuration: error parsing HTTP 403 response body: "
            "invalid "
            "character '<' looking for beginning of value: \"<?xml "
            'version=\\"1.0\\"?><Error><Code>AccessDenied</Code>"'
        ),
        "access_denied",
        "layer",
    ),
    (
        DAEMON + "error pulling image configuration: download failed after attempts=6: dial tcp 52.0.0.1:443: i/o "
        "timeout",
        "timeout",
        "layer",
    ),
    (
        DAEMON + "a Windows version 10.0.20348-based image is incompatible with a 10.0.17763 host",
        "platform_mismatch",
        "manifest",
    ),
]

# kubelet: pkg/kubelet/images, pkg/kubelet/kuberuntime; the ECR credential provider with the AWS SDK for Go.
KUBELET = [
    (f'Back-off pulling image "{IMAGE}"', "unknown", None),
    (
        (
            f'Back-off pulling image "{IMAGE}": ErrImagePull: failed to pull and unpack image "{IMAGE}": failed to '
            f'resolve reference "{IMAGE}": unexpected status from HEAD request to {MANIFEST}: 403 Forbidden'
        ),
        "access_denied",
        "manifest",
    ),
    (f'Failed to pull image "{IMAGE}": pull QPS exceeded', "kubelet_throttled", None),
    (f'Container image "{IMAGE}" is not present with pull policy of Never', "unknown", None),
    (
        (
            f'Failed to apply default image tag "{HOST}/App:v1": couldn\'t parse image name "{HOST}/App:v1": invalid '
            "reference format: repository name (App) must be lowercase"
        ),
        "unknown",
        None,
    ),
    (
        (
            f'Failed to pull image "{IMAGE}": [rpc error: code = Unknown desc = {DAEMON}denied: '
            f"Your authorization token "
            "has expired., rpc error: code = Unknown desc = context deadline exceeded]"
        ),
        "token_expired",
        "manifest",
    ),
    (
        (
            'E0101 1 pod_workers.go:190] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" for '
            f'\\"timeout\\" with ErrImagePull: \\"rpc error: code = Unknown desc = failed to resolve '
            f'reference \\\\\\"{IMAGE}\\\\\\": unexpected status from HEAD request to {MANIFEST}: '
            f'403 Forbidden\\"" pod="ns/timeout"'
        ),
        "access_denied",
        "manifest",
    ),
    (
        PROVIDER + "https response error StatusCode: 0, RequestID: , request send failed, "
        'Post "https://api.ecr.us-east-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout',
        "timeout",
        "token",
    ),
    (
        PROVIDER + "https response error StatusCode: 400, RequestID: 1-2, api error AccessDeniedException: "
        f"User: {NODE} is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
        "access_denied",
        "token",
    ),
    (
        PROVIDER + "https response error StatusCode: 400, RequestID: 1-2, api error UnrecognizedClientException: "
        "The security token included in the request is invalid.",
        "token_expired",
        "token",
    ),
    (
        PROVIDER + "get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, "
        "operation error ec2imds: GetMetadata, http response error StatusCode: 404, request to EC2 IMDS failed",
        "not_authenticated",
        "token",
    ),
]

PLUGIN: Final = f"error execing credential provider plugin ecr-credential-provider for image {IMAGE}: "
KUBELET += [
    (
        f'E0115 10:00:00.123456    4321 plugin.go:321] "Failed to get credentials" err="{PLUGIN}exit status 1"',
        "not_authenticated",
        "token",
    ),
    (
        PLUGIN + "exit status 1: NoCredentialProviders: no valid providers in chain. Deprecated.",
        "not_authenticated",
        "token",
    ),
    (
        PROVIDER + "get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, "
        "operation error ec2imds: GetMetadata, exceeded maximum number of attempts, 3, request send failed, Get "
        '"http://169.254.169.254/latest/meta-data/": dial tcp 169.254.169.254:80: connect: connection refused',
        "not_authenticated",
        "token",
    ),
    (
        PROVIDER + "exceeded maximum number of attempts, 3, api error ThrottlingException: Rate exceeded",
        "throttled",
        "token",
    ),
    # What was refused is no action of ECR.
    (
        PROVIDER
        + "get identity: get credentials: operation error STS: AssumeRoleWithWebIdentity, api error AccessDenied: "
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "unknown",
        "token",
    ),
]

# AWS re:Post, "How do I troubleshoot Amazon ECR issues with Amazon EKS?": its messages, in the lines it prints them in.
ARTICLE = [
    (
        (
            'Failed to pull image "ACCOUNT.dkr.ecr.REGION.amazonaws.com/imagename:tag": rpc error: code = '
            "Unknown desc = \n"
            "    Error response from daemon: Get https://ACCOUNT.dkr.ecr.REGION.amazonaws.com/v2/: net/http: \n"
            "    request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"
        ),
        "timeout",
        "manifest",
    ),
    (
        (
            "Warning  Failed     14s (x2 over 28s)  kubelet, ip-000-000-000-000.us-west-2.compute.internal  "
            "Failed to pull image "
            '"ACCOUNT.dkr.ecr.REGION.amazonaws.com/imagename:tag": rpc error: code = Unknown desc = Error '
            "response from daemon: "
            "Get https://ACCOUNT.dkr.ecr.REGION.amazonaws.com/v2/imagename/manifests/tag: no basic auth credentials"
        ),
        "not_authenticated",
        "manifest",
    ),
    (
        (
            "Warning  Failed     14s (x2 over 28s)  kubelet, ip-000-000-000-000.us-west-2.compute.internal  Error: "
            "ErrImagePull"
        ),
        "unknown",
        None,
    ),
    (
        (
            "Normal   BackOff    2s (x2 over 28s)   kubelet, ip-000-000-000-000.us-west-2.compute.internal  "
            "Back-off pulling "
            'image "ACCOUNT.dkr.ecr.REGION.amazonaws.com/imagename:tag"'
        ),
        "unknown",
        None,
    ),
    (
        (
            "Warning  Failed     2s (x2 over 28s)   kubelet, ip-000-000-000-000.us-west-2.compute.internal  Error: "
            "ImagePullBackOff"
        ),
        "unknown",
        None,
    ),
    (
        (
            'Failed to pull image "cross-aws-account-id:.dkr.ecr.REGION.amazonaws.com/repo-name:image-tag": rpc '
            "error: code = "
            "Unknown desc = Error response from daemon: pull access denied for "
            "arn:aws:ecr:REGION:cross-aws-account-id:repository/repo-name, repository does not exist or may "
            "require 'docker "
            "login': denied: User: "
            "arn:aws:sts::<aws-account-containing-eks-cluster>:assumed-role/<node-instance-role-for-"
            "worker-node is not authorized to perform: ecr:BatchGetImage on resource: "
            "arn:aws:ecr:REGION:cross-aws-account-id:repository/repo-name"
        ),
        "access_denied",
        "manifest",
    ),
    (
        (
            "Warning   Failed           27s (x2 over 40s)  kubelet            Failed to pull image "
            '"111122223333.dkr.ecr.eu-central-1.amazonaws.com/coredns:latest ": rpc error: code = Unknown desc = '
            "failed to pull "
            'and unpack image "111122223333.dkr.ecr.eu-central-1.amazonaws.com/coredns:latest ": failed to '
            "resolve reference "
            '"111122223333.dkr.ecr.eu-central-1.amazonaws.com/coredns:latest ": pulling from host '
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com failed with status code [manifests latest]: 401 "
            "Unauthorized"
        ),
        "not_authenticated",
        "manifest",
    ),
]

# What is no pull, though it speaks of timeouts and refusals.
NO_PULL = [
    (
        'MountVolume.MountDevice failed for volume "pvc" : rpc error: code = DeadlineExceeded desc = context '
        "deadline exceeded"
    ),
    (
        'AttachVolume.Attach failed for volume "pvc" : rpc error: code = Internal desc = dial tcp: lookup ec2: no '
        "such host"
    ),
    "PostStartHook failed: rpc error: code = Unknown desc = context deadline exceeded",
    (
        'error killing pod: failed to "KillPodSandbox" for "x" with KillPodSandboxError: "rpc error: code = '
        "DeadlineExceeded "
        'desc = context deadline exceeded"'
    ),
    "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create pod network sandbox "
        "k8s_x(a): error "
        'adding pod x to CNI network "multus": plugin type="multus" failed (add): dial tcp 10.0.0.1:443: '
        "connect: connection "
        "refused"
    ),
    "Error: context deadline exceeded",
    "Node is not ready: context deadline exceeded",
    f'admission webhook "validate" denied the request: image {IMAGE} is not signed: unauthorized',
    "Failed to update endpoint default/web: Operation cannot be fulfilled: Unauthorized",
    "Error from server (Forbidden): pods is forbidden: denied: x",
    'Readiness probe failed: Get "http://10.0.0.1:8080/health": dial tcp 10.0.0.1:8080: connect: connection refused',
    "Readiness probe failed: HTTP probe failed with statuscode: 401",
    'Get "http://10.0.0.1:8080/health": context deadline exceeded',
    (
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "a": '
        'plugin type="aws-cni" failed (add): add cmd: Error received from AddNetwork gRPC call: rpc '
        "error: code = Unavailable "
        'desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:50051: connect: refused"'
    ),
    (
        "rpc error: code = Unavailable desc = connection error: desc = "
        '"transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused"'
    ),
    (
        "MountVolume.SetUp failed for volume x: AccessDeniedException: "
        f"User: {NODE} is not authorized to perform: secretsmanager:GetSecretValue on resource: x"
    ),
    f"AccessDeniedException: User: {NODE} is not authorized to perform: kms:Decrypt on resource: x",
    "the timeout of 403 seconds was denied; 401 Unauthorized, 404 Not Found, toomanyrequests of us",
    "Pods on this node: 429 Too Many Requests",
    "rpc error: code = NotFound desc = an error occurred when try to find container: not found",
    'there is a container already: "denied": another name is needed',
    "",
]

"""Links to a resource in the AWS Management Console."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from pull_responder.model.arn import Arn, partition_of
from pull_responder.model.verdict import Resource

# The hosts of the isolated partitions are not public.
_HOSTS: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}

# The URLs that the console itself uses, by service and kind of resource. AWS does not document them.
_PAGES: Final = {
    ("iam", "role"): "/iam/home#/roles/details/{last}",
    ("iam", "user"): "/iam/home#/users/details/{last}",
    ("ecr", "repository"): "/ecr/repositories/private/{account}/{name}?region={region}",
    ("eks", "cluster"): "/eks/clusters/{last}?region={region}",
    ("ec2", "instance"): "/ec2/home?region={region}#InstanceDetails:instanceId={last}",
}


def object_url(bucket: str, key: str, region: str) -> str | None:
    """Return the URL of the console page of an object in S3, None if the region's partition has no public console.

    From there it can be opened. The reader has to be signed in, and to be allowed to read it. Inference: AWS does not
    document the page's URL.
    """
    partition = partition_of(region)
    if not region or (host := _HOSTS.get(partition)) is None:
        return None
    where = f"{region}.{host}" if partition == "aws" else host
    return f"https://{where}/s3/object/{quote(bucket, safe='')}?region={quote(region)}&prefix={quote(key, safe='/')}"


def console_url(resource: Resource) -> str | None:
    """Return the URL of the console page of `resource`, None if no page is known.

    The reader has to be signed in to the resource's account.
    """
    arn = Arn.parse(resource.id) if resource.id.isprintable() else None
    if arn is None or (host := _HOSTS.get(arn.partition)) is None:
        return None
    kind, _, name = arn.resource.partition("/")
    if page := _PAGES.get((arn.service, kind)):
        path = page.format(
            account=arn.account, region=arn.region, name=quote(name), last=quote(name.rpartition("/")[2], safe="")
        )
        return (
            f"https://{arn.region}.{host}{path}" if arn.region and arn.partition == "aws" else f"https://{host}{path}"
        )
    # The console redirects from this path to the page of an ARN.
    return f"https://{host}/go/view?arn={quote(resource.id, safe=':/')}" if arn.partition == "aws" else None

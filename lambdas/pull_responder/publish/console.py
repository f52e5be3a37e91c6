"""Links to a resource in the AWS Management Console."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from pull_responder.model.arn import Arn
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

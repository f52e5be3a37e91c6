"""Whether a trail logs the management events that the rules live on.

EventBridge gets CloudTrail's events only where a trail with logging is enabled (EventBridge User Guide, "AWS service
events delivered via AWS CloudTrail"). docs/adr/0139-a-trail-that-logs-reads.md says why its selectors count.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, State, broken, off, unread, works
from pull_responder.doctor.selectors import logs_events, widened
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import Command, aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

_ID: Final = "trail"
_PERMISSIONS: Final = (
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrailStatus",
)
_NAME: Final = "pull-responder"
_FIRST_REGION: Final = "us-east-1"  # the one region whose buckets have no LocationConstraint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of management event, and what is not seen without it."""

    what: str
    calls: tuple[str, ...]
    read_only: bool
    meaning: str
    source: str = "ecr.amazonaws.com"
    blinds: bool = False


_KINDS: Final = (
    _Kind(
        what="read-only management events of ECR",
        calls=("GetAuthorizationToken", "BatchGetImage", "GetDownloadUrlForLayer"),
        read_only=True,
        meaning="Refused pulls will not be seen: EventBridge gets no record of them",
        blinds=True,
    ),
    _Kind(
        what="write-only management events",
        calls=("SetRepositoryPolicy",),
        read_only=False,
        meaning="Changes that break or fix pulls will not be seen when they are made, but only by scheduled rechecks",
    ),
)
# The calls that infra/change_rules.py has for keys. People leave KMS out of a trail for its volume.
_KEYS: Final = _Kind(
    what="write-only management events of KMS",
    calls=("CancelKeyDeletion", "EnableKey", "ImportKeyMaterial", "PutKeyPolicy"),
    read_only=False,
    meaning="That a key of a repository was mended will not be seen when it is done, but only by scheduled rechecks",
    source="kms.amazonaws.com",
)


@dataclass(frozen=True, slots=True)
class _Trail:
    arn: str
    home: str
    account: str
    is_logging: bool | Unread
    selectors: Mapping[str, Any] | Unread
    selected: Mapping[_Kind, bool | None]

    def logs(self, kind: _Kind) -> bool | Unread:
        """Return whether it logs events of this kind now."""
        if isinstance(self.is_logging, Unread):
            return self.is_logging
        if not self.is_logging:
            return False
        if isinstance(self.selectors, Unread):
            return self.selectors
        selects = self.selects(kind)
        return Unread(f"{self.arn} has a selector by a field that is not known here") if selects is None else selects

    def selects(self, kind: _Kind) -> bool | None:
        """Return whether its selectors let events of this kind through. None where that is not known."""
        return self.selected.get(kind)


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    region = deployment.region
    listed = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=_list)
    if isinstance(listed, Unread):
        return [unread(_ID, _subject(kind, region), listed, _if_none(kind)) for kind in _KINDS]
    # A trail of all regions is shown in each of them; others are shown in their home region only.
    trails = reader.each(lambda each: _read(deployment, reader, each), listed or [])
    reads, writes = (_judge(kind, trails, deployment) for kind in _KINDS)
    if writes.commands and writes.commands == reads.commands:
        writes = replace(writes, commands=(), step="The commands that mend the trail for reads mend this, too")
    return [reads, writes, *(_keys(trails, region) if writes.state is State.WORKS else ())]


def _keys(trails: Sequence[_Trail], region: str) -> list[Result]:
    """Return that changes of keys are left out, where no trail logs them. Some trail logs other changes."""
    subject, logs = _subject(_KEYS, region), {each.arn: each.logs(_KEYS) for each in trails}
    if True in logs.values():
        return []
    if why := next((found for found in logs.values() if isinstance(found, Unread)), None):
        return [unread(_ID, subject, why, _if_none(_KEYS))]
    step = "Let a trail log the events of KMS, if you want it sooner. They can be many"
    return [off(_ID, subject, f"no trail logs them: {', '.join(logs)}", _KEYS.meaning, step=step)]


def _list(client: Any) -> list[tuple[str, str]]:  # noqa: ANN401 -- boto3's generated client
    return [(each["TrailARN"], each["HomeRegion"]) for each in client.describe_trails()["trailList"]]


def _read(deployment: Deployment, reader: Reader, trail: tuple[str, str]) -> _Trail:
    (arn, home), region = trail, deployment.region

    def status(client: Any) -> bool:  # noqa: ANN401 -- boto3's generated client
        return bool(client.get_trail_status(Name=arn)["IsLogging"])

    def selectors(client: Any) -> tuple[Mapping[str, Any], Mapping[_Kind, bool | None]]:  # noqa: ANN401 -- boto3's generated client
        answer = client.get_event_selectors(TrailName=arn)
        return answer, {each: _selects(answer, each) for each in (*_KINDS, _KEYS)}

    is_logging = reader.call(_PERMISSIONS[2], account=deployment.account, region=region, request=status)
    found = reader.call(_PERMISSIONS[1], account=deployment.account, region=region, request=selectors)
    parsed = Arn.parse(arn)
    return _Trail(
        arn=arn,
        home=home,
        account=parsed.account if parsed else "",
        is_logging=bool(is_logging) if not isinstance(is_logging, Unread) else is_logging,
        selectors=found if isinstance(found, Unread) else found[0] if found else {},
        selected={} if found is None or isinstance(found, Unread) else found[1],
    )


def _selects(answer: Mapping[str, Any], kind: _Kind) -> bool | None:
    return logs_events(answer, source=kind.source, names=kind.calls, read_only=kind.read_only)


def _subject(kind: _Kind, region: str) -> str:
    return f"a trail that logs {kind.what} in {region}"


def _if_none(kind: _Kind) -> str:
    return f"If no trail logs them: {kind.meaning[0].lower()}{kind.meaning[1:]}"


def _judge(kind: _Kind, trails: Sequence[_Trail], deployment: Deployment) -> Result:
    subject = _subject(kind, deployment.region)
    logs = {each.arn: each.logs(kind) for each in trails}
    if named := next((arn for arn, found in logs.items() if found is True), None):
        return works(_ID, subject, f"{named} logs them")
    if why := next((found for found in logs.values() if isinstance(found, Unread)), None):
        return unread(_ID, subject, why, _if_none(kind))
    nearest = _nearest(kind, trails, deployment.account)
    if nearest is None:
        found = f"no trail covers {deployment.region}"
        return broken(_ID, subject, found, kind.meaning, commands=_create(deployment), blinds=kind.blinds)
    theirs = nearest.account != deployment.account
    commands = _mend(nearest, kind)
    step = f"The trail belongs to account {nearest.account}: run this there" if theirs else ""
    if commands is None:
        step = f"Let {nearest.arn} log them in CloudTrail's console: it has as many event selectors as a trail can have"
    return broken(
        _ID,
        subject,
        "; ".join(_fault(each, kind) for each in trails),
        kind.meaning,
        step=step,
        commands=commands or (),
        account=nearest.account if theirs else "",
        blinds=kind.blinds,
    )


def _fault(trail: _Trail, kind: _Kind) -> str:
    if trail.is_logging is False:
        return f"{trail.arn} is stopped"
    return f"the event selectors of {trail.arn} leave out {kind.what}"


def _nearest(kind: _Kind, trails: Sequence[_Trail], account: str) -> _Trail | None:
    """Return the trail that takes the least to mend: our own first, then one whose selectors are right."""
    ranked = sorted(trails, key=lambda each: (each.account != account, each.selects(kind) is not True, each.arn))
    return ranked[0] if ranked else None


def _mend(trail: _Trail, kind: _Kind) -> tuple[Command, ...] | None:
    """Return what mends a trail. None where its selectors have no room for what lacks."""
    commands: list[Command] = []
    if not trail.selects(kind) and not isinstance(trail.selectors, Unread):
        option, selectors = widened(trail.selectors, source=kind.source)
        if not selectors:
            return None
        given = {"trail_name": trail.arn, option: json.dumps(selectors, separators=(",", ":"))}
        commands.append(aws("cloudtrail", "put-event-selectors", region=trail.home, **given))
    if trail.is_logging is False:
        commands.append(aws("cloudtrail", "start-logging", name=trail.arn, region=trail.home))
    return tuple(commands)


def _create(deployment: Deployment) -> tuple[Command, ...]:
    """Return the commands that make a trail of this region, which logs all management events, and its bucket.

    Source of the bucket policy: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail".
    """
    account, region, partition = deployment.account, deployment.region, deployment.partition
    bucket = f"{_NAME}-trail-{account}-{region}"
    arn = f"arn:{partition}:s3:::{bucket}"
    source = {"aws:SourceArn": f"arn:{partition}:cloudtrail:{region}:{account}:trail/{_NAME}"}
    service = {"Service": "cloudtrail.amazonaws.com"}
    statements = [
        {
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": {"StringEquals": source},
        },
        {
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/AWSLogs/{account}/*",
            "Condition": {"StringEquals": {**source, "s3:x-amz-acl": "bucket-owner-full-control"}},
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    place = {} if region == _FIRST_REGION else {"create_bucket_configuration": f"LocationConstraint={region}"}
    return (
        aws("s3api", "create-bucket", bucket=bucket, region=region, **place),
        aws("s3api", "put-bucket-policy", bucket=bucket, policy=policy, region=region),
        aws("cloudtrail", "create-trail", name=_NAME, s3_bucket_name=bucket, region=region),
        aws("cloudtrail", "start-logging", name=_NAME, region=region),
    )


CHECK: Final = Examination(
    _ID, "trails of this region, their status and event selectors", _PERMISSIONS, _examine, can_blind=True
)

"""Answers to scanners of security teams: why what they ask for is not done here.

cdk-nag (AWS Solutions, Serverless, NIST 800-53, HIPAA and PCI DSS) runs with each synthesis, checkov with `make synth`.
Each finding is answered for one resource, next to where that resource is made, so that the same finding on another
resource still fails the synthesis. What parliament finds is answered in scan_policies.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk

if TYPE_CHECKING:
    from constructs import Construct

_NIST, _HIPAA, _PCI = "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"


@dataclass(frozen=True, slots=True)
class Answer:
    """Why one thing is as it is.

    - `reason`: for whoever reads the scanner's report
    - `nag`: the rules of cdk-nag that ask
    - `checkov`: the check of checkov that asks; "": none
    """

    reason: str
    nag: tuple[str, ...] = ()
    checkov: str = ""


def _packs(rule: str, *packs: str) -> tuple[str, ...]:
    return tuple(f"{pack}-{rule}" for pack in packs)


LOG_KEY: Final = Answer(
    "CloudWatch Logs encrypts every log group. A key of one's own adds control over who may read; what is logged is "
    "redacted, and holds no credentials",
    _packs("CloudWatchLogGroupEncrypted", _NIST, _HIPAA, _PCI),
    "CKV_AWS_158",
)
INLINE_POLICIES: Final = Answer(
    "The policies are the role's alone, are written from what its function declares, and go with it. A managed policy "
    "could be attached to other roles",
    _packs("IAMNoInlinePolicy", _NIST, _HIPAA, _PCI),
)
WILDCARDS: Final = Answer(
    "infra/permissions.py has the reason of each wildcard, and AwsSolutions-IAM5 is answered for each",
    ("Serverless-LambdaStarPermissions",),
)
ATTACH: Final = Answer(
    "Lambda attaches the function to the VPC with these, as AWSLambdaVPCAccessExecutionRole has them. Calls of the "
    "function's own code are denied what changes a network interface",
    ("AwsSolutions-IAM5[Resource::*]",),
    "CKV_AWS_111",
)
CONCURRENCY: Final = Answer(
    "The event source mapping limits the concurrency. A reservation takes from the account's, and fails to deploy in a "
    "new account, which has ten (Lambda quotas)",
    _packs("LambdaConcurrency", _NIST, _HIPAA),
    "CKV_AWS_115",
)
LOG_CONCURRENCY: Final = Answer(
    "CloudWatch Logs waits and retries when the function is throttled, and an alarm says so. A reservation takes from "
    "the account's concurrency, and fails to deploy in a new account, which has ten (Lambda quotas)",
    _packs("LambdaConcurrency", _NIST, _HIPAA),
    "CKV_AWS_115",
)
DEPLOYMENT_CONCURRENCY: Final = Answer(
    "CloudFormation alone runs the function, some times a deployment. A reservation takes from the account's "
    "concurrency, and fails to deploy in a new account, which has ten (Lambda quotas)",
    _packs("LambdaConcurrency", _NIST, _HIPAA),
    "CKV_AWS_115",
)
DEPLOYMENT_LETTERS: Final = Answer(
    "A request that is not answered is shown by CloudFormation, in the stack's events. As a dead letter it would keep "
    "the address at which CloudFormation takes answers, which is a credential",
    (*_packs("LambdaDLQ", _NIST, _HIPAA), "Serverless-LambdaDLQ"),
    "CKV_AWS_116",
)
SCHEDULE_CONCURRENCY: Final = Answer(
    "A schedule alone runs the function, once an hour. A reservation takes from the account's concurrency, and fails "
    "to deploy in a new account, which has ten (Lambda quotas)",
    _packs("LambdaConcurrency", _NIST, _HIPAA),
    "CKV_AWS_115",
)
SCHEDULE_LETTERS: Final = Answer(
    "A run that fails is made again within the hour, and an alarm says that runs fail. The event that woke it says "
    "nothing",
    (*_packs("LambdaDLQ", _NIST, _HIPAA), "Serverless-LambdaDLQ"),
    "CKV_AWS_116",
)
_HOURLY: Final = (
    "The next hour brings another event. Each says only that it is time, and an alarm says that nobody has looked"
)
SCHEDULE_TARGET: Final = Answer(_HOURLY, ("Serverless-EventBusDLQ",))
SCHEDULE_DESTINATION: Final = Answer(_HOURLY, ("Serverless-LambdaAsyncFailureDestination",))
SYNCHRONOUS: Final = Answer(
    "Lambda runs the function for messages of a queue, which has dead letters. A function's own are for asynchronous "
    "runs only",
    (*_packs("LambdaDLQ", _NIST, _HIPAA), "Serverless-LambdaDLQ"),
    "CKV_AWS_116",
)
MAPPING: Final = Answer(
    "A mapping of a queue needs no destination of failures: the queue has dead letters. Lambda accepts one for streams "
    "and Kafka only",
    ("Serverless-LambdaEventSourceMappingDestination",),
)
NO_VPC: Final = Answer(
    "The function calls AWS's public APIs only, and accepts no connections. In a VPC it would need the very endpoints "
    "and routes whose faults it has to find",
    _packs("LambdaInsideVPC", _NIST, _HIPAA, _PCI),
    "CKV_AWS_117",
)
RUNTIME: Final = Answer(
    "The dependency layer is built for Python 3.13, which AWS supports until 2029",
    ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"),
)
NO_TRACING: Final = Answer(
    "The log and the metrics say what a run did. X-Ray would need permissions on all resources",
    ("Serverless-LambdaTracing",),
)
ENVIRONMENT: Final = Answer(
    "The variables are settings and names, no secrets. Lambda encrypts them with a key of its own",
    checkov="CKV_AWS_173",
)
DEAD_LETTERS: Final = Answer("This queue holds the dead letters of another", ("Serverless-SQSRedrivePolicy",))
QUEUE_KEY: Final = Answer(
    "SQS encrypts the queue with a key of its own (SSE-SQS), which the check does not see. EventBridge would need a "
    "grant on any other",
    checkov="CKV_AWS_27",
)
STREAM_KEY: Final = Answer(
    "The settings name a key of the customer's own, for all that is stored", ("AwsSolutions-KDS3",)
)
TOLD_BY_RULE: Final = Answer(
    "What cannot be published to the topic could not be published from dead letters either. An alarm says so",
    ("Serverless-EventBusDLQ",),
)
NO_VERSIONS: Final = Answer(
    "A page is written anew with each diagnosis of its problem, and can be made again from what is configured",
    (
        *_packs("S3BucketVersioningEnabled", _NIST, _HIPAA, _PCI),
        *_packs("S3BucketReplicationEnabled", _NIST, _HIPAA, _PCI),
    ),
    "CKV_AWS_21",
)
NO_ACCESS_LOG: Final = Answer(
    "Access logs need a bucket of their own. CloudTrail's data events of this one say the same for who wants to know",
    ("AwsSolutions-S1", *_packs("S3BucketLoggingEnabled", _NIST, _HIPAA, _PCI)),
    "CKV_AWS_18",
)
BUCKET_KEY: Final = Answer(
    "S3 encrypts the pages with a key of its own. The settings can name one of the customer's, for all that is stored",
    _packs("S3DefaultEncryptionKMS", _NIST, _HIPAA, _PCI),
    "CKV_AWS_145",
)
MAIL: Final = Answer(
    "SNS retries mail by itself, and an alarm says when it gives up. Dead letters of mail would have no reader",
    ("Serverless-SNSRedrivePolicy",),
)


def add_scanners(app: cdk.App) -> None:
    """Let cdk-nag's packs check every stack of the app. The synthesis fails on what has no answer."""
    import cdk_nag  # noqa: PLC0415 -- another app with our constructs need not have it

    cdk.Validations.of(app).add_plugins(
        cdk_nag.AwsSolutionsChecks(app),
        cdk_nag.HIPAASecurityChecks(app),
        cdk_nag.NIST80053R5Checks(app),
        cdk_nag.PCIDSS321Checks(app),
        cdk_nag.ServerlessChecks(app),
    )


def answer(construct: Construct, *answers: Answer) -> None:
    """Answer what the scanners find about `construct`: in cdk-nag's report, and in the template for checkov."""
    for each in answers:
        for rule in each.nag:
            cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=each.reason))
    skipped = [{"id": each.checkov, "comment": each.reason} for each in answers if each.checkov]
    resource = construct.node.default_child
    if skipped and isinstance(resource, cdk.CfnResource):
        resource.add_metadata("checkov", {"skip": skipped})

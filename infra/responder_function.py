"""A Lambda function with its log group and its role: the base of all functions of Pull Responder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import permissions, vpc_placement
from infra import scanner_answers as answers
from infra.dependency_layer import ARCHITECTURE, RUNTIME
from infra.escape_hatch import cfn_resource
from infra.function_code import build_code
from infra.permissions import Grant
from infra.runtime_python import find_runtime_python
from infra.scanner_answers import answer
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from infra.scanner_answers import Answer

_LAMBDA_LOG_LEVELS: Final = {
    "DEBUG": lambda_.ApplicationLogLevel.DEBUG,
    "INFO": lambda_.ApplicationLogLevel.INFO,
    "WARNING": lambda_.ApplicationLogLevel.WARN,
    "ERROR": lambda_.ApplicationLogLevel.ERROR,
}


class ResponderFunction(Construct):
    """A function with its role and log group.

    - `name`: the function's module in `pull_responder.handlers`, and its key in permissions.json
    - `resources`: the values of the placeholders in permissions.SCOPES
    - `run`: the permissions that Lambda needs to run the function
    - `key`: encrypts the log; None: a key that CloudWatch Logs owns
    - `concurrency_answer`: why Lambda keeps no runs for this function. It does where the settings say so
    - `role_name`: the name of the role, or None: CloudFormation makes one up
    - `function_answers`: what else to answer scanners about this function, besides what holds for all
    - `granted_later`: the declared actions that whoever makes the construct grants by itself

    The role has the permissions that permissions.json declares for `name`, those in `run`, and no others. Its log group
    is deleted with the stack.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only, except for the two arguments that every construct has
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        settings: Settings,
        layer: lambda_.ILayerVersion,
        key: kms.IKey | None,
        resources: Mapping[str, str | tuple[str, ...]],
        run: Iterable[Grant],
        environment: Mapping[str, str],
        memory_size: int,
        timeout_seconds: int,
        concurrency_answer: Answer,
        function_answers: Iterable[Answer] = (),
        role_name: str | None = None,
        granted_later: Collection[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        log = logs.LogGroup(self, "Log", removal_policy=cdk.RemovalPolicy.DESTROY, encryption_key=key)
        # The construct accepts only names such as ONE_WEEK, and not a number of days.
        cfn_resource(log, logs.CfnLogGroup).retention_in_days = settings.log_retention_days
        write_log = Grant(("logs:CreateLogStream", "logs:PutLogEvents"), (log.log_group_arn,))
        attach = vpc_placement.GRANTS if settings.vpc else ()
        declared = {
            purpose: tuple(each for each in actions if each not in granted_later)
            for purpose, actions in permissions.read_declared(name).items()
        }
        self.role = self._role(name, role_name, settings, declared, resources, (write_log, *run, *attach))
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=f"pull_responder.handlers.{name}.handler",
            code=lambda_.Code.from_asset(str(build_code(python=find_runtime_python()))),
            layers=[layer],
            memory_size=memory_size,
            reserved_concurrent_executions=settings.reserved_concurrency.get(name),
            timeout=cdk.Duration.seconds(timeout_seconds),
            environment={"POWERTOOLS_LOG_LEVEL": settings.log_level, **environment},
            role=self.role,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=_LAMBDA_LOG_LEVELS[settings.log_level],
        )
        if settings.vpc:
            vpc_placement.place(self.function, settings.vpc)
        if not key:
            answer(log, answers.LOG_KEY)
        answer(
            self.function,
            answers.RUNTIME,
            *([] if settings.vpc else [answers.NO_VPC]),
            answers.NO_TRACING,
            answers.ENVIRONMENT,
            *([] if name in settings.reserved_concurrency else [concurrency_answer]),
            *function_answers,
        )

    def _role(  # noqa: PLR0913, PLR0917 -- one call, below
        self,
        name: str,
        role_name: str | None,
        settings: Settings,
        declared: Mapping[str, tuple[str, ...]],
        resources: Mapping[str, str | tuple[str, ...]],
        run: tuple[Grant, ...],
    ) -> iam.Role:
        granted = {
            purpose: permissions.grants(
                actions,
                partition=cdk.Aws.PARTITION,
                account=cdk.Aws.ACCOUNT_ID,
                region=cdk.Aws.REGION,
                **resources,
            )
            for purpose, actions in declared.items()
        }
        if "assume" in granted:
            granted["assume"] += permissions.grant_to_assume(
                settings.read_accounts, partition=cdk.Aws.PARTITION, member_role=str(resources["member_role"])
            )
            granted["assume"] += _imports(settings, cdk.Aws.PARTITION)
        role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            description=f"The permissions of Pull Responder's function {name}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                purpose: iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=list(grant.actions), resources=list(grant.resources), conditions=grant.conditions
                        )
                        for grant in grants
                    ]
                )
                for purpose, grants in {**granted, "run": run}.items()
            }
            | _limits([action for actions in declared.values() for action in actions], resources, settings),
        )
        answer(role, answers.INLINE_POLICIES, answers.WILDCARDS, *([answers.ATTACH] if settings.vpc else []))
        every_action = [action for actions in declared.values() for action in actions]
        _acknowledge_wildcards(role, every_action, resources, settings)
        return role


def _limits(
    actions: Iterable[str], resources: Mapping[str, str | tuple[str, ...]], settings: Settings
) -> dict[str, iam.PolicyDocument]:
    """Return the inline policy that denies what granted actions could change besides what the functions change."""
    denials = permissions.denials(
        actions, partition=cdk.Aws.PARTITION, account=cdk.Aws.ACCOUNT_ID, region=cdk.Aws.REGION, **resources
    )
    statements = [
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=[denial.action],
            resources=list(denial.resources),
            conditions=dict(denial.conditions),
        )
        for denial in denials
    ]
    if settings.vpc:
        statements.append(vpc_placement.denial())
    return {"limits": iam.PolicyDocument(statements=statements, minimize=False)} if statements else {}


def _imports(settings: Settings, partition: str) -> tuple[Grant, ...]:
    """Return the statement that lets findings be imported in other accounts; empty without an organization.

    Where findings are imported here now, those that members have from before are still to be closed there.
    """
    if not settings.organization_id:
        return ()
    return permissions.grant_to_import(partition=partition, import_role=settings.import_role_name)


def _acknowledge_wildcards(
    role: iam.Role, actions: Iterable[str], resources: Mapping[str, str | tuple[str, ...]], settings: Settings
) -> None:
    """Give cdk-nag the reason for each resource with a wildcard."""
    # cdk-nag writes the values that are known only at deployment in this form.
    partition, account, region = (f"<AWS::{each}>" for each in ("Partition", "AccountId", "Region"))
    granted = permissions.grants(actions, partition=partition, account=account, region=region, **resources)
    imports = _imports(settings, partition) if "sts:AssumeRole" in set(actions) else ()
    for grant in (*granted, *imports):
        for resource in grant.resources:
            if "*" in resource:
                finding = f"AwsSolutions-IAM5[Resource::{resource}]"
                cdk.Validations.of(role).acknowledge(cdk.Acknowledgment(id=finding, reason=grant.reason))

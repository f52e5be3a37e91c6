"""Patches for ministack 1.5.33: what it lacks, or does differently from AWS, where that matters here.

Each function closes one gap and names it. The patches reach into ministack's own modules, so requirements.txt pins its
version. A patch whose target is gone fails at once, so that it never silently does nothing.
"""
# ruff: noqa: SLF001, ANN401 -- ministack has neither types nor public names for any of this

from __future__ import annotations

import inspect
import json
import os
import re
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

_REGISTRY_ID = re.compile(rb'"registryId"\s{0,8}:\s{0,8}"(\d{12})"')
_TAGGED = re.compile(rb'"resourceArn"\s*:\s*"([^"]+)"')
_LISTED_REPOSITORY = re.compile(rb'"repositoryNames"\s*:\s*\[\s*"([^"]+)"')
_INSTANCE_PROFILE = re.compile(rb"(?:^|&)InstanceProfileName=([^&]{1,200})")
_RULE = re.compile(rb'"Rule"\s{0,8}:\s{0,8}"([^"]{1,64})"')
_ALARMS = re.compile(rb"Action=DescribeAlarms\b|AlarmNames")
_MAPPING_PATH = re.compile(r"/event-source-mappings/[^/]+/?$")
_SESSION_ARN = re.compile(r"arn:[\w-]+:sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/[^/]+")
_CLUSTER_PARTS = {
    "node-groups": "nodegroup",
    "fargate-profiles": "fargateprofile",
    "access-entries": "access-entry",
    "addons": "addon",
}
_CLUSTER_PART_PATH = re.compile(rf"/clusters/(?P<cluster>[^/]+)/(?P<kind>{'|'.join(_CLUSTER_PARTS)})/(?P<name>.+)")
_FARGATE_PATH = re.compile(r"/clusters/(?P<cluster>[^/]+)/fargate-profiles(?:/(?P<name>[^/]+))?")

_Reply = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Patch ministack in this process. Call it before ministack's server starts."""
    for patch in (
        _accept_events_of_aws_services,
        _fire_rules_on_management_events,
        _remember_events_of_calls,
        _match_any_term,
        _know_every_aws_managed_policy,
        _list_only_attached_policies,
        _serve_other_registries,
        _know_sessions_by_their_role,
        _serve_registry_settings,
        _serve_cache_rules,
        _serve_fargate_profiles,
        _authorize_parts_of_clusters,
        _authorize_batches_of_messages,
        _authorize_instance_profiles,
        _authorize_reads_of_repositories,
        _authorize_reads_of_rules_and_alarms,
        _authorize_reads_of_a_mapping,
        _keep_clusters_without_kubernetes,
        _treat_loopback_as_tls,
        _run_functions_on_their_own_python,
        _know_services_by_their_folders,
        _show_the_status_of_indexes,
        _update_tables_in_place,
        _subscribe_to_what_is_there,
        _list_pending_subscriptions,
        _take_saved_queries,
        _find_instances_by_their_names,
    ):
        patch()


def _module(name: str) -> Any:
    return import_module(f"ministack.{name}")


def _accept_events_of_aws_services() -> None:
    """PutEvents refuses sources that begin with "aws.", as AWS does. But here no AWS service sends such events."""
    eventbridge = _module("services.eventbridge")
    put_events = eventbridge._put_events
    eventbridge._put_events = lambda data, **_: put_events(data, allow_aws_source=True)


def _fire_rules_on_management_events() -> None:
    """A rule in state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS counts as disabled."""
    eventbridge = _module("services.eventbridge")
    source = inspect.getsource(eventbridge._dispatch_event)
    stock = 'rule.get("State") != "ENABLED"'
    if stock not in source:
        raise RuntimeError("ministack's event dispatch has changed: review the patch that fires rules")
    patched = source.replace(stock, 'rule.get("State") == "DISABLED"')
    exec(patched, eventbridge.__dict__)  # noqa: S102 -- the installed package's own source, one comparison replaced


def _remember_events_of_calls() -> None:
    """CloudTrail has the record of a call whose event is put on a bus, under the names in its parameters."""
    cloudtrail, eventbridge = _module("services.cloudtrail"), _module("services.eventbridge")
    put_events = eventbridge._put_events

    def put(data: Any, **options: Any) -> Any:
        for entry in data.get("Entries", []):
            if entry.get("DetailType") == "AWS API Call via CloudTrail":
                record = json.loads(entry["Detail"])
                cloudtrail._get_event_queue().append(_event_of(record if isinstance(record, dict) else {}))
        return put_events(data, **options)

    eventbridge._put_events = put


def _event_of(record: Any) -> dict[str, Any]:
    """Return CloudTrail's record as ministack's CloudTrail keeps it."""
    parameters = record.get("requestParameters")
    at = record.get("eventTime")
    names = [each for each in parameters.values() if isinstance(each, str)] if isinstance(parameters, dict) else []
    arns = [each["ARN"] for each in record.get("resources", []) if "ARN" in each]
    return {
        # A test or a person may put an event that is no whole record.
        "EventId": record.get("eventID", ""),
        "EventName": record.get("eventName", ""),
        "EventSource": record.get("eventSource", ""),
        "EventTime": datetime.fromisoformat(at).timestamp() if at else 0.0,
        "ReadOnly": str(record.get("readOnly", False)).lower(),
        "Resources": [{"ResourceName": each} for each in (*names, *arns)],
        "CloudTrailEvent": json.dumps(record),
    }


def _match_any_term() -> None:
    """Log subscriptions read the filter pattern "?one ?other" as both words. In AWS it means either."""
    logs = _module("services.cloudwatch_logs")
    stock = logs._subscription_pattern_matches

    def matches(pattern: str, message: str) -> bool:
        terms = (pattern or "").split()
        if terms and all(term.startswith("?") for term in terms):
            return any(term[1:] in message for term in terms)
        matched: bool = stock(pattern, message)
        return matched

    logs._subscription_pattern_matches = matches


def _know_every_aws_managed_policy() -> None:
    """Most AWS managed policies can be attached but grant nothing. Here moto's copies of their documents count."""
    iam = _module("services.iam")
    documents: dict[str, Any] = json.loads(import_module("moto.iam.aws_managed_policies").aws_managed_policies_data)
    seed = iam._seed_aws_managed_policies

    def seed_all() -> None:
        seed()
        for name, policy in documents.items():
            path = policy["Path"].lstrip("/") + name
            record = iam._make_aws_managed_record(path, json.dumps(policy["Document"]))
            iam._aws_managed_policies.setdefault(f"arn:aws:iam::aws:policy/{path}", record)

    iam._seed_aws_managed_policies = seed_all
    seed_all()


def _list_only_attached_policies() -> None:
    """ListPolicies ignores OnlyAttached, and answers with more than a thousand. Here it counts; no filter beside it."""
    iam = _module("services.iam")
    stock = iam._IAM_HANDLERS["ListPolicies"]

    def list_policies(asked: dict[str, Any]) -> Any:
        if iam._p(asked, "OnlyAttached") != "true":
            return stock(asked)
        if iam._p(asked, "Scope") or iam._p(asked, "PathPrefix"):
            raise NotImplementedError("the emulated IAM knows no other filter beside OnlyAttached")
        attached = [arn for arn, policy in iam._policies.items() if policy["AttachmentCount"]]
        attached += [arn for arn, count in iam._aws_managed_attachment_counts.items() if count]
        usage = iam._boundary_usage_counts()
        members = "".join(f"<member>{iam._managed_policy_xml(arn, usage)}</member>" for arn in attached)
        result = f"<Policies>{members}</Policies><IsTruncated>false</IsTruncated>"
        return iam._xml(200, "ListPoliciesResponse", f"<ListPoliciesResult>{result}</ListPoliciesResult>", ns="iam")

    iam._IAM_HANDLERS["ListPolicies"] = list_policies


def _serve_other_registries() -> None:
    """ECR ignores registryId, so calls never read another account's registry and are never denied there."""
    ecr, responses, actions = _module("services.ecr"), _module("core.responses"), _module("core.iam_actions")
    handle_request, resource_arn = ecr.handle_request, actions.extract_resource_arn

    def registry(body: bytes | None, account: str) -> str:
        named = _REGISTRY_ID.search(body or b"")
        return named[1].decode() if named else account

    async def handle_in_registry(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        account = responses._request_account_id
        token = account.set(registry(body, responses.get_account_id()))
        try:
            return await handle_request(method, path, headers, body, query)
        finally:
            account.reset(token)

    def resource_in_registry(service: str, *request: Any) -> Any:
        *asked, body, query, region, account = request
        if service == "ecr":
            account = registry(body, account)
        return resource_arn(service, *asked, body, query, region, account)

    def policy_of(arn: str) -> tuple[str, str] | None:
        _, _, _, region, account, resource = arn.split(":", 5)
        name = resource.removeprefix("repository/")
        if ecr._repositories.get_scoped(account, region, name) is None:
            return None
        return ecr._repo_policies.get_scoped(account, region, name) or "", account

    ecr.handle_request = handle_in_registry
    actions.extract_resource_arn = resource_in_registry
    ecr.repository_policy_for_arn = policy_of


def _know_sessions_by_their_role() -> None:
    """aws:PrincipalArn is the session's ARN. In AWS it is the ARN of the session's role, with its path."""
    evaluator, iam = _module("core.iam_evaluator"), _module("services.iam")
    resolve = evaluator._resolve_condition_key

    def resolve_by_role(key: str, context: Any) -> Any:
        session = _SESSION_ARN.fullmatch(context.principal_arn) if key.lower() == "aws:principalarn" else None
        role = iam._roles.get_scoped(session["account"], None, session["role"]) if session else None
        return role["Arn"] if role else resolve(key, context)

    evaluator._resolve_condition_key = resolve_by_role


def _serve_registry_settings() -> None:
    """ECR has no registry policy and no account settings. Here they are stored, but the policy is not enforced."""
    ecr, responses = _module("services.ecr"), _module("core.responses")
    kept = responses.AccountRegionScopedDict()

    def policy() -> _Reply:
        text = kept.get("policy")
        if text is None:
            return _reply(400, __type="RegistryPolicyNotFoundException", message="Registry policy does not exist")
        return _reply(200, registryId=responses.get_account_id(), policyText=text)

    def put_policy(text: str) -> _Reply:
        kept["policy"] = text
        return policy()

    def delete_policy() -> _Reply:
        deleted = policy()
        kept.pop("policy", None)
        return deleted

    def setting(name: str) -> _Reply:
        default = "V2" if name == "REGISTRY_POLICY_SCOPE" else "DISABLED"
        return _reply(200, name=name, value=kept.get(name) or default)

    def put_setting(name: str, value: str) -> _Reply:
        kept[name] = value
        return setting(name)

    served: dict[str, Callable[[dict[str, str]], _Reply]] = {
        "GetRegistryPolicy": lambda _: policy(),
        "PutRegistryPolicy": lambda asked: put_policy(asked["policyText"]),
        "DeleteRegistryPolicy": lambda _: delete_policy(),
        "GetAccountSetting": lambda asked: setting(asked["name"]),
        "PutAccountSetting": lambda asked: put_setting(asked["name"], asked["value"]),
    }
    _serve(ecr, served)


def _serve_cache_rules() -> None:
    """ECR has no pull through cache rules and no creation templates. Here rules are stored, and nothing is fetched."""
    kept = _module("core.responses").AccountRegionScopedDict()

    def create(rule: dict[str, str]) -> _Reply:
        kept[rule["ecrRepositoryPrefix"]] = rule
        return _reply(200, **rule)

    served: dict[str, Callable[[dict[str, str]], _Reply]] = {
        "CreatePullThroughCacheRule": create,
        "DescribePullThroughCacheRules": lambda _: _reply(200, pullThroughCacheRules=list(kept.values())),
        "DescribeRepositoryCreationTemplates": lambda _: _reply(200, repositoryCreationTemplates=[]),
        "DeletePullThroughCacheRule": lambda asked: _reply(200, **kept.pop(asked["ecrRepositoryPrefix"])),
    }
    _serve(_module("services.ecr"), served)


def _serve(service: Any, served: dict[str, Callable[[dict[str, str]], _Reply]]) -> None:
    """Answer these operations of a service with a JSON protocol, and leave the others to it."""
    stock = service.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        serve = served.get(headers.get("x-amz-target", "").rpartition(".")[2])
        return serve(json.loads(body)) if serve else await stock(method, path, headers, body, query)

    service.handle_request = handle


def _serve_fargate_profiles() -> None:
    """EKS has no Fargate profiles. Here they can be created, listed, described and deleted."""
    eks, responses = _module("services.eks"), _module("core.responses")
    kept = responses.AccountRegionScopedDict()
    stock = eks.handle_request

    def create(cluster: str, asked: dict[str, Any]) -> _Reply:
        name = asked["fargateProfileName"]
        place = f"{responses.get_region()}:{responses.get_account_id()}"
        arn = f"arn:aws:eks:{place}:fargateprofile/{cluster}/{name}/{responses.new_uuid()}"
        profile = {**asked, "clusterName": cluster, "fargateProfileArn": arn, "status": "ACTIVE"}
        profile.pop("clientRequestToken", None)
        kept[f"{cluster}/{name}"] = profile
        return _reply(200, fargateProfile=profile)

    def serve(method: str, cluster: str, name: str | None, body: bytes) -> _Reply:
        if cluster not in eks._clusters:
            return _missing(f"No cluster found for name: {cluster}.")
        if name is None:
            if method == "POST":
                return create(cluster, json.loads(body))
            names = [profile["fargateProfileName"] for profile in kept.values() if profile["clusterName"] == cluster]
            return _reply(200, fargateProfileNames=names)
        profile = kept.pop(f"{cluster}/{name}", None) if method == "DELETE" else kept.get(f"{cluster}/{name}")
        return _reply(200, fargateProfile=profile) if profile else _missing(f"No Fargate Profile found: {name}.")

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        asked = _FARGATE_PATH.fullmatch(path)
        if asked:
            return serve(method, asked["cluster"], asked["name"], body)
        return await stock(method, path, headers, body, query)

    eks.handle_request = handle


def _authorize_parts_of_clusters() -> None:
    """With AUTH=true, calls on node groups, Fargate profiles and access entries are authorized on the cluster's ARN."""
    actions = _module("core.iam_actions")
    stock = actions.extract_resource_arn

    def resource(service: str, method: str, path: str, *request: Any) -> Any:
        part = _CLUSTER_PART_PATH.fullmatch(path) if service == "eks" else None
        if part is None:
            return stock(service, method, path, *request)
        *_, region, account = request
        kind = _CLUSTER_PARTS[part["kind"]]
        return f"arn:aws:eks:{region}:{account}:{kind}/{part['cluster']}/{unquote(part['name'])}"

    actions.extract_resource_arn = resource


def _authorize_batches_of_messages() -> None:
    """SQS batches need permissions of their own. AWS has none for them (SQS developer guide, "batch actions")."""
    actions = _module("core.iam_actions")
    stock = actions.extract_iam_action

    def action(service: str, *request: Any, **more: Any) -> Any:
        found = stock(service, *request, **more)
        return found.removesuffix("Batch") if service == "sqs" and found else found

    actions.extract_iam_action = action


def _authorize_instance_profiles() -> None:
    """With AUTH=true, calls on an instance profile are authorized on the resource `*`."""
    actions = _module("core.iam_actions")
    stock = actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, *request: Any) -> Any:
        named = _INSTANCE_PROFILE.search(body or b"") if service == "iam" else None
        if named is None:
            return stock(service, method, path, headers, body, *request)
        return f"arn:aws:iam::{request[-1]}:instance-profile/{unquote(named[1].decode())}"

    actions.extract_resource_arn = resource


def _authorize_reads_of_repositories() -> None:
    """With AUTH=true, DescribeRepositories and ListTagsForResource of ECR are authorized on the resource `*`.

    AWS takes all repositories where none is named (Service Authorization Reference, Amazon ECR: the resource is
    required). Inference: so does the emulator.
    """
    actions = _module("core.iam_actions")
    stock = actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, *request: Any) -> Any:
        found = stock(service, method, path, headers, body, *request)
        if service != "ecr" or found != "*":
            return found
        if tagged := _TAGGED.search(body or b""):
            return tagged[1].decode()
        if not str(headers.get("x-amz-target", "")).endswith(".DescribeRepositories"):
            return found
        *_, region, account = request
        listed = _LISTED_REPOSITORY.search(body or b"")
        return f"arn:aws:ecr:{region}:{account}:repository/{listed[1].decode() if listed else '*'}"

    actions.extract_resource_arn = resource


def _authorize_reads_of_rules_and_alarms() -> None:
    """With AUTH=true, ListTargetsByRule and DescribeAlarms are authorized on the resource `*`."""
    actions = _module("core.iam_actions")
    stock = actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, *request: Any) -> Any:
        *_, region, account = request
        if service == "events" and (named := _RULE.search(body or b"")):
            return f"arn:aws:events:{region}:{account}:rule/default/{named[1].decode()}"
        if service == "monitoring" and _ALARMS.search(body or b""):
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:*"
        return stock(service, method, path, headers, body, *request)

    actions.extract_resource_arn = resource


def _authorize_reads_of_a_mapping() -> None:
    """With AUTH=true, GetEventSourceMapping needs the permission to list all of them."""
    actions = _module("core.iam_actions")
    stock = actions.extract_iam_action

    def action(service: str, method: str, path: str, *request: Any, **more: Any) -> Any:
        one = service == "lambda" and method == "GET" and _MAPPING_PATH.search(path)
        return "lambda:GetEventSourceMapping" if one else stock(service, method, path, *request, **more)

    actions.extract_iam_action = action


def _keep_clusters_without_kubernetes() -> None:
    """Where Docker runs, every EKS cluster pulls and starts a Kubernetes. The tests need only EKS's own records."""
    _module("services.eks")._docker_available = False


def _treat_loopback_as_tls() -> None:
    """With AUTH=true, policies that require TLS deny the plain HTTP of the loopback interface."""
    app = _module("app")
    stock = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: stock(source_ip, secure_transport=True)


def _run_functions_on_their_own_python() -> None:
    """Functions can import everything installed with ministack. LAMBDA_PYTHON names an interpreter with less."""
    runtime = _module("core.lambda_runtime")
    stock = runtime._detect_runtime_binary

    def binary(name: str) -> tuple[str, str]:
        python, worker = stock(name)
        return (os.environ.get("LAMBDA_PYTHON") or python) if name.startswith("python") else python, worker

    runtime._detect_runtime_binary = binary


def _know_services_by_their_folders() -> None:
    """Of a service that ministack lacks, it reads all that botocore has of all services. The list of them is enough."""
    router = _module("core.router")
    stock = router._is_aws_service_name
    session = import_module("botocore.session").get_session()
    router._is_aws_service_name = lambda name: name in session.get_available_services() or stock(name)


def _reply(status: int, **body: Any) -> _Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _missing(message: str) -> _Reply:
    status, headers, body = _reply(404, __type="ResourceNotFoundException", message=message)
    return status, {**headers, "x-amzn-errortype": "ResourceNotFoundException"}, body


def _show_the_status_of_indexes() -> None:
    """DescribeTable has no IndexStatus for a table that CloudFormation made. AWS always has it."""
    dynamodb = _module("services.dynamodb")
    description = dynamodb._table_description

    def describe(name: str) -> Any:
        table = description(name)
        for index in table.get("GlobalSecondaryIndexes") or []:
            index.setdefault("IndexStatus", "ACTIVE")
        return table

    dynamodb._table_description = describe


def _update_tables_in_place() -> None:
    """CloudFormation replaces a global table without a name of its own, whatever of it is updated, by an empty one.

    AWS replaces it for another name, and for other keys (its schema of AWS::DynamoDB::GlobalTable:
    createOnlyProperties, conditionalCreateOnlyProperties).
    """
    handler = _module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::DynamoDB::GlobalTable"]
    stock = handler["update"]

    def update(name: str, before: Any, after: Any, stack: str) -> Any:
        kept = {} if "TableName" in before or "TableName" in after else {"TableName": name}
        return stock(name, {**before, **kept}, {**after, **kept}, stack)

    handler["update"] = update


def _subscribe_to_what_is_there() -> None:
    """CloudFormation makes the log group that a subscription filter names. In AWS the deployment fails without it."""
    handler = _module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Logs::SubscriptionFilter"]
    logs, stock = _module("services.cloudwatch_logs"), handler["create"]

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        if properties["LogGroupName"] not in logs._log_groups:
            raise ValueError("The specified log group does not exist.")
        return stock(logical_id, properties, stack)

    handler["create"] = create


def _list_pending_subscriptions() -> None:
    """ListSubscriptionsByTopic shows the ARN of a subscription that nobody has confirmed. AWS shows a word instead."""
    sns = _module("services.sns")
    stock = sns._list_subscriptions_by_topic

    def list_subscriptions(params: Any) -> Any:
        status, headers, body = stock(params)
        topic, _ = sns._get_topic(sns._p(params, "TopicArn"), "sns:ListSubscriptionsByTopic")
        for each in topic["subscriptions"] if topic else ():
            if not each["confirmed"]:
                shown = f"<SubscriptionArn>{each['arn']}</SubscriptionArn>".encode()
                body = body.replace(shown, b"<SubscriptionArn>PendingConfirmation</SubscriptionArn>")
        return status, headers, body

    sns._list_subscriptions_by_topic = list_subscriptions


def _take_saved_queries() -> None:
    """CloudFormation cannot make queries of CloudWatch Logs Insights. Here they are made, and nobody can run them."""
    handlers = _module("services.cloudformation.provisioners")._RESOURCE_HANDLERS

    def create(logical_id: str, _: Any, stack_name: str) -> tuple[str, dict[str, str]]:
        return f"{stack_name}-{logical_id}", {"QueryDefinitionId": f"{stack_name}-{logical_id}"}

    handlers.setdefault("AWS::Logs::QueryDefinition", {"create": create, "delete": lambda *_: None})


def _find_instances_by_their_names() -> None:
    """DescribeInstances ignores these filters, and shows instances of other names. In AWS each filter counts."""
    ec2 = _module("services.ec2")
    stock = ec2._matches_filters
    known = {"private-dns-name": "PrivateDnsName", "instance-id": "InstanceId"}

    def matches(instance: dict[str, Any], filters: dict[str, list[str]]) -> bool:
        named = all(instance.get(key) in filters[name] for name, key in known.items() if name in filters)
        return named and bool(stock(instance, filters))

    ec2._matches_filters = matches

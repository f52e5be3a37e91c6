"""Clients that ask the emulated AWS each thing once and then know the answer, and that refuse what they are told to."""
# ruff: noqa: ANN401 -- boto3's clients and answers, which have no types here

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import ClientError

from pull_responder.facts.aws import Aws, describe_failure
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.model.unread import Unread

OURS: Final = "123456789012"  # moto's account for keys that it did not hand out
OTHERS: Final = "999999999999"
REGION: Final = "us-east-1"
ASSUME: Final = "sts:AssumeRole"
# What one more world changes for all, as do listings of everything. What else is asked for has a name or an id in it.
_CHANGES: Final = (
    "eks:",
    "ec2:DescribeInstances",
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRepositoryCreationTemplates",
    "iam:ListPolicies",
    "organizations:",
)
_OF_PAGES: Final = frozenset({"PaginationConfig"})
# A client is not made in two threads at once, and moto answers one question at a time.
_LOCK: Final = threading.Lock()


@dataclass(slots=True)
class Emulated:
    """moto in this process, and what it has answered."""

    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _answers: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def client(self, service: str, account: str = OURS, region: str = REGION) -> Any:
        """A client with all rights in an account."""
        key = service, account, region
        if key not in self._clients:
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            if account != OURS:
                role = f"arn:aws:iam::{account}:role/any"
                given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="any")["Credentials"]
                keys = {
                    "aws_access_key_id": given["AccessKeyId"],
                    "aws_secret_access_key": given["SecretAccessKey"],
                    "aws_session_token": given["SessionToken"],
                }
            self._clients[key] = boto3.client(service, region_name=region, **keys)  # type: ignore[call-overload]  # the stubs know literals only
        return self._clients[key]

    def forget_changes(self) -> None:
        """Forget what one more world changes."""
        for key in list(self._answers):
            if key[0].startswith(_CHANGES) or json.loads(key[-1]).keys() <= _OF_PAGES:
                del self._answers[key]

    def ask(self, action: str, where: tuple[str, str], arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        key = action, *where, json.dumps(arguments, sort_keys=True)
        with _LOCK:
            if key not in self._answers:
                try:
                    self._answers[key] = call()
                except ClientError as error:
                    self._answers[key] = error
            answer = self._answers[key]
        if isinstance(answer, ClientError):
            # A new one: a traceback would hold on to all that was called.
            raise type(answer)(answer.response, answer.operation_name)
        return answer


class WorldAws(Aws):
    """AWS as a diagnosis sees it. The IAM actions in `unread` are refused with `code`."""

    def __init__(self, emulated: Emulated, unread: frozenset[str], code: str) -> None:
        super().__init__(
            boto3.session.Session(region_name=REGION),
            member_role="PullResponderReadOnly",
            identity=Arn("aws", "sts", "", OURS, "assumed-role/reader/test"),
        )
        self._emulated, self._unread, self._code = emulated, unread, code

    def reach(self, account: str | None, *, region: str) -> Unread | None:  # noqa: ARG002 -- as it is called
        if account in (None, OURS) or ASSUME not in self._unread:
            return None
        return describe_failure(f"{ASSUME} of the role in {account}", refusal(self._code, "AssumeRole"))

    def client(self, service: str, *, account: str | None, region: str, role: str | None = None) -> Any:
        assert role is None, "a diagnosis reads with the member role alone"
        with _LOCK:
            client = self._emulated.client(service, account or OURS, region)
        return _Client(self._emulated, client, (account or OURS, region), self._unread, self._code)


def refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)


@dataclass(slots=True)
class _Client:
    emulated: Emulated
    client: Any
    where: tuple[str, str]
    unread: frozenset[str]
    code: str

    @property
    def exceptions(self) -> Any:
        return self.client.exceptions

    @property
    def meta(self) -> Any:
        return self.client.meta

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda **arguments: self.answer(method, arguments, lambda: getattr(self.client, method)(**arguments))

    def get_paginator(self, method: str) -> _Paginator:
        return _Paginator(self, method)

    def answer(self, method: str, arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        operation = self.client.meta.method_to_api_mapping[method]
        action = f"{self.client.meta.service_model.service_name}:{operation}"
        if action in self.unread:
            raise refusal(self.code, operation)
        return self.emulated.ask(action, self.where, arguments, call)


@dataclass(slots=True)
class _Paginator:
    client: _Client
    method: str

    def paginate(self, **arguments: Any) -> Any:
        pages = self.client.client.get_paginator(self.method)
        return self.client.answer(self.method, arguments, lambda: list(pages.paginate(**arguments)))

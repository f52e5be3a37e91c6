"""Find the denied principal in the error message and in CloudTrail's userIdentity.

Source: CloudTrail User Guide, "CloudTrail userIdentity element", and IAM User Guide, "IAM identifiers".
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from pull_responder.events import fields, names
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind

# STS's RoleSessionName, and IAM's role and user names. Federated names may be as long as session names.
_NAME: Final = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_SERVICE: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}")

# Unique ids by their prefix (IAM User Guide, "IAM identifiers"). A role's id is followed by a colon and the session
# name.
_ROLE_ID: Final = re.compile(r"AROA[A-Z0-9]{10,124}")
_USER_ID: Final = re.compile(r"AIDA[A-Z0-9]{10,124}")

_KIND_OF_TYPE: Final = {
    "AssumedRole": PrincipalKind.ROLE,
    "Role": PrincipalKind.ROLE,
    "IAMUser": PrincipalKind.USER,
    "Root": PrincipalKind.ROOT,
    "FederatedUser": PrincipalKind.FEDERATED_USER,
}
# The versions of the instance metadata service (CloudTrail User Guide, "userIdentity element").
_ROLE_DELIVERIES = ("1.0", "2.0")
# An OIDC provider's resource is its URL without the scheme (IAM API Reference, CreateOpenIDConnectProvider).
_PROVIDER: Final = re.compile(r"oidc-provider/[A-Za-z0-9.:/_-]{1,255}")


def read_principal(denied: str, identity: object, *, partition: str) -> Principal | None:
    """Return the denied principal, or None if it is not known.

    - `denied`: the principal in the error message: an ARN, a service's name, or empty.
    - `identity`: the record's userIdentity.
    - `partition`: where the event happened, for identities without an ARN.

    The first of these that is known decides: the error message, the identity's ARN, the ARN of the role that issued its
    session, the identity's other fields.
    """
    issuer = _issuing_role(identity)
    for written in (denied, fields.text(identity, "arn")):
        arn = names.arn(written)
        principal = _from_arn(arn) if arn else _from_word(written, partition)
        if principal:
            return _with_issuer(principal, issuer, identity)
    if issuer and (principal := _from_arn(issuer)):
        session = _session_name(fields.text(identity, "principalId"))
        return _with_session(replace(principal, arn="", session_name=session), identity)
    return _without_arn(identity, partition)


def _from_arn(arn: Arn) -> Principal | None:
    """The principal that `arn` names. Its kind is unknown if `arn` has none of the forms of IAM and STS."""
    account = names.account(arn.account)
    kind_of_resource, _, rest = arn.resource.partition("/")
    named = {
        ("sts", "assumed-role"): PrincipalKind.ROLE,
        ("iam", "role"): PrincipalKind.ROLE,
        ("iam", "user"): PrincipalKind.USER,
        ("sts", "federated-user"): PrincipalKind.FEDERATED_USER,
    }
    if (arn.service, arn.resource) == ("iam", "root"):
        return Principal(PrincipalKind.ROOT, str(arn), arn.partition, account, None)
    kind = named.get((arn.service, kind_of_resource), PrincipalKind.UNKNOWN)
    if kind_of_resource == "assumed-role":
        name, _, session = rest.partition("/")
        return Principal(kind, str(arn), arn.partition, account, _name(name), session_name=_name(session))
    name = rest.rpartition("/")[2]
    role_arn = str(arn) if (kind, kind_of_resource) == (PrincipalKind.ROLE, "role") and _name(name) else None
    return Principal(kind, str(arn), arn.partition, account, _name(name), role_arn=role_arn)


def _from_word(written: str, partition: str) -> Principal | None:
    """A caller without an ARN: a service by its DNS name, or "anonymous"."""
    if written == "anonymous":
        return Principal(PrincipalKind.UNKNOWN, "", partition, None, written)
    return Principal(PrincipalKind.SERVICE, "", partition, None, written) if _SERVICE.fullmatch(written) else None


def _issuing_role(identity: object) -> Arn | None:
    arn = names.arn(fields.text(identity, "sessionContext", "sessionIssuer", "arn"))
    return arn if arn and arn.service == "iam" and arn.resource.startswith("role/") else None


def _with_session(principal: Principal, identity: object) -> Principal:
    """`principal` with the time when its session's credentials were issued, and how it got them."""
    version = fields.text(identity, "sessionContext", "ec2RoleDelivery")
    return replace(
        principal,
        web_identity=_web_identity(identity),
        role_delivery=version if version in _ROLE_DELIVERIES else None,
        issued_at=names.time(fields.text(identity, "sessionContext", "attributes", "creationDate")),
    )


def _web_identity(identity: object) -> str | None:
    """The OIDC provider of a session of AssumeRoleWithWebIdentity.

    Source: CloudTrail User Guide, "CloudTrail userIdentity element", webIdFederationData.
    """
    provider = names.arn(fields.text(identity, "sessionContext", "webIdFederationData", "federatedProvider"))
    if provider is None or provider.service != "iam" or not _PROVIDER.fullmatch(provider.resource):
        return None
    return str(provider)


def _with_issuer(principal: Principal, issuer: Arn | None, identity: object) -> Principal:
    """`principal` with the data of its session, if `issuer` is its own role and not that of another principal."""
    if issuer is None or principal.kind != PrincipalKind.ROLE or principal.role_arn:
        return principal
    same = (issuer.account, issuer.resource.rpartition("/")[2]) == (principal.account, principal.name)
    return _with_session(replace(principal, role_arn=str(issuer)), identity) if same else principal


def _without_arn(identity: object, partition: str) -> Principal | None:
    """The principal of an identity without ARN: a service, or a principal of another account."""
    identity_type = fields.text(identity, "type")
    if identity_type == "AWSService":
        return _from_word(fields.text(identity, "invokedBy"), partition)
    unique_id = fields.text(identity, "principalId")
    kind = _KIND_OF_TYPE.get(identity_type, PrincipalKind.UNKNOWN)
    if _ROLE_ID.match(unique_id):
        kind = PrincipalKind.ROLE
    elif _USER_ID.match(unique_id):
        kind = PrincipalKind.USER
    account = names.account(fields.text(identity, "accountId"))
    # A role session has its role's userName in sessionIssuer. So this userName is the principal's own.
    name = _name(fields.text(identity, "userName"))
    if not (account or name):
        return None
    return Principal(kind, "", partition, account, name, session_name=_session_name(unique_id))


def _session_name(unique_id: str) -> str | None:
    return _name(unique_id.partition(":")[2]) if _ROLE_ID.match(unique_id) else None


def _name(value: str) -> str | None:
    return value if _NAME.fullmatch(value) else None

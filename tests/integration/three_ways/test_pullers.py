"""Who pulls: pods with roles of their own, ECR itself for a cache, Pull Responder; and whom a policy keeps out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.checks.estate import ALLOW_ALL, MEMBER_ROLE, because_no, explicit_deny, grant, policy, refuse
from tests.integration.handlers.test_diagnose import ACCOUNT
from tests.integration.handlers.test_names import PULL
from tests.integration.handlers.test_signals import REGISTRY
from tests.integration.handlers.test_who_pulls import KUBELET, new_issuer, new_role, trust, web_identity
from tests.integration.three_ways.room import STRANGER, Room, image_of
from tests.integration.three_ways.row import RESOLVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.three_ways.ways import Ways

LACKS, TRUST = "role_lacks_pull_permissions", "role_trust_policy_excludes_service"
BLAMED = because_no("identity-based policy")
POD_IDENTITY = trust({"Service": "pods.eks.amazonaws.com"}, ["sts:AssumeRole", "sts:TagSession"])
ELSEWHERE = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"
CACHE, OF_CACHE = "pull_through_cache_failing", "pullthroughcache.ecr.amazonaws.com"
MEMBER = "700000000001"
FETCHED = ("ecr:GetAuthorizationToken", *PULL[1:], "ecr:BatchImportUpstreamImage", "ecr:GetImageCopyStatus")


def role_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def repository_arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:ecr:us-east-1:{account}:repository/{name}"


def let(aws: EmulatedAws, role: str, *actions: str) -> None:
    document = policy({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
    aws.client("iam").put_role_policy(RoleName=role, PolicyName="pull", PolicyDocument=json.dumps(document))


class TestPodsWithRolesOfTheirOwn:
    @pytest.fixture(scope="class")
    def issuer(self, aws: EmulatedAws) -> str:
        return new_issuer(aws)

    @pytest.mark.parametrize(
        ("trusted", "told_by", "may", "cause", "command"),
        [
            (web_identity, "record", False, LACKS, "put-role-policy"),
            (web_identity, "record with its token", False, LACKS, "put-role-policy"),
            (web_identity, "node", False, LACKS, "put-role-policy"),
            (lambda _: POD_IDENTITY, "record", False, LACKS, "put-role-policy"),
            (lambda _: web_identity(ELSEWHERE), "record with its token", True, TRUST, "update-assume-role-policy"),
            (lambda issuer: web_identity(issuer, audience="mine"), "record", True, TRUST, ""),
            (web_identity, "node, of a pod in another namespace", True, TRUST, ""),
            (web_identity, "node", True, "", ""),
        ],
        ids=[
            "lacks permissions", "lacks permissions, by its session", "lacks permissions, by the node's words",
            "EKS Pod Identity", "trusts another issuer", "trusts another audience", "trusts another subject", "sound",
        ],
    )  # fmt: skip
    def test_all_is_decided_about_their_role(  # noqa: PLR0913, PLR0917 -- one argument a column, and fixtures
        self,
        trusted: Callable[[str], str],
        told_by: str,
        may: bool,  # noqa: FBT001 -- a column
        cause: str,
        command: str,
        ways: Ways,
        room: Room,
        issuer: str,
    ) -> None:
        role = new_role(room.aws, trusted(issuer))
        if may:
            let(room.aws, role, *PULL)
        event = self.told(told_by, role, issuer, room)
        answer = ways.agree(event, found={(cause, role_arn(role))} if cause else ())
        if cause:
            assert [each.split()[2] for each in answer.fix(cause).commands] == ([command] if command else [])
        else:
            assert answer.undecided == {}

    def told(self, told_by: str, role: str, issuer: str, room: Room) -> dict[str, Any]:
        name = room.repository()
        record = room.refused(name, BLAMED, role=role, session=KUBELET)
        if told_by.startswith("record"):
            if told_by == "record with its token":
                provider = {"federatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}", "attributes": {}}
                record["detail"]["userIdentity"]["sessionContext"] = {
                    "sessionIssuer": {"type": "Role", "arn": role_arn(role), "accountId": ACCOUNT},
                    "webIdFederationData": provider,
                }
            return record
        image = image_of(name)
        said = f"{RESOLVE}unexpected status from GET request: 403 Forbidden: denied: {record['detail']['errorMessage']}"
        event = room.event(f'Failed to pull image "{image}": {said}'.replace("{image}", image), image)
        event["detail"]["involvedObject"]["namespace"] = "team-b" if "another" in told_by else "shop"
        return event


@dataclass(slots=True)
class Rules:
    """Cache rules of the registry, which are gone after a test: one for all names would be every other test's, too."""

    aws: EmulatedAws
    prefixes: list[str]

    def add(self, role: str, *, prefix: str = "", upstream_prefix: str = "ways", account: str = ACCOUNT) -> str:
        """A rule that fetches from the registry of an account with a role of ours. Its prefix."""
        prefix = prefix or f"base{uuid4().hex[:8]}"
        self.aws.client("ecr").create_pull_through_cache_rule(
            ecrRepositoryPrefix=prefix,
            upstreamRegistryUrl=REGISTRY.replace(ACCOUNT, account),
            customRoleArn=role_arn(role),
            upstreamRepositoryPrefix=upstream_prefix,
        )
        self.prefixes.append(prefix)
        return prefix


class TestRolesOfCacheRules:
    @pytest.fixture
    def rules(self, aws: EmulatedAws) -> Iterator[Rules]:
        made = Rules(aws, [])
        yield made
        for prefix in made.prefixes:
            aws.client("ecr").delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)

    def role(self, room: Room, *, service: str = OF_CACHE, may: bool = True) -> str:
        name = new_role(room.aws, trust({"Service": service}, "sts:AssumeRole"))
        if may:
            let(room.aws, name, *FETCHED)
        return name

    @pytest.mark.parametrize(
        ("service", "may", "prefix", "upstream_prefix", "command"),
        [
            (OF_CACHE, False, "", "ways", "put-role-policy"),
            (OF_CACHE, False, "", "ROOT", "put-role-policy"),
            (OF_CACHE, False, "ROOT", "ways", "put-role-policy"),
            ("codebuild.amazonaws.com", True, "", "ways", "update-assume-role-policy"),
        ],
        ids=["permissions", "permissions, upstream by ROOT", "permissions, cache by ROOT", "trust"],
    )
    def test_a_role_that_cannot_fetch_is_the_caches_fault(  # noqa: PLR0913, PLR0917 -- one argument a column
        self,
        service: str,
        may: bool,  # noqa: FBT001 -- a column
        prefix: str,
        upstream_prefix: str,
        command: str,
        ways: Ways,
        room: Room,
        rules: Rules,
        anew: Callable[[], None],
    ) -> None:
        role, upstream = self.role(room, service=service, may=may), room.repository()
        made = rules.add(role, prefix=prefix, upstream_prefix=upstream_prefix)
        rest = upstream if upstream_prefix == "ROOT" else upstream.removeprefix("ways/")
        cached = rest if made == "ROOT" else f"{made}/{rest}"
        # ECR's own refusal names the upstream repository, and a node's pull the cached one. Both are one finding.
        image = image_of(cached)
        on_the_node = (
            f'Failed to pull image "{image}": failed to pull and unpack image "{image}": failed to resolve reference '
            f'"{image}": name unknown: The repository does not exist'
        )
        for event in (
            room.refused(upstream, BLAMED, role=role, session="ecr-pull-through-cache"),
            room.event(on_the_node, image),
        ):
            anew()
            answer = ways.agree(event, found={(CACHE, repository_arn(cached))})
            # The node's role lacks the permissions of a first pull, too.
            last = answer.fix(CACHE).commands[-1].split()
            assert (last[2], last[last.index("--role-name") + 1]) == (command, role)

    @pytest.mark.parametrize("granted", [False, True])
    def test_the_upstream_repositorys_policy_is_read(
        self, ways: Ways, room: Room, rules: Rules, member: str, *, granted: bool
    ) -> None:
        """The upstream registry is that of another account, which Pull Responder may read."""
        name, ecr = f"ways/{uuid4().hex[:8]}", room.aws.client("ecr", account=member)
        ecr.create_repository(repositoryName=name)
        root = f"arn:aws:iam::{ACCOUNT if granted else STRANGER}:root"
        ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(policy(grant(root, *FETCHED[1:]))))
        role = self.role(room)
        prefix = rules.add(role, account=member)
        words = because_no("resource-based policy")
        event = room.refused(name, words, role=role, session="ecr-pull-through-cache", account=member)
        cached = repository_arn(name.replace("ways", prefix))
        answer = ways.agree(event, found=() if granted else {(CACHE, cached)})
        assert answer.undecided == {}
        if not granted:
            assert [each.split()[1:3] for each in answer.fix(CACHE).commands] == [["ecr", "set-repository-policy"]]

    def test_a_refused_tag_names_all_that_a_first_pull_lacks(self, ways: Ways, room: Room, rules: Rules) -> None:
        prefix = rules.add(self.role(room))
        # The upstream repository exists, the cached one does not.
        cached = room.repository().replace("ways", prefix)
        event = room.refused(cached, because_no("identity-based policy", "ecr:TagResource"), action="TagResource")
        answer = ways.agree(event, found={(CACHE, repository_arn(cached))})
        (command,) = answer.fix(CACHE).commands
        for action in ("ecr:TagResource", "ecr:CreateRepository", "ecr:BatchImportUpstreamImage"):
            assert action in command


@pytest.fixture
def member(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> str:
    """Another account of ours, with the role that it is read with."""
    account = f"7{uuid4().int % 10**11:011d}"
    monkeypatch.setenv("PULL_RESPONDER_READ_ACCOUNTS", json.dumps([account]))
    iam = aws.client("iam", account=account)
    iam.create_role(RoleName=MEMBER_ROLE, AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}, "sts:AssumeRole"))
    iam.put_role_policy(RoleName=MEMBER_ROLE, PolicyName="read", PolicyDocument=json.dumps(policy(ALLOW_ALL)))
    return account


class TestOurOwnRoles:
    def of_account(self, event: dict[str, Any], account: str) -> dict[str, Any]:
        """The refusal of a role of the same name in another account, as that account's CloudTrail records it."""
        text = json.dumps(event["detail"]).replace(f":sts::{ACCOUNT}:", f":sts::{account}:")
        detail = json.loads(text)
        detail["userIdentity"]["accountId"] = account
        return {**event, "detail": detail}

    def test_they_are_no_strangers(self, ways: Ways, room: Room, member: str, monkeypatch: pytest.MonkeyPatch) -> None:
        own = new_role(room.aws, trust({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole"))
        monkeypatch.setenv("PULL_RESPONDER_ROLE_ARNS", json.dumps([role_arn(own)]))
        assert ways.agree(room.refused(room.repository(), BLAMED, role=own, session="recheck")).undecided == {}
        in_member = room.refused(room.repository(), BLAMED, role=MEMBER_ROLE, session="pull-responder")
        assert ways.agree(self.of_account(in_member, member)).undecided == {}
        # A role of the same name in a stranger's account is not ours.
        for role, session in ((own, "recheck"), (MEMBER_ROLE, "pull-responder")):
            event = self.of_account(room.refused(room.repository(), BLAMED, role=role, session=session), STRANGER)
            stranger = f"arn:aws:sts::{STRANGER}:assumed-role/{role}/{session}"
            ways.agree(event, found={("unexpected_principal_denied", stranger)})


class TestPoliciesThatKeepAllOthersOut:
    """AWS's own pattern of isolation. The same Deny of everybody is a mistake, and gets a command."""

    TEAM = f"arn:aws:iam::{ACCOUNT}:role/team"
    REFUSED = explicit_deny("resource-based policy")

    def told(self, room: Room, name: str) -> dict[str, Any]:
        image = image_of(name)
        said = f"{RESOLVE}denied: {room.refused(name, self.REFUSED)['detail']['errorMessage']}"
        return room.event(f'Failed to pull image "{image}": {said}'.replace("{image}", image), image)

    @pytest.mark.parametrize(
        ("of", "operator"), [("repository", "ArnNotEquals"), ("registry", "StringNotEquals"), ("repository", "")]
    )
    def test_no_command_opens_them(  # noqa: PLR0913, PLR0917 -- two tables and fixtures
        self, of: str, operator: str, ways: Ways, room: Room, anew: Callable[[], None], request: pytest.FixtureRequest
    ) -> None:
        name, ecr = room.repository(), room.aws.client("ecr")
        condition = {"Condition": {operator: {"aws:PrincipalArn": self.TEAM}}} if operator else {}
        if of == "repository":
            denied = policy(refuse("*", "ecr:BatchGetImage", **condition))
            ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(denied))
        else:
            denied = policy(refuse("*", "ecr:BatchGetImage", Resource=repository_arn(name), **condition))
            ecr.put_registry_policy(policyText=json.dumps(denied))
            request.addfinalizer(ecr.delete_registry_policy)
        cause = f"{of}_policy_denies_pull"
        for event in (self.told(room, name), room.refused(name, self.REFUSED)):
            anew()
            answer = ways.agree(event, found={(cause, repository_arn(name))})
            assert len(answer.fix(cause).commands) == (0 if operator else 1)
            if operator:
                assert f"keeps out everybody but {self.TEAM}" in answer.fix(cause).summary
                assert f"ask the policy's owner, account {ACCOUNT}" in answer.fix(cause).summary

"""An estate of several VPCs and accounts as plain data that can be changed, without a word of the code under test.

`walking` sends packets through it, `modelled` writes it down as the facts that the code reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

REGION: Final = "eu-west-1"
SUFFIX: Final = f"{REGION}.amazonaws.com"
API: Final = f"api.ecr.{SUFFIX}"
DKR: Final = f"dkr.ecr.{SUFFIX}"
S3: Final = f"s3.{SUFFIX}"
REGISTRY: Final = f"111111111111.{DKR}"
BUCKET: Final = f"prod-{REGION}-starport-layer-bucket.{S3}"
HOSTS: Final = {"token": API, "manifest": REGISTRY, "layer": BUCKET}
SERVICES: Final = {"token": "ecr.api", "manifest": "ecr.dkr", "layer": "s3"}
S3_LIST: Final = ("52.218.0.0/17", "3.5.64.0/21")
# Some of the addresses that the names have in public.
PUBLIC: Final = {
    "token": ("54.154.10.10", "99.80.1.1", "18.200.0.7", "150.222.1.1"),
    "manifest": ("34.240.9.9", "108.128.1.1", "176.34.3.3"),
    "layer": ("52.218.1.1", "52.218.127.254", "3.5.70.1"),
}
ANYWHERE: Final = "0.0.0.0/0"


@dataclass
class Way:
    """A route: to a block or prefix list, over a target."""

    to: str
    via: str
    alive: bool = True


@dataclass
class Entry:
    """An entry of a network ACL. `ports` is None for all."""

    number: int
    allow: bool
    out: bool
    peer: str
    ports: tuple[int, int] | None = None
    protocol: str = "-1"


@dataclass
class Opening:
    """A rule of a security group."""

    peer: str
    ports: tuple[int, int] | None = (443, 443)
    protocol: str = "tcp"


@dataclass
class Group:
    out: list[Opening] = field(default_factory=list)
    into: list[Opening] = field(default_factory=list)


@dataclass
class Place:
    """A subnet. `zone` is the number of its Availability Zone, the same in all accounts."""

    id: str
    block: str
    zone: int
    table: str
    acl: str


@dataclass
class Endpoint:
    """An interface endpoint: `at` has the address in each subnet."""

    id: str
    service: str
    at: dict[str, str]
    groups: list[str]
    state: str = "available"


@dataclass
class Nat:
    id: str
    place: str
    state: str = "available"
    public: tuple[str, ...] = ("54.7.7.7",)


@dataclass
class Names:
    """A domain list of a firewall."""

    arn: str
    kind: str
    entries: list[str]
    home: list[str] = field(default_factory=list)


@dataclass
class Wall:
    """A firewall: `at` has the subnet of each of its endpoints. What no rule names is dropped if it is `strict`."""

    arn: str
    policy: str
    at: dict[str, str]
    lists: list[Names]
    home: list[str]
    strict: bool = False


@dataclass
class Question:
    """A rule of DNS Firewall."""

    group: str
    priority: int
    action: str
    names: list[str]
    type: str = ""


@dataclass
class Zone:
    """A private hosted zone of the spoke. A record leads to an endpoint, or to addresses."""

    name: str
    owner: str
    records: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"Z-{self.name.partition('.')[0]}"


@dataclass
class Site:
    """A VPC."""

    id: str
    account: str
    blocks: list[str]
    places: dict[str, Place] = field(default_factory=dict)
    tables: dict[str, list[Way]] = field(default_factory=dict)
    acls: dict[str, list[Entry]] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    nats: dict[str, Nat] = field(default_factory=dict)
    walls: list[Wall] = field(default_factory=list)
    gateway: str = ""
    attached: bool = True
    lists: dict[str, list[str]] = field(default_factory=dict)

    def table_of(self, place: str) -> list[Way]:
        return self.tables[self.places[place].table]

    def acl_of(self, place: str) -> list[Entry]:
        return self.acls[self.places[place].acl]


@dataclass
class Plug:
    """An attachment of the transit gateway. `table` is empty if it is associated with none."""

    id: str
    to: str
    owner: str
    places: list[str]
    table: str
    state: str = "available"
    kind: str = "vpc"
    appliance: bool = False


@dataclass
class Link:
    """A peering connection."""

    id: str
    sides: tuple[str, str]
    state: str = "active"


@dataclass
class Land:
    """The whole estate.

    `dialled` is the address that kubelet dialled for the registry, if its message has one. With `failed` it has none.
    """

    sites: dict[str, Site]
    node: str
    address: str
    groups: list[str]
    owner: str
    plugs: dict[str, Plug] = field(default_factory=dict)
    tables: dict[str, list[Way]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    zones: list[Zone] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    dns: bool = True
    dialled: str = ""
    failed: bool = False
    zone_ids: bool = True

    @property
    def spoke(self) -> Site:
        return self.sites["spoke"]

    @property
    def hub(self) -> Site:
        return self.sites["hub"]

    @property
    def out(self) -> Site:
        return self.sites["out"]

    @property
    def walls(self) -> list[Wall]:
        return [wall for site in self.sites.values() for wall in site.walls]

    def site(self, vpc: str) -> Site | None:
        return next((each for each in self.sites.values() if each.id == vpc), None)

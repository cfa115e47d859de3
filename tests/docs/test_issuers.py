"""The security guide's example of an identity provider is one that is accepted, and its tables name what there is."""

import json
import re

import pytest

from self_service_agent.request_manager.authentication.gateway import GatewaySettings
from self_service_agent.request_manager.authentication.issuers import Issuer
from self_service_agent.request_manager.keys.rules import Scope
from tests.docs.pages import GUIDES, blocks, rows, section

_GUIDE = GUIDES / "security.md"
_EXPORT = re.compile(r"^export (\w+)=(?:'([^']*)'|(\S+))", re.MULTILINE)


@pytest.fixture(scope="module")
def exported() -> dict[str, str]:
    """What the guide puts into the environment."""
    scripts = "".join(block.text for block in blocks(_GUIDE, "sh"))
    return {name: quoted or plain for name, quoted, plain in _EXPORT.findall(scripts)}


def _named(heading: str) -> set[str]:
    tables = rows(section(_GUIDE, heading))
    return {name for cells in tables for name in re.findall(r"`([^`]+)`", cells[0])}


def test_the_issuer_of_the_guide_is_accepted(exported):
    (issuer,) = (Issuer.model_validate(each) for each in json.loads(exported["JWT_ISSUERS"]))

    assert issuer.roles == {"helpdesk": "operator", "it-admins": "admin"}


def test_the_gateway_of_the_guide_is_accepted(exported):
    gateway = GatewaySettings(
        trusted_proxies=exported["TRUSTED_PROXIES"], gateway_roles=json.loads(exported["GATEWAY_ROLES"])
    )

    assert [str(network) for network in gateway.trusted_proxies] == ["10.1.2.3/32", "10.1.2.4/32"]


def test_the_guide_names_every_member_of_an_issuer():
    assert _named("Tokens of an identity provider") == set(Issuer.model_fields)


def test_the_guide_names_every_scope():
    assert _named("Roles and scopes") == set(Scope)

"""The gateway that a script talks to, as the environment names it, through Microsoft's SDK or bare HTTP."""

import os
import ssl
from pathlib import Path

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from msgraph_beta import GraphRequestAdapter, GraphServiceClient
from msgraph_core import GraphClientFactory

ADDRESS = os.environ["BOOMGATE_MANAGEMENT"]
CALLS = os.environ["BOOMGATE_CALLS"]
TOKENS = Path(os.environ["BOOMGATE_TOKENS"])
TOKEN = Path(os.environ["BOOMGATE_ADMIN_TOKEN_FILE"]).read_text().strip()
CA = ssl.create_default_context(cafile=os.environ["BOOMGATE_CA_FILE"])

AGENT = "a9a9a9a9-0000-4000-8000-000000000002"
OTHER_AGENT = "a9a9a9a9-0000-4000-8000-000000000012"
RESOURCE = "e5e5e5e5-0000-4000-8000-000000000005"


class AdminToken(AccessTokenProvider):
    """Gives the admin token to the gateway, and to nobody else."""

    def __init__(self):
        self.hosts = AllowedHostsValidator([httpx.URL(ADDRESS).host])

    async def get_authorization_token(self, uri, additional_authentication_context={}):
        assert self.hosts.is_url_host_valid(uri), uri
        return TOKEN

    def get_allowed_hosts_validator(self):
        return self.hosts


def sdk() -> GraphServiceClient:
    """The SDK with all of its own middleware; only the address, the CA and the token are ours."""
    client = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(verify=CA))
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(AdminToken()), client)
    adapter.base_url = f"{ADDRESS}/beta"
    return GraphServiceClient(request_adapter=adapter)


def http(**changes) -> httpx.AsyncClient:
    """A client that sends what a script says, as the administrator unless it says otherwise."""
    settings = {"base_url": ADDRESS, "verify": CA, "headers": {"Authorization": f"Bearer {TOKEN}"}}
    return httpx.AsyncClient(**settings | changes)


def token(name) -> str:
    """The token of a caller, or of a person with a role."""
    return (TOKENS / name).read_text()


async def call(caller, path) -> httpx.Response:
    """What a call through the gateway gets, on a connection of its own."""
    headers = {"Authorization": f"Bearer {token(caller)}"}
    async with httpx.AsyncClient(base_url=CALLS, verify=CA, headers=headers) as client:
        return await client.get(path)

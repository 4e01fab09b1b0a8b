"""Reads server-sent events through the gateway, with `httpx-sse`: `client.py PORT CA TOKEN VERSION`.

Prints a line for each event as it comes. `tests/it/events.rs` runs it.
"""

import ssl
import sys

import httpx
from httpx_sse import connect_sse


def main():
    port, ca, token, version = sys.argv[1:5]
    client = httpx.Client(
        verify=ssl.create_default_context(cafile=ca),
        http1=version == "1.1",
        http2=version == "2",
        timeout=60,
        trust_env=False,
    )
    headers = {"authorization": f"Bearer {token}"}
    with client, connect_sse(client, "GET", f"https://localhost:{port}/hr/events", headers=headers) as source:
        print("begun", source.response.http_version, flush=True)
        for event in source.iter_sse():
            print(event.event, event.id, event.data, flush=True)
    print("ended", flush=True)


main()

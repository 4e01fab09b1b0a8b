"""A client of WebSockets, with the library `websockets`.

    client.py PORT CA TOKEN SCENARIO

Says what it saw, a line each. `talk`: messages of all sizes both ways, pings, a subprotocol, a close of its own.
`leave`: the server closes. `hold`: a message, the word `held`, and then how it ends. `flood`: the same of a connection
on which much comes. `refused`: what an attempt is answered with. `tests/it/websocket.rs` runs it.
"""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PORT, CA, TOKEN, SCENARIO = sys.argv[1:]


def say(*words):
    print(*words, flush=True)


def socket(path):
    return connect(
        f"wss://localhost:{PORT}/hr/{path}",
        ssl=ssl.create_default_context(cafile=CA),
        additional_headers={"Authorization": f"Bearer {TOKEN}"},
        subprotocols=["chat"],
        max_size=2**25,
        open_timeout=60,
    )


async def talk():
    async with socket("echo") as one:
        say("protocol", one.subprotocol, one.response.headers["Boomgate-Decision-Id"] is not None)
        for size in [0, 1, 125, 126, 65_535, 65_536, 10_000_000]:
            message = bytes(number % 251 for number in range(251)) * (size // 251 + 1)
            message = message[:size]
            await one.send(message)
            say("bytes", size, await one.recv() == message)
        await one.send(["in ", "fragments, ", "to be sure"])
        say("text", await one.recv())
        pong = await one.ping()
        await pong
        say("pong")
        await one.close(4000, "done")
        say("closed", one.close_code, one.close_reason)


async def end(one):
    """Reads to the end, and says what it was."""
    try:
        while True:
            await one.recv()
    except ConnectionClosed as closed:
        say("closed", closed.rcvd.code if closed.rcvd else None, closed.rcvd.reason if closed.rcvd else None)


async def hold(path="echo"):
    async with socket(path) as one:
        await one.send("hello")
        await one.recv()
        say("held")
        await end(one)


async def leave():
    async with socket("leave") as one:
        await one.send("bye")
        await end(one)


async def refused():
    try:
        async with socket("echo"):
            say("open")
    except InvalidStatus as refusal:
        say("refused", refusal.response.status_code)


asyncio.run({"talk": talk, "hold": hold, "flood": lambda: hold("flood"), "leave": leave, "refused": refused}[SCENARIO]())

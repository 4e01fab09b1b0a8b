"""An upstream of WebSockets, with the library `websockets`.

    server.py PORT LOG

`/hr/echo` says all again, `/hr/flood` sends for as long as it may, `/hr/leave` closes with 4001. LOG gets a line for
each handshake and for each end. `tests/it/websocket.rs` runs it.
"""

import asyncio
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


def note(line):
    with open(sys.argv[2], "a", encoding="utf-8") as log:
        log.write(line + "\n")


async def handle(socket):
    request = socket.request
    note(f"open {request.path} {request.headers['Boomgate-Agent-Id']} {request.headers.get_all('Connection')}")
    try:
        if request.path == "/hr/leave":
            await socket.recv()
            await socket.close(4001, "enough")
        elif request.path == "/hr/flood":
            await socket.recv()
            while True:
                await socket.send(b"x" * 100_000)
        else:
            async for message in socket:
                await socket.send(message)
    except ConnectionClosed:
        pass
    await socket.wait_closed()
    note(f"end {request.path} {socket.close_code} {socket.close_reason}")


async def main():
    protocols = {"subprotocols": ["chat"], "max_size": 2**25}
    async with serve(handle, "127.0.0.1", int(sys.argv[1]), **protocols):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())

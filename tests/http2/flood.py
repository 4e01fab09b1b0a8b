"""Floods a listener with the HTTP/2 library `h2`, and says what became of the connection.

    flood.py PORT CA TOKEN

One line per flood: its name, and `closed` or `open`; last a call, and its status. `tests/it/http2_library.rs` runs it.
"""

import socket
import ssl
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, PingAckReceived, ResponseReceived
from hyperframe.frame import ContinuationFrame, HeadersFrame

PATIENCE = 60
ANONYMOUS = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/hr/people")]


class Peer:
    """One connection."""

    def __init__(self, port, ca):
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.http = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False))
        self.http.initiate_connection()
        self.send()

    def send(self):
        self.socket.sendall(self.http.data_to_send())

    def until(self, kind):
        """The first event of a kind; `None` when the connection ends before."""
        while True:
            data = self.socket.recv(65536)
            if not data:
                return None
            for event in self.http.receive_data(data):
                if isinstance(event, kind):
                    return event
                if isinstance(event, ConnectionTerminated):
                    return None
            self.send()


def rapid_reset(peer, number):
    stream = 2 * number + 1
    peer.http.send_headers(stream, ANONYMOUS, end_stream=True)
    peer.http.reset_stream(stream)


def pings(peer, number):
    peer.http.ping(number.to_bytes(8, "big"))


def settings(peer, number):
    peer.http.update_settings({4: 65535 + number % 2})


def windows(peer, _number):
    peer.http.increment_flow_control_window(1)


def priorities(peer, number):
    peer.http.prioritize(1, weight=1 + number % 256, depends_on=0)


def empty_data(peer, number):
    if number == 0:
        peer.http.send_headers(1, [(":method", "POST"), *ANONYMOUS[1:]])
    peer.http.send_data(1, b"")


def continuations(peer, number):
    """A header block without end: h2 would end it, so these frames are made by hand."""
    frame = HeadersFrame(1) if number == 0 else ContinuationFrame(1)
    # Literals without indexing: a name of one byte, a value of 100.
    frame.data = b"\x00\x01a\x64" + b"b" * 100
    peer.socket.sendall(frame.serialize())


def flood(port, ca, one):
    peer = Peer(port, ca)
    try:
        for number in range(20000):
            one(peer, number)
            if number % 50 == 0:
                peer.send()
        peer.http.ping(b"the last")
        peer.send()
        while (event := peer.until(PingAckReceived)) is not None:
            if event.ping_data == b"the last":
                return "open"
    except (BrokenPipeError, ConnectionError, ssl.SSLError):
        pass
    return "closed"


def call(port, ca, token):
    peer = Peer(port, ca)
    peer.http.send_headers(1, [*ANONYMOUS, ("authorization", f"Bearer {token}")], end_stream=True)
    peer.send()
    return dict(peer.until(ResponseReceived).headers)[b":status"].decode()


def main():
    port, ca, token = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    for one in (rapid_reset, pings, settings, windows, priorities, empty_data, continuations):
        print(one.__name__, flood(port, ca, one), flush=True)
    print("call", call(port, ca, token))


main()

"""A client of WebSockets over HTTP/2 (RFC 8441), with the libraries `h2` and `websockets`.

    http2.py PORT CA TOKEN SCENARIO

Says what it saw, a line each. `talk`: a text, a long message and a ping come back, then a close. `hold`: a text, the word
`held`, and then how it ends. `refused`: what attempts are answered with, of a good kind and of others.
`tests/it/websocket.rs` runs it.
"""

import socket
import ssl
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.settings import SettingCodes
from websockets.frames import Close, Frame, Opcode

PORT, CA, TOKEN, SCENARIO = sys.argv[1:]
PATIENCE = 60


def say(*words):
    print(*words, flush=True)


class Peer:
    """One connection, and what came on it by stream."""

    def __init__(self):
        context = ssl.create_default_context(cafile=CA)
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", int(PORT)), PATIENCE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.http = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False))
        self.http.initiate_connection()
        self.send()
        self.heads, self.bytes, self.ends = {}, {}, {}
        self.settings = None
        self.next = 1
        self.until(lambda: self.settings is not None)

    def send(self):
        self.socket.sendall(self.http.data_to_send())

    def until(self, holds):
        while not holds():
            data = self.socket.recv(65536)
            if not data:
                raise SystemExit("the connection ended")
            for event in self.http.receive_data(data):
                self.note(event)
            self.send()

    def note(self, event):
        if isinstance(event, RemoteSettingsChanged):
            self.settings = self.http.remote_settings
        elif isinstance(event, ResponseReceived):
            self.heads[event.stream_id] = dict(event.headers)
        elif isinstance(event, DataReceived):
            self.bytes[event.stream_id] = self.bytes.get(event.stream_id, b"") + event.data
            self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            self.ends.setdefault(event.stream_id, "ended")
        elif isinstance(event, StreamReset):
            self.ends[event.stream_id] = f"reset {int(event.error_code)}"
        elif isinstance(event, ConnectionTerminated):
            raise SystemExit("the connection was terminated")

    def ask(self, path="/hr/echo", protocol="websocket", **headers):
        """Asks for a WebSocket; gives its stream once it is answered."""
        stream, self.next = self.next, self.next + 2
        fields = [(":method", "CONNECT")]
        if protocol:
            fields += [(":protocol", protocol), (":scheme", "https"), (":path", path)]
        fields += [(":authority", "localhost"), ("authorization", f"Bearer {TOKEN}")]
        fields += [("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat")]
        fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.http.send_headers(stream, [field for field in fields if field[1] is not None])
        self.send()
        self.until(lambda: stream in self.heads or stream in self.ends)
        return stream

    def status(self, stream):
        head = self.heads.get(stream)
        return int(head[b":status"]) if head else self.ends[stream]

    def say(self, stream, opcode, payload):
        """Sends one frame, as the windows allow."""
        frame = Frame(opcode, payload).serialize(mask=True)
        while frame:
            self.until(lambda: self.http.local_flow_control_window(stream) > 0)
            room = min(self.http.local_flow_control_window(stream), self.http.max_outbound_frame_size)
            self.http.send_data(stream, frame[:room])
            self.send()
            frame = frame[room:]

    def frame(self, stream):
        """The next frame: opcode and payload; nothing when the stream ends before."""

        def take():
            data = self.bytes.get(stream, b"")
            if len(data) < 2:
                return None
            length, at = data[1] & 0x7F, 2
            if length >= 126:
                size = 2 if length == 126 else 8
                length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
            return None if len(data) < at + length else (data[0] & 0x0F, at, length)

        self.until(lambda: take() or stream in self.ends)
        found = take()
        if not found:
            return None
        opcode, at, length = found
        data = self.bytes[stream]
        self.bytes[stream] = data[at + length :]
        return Opcode(opcode), data[at : at + length]


def say_frame(frame):
    opcode, payload = frame
    if opcode is Opcode.CLOSE:
        close = Close.parse(payload)
        say("CLOSE", close.code, close.reason)
    else:
        say(opcode.name, payload.decode())


def talk():
    peer = Peer()
    say("setting", peer.settings[SettingCodes.ENABLE_CONNECT_PROTOCOL])
    stream = peer.ask()
    head = peer.heads[stream]
    say("open", peer.status(stream), head.get(b"sec-websocket-protocol"), head.get(b"sec-websocket-accept"))
    say("decision", b"boomgate-decision-id" in head, "upgrade", b"connection" in head or b"upgrade" in head)
    peer.say(stream, Opcode.TEXT, b"hello")
    say_frame(peer.frame(stream))
    long = b"0123456789" * 100_000
    peer.say(stream, Opcode.BINARY, long)
    opcode, payload = peer.frame(stream)
    say(opcode.name, payload == long)
    peer.say(stream, Opcode.PING, b"are you there")
    say_frame(peer.frame(stream))
    peer.say(stream, Opcode.CLOSE, Close(4000, "done").serialize())
    say_frame(peer.frame(stream))
    peer.until(lambda: stream in peer.ends)
    say(peer.ends[stream])


def hold():
    peer = Peer()
    stream = peer.ask()
    peer.say(stream, Opcode.TEXT, b"hello")
    peer.frame(stream)
    say("held")
    say_frame(peer.frame(stream))
    peer.until(lambda: stream in peer.ends)
    say(peer.ends[stream])


def refused():
    peer = Peer()
    for name, attempt in {
        "websocket": {},
        "other protocol": {"protocol": "webtransport"},
        "no protocol": {"protocol": None},
        "other version": {"sec_websocket_version": "12"},
        "other path": {"path": "/elsewhere"},
    }.items():
        say(name, peer.status(peer.ask(**attempt)))


{"talk": talk, "hold": hold, "refused": refused}[SCENARIO]()

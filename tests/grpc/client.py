"""Calls `server.py` through the gateway: `client.py PORT CA TOKEN`. Prints a line per call."""

import queue
import sys

import grpc

TIMEOUT = 60


def main():
    port, ca, token = sys.argv[1], sys.argv[2], sys.argv[3]
    with open(ca, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    metadata = (("authorization", f"Bearer {token}"),)
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        answer, call = channel.unary_unary("/hr/Unary").with_call(b"hello", TIMEOUT, metadata)
        initial, trailing = dict(call.initial_metadata()), dict(call.trailing_metadata())
        print("unary", answer.decode(), initial["x-agent"], trailing["x-checksum"], call.code().name)
        try:
            channel.unary_unary("/hr/Refused")(b"hello", TIMEOUT, metadata)
        except grpc.RpcError as error:
            print("refused", error.code().name, error.details())
        print("down", sum(1 for _ in channel.unary_stream("/hr/Down")(b"1000", TIMEOUT, metadata)))
        print("up", channel.stream_unary("/hr/Up")(iter([b"x" * 10_000] * 100), TIMEOUT, metadata).decode())
        # Each message is sent only after the answer to the one before it.
        messages = queue.SimpleQueue()
        answers = channel.stream_stream("/hr/Both")(iter(messages.get, None), TIMEOUT, metadata)
        for word in ("one", "two", "three"):
            messages.put(word.encode())
            print("both", next(answers).decode())
        messages.put(None)
        print("both", list(answers), answers.code().name)
        try:
            channel.unary_unary("/hr/Unary")(b"hello", TIMEOUT)
        except grpc.RpcError as error:
            print("anonymous", error.code().name)


main()

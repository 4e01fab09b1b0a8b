"""Calls `web_server.py` through the gateway, with the library `sonora`: `web_client.py PORT CA TOKEN`. A line per call."""

import sys

import grpc
import urllib3
from sonora.client import insecure_web_channel

TIMEOUT = 60


def same(message):
    return message


def main():
    port, ca, token = sys.argv[1], sys.argv[2], sys.argv[3]
    metadata = (("authorization", f"Bearer {token}"),)
    with insecure_web_channel(f"https://localhost:{port}") as channel:
        # The library's own pool would believe any certificate.
        channel._session = urllib3.PoolManager(ca_certs=ca)
        answer, call = channel.unary_unary("/hr/Unary", same, same).with_call(b"hello", TIMEOUT, metadata)
        print("unary", answer.decode(), dict(call.trailing_metadata()))
        try:
            channel.unary_unary("/hr/Refused", same, same)(b"hello", TIMEOUT, metadata)
        except grpc.RpcError as error:
            print("refused", error.code().name, error.details())
        print("down", sum(1 for _ in channel.unary_stream("/hr/Down", same, same)(b"1000", TIMEOUT, metadata)))


main()

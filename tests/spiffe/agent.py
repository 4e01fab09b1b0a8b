"""SPIFFE's Workload API: `agent.py SOCKET FILE`. What it says is in the file, and is said again whenever the file changes.

The file is JSON: `{"deny": true}`, or the fields of an `X509SVIDResponse` with base64 in place of bytes.
"""

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

def field(number, value):
    """A field of protobuf that has a length."""
    length, digits = len(value), bytearray()
    while length > 0x7F:
        digits.append(length & 0x7F | 0x80)
        length >>= 7
    digits.append(length)
    return bytes([number << 3 | 2]) + bytes(digits) + value


def response_of(said):
    """
    message X509SVIDResponse {
        repeated X509SVID svids = 1;
        repeated bytes crl = 2;
        map<string, bytes> federated_bundles = 3;
    }
    message X509SVID {
        string spiffe_id = 1;
        bytes x509_svid = 2;
        bytes x509_svid_key = 3;
        bytes bundle = 4;
        string hint = 5;
    }
    """
    response = b""
    for svid in said["svids"]:
        one = field(1, svid["spiffe_id"].encode())
        for number, name in enumerate(("x509_svid", "x509_svid_key", "bundle"), 2):
            one += field(number, base64.b64decode(svid[name]))
        response += field(1, one + field(5, svid["hint"].encode()))
    for revoked in said.get("crl", []):
        response += field(2, base64.b64decode(revoked))
    for domain, bundle in said.get("federated_bundles", {}).items():
        response += field(3, field(1, domain.encode()) + field(2, base64.b64decode(bundle)))
    return response


def fetch(request, context):
    metadata = dict(context.invocation_metadata())
    if metadata.get("workload.spiffe.io") != "true":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the security header is missing")
    if request != b"":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is not empty")
    last = None
    while context.is_active():
        with open(sys.argv[2], encoding="utf-8") as file:
            text = file.read()
        if text != last:
            said = json.loads(text)
            if said.get("deny"):
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "no identity issued")
            yield response_of(said)
            last = text
        time.sleep(0.02)


def main():
    server = grpc.server(ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", {
            "FetchX509SVID": grpc.unary_stream_rpc_method_handler(fetch),
        }),
    ))
    server.add_insecure_port(f"unix://{sys.argv[1]}")
    server.start()
    server.wait_for_termination()


main()

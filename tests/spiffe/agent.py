"""SPIFFE's Workload API: `agent.py SOCKET FILE`. What it says is in the file, and is said again whenever the file changes.

The file is JSON: `{"deny": true}`, or the fields of an `X509SVIDResponse` with base64 in place of bytes. The message is put
together by the protobuf library, from the standard's definition.
"""

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto


def response_class():
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
    file = descriptor_pb2.FileDescriptorProto(name="workload.proto", syntax="proto3")

    def message(parent, name, *fields):
        made = parent.add(name=name)
        for number, (field, kind, label, of) in enumerate(fields, 1):
            made.field.add(name=field, number=number, type=kind, label=label, type_name=of)
        return made

    one, many, no = FIELD.LABEL_OPTIONAL, FIELD.LABEL_REPEATED, None
    text, raw, inner = FIELD.TYPE_STRING, FIELD.TYPE_BYTES, FIELD.TYPE_MESSAGE
    message(file.message_type, "X509SVID", ("spiffe_id", text, one, no), ("x509_svid", raw, one, no),
            ("x509_svid_key", raw, one, no), ("bundle", raw, one, no), ("hint", text, one, no))
    response = message(file.message_type, "X509SVIDResponse", ("svids", inner, many, ".X509SVID"),
                       ("crl", raw, many, no),
                       ("federated_bundles", inner, many, ".X509SVIDResponse.FederatedBundlesEntry"))
    entry = message(response.nested_type, "FederatedBundlesEntry", ("key", text, one, no), ("value", raw, one, no))
    entry.options.map_entry = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("X509SVIDResponse"))


RESPONSE = response_class()


def response_of(said):
    response = RESPONSE()
    for svid in said["svids"]:
        added = response.svids.add(spiffe_id=svid["spiffe_id"], hint=svid.get("hint", ""))
        for field in ("x509_svid", "x509_svid_key", "bundle"):
            setattr(added, field, base64.b64decode(svid[field]))
    for domain, bundle in said.get("federated_bundles", {}).items():
        response.federated_bundles[domain] = base64.b64decode(bundle)
    return response.SerializeToString()


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

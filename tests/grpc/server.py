"""A gRPC server without TLS whose messages are bytes: `server.py PORT`. Calls of each kind, with status and trailers."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc


def unary(request, context):
    context.send_initial_metadata((("x-agent", dict(context.invocation_metadata()).get("boomgate-agent-id", "")),))
    context.set_trailing_metadata((("x-checksum", str(len(request))),))
    return request.upper()


def refused(_request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")


def down(request, _context):
    for number in range(int(request)):
        yield str(number).encode()


def up(requests, _context):
    return str(sum(len(request) for request in requests)).encode()


def both(requests, _context):
    """Answers each message before the next one comes."""
    for request in requests:
        yield request.upper()


def main():
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("hr", {
            "Unary": grpc.unary_unary_rpc_method_handler(unary),
            "Refused": grpc.unary_unary_rpc_method_handler(refused),
            "Down": grpc.unary_stream_rpc_method_handler(down),
            "Up": grpc.stream_unary_rpc_method_handler(up),
            "Both": grpc.stream_stream_rpc_method_handler(both),
        }),
    ))
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()


main()

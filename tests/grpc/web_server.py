"""A gRPC-Web server whose messages are bytes, with the library `sonora`: `web_server.py PORT`."""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import grpc
from sonora.wsgi import grpcWSGI


def unary(request, context):
    context.set_trailing_metadata((("x-checksum", str(len(request))),))
    return request.upper()


def refused(_request, context):
    context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
    context.set_details("not now")
    raise grpc.RpcError


def down(request, _context):
    for number in range(int(request)):
        yield str(number).encode()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments):
        pass


def same(message):
    return message


def main():
    application = grpcWSGI(None)
    application.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("hr", {
            "Unary": grpc.unary_unary_rpc_method_handler(unary, same, same),
            "Refused": grpc.unary_unary_rpc_method_handler(refused, same, same),
            "Down": grpc.unary_stream_rpc_method_handler(down, same, same),
        }),
    ))
    make_server("127.0.0.1", int(sys.argv[1]), application, handler_class=Quiet).serve_forever()


main()

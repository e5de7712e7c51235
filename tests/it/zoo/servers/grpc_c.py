"""A server on gRPC's C core.

argv[1] is JSON: cert, key, client_ca, require, health. Prints `port N`.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

ASKED = json.loads(sys.argv[1])


def octets(name):
    return Path(ASKED[name]).read_bytes() if ASKED.get(name) else None


def serving(request, context):
    return b"\x08\x01"


check = grpc.unary_unary_rpc_method_handler(serving)
server = grpc.server(ThreadPoolExecutor(2))
if ASKED.get("health", True):
    health = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})
    server.add_generic_rpc_handlers((health,))
credentials = grpc.ssl_server_credentials(
    [(octets("key"), octets("cert"))],
    root_certificates=octets("client_ca"),
    require_client_auth=ASKED.get("require", False),
)
print("port", server.add_secure_port("127.0.0.1:0", credentials), flush=True)
server.start()
server.wait_for_termination()

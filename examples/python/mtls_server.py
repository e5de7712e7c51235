"""A gRPC server on mutual TLS: only clients with a certificate of our CA may call it.

    grpc-pki init && grpc-pki issue
    python run_grpc.py mtls-server

Beside `server.py`, two things are new: the credentials demand a client certificate, and the
answer says whose it was.
"""

import argparse
import os
import signal
from concurrent import futures
from pathlib import Path

import grpc
import service_pb2
import service_pb2_grpc


class Greeter(service_pb2_grpc.GreeterServicer):
    """Answers with a greeting that names the client."""

    def Greet(self, request, context):
        return service_pb2.GreetReply(
            message=f"Hello, {request.name}! You are {client_name(context)}."
        )


def client_name(context: grpc.ServicerContext) -> str:
    """Who calls, by the client certificate: its alternative names, else its common name."""
    identity = context.auth_context()
    names = identity.get("x509_subject_alternative_name") or identity["x509_common_name"]
    return ", ".join(name.decode() for name in names)


def server_credentials(pki: Path, name: str) -> grpc.ServerCredentials:
    """The server's certificate and its private key, and the CA that clients must come from."""
    certificate = (pki / f"{name}.crt").read_bytes()
    private_key = (pki / f"{name}.key").read_bytes()
    ca_certificate = (pki / "ca.crt").read_bytes()
    return grpc.ssl_server_credentials(
        [(private_key, certificate)],
        root_certificates=ca_certificate,
        require_client_auth=True,
    )


def serve(credentials: grpc.ServerCredentials, port: int) -> None:
    """Serve on every interface until Ctrl-C or SIGTERM; port 0 takes a free one."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=6))
    service_pb2_grpc.add_GreeterServicer_to_server(Greeter(), server)
    port = server.add_secure_port(f"[::]:{port}", credentials)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as on Ctrl-C
    try:
        server.start()
        print(f"listening on port {port}", flush=True)
        server.wait_for_termination()
    except KeyboardInterrupt:
        server.stop(grace=5).wait()


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="a gRPC server on mutual TLS")
    parser.add_argument("--pki", type=Path, default=os.environ.get("GRPC_PKI_DIR", "pki"),
                        help="folder of the certificates (default: $GRPC_PKI_DIR, or pki)")
    parser.add_argument("--name", default="server",
                        help="which certificate to use: NAME.crt, NAME.key (default: server)")
    parser.add_argument("--port", type=int, default=50051, help="default: 50051; 0: any free port")
    options = parser.parse_args(arguments)
    serve(server_credentials(options.pki, options.name), options.port)


if __name__ == "__main__":
    main()

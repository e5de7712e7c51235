"""A gRPC client on TLS: it talks only to a server whose certificate the CA in pki/ca.crt issued.

    python run_grpc.py client
"""

import argparse
import os
import sys
from pathlib import Path

import grpc
import service_pb2
import service_pb2_grpc


def channel_credentials(pki: Path) -> grpc.ChannelCredentials:
    """The CA certificate, which is all a client needs to check the server."""
    ca_certificate = (pki / "ca.crt").read_bytes()
    return grpc.ssl_channel_credentials(root_certificates=ca_certificate)


def greet(credentials: grpc.ChannelCredentials, target: str) -> str:
    """Ask the server at `target` (HOST:PORT) for a greeting; its certificate must name HOST."""
    with grpc.secure_channel(target, credentials) as channel:
        stub = service_pb2_grpc.GreeterStub(channel)
        return stub.Greet(service_pb2.GreetRequest(name="world"), timeout=10).message


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, call the server and print its answer."""
    parser = argparse.ArgumentParser(description="a gRPC client on TLS")
    parser.add_argument("--pki", type=Path, default=os.environ.get("GRPC_PKI_DIR", "pki"),
                        help="folder of the certificates (default: $GRPC_PKI_DIR, or pki)")
    parser.add_argument("--host", default="localhost", help="default: localhost")
    parser.add_argument("--port", type=int, default=50051, help="default: 50051")
    options = parser.parse_args(arguments)
    try:
        print(greet(channel_credentials(options.pki), f"{options.host}:{options.port}"))
    except grpc.RpcError as error:
        sys.exit(f"error: {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()

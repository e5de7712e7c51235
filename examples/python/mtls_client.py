"""A gRPC client on mutual TLS: it checks the server, and shows its own certificate.

    python run_grpc.py mtls-client --name alice

Beside `client.py`, one thing is new: the credentials carry a certificate and a private key.
"""

import argparse
import os
import sys
from pathlib import Path

import grpc
import service_pb2
import service_pb2_grpc


def channel_credentials(pki: Path, name: str) -> grpc.ChannelCredentials:
    """The CA certificate to check the server with, and our own certificate and private key."""
    return grpc.ssl_channel_credentials(
        root_certificates=(pki / "ca.crt").read_bytes(),
        private_key=(pki / f"{name}.key").read_bytes(),
        certificate_chain=(pki / f"{name}.crt").read_bytes(),
    )


def greet(credentials: grpc.ChannelCredentials, target: str) -> str:
    """Ask the server at `target` (HOST:PORT) for a greeting; its certificate must name HOST."""
    with grpc.secure_channel(target, credentials) as channel:
        stub = service_pb2_grpc.GreeterStub(channel)
        return stub.Greet(service_pb2.GreetRequest(name="world"), timeout=10).message


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, call the server and print its answer."""
    parser = argparse.ArgumentParser(description="a gRPC client on mutual TLS")
    parser.add_argument("--pki", type=Path, default=os.environ.get("GRPC_PKI_DIR", "pki"),
                        help="folder of the certificates (default: $GRPC_PKI_DIR, or pki)")
    parser.add_argument("--name", default="client",
                        help="which certificate to show: NAME.crt, NAME.key (default: client)")
    parser.add_argument("--host", default="localhost", help="default: localhost")
    parser.add_argument("--port", type=int, default=50051, help="default: 50051")
    options = parser.parse_args(arguments)
    credentials = channel_credentials(options.pki, options.name)
    try:
        print(greet(credentials, f"{options.host}:{options.port}"))
    except grpc.RpcError as error:
        sys.exit(f"error: {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()

"""gRPC's C core calls each server of ../opinions.py, which may answer anything that is gRPC."""

import sys

import grpc

for line in sys.stdin:
    number, ca, port = line.rstrip("\n").split("\t")
    with open(ca, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        try:
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)
            print(number, "accepted", flush=True)
        except grpc.RpcError as error:
            print(number, "refused", error.code().name, error.details(), flush=True)

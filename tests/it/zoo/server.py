"""A server on Python's ssl module, with as much HTTP/2 as one health check takes.

argv[1] is JSON: mode, cert, key, client_ca, crl, verify, alpn, version, lowest, ciphers, options, reason,
debug; host and port, or unix. Prints `port N`, then a line for each connection.
"""

import itertools
import json
import select
import socket
import ssl
import struct
import sys
import threading
import time

SAYING = threading.Lock()


def say(*words):
    """One whole line, whichever thread speaks."""
    with SAYING:
        print(*words, flush=True)


ASKED = json.loads(sys.argv[1])
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def octets(conn, count):
    data = b""
    while len(data) < count:
        more = conn.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def grpc(conn):
    conn.sendall(SETTINGS)
    octets(conn, 24)
    while True:
        head = octets(conn, 9)
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        stream = int.from_bytes(head[5:], "big")
        payload = octets(conn, size)
        if kind == 4 and not flags & 1:
            conn.sendall(frame(4, 1, 0))
        elif kind == 6 and not flags & 1:
            conn.sendall(frame(6, 1, 0, payload))
        elif kind == 0 and flags & 1:
            answer = frame(1, 4, stream, b"\x88" + field(b"content-type", b"application/grpc"))
            answer += frame(0, 0, stream, b"\0\0\0\0\x02\x08\x01")
            conn.sendall(answer + frame(1, 5, stream, field(b"grpc-status", b"0")))


def hold(conn):
    while conn.recv(4096):
        pass


def http1(conn):
    conn.recv(4096)
    conn.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    # Closing with octets unread would reset the connection, and the answer with it.
    hold(conn)


def bare_end(conn):
    """As gRPC's C core refuses a client certificate: the connection ends, and nothing says why."""
    if conn.getpeercert(True):
        return grpc(conn)
    raw = socket.socket(fileno=conn.detach())
    raw.shutdown(socket.SHUT_RDWR)
    raw.close()


strangers = itertools.count()


def ends_once(conn):
    """Every other client without a certificate loses its connection by chance."""
    if conn.getpeercert(True) or next(strangers) % 2 == 1:
        return grpc(conn)
    return bare_end(conn)


def drip(conn):
    """Never silent, and never done: a TLS record octet by octet or, within TLS, one SETTINGS after the other."""
    secured = isinstance(conn, ssl.SSLSocket)
    conn.sendall(b"" if secured else b"\x16\x03\x03\x3f\xff\x02\0\x3f\xf0")
    while True:
        conn.sendall(SETTINGS if secured else b"\0")
        time.sleep(0.05)


def settings(conn):
    conn.sendall(SETTINGS)
    hold(conn)


def late(conn):
    conn.recv(4096)
    settings(conn)


def goaway(conn):
    """With a reason (RFC 9113, 7), by default that of too many pings."""
    conn.sendall(SETTINGS)
    octets(conn, 24)
    debug = ASKED.get("debug", "too_many_pings").encode()
    conn.sendall(frame(7, 0, 0, struct.pack(">II", 0, ASKED.get("reason", 11)) + debug))
    hold(conn)


def reset(conn):
    """The call ends with RST_STREAM."""
    conn.sendall(SETTINGS)
    octets(conn, 24)
    conn.sendall(frame(4, 1, 0))
    while True:
        head = octets(conn, 9)
        octets(conn, int.from_bytes(head[:3], "big"))
        if head[3] == 0 and head[4] & 1:
            stream = int.from_bytes(head[5:], "big")
            conn.sendall(frame(3, 0, stream, struct.pack(">I", ASKED.get("reason", 7))))


MODES = {
    "grpc": grpc,
    "hold": hold,
    "close": lambda conn: None,
    "http1": http1,
    "bare_end": bare_end,
    "ends_once": ends_once,
    "settings": settings,
    "late": late,
    "drip": drip,
    "goaway": goaway,
    "reset": reset,
}
VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ASKED.get("ciphers"):
        made.set_ciphers(ASKED["ciphers"])
    made.load_cert_chain(ASKED["cert"], ASKED["key"])
    if ASKED.get("client_ca"):
        made.load_verify_locations(ASKED["client_ca"])
    if ASKED.get("crl"):
        made.load_verify_locations(ASKED["crl"])
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    made.verify_mode = VERIFY[ASKED.get("verify", "none")]
    if ASKED.get("alpn", True):
        made.set_alpn_protocols(["h2"])
    if ASKED.get("version"):
        made.minimum_version = made.maximum_version = ssl.TLSVersion[ASKED["version"]]
    made.options |= ASKED.get("options", 0)
    if ASKED.get("lowest"):
        made.minimum_version = ssl.TLSVersion[ASKED["lowest"]]
    return made


def serve(conn):
    try:
        if "cert" not in ASKED:
            return MODES[ASKED["mode"]](conn)
        conn = TLS.wrap_socket(conn, server_side=True)
        shown = "yes" if conn.getpeercert(True) else "no"
        say(f"connection: client certificate {shown}")
        MODES[ASKED["mode"]](conn)
    except (OSError, EOFError) as error:
        say(f"connection: {type(error).__name__}")
    finally:
        conn.close()


def full():
    """Listens, takes nobody in, and has its queue full: Linux drops what else comes."""
    family = socket.AF_UNIX if "unix" in ASKED else socket.AF_INET
    listener = socket.socket(family)
    listener.bind(ASKED.get("unix") or ("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(3):
        client = socket.socket(family)
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    # The first one is in the queue; from now on nobody else gets in.
    select.select([], waiting[:1], [])
    say("port", 0 if "unix" in ASKED else listener.getsockname()[1])
    threading.Event().wait()


if ASKED["mode"] == "full":
    full()
TLS = None if "cert" not in ASKED else context()


def listen():
    if "unix" in ASKED:
        made = socket.socket(socket.AF_UNIX)
        made.bind(ASKED["unix"])
        made.listen()
        return made, 0
    host = ASKED.get("host", "127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, ASKED.get("port", 0)), family=family)
    return made, made.getsockname()[1]


listener, port = listen()
say("port", port)
while True:
    accepted, peer = listener.accept()
    say("accepted", peer[1] if peer else "")
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()

#!/usr/bin/env python3
"""What must hold of a pki folder at every instant, found out with OpenSSL and none of the project's code.

    check.py judge         one JSON request a line on stdin, one JSON answer a line on stdout
    check.py watch ROOT    follows every folder below ROOT; answers each line on stdin with what it has seen so far

A request to the judge has
    dir       the pki folder
    names     the certificates that may be there
    when      "at once"  after the command ended, however it did: what is half done is forgiven where a commit record stands
              "done"     after a command that said it was done: only what is left to tidy up is forgiven
              "after"    after the next command: nothing is forgiven
    ca        what `ca` was in an earlier answer, where the CA must be that one
    complete  whether all of `names` must be there
Its answer has
    problems      one sentence each, which begins with the rule
    record        whether a commit record stands
    certificates  name -> SHA-256 of the certificate
    ca            SHA-256 of both files of the CA
    lines         how many lines issued.jsonl has
    state         changes with any name, mode or content of the folder, apart from what is below .grpc-pki
"""

import ctypes
import hashlib
import json
import os
import re
import select
import ssl
import stat
import struct
import subprocess
import sys

WORK = ".grpc-pki"
RECORD = "commit.json"
LOCK = "lock"
LOG = "issued.jsonl"
KEY_MODE = 0o600
PUBLIC_MODE = 0o644
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


class Judge:
    """Judges folders. What depends on the contents of files alone is found out once for these contents."""

    def __init__(self):
        self.pairs = {}
        self.chains = {}
        self.decoded = {}

    def judge(self, request):
        folder = Folder(request["dir"])
        names = request["names"]
        when = request["when"]
        self.problems = []
        record = f"{WORK}/{RECORD}" in folder.files
        forgiven = when == "at once" and record
        self.kinds(folder)
        self.modes(folder)
        self.strays(folder, names, leftovers=when != "after")
        certificates = self.certificates(folder)
        self.whole_pairs(folder, names, forgiven, request.get("complete", False))
        self.paths(folder, certificates)
        self.authority(folder, request.get("ca"), forgiven)
        lines = self.log(folder, certificates, forgiven)
        return {
            "problems": self.problems,
            "record": record,
            "certificates": {name: digest for name, (digest, _) in certificates.items()},
            "ca": folder.authority(),
            "lines": lines,
            "state": folder.state(),
        }

    def object(self, rule, sentence):
        self.problems.append(f"{rule}: {sentence}")

    def kinds(self, folder):
        for path in folder.others:
            self.object("kind", f"{path} is neither a file nor a folder")

    def modes(self, folder):
        for path, (mode, content) in folder.files.items():
            if path.endswith(".key") and mode != KEY_MODE:
                self.object("key-mode", f"{path} has mode {mode:04o}")
            elif mode & ~KEY_MODE and PRIVATE_KEY.search(content):
                self.object("key-elsewhere", f"{path} has mode {mode:04o} and holds a private key")
            elif "/" not in path and not path.endswith(".key") and mode != PUBLIC_MODE:
                self.object("public-mode", f"{path} has mode {mode:04o}")

    def strays(self, folder, names, leftovers):
        usual = {LOG, ".gitignore", *(f"{name}{kind}" for name in ["ca", *names] for kind in (".crt", ".key"))}
        for path in [*folder.files, *folder.folders]:
            if path.startswith(f"{WORK}/"):
                if not leftovers and path != f"{WORK}/{LOCK}":
                    self.object("leftover", path)
            elif path not in usual and path != WORK:
                self.object("stray", path)

    def certificates(self, folder):
        """name -> (SHA-256 of the first certificate, its serial number)."""
        found = {}
        for path in folder.top(".crt"):
            content = folder.files[path][1]
            if content not in self.decoded:
                self.decoded[content] = decode(content)
            if self.decoded[content] is None:
                self.object("damaged", path)
            else:
                found[path.removesuffix(".crt")] = self.decoded[content]
        serials = {}
        for name, (_, serial) in found.items():
            if serial in serials:
                self.object("serial-twice", f"{serials[serial]}.crt and {name}.crt have {serial}")
            serials[serial] = name
        return found

    def whole_pairs(self, folder, names, forgiven, complete):
        there = {path[:-4] for kind in (".crt", ".key") for path in folder.top(kind)}
        if complete:
            for name in sorted(set(names) - there):
                self.object("missing", name)
        for name in sorted(there):
            certificate, key = (folder.files.get(f"{name}{kind}") for kind in (".crt", ".key"))
            if certificate is None or key is None:
                if not forgiven:
                    self.object("half", f"{name} has no {'certificate' if certificate is None else 'key'}")
                continue
            pair = (certificate[1], key[1])
            if pair not in self.pairs:
                self.pairs[pair] = is_pair(*(folder.path(f"{name}{kind}") for kind in (".crt", ".key")))
            if not self.pairs[pair] and not forgiven:
                self.object("mismatch", f"{name}.crt and {name}.key do not belong together")

    def paths(self, folder, certificates):
        anchor = folder.files.get("ca.crt")
        if anchor is None:
            for name in certificates:
                self.object("path", f"{name}.crt is there, and no ca.crt")
            return
        contents = {name: (folder.files[f"{name}.crt"][1], anchor[1]) for name in certificates}
        new = [name for name, both in contents.items() if both not in self.chains]
        for name, is_good in verify(folder, new).items():
            self.chains[contents[name]] = is_good
        for name, both in contents.items():
            if not self.chains[both]:
                self.object("path", f"OpenSSL does not accept {name}.crt under ca.crt")

    def authority(self, folder, expected, forgiven):
        there = folder.authority()
        if expected is not None:
            for path, digest in expected.items():
                if there.get(path) != digest:
                    self.object("ca-changed", path)
        elif len(there) == 1 and not forgiven:
            self.object("ca-half", f"there is only {next(iter(there))}")

    def log(self, folder, certificates, forgiven):
        text = folder.files.get(LOG, (0, b""))[1]
        *lines, last = text.split(b"\n")
        if last:
            lines.append(last)
            if not forgiven:
                self.object("log-torn", "the last line does not end")
        serials, digests = set(), set()
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                serial, digest = entry["serial"], entry["sha256"]
            except (ValueError, KeyError, TypeError):
                if not (forgiven and number == len(lines)):
                    self.object("log-damaged", f"line {number}")
                continue
            if serial in serials or digest in digests:
                self.object("log-twice", f"line {number} has {serial} again")
            serials.add(serial)
            digests.add(digest)
        for name, (digest, serial) in certificates.items():
            if not (digest in digests and serial in serials) and not forgiven:
                self.object("log-missing", f"{name}.crt with {serial} has no line")
        return len(lines)


class Folder:
    """A folder as it is now: every file with its mode and content, by its path from there."""

    def __init__(self, root):
        self.root = root
        self.files, self.folders, self.others = {}, [], []
        self.read("")

    def read(self, below):
        try:
            entries = sorted(os.scandir(self.path(below)), key=lambda it: it.name)
        except FileNotFoundError:
            return
        for entry in entries:
            path = below + entry.name
            if entry.is_dir(follow_symlinks=False):
                self.folders.append(path)
                self.read(path + "/")
            elif entry.is_file(follow_symlinks=False):
                mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
                with open(entry.path, "rb") as file:
                    self.files[path] = (mode, file.read())
            else:
                self.others.append(path)

    def path(self, below):
        return os.path.join(self.root, below)

    def top(self, kind):
        return [path for path in self.files if "/" not in path and path.endswith(kind)]

    def authority(self):
        return {
            path: hashlib.sha256(self.files[path][1]).hexdigest()
            for path in ("ca.crt", "ca.key")
            if path in self.files
        }

    def state(self):
        digest = hashlib.sha256()
        for path, (mode, content) in self.files.items():
            if not path.startswith(f"{WORK}/"):
                digest.update(f"{path}\0{mode}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()


def decode(content):
    """SHA-256 and serial number of the first certificate of a file; None where there is none."""
    try:
        block = CERTIFICATE.search(content.decode("ascii"))
        der = ssl.PEM_cert_to_DER_cert(block.group())
        # Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber INTEGER, …
        (_, certificate, _), = [element(der, 0)]
        _, tbs, _ = element(certificate, 0)
        tag, value, end = element(tbs, 0)
        if tag == 0xA0:
            tag, value, _ = element(tbs, end)
        if tag != 2:
            return None
        return hashlib.sha256(der).hexdigest(), f"{int.from_bytes(value, 'big'):0{2 * len(value)}x}"
    except (AttributeError, IndexError, ValueError):
        return None


def element(der, at):
    """Tag, value and end of the DER element at a place."""
    tag, length, at = der[at], der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, at = int.from_bytes(der[at : at + octets], "big"), at + octets
    return tag, der[at : at + length], at + length


def is_pair(certificate, key):
    """Whether OpenSSL loads them as the certificate and the key of one server."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError):
        return False
    return True


def verify(folder, names):
    """name -> whether `openssl verify` accepts it."""
    if not names:
        return {}
    files = [f"{name}.crt" for name in names]
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", *files]
    ran = subprocess.run(command, cwd=folder.root, capture_output=True, text=True, check=False)
    good = set(ran.stdout.splitlines())
    return {name: f"{name}.crt: OK" in good for name in names}


class Watcher:
    """Sees every file that appears below a folder, and the mode that it has when it does."""

    CREATE, MOVED_TO, ATTRIB, CLOSE_WRITE = 0x100, 0x80, 0x4, 0x8
    IS_DIR, OVERFLOW, IGNORED, ONLY_DIR = 0x40000000, 0x4000, 0x8000, 0x01000000

    def __init__(self, root):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.queue = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.queue < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.folders = {}
        self.keys, self.events, self.overflows = 0, 0, 0
        self.violations = []
        self.follow(root)

    def follow(self, folder):
        mask = self.CREATE | self.MOVED_TO | self.ATTRIB | self.CLOSE_WRITE | self.ONLY_DIR
        number = self.libc.inotify_add_watch(self.queue, os.fsencode(folder), mask)
        if number < 0:
            return  # It has gone again.
        self.folders[number] = folder
        # What was there before the watch began.
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                self.follow(entry.path)
            else:
                self.look(entry.path)

    def look(self, path):
        if not path.endswith(".key"):
            return
        self.keys += 1
        try:
            mode = stat.S_IMODE(os.lstat(path).st_mode)
        except OSError:
            return
        if mode & ~KEY_MODE:
            self.violations.append(f"{path} had mode {mode:04o}")

    def drain(self):
        while True:
            try:
                data = os.read(self.queue, 1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                number, mask, _, length = struct.unpack_from("iIII", data, at)
                name = os.fsdecode(data[at + 16 : at + 16 + length].rstrip(b"\0"))
                at += 16 + length
                self.event(number, mask, name)

    def event(self, number, mask, name):
        self.events += 1
        if mask & self.OVERFLOW:
            self.overflows += 1
        elif mask & self.IGNORED:
            self.folders.pop(number, None)
        elif number in self.folders and name:
            path = os.path.join(self.folders[number], name)
            if mask & self.IS_DIR:
                if mask & (self.CREATE | self.MOVED_TO):
                    self.follow(path)
                return
            if mask & self.ATTRIB and path.endswith(".key"):
                self.violations.append(f"{path} was given other rights after it was made")
            self.look(path)

    def run(self):
        while True:
            ready, _, _ = select.select([self.queue, sys.stdin], [], [])
            self.drain()
            if sys.stdin in ready:
                if not sys.stdin.readline():
                    return
                self.drain()
                answer({name: getattr(self, name) for name in ("keys", "events", "overflows", "violations")})


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    if sys.argv[1] == "watch":
        watcher = Watcher(sys.argv[2])
        answer({"watching": sys.argv[2]})
        watcher.run()
    else:
        judge = Judge()
        for line in sys.stdin:
            answer(judge.judge(json.loads(line)))


if __name__ == "__main__":
    main()

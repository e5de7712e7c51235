"""The PKIs all parts share, each a `certs.toml` and the files grpc-pki made from it.

- `home` is the one under test: every profile, and names of every kind.
- `foreign` is another CA, and `namesake` another CA with the same name as home's, which is what
  running `init` again in an emptied folder makes.
- `by_key` has one PKI per key type, where the CA and the end entities all have that type.
"""

from dataclasses import dataclass
from pathlib import Path

from harness import CheckFailed, Report, run

KEY_TYPES = ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"]

HOME = """
[ca]
dn = { CN = "my-ca" }

[dn]
C = "US"
O = "MyOrganization"
CN = "my-server"

[alt_names]
DNS.1 = "my-server"
DNS.2 = "localhost"

[certs.orders]
profile = "peer"

[certs.orders.alt_names]
DNS = ["orders", "localhost"]
IP = ["127.0.0.1", "::1"]
URI = ["spiffe://example.test/orders"]

# A client, known by its common name.
[certs.alice]
profile = "client"

# A client with the names a server would have: as a server it is wrong by its purpose only.
[certs.lure]
profile = "client"
alt_names = { DNS = ["localhost"] }

# A server of another name.
[certs.elsewhere]
profile = "server"
alt_names = { DNS = ["elsewhere.test"] }
"""

FOREIGN = """
[ca]
dn = { CN = "foreign-ca" }

[alt_names]
DNS = ["localhost"]

[certs.alice]
profile = "client"
"""

BY_KEY = """
[ca]
dn = {{ CN = "my-ca" }}
key = "{key}"

[defaults]
key = "{key}"

[dn]
CN = "my-server"

[alt_names]
DNS = ["localhost"]

[certs.alice]
profile = "client"
alt_names = {{ URI = ["spiffe://example.test/alice"] }}
"""

# What gRPC's C core needs of an Ed25519 CA: an end entity with another key.
MIXED = """
[ca]
dn = { CN = "my-ca" }
key = "ed25519"

[defaults]
key = "ecdsa-p256"

[dn]
CN = "my-server"

[alt_names]
DNS = ["localhost"]

[certs.alice]
profile = "client"
alt_names = { URI = ["spiffe://example.test/alice"] }
"""

# The CA key of 4096 bits is enough of those: their generation is most of a run's time.
SLOW = {"rsa-4096": 'key = "ecdsa-p256"\n'}


@dataclass
class Pkis:
    """The pki folders, and the binary that made them."""

    binary: Path
    home: Path
    foreign: Path
    namesake: Path
    mixed: Path
    by_key: dict[str, Path]

    @classmethod
    def issue(cls, binary: Path, folder: Path, report: Report) -> "Pkis | None":
        """Make them all; each is a check of its own. None when one of them could not be made."""

        def pki(name: str, config: str) -> Path:
            place = folder / name
            place.mkdir()
            (place / "certs.toml").write_text(config)

            def body() -> None:
                for command in ("init", "issue"):
                    done = run([binary, command, "--config", "certs.toml"], cwd=place)
                    if done.code != 0:
                        raise CheckFailed(f"grpc-pki {command}: {done.summary}")

            report.check(f"grpc-pki: init and issue [{name}]", body)
            return place / "pki"

        pkis = cls(
            binary=binary,
            home=pki("home", HOME),
            foreign=pki("foreign", FOREIGN),
            namesake=pki("namesake", HOME),
            mixed=pki("mixed", MIXED),
            by_key={
                key: pki(key, BY_KEY.format(key=key) + SLOW.get(key, "")) for key in KEY_TYPES
            },
        )
        return None if report.failed else pkis

//! Pages: the client certificate and its private key.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Node, Python, Server, Tonic};

pub(super) const CA_KEY_AS_CLIENT: Page = Page {
    meaning: "The private key that was given with --key is that of a CA: it belongs to a CA's certificate. Some \
              servers would even let it in. But whoever has a CA's key can make certificates in any name, so it must \
              not lie where a client runs; clients have keys of their own.",
    seen: &[
        (
            Tonic,
            "a server refuses the CA's certificate from a client: `CaUsedAsEndEntity`",
        ),
        (Go, "nothing: a server may take it as a client's"),
    ],
    fix: &[
        (
            GrpcPki,
            "an entry of its own: `[certs.client]` with `profile = \"client\"`, then `grpc-pki issue`",
        ),
        (GrpcPki, "and `grpc-pki verify TARGET --client client`"),
        (Client, "remove `ca.key` from machines that do not sign"),
    ],
};

pub(super) const CERT_EMPTY: Page = Page {
    meaning: "The file of the client certificate could be read, and has no certificate: it is empty, a private key, a \
              certificate request that no CA has signed yet, or another text.",
    seen: &[
        (Tonic, "an error when the endpoint is made"),
        (
            Go,
            "`tls: failed to find any PEM data in certificate input`",
        ),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`no start line`"),
    ],
    fix: &[
        (
            Client,
            "give the `.crt` file with --cert and the `.key` file with --key",
        ),
        (
            GrpcPki,
            "`--client NAME` finds both in the folder; `grpc-pki issue` makes them",
        ),
    ],
};

pub(super) const CHAIN_ORDER: Page = Page {
    meaning: "A file with a certificate and its chain begins with the certificate of the key, and each that follows \
              signed the one before. In this file a CA comes first, so that programs take that for the certificate \
              of the key, and find that the two do not match.",
    seen: &[
        (Tonic, "`keys may not be consistent: KeyMismatch`"),
        (Go, "`tls: private key does not match public key`"),
        (
            Python,
            "a server: `Failed to bind to address`, and no word of the certificate",
        ),
        (Node, "`key values mismatch`"),
    ],
    fix: &[
        (
            Client,
            "one after the other, the own one first: `cat client.crt intermediate.crt > chain.crt`",
        ),
        (Server, "the same holds for a server's certificate file"),
    ],
};

pub(super) const CLIENT_DAMAGED: Page = Page {
    meaning: "The file of the client certificate or of its private key is broken: a PEM block without its end, a \
              character that is not Base64, or octets that are no certificate or key.",
    seen: &[
        (Tonic, "an error when the endpoint is made"),
        (Go, "an error of `tls.LoadX509KeyPair`"),
        (Python, "`Failed to create security handshaker.`"),
    ],
    fix: &[
        (Client, "copy the file again, and not as text by hand"),
        (
            Client,
            "`openssl x509 -in client.crt -noout -text` and `openssl pkey -in client.key -check -noout`",
        ),
        (
            GrpcPki,
            "`grpc-pki issue` makes a damaged pair of the folder anew",
        ),
    ],
};

pub(super) const CLIENT_ENCODING: Page = Page {
    meaning: "The client certificate or its private key is there, but not as plain PEM text: it is DER, PKCS #7 or \
              PKCS #12, UTF-16, Base64 of a PEM text, or begins with a byte order mark that hides the first block. \
              gRPC libraries read PEM alone.",
    seen: &[
        (Tonic, "an error when the endpoint is made"),
        (
            Go,
            "`tls: failed to find any PEM data in certificate input`",
        ),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`no start line`"),
    ],
    fix: &[
        (
            Client,
            "from DER: `openssl x509 -inform DER -in c.cer -out c.crt`, `openssl pkey -inform DER -in k.der -out k.key`",
        ),
        (
            Client,
            "from PKCS #12: `openssl pkcs12 -in c.p12 -nokeys -out c.crt`, `openssl pkcs12 -in c.p12 -nocerts -nodes -out c.key`",
        ),
        (
            Client,
            r"a byte order mark: `sed -i '1s/^\xEF\xBB\xBF//' client.crt`",
        ),
    ],
};

pub(super) const IDENTITY_UNUSABLE: Page = Page {
    meaning: "The private key is whole, as far as that can be told, and of a kind that rustls does not sign with, such \
              as RSA of 1024 bits, DSA, or a curve that TLS 1.3 does not have.",
    seen: &[
        (
            Tonic,
            "`failed to parse private key as RSA, ECDSA, or EdDSA`",
        ),
        (
            Go,
            "takes RSA of 1024 bits; curves other than P-256, P-384 and P-521 it does not know",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "`key = \"ecdsa-p256\"` in certs.toml, then `grpc-pki issue`: every stack accepts it",
        ),
        (
            Client,
            "`openssl pkey -in client.key -noout -text` tells the kind",
        ),
    ],
};

pub(super) const KEY_EMPTY: Page = Page {
    meaning: "The file that was given with --key could be read, and has no private key: it is empty, a certificate, \
              only the public half of a key, or another text.",
    seen: &[
        (Tonic, "an error when the endpoint is made: no key found"),
        (Go, "`tls: failed to find any PEM data in key input`"),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`no start line`"),
    ],
    fix: &[
        (
            Client,
            "give the `.key` file that was made together with the certificate",
        ),
        (
            GrpcPki,
            "where it is lost, `grpc-pki issue` makes a new key and a new certificate",
        ),
    ],
};

pub(super) const KEY_ENCRYPTED: Page = Page {
    meaning: "The private key is under a passphrase, and gRPC programs load keys without asking for one. The label is \
              `ENCRYPTED PRIVATE KEY`, or a line below it says `Proc-Type: 4,ENCRYPTED`.",
    seen: &[
        (Tonic, "an error when the endpoint is made: no key found"),
        (Go, "`tls: failed to parse private key`"),
        (Node, "`bad decrypt`, or a passphrase is asked for"),
    ],
    fix: &[
        (
            Client,
            "`(umask 077 && openssl pkey -in client.key -out plain.key)`",
        ),
        (
            Client,
            "and protect the new file by its mode, 0600, on a disk that is encrypted itself",
        ),
    ],
};

pub(super) const KEY_MISMATCH: Page = Page {
    meaning: "The certificate and the private key were not made together: the public key in the one is not the public \
              half of the other. Often one of the two was renewed and the other one not copied.",
    seen: &[
        (Tonic, "`keys may not be consistent: KeyMismatch`"),
        (Go, "`tls: private key does not match public key`"),
        (Node, "`key values mismatch`"),
    ],
    fix: &[
        (
            Client,
            "compare `openssl x509 -in client.crt -noout -pubkey` with `openssl pkey -in client.key -pubout`",
        ),
        (Client, "copy both files together, from one place"),
        (GrpcPki, "`grpc-pki issue` makes a pair of the folder anew"),
    ],
};

pub(super) const KEY_READABLE: Page = Page {
    meaning: "The mode of the file lets others than its owner read the private key. Whoever does can show the \
              certificate as their own until it expires, and nobody notices.",
    seen: &[(
        All,
        "nothing: clients do not look at the mode of a key file",
    )],
    fix: &[
        (Client, "`chmod 600 client.key`"),
        (
            Client,
            "in Kubernetes, `defaultMode: 0400` on the volume of the Secret",
        ),
        (Server, "the same holds for a server's key"),
    ],
};

pub(super) const SWAPPED: Page = Page {
    meaning: "The file that was given with --cert is the private key, and the one with --key is the certificate. \
              Nothing is wrong with either.",
    seen: &[
        (Tonic, "an error when the endpoint is made: no key found"),
        (Go, "`PEM inputs may have been switched`"),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`no start line`"),
    ],
    fix: &[
        (Client, "`--cert client.crt --key client.key`"),
        (
            GrpcPki,
            "`--client client` finds both in the folder, and mixes nothing up",
        ),
        (
            Client,
            "in code: the order is certificate, key in Go and tonic, and key, certificate in Python and Node",
        ),
    ],
};

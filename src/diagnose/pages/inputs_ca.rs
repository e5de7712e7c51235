//! Pages: the file that says whom to trust.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Node, Python, Server, Tonic};

pub(super) const CA_BOM: Page = Page {
    meaning: "The file of trusted CAs begins with a byte order mark, which editors and PowerShell put before a text, \
              or is UTF-16 from end to end. The mark stands before the first `BEGIN`, so that PEM readers do not find \
              it, and the certificate behind it is not loaded.",
    seen: &[
        (
            Tonic,
            "loads it without a word, and then refuses every server: `UnknownIssuer`",
        ),
        (Go, "`AppendCertsFromPEM` returns false: no certificate"),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "steps over a byte order mark"),
    ],
    fix: &[
        (
            Client,
            r"take the mark off: `sed -i '1s/^\xEF\xBB\xBF//' ca.crt`",
        ),
        (
            Client,
            "from UTF-16: `iconv -f UTF-16 -t UTF-8 ca.crt > ca.pem`",
        ),
        (
            Client,
            "in PowerShell write certificates with `Set-Content -Encoding ascii`, not with `>`",
        ),
    ],
};

pub(super) const CA_DER: Page = Page {
    meaning: "The file of trusted CAs holds a certificate, but not as PEM text: it is DER, as Windows and Java export \
              `.cer` files, or a PKCS #7 or PKCS #12 bundle. gRPC libraries read PEM alone.",
    seen: &[
        (
            Tonic,
            "loads it without a word, and then refuses every server: `UnknownIssuer`",
        ),
        (Go, "`AppendCertsFromPEM` returns false: no certificate"),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`unable to verify the first certificate`"),
    ],
    fix: &[
        (
            Client,
            "from DER: `openssl x509 -inform DER -in ca.cer -out ca.pem`",
        ),
        (
            Client,
            "from PKCS #7: `openssl pkcs7 -inform DER -print_certs -in ca.p7b -out ca.pem`",
        ),
        (
            Client,
            "from PKCS #12: `openssl pkcs12 -in ca.p12 -cacerts -nokeys -out ca.pem`",
        ),
    ],
};

pub(super) const CA_EMPTY: Page = Page {
    meaning: "The file of trusted CAs could be read, and there is no certificate in it: it is empty, another text, \
              Base64 of a PEM text, or PEM whose lines were indented or joined on the way through YAML or an \
              environment variable. Whoever loads it trusts nobody.",
    seen: &[
        (
            Tonic,
            "loads it without a word, and then refuses every server: `UnknownIssuer`",
        ),
        (Go, "`AppendCertsFromPEM` returns false: no certificate"),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`unable to verify the first certificate`"),
    ],
    fix: &[
        (
            GrpcPki,
            "the file to give clients is `ca.crt` of the folder; `grpc-pki init` makes it",
        ),
        (
            Client,
            "out of a Kubernetes Secret: `base64 -d`, or mount the Secret as a file",
        ),
        (
            Client,
            "for the CAs of the system: `--ca /etc/ssl/certs/ca-certificates.crt`",
        ),
    ],
};

pub(super) const CA_IS_KEY: Page = Page {
    meaning: "What was given as the CA is a private key. It is the one file that clients must never have: they need \
              the certificate that belongs to it, and whoever reads the key of a CA can make certificates in any name.",
    seen: &[
        (
            Tonic,
            "loads it without a word, and then refuses every server: `UnknownIssuer`",
        ),
        (Go, "`AppendCertsFromPEM` returns false: no certificate"),
        (Python, "`Failed to create security handshaker.`"),
        (Node, "`unable to verify the first certificate`"),
    ],
    fix: &[
        (Client, "`--ca pki/ca.crt`, not `pki/ca.key`"),
        (
            GrpcPki,
            "where the key was handed out, begin anew: another folder with `--pki`, then `grpc-pki init`",
        ),
    ],
};

pub(super) const CA_IS_LEAF: Page = Page {
    meaning: "The file of trusted CAs holds the certificate of a server or a client, which somebody else signed. \
              Trust begins with the one who signs: clients look for the issuer of what a server presents, and this \
              file has no issuer. A certificate that signed itself is its own issuer, and would do.",
    seen: &[
        (Tonic, "`UnknownIssuer`"),
        (
            Go,
            "gets in as long as the server presents this very certificate, and no longer",
        ),
        (Node, "`unable to get local issuer certificate`"),
    ],
    fix: &[
        (
            Client,
            "trust the CA: `--ca pki/ca.crt`, or what came with the certificate as `ca.crt` or `chain.pem`",
        ),
        (
            Client,
            "`openssl x509 -in FILE -noout -subject -issuer` tells whose certificate is needed",
        ),
    ],
};

pub(super) const CA_PARTLY: Page = Page {
    meaning: "One of the certificates in the file of trusted CAs is whole as PEM, and its content is no certificate \
              that can be read. The others are loaded, so servers under them are trusted; those under this CA are not.",
    seen: &[
        (Tonic, "passes over it without a word"),
        (Go, "passes over it without a word"),
    ],
    fix: &[
        (Client, "take the block out, or fetch that CA again"),
        (
            Client,
            "in Debian the bundle is written anew by `update-ca-certificates --fresh`",
        ),
    ],
};

pub(super) const CA_UNREADABLE: Page = Page {
    meaning: "The file of trusted CAs is PEM and broken: a block without its end, a character that is not Base64, or a \
              content that is no certificate. Often a text was copied by hand, or a download broke off.",
    seen: &[
        (
            Tonic,
            "an error of the endpoint, or it trusts nobody: `UnknownIssuer`",
        ),
        (Go, "passes over the block, and trusts what is left"),
        (Python, "`Failed to create security handshaker.`"),
    ],
    fix: &[
        (Client, "fetch the file again, and compare its size"),
        (
            Client,
            "`openssl x509 -in ca.crt -noout -subject` shows whether its first certificate is whole",
        ),
        (
            GrpcPki,
            "where it is `ca.crt` of the folder, restore it from a backup: a CA is never replaced",
        ),
    ],
};

pub(super) const CA_WITH_KEY: Page = Page {
    meaning: "Beside the certificates, the file of trusted CAs has a private key. It works, as clients read only the \
              certificates; but the file goes to all of them, and the key with it. Whoever has a CA's key can make \
              certificates in any name.",
    seen: &[(
        All,
        "nothing: the certificates are loaded, and the key is passed over",
    )],
    fix: &[
        (
            Client,
            "keep the certificates alone: `awk '/BEGIN CERT/,/END CERT/' both.pem > ca.pem`",
        ),
        (
            Server,
            "where the file left the CA's machine, make a new CA and issue everything under it",
        ),
    ],
};

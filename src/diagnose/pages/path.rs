//! Pages: who issued the certificate, and what it is for.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Haproxy, Java, Nginx, Node, Python, Server, Tonic};

pub(super) const UNKNOWN_ISSUER: Page = Page {
    meaning: "Nothing leads from the server's certificate to a CA that the client trusts. Either another CA issued \
              it, or the server does not send the intermediate certificate between the two: no client tells \
              these two apart.",
    seen: &[
        (
            Tonic,
            "`UnknownIssuer`; also where the CA file has no certificate in it",
        ),
        (Go, "`signed by unknown authority`"),
        (Python, "`unable to get local issuer certificate`"),
        (Node, "`unable to verify the first certificate`"),
        (Java, "`PKIX path building failed`"),
    ],
    fix: &[
        (
            Client,
            "load the CA that issued it: `grpc-pki verify TARGET --ca FILE` tries it",
        ),
        (
            Server,
            "send the chain, its own first: `cat server.crt between.crt > chain.crt`",
        ),
        (Nginx, "`ssl_certificate chain.crt;`"),
        (
            Haproxy,
            "`bind … ssl crt FILE`, the file with key and chain",
        ),
        (
            GrpcPki,
            "or use your own CA: `grpc-pki issue`, and restart the server",
        ),
    ],
};

pub(super) const CA_RECREATED: Page = Page {
    meaning: "The CA that the client trusts and the CA that issued the certificate have the same name and different \
              keys. As a rule the CA was made again after the certificate was issued, and one side still has the \
              files of before.",
    seen: &[
        (
            Tonic,
            "`BadSignature`, or `UnsupportedSignatureAlgorithmForPublicKey` where the kind of key changed",
        ),
        (
            Go,
            "`possibly because of \"x509: ECDSA verification failure\"`",
        ),
        (Java, "`Path does not chain`"),
    ],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki issue` finds every certificate of the old key and makes it anew",
        ),
        (Server, "then restart it, so that it loads the new files"),
        (
            Client,
            "or, where the server has the right one, copy its CA's ca.crt here",
        ),
        (
            Server,
            "keep a CA: `grpc-pki init` never replaces one that is there",
        ),
    ],
};

pub(super) const SELF_SIGNED: Page = Page {
    meaning: "The certificate was signed with its own key, not by a CA, and the client does not trust that very \
              certificate. It proves nothing about who the server is.",
    seen: &[
        (
            Tonic,
            "`UnknownIssuer`, or `CaUsedAsEndEntity` where it is marked CA: TRUE",
        ),
        (Go, "`signed by unknown authority`"),
        (Python, "`self signed certificate`"),
        (Node, "`self-signed certificate`"),
        (Java, "`PKIX path building failed`"),
    ],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki init && grpc-pki issue`, then server.crt for it and ca.crt for clients",
        ),
        (
            Client,
            "trusting it as it is (`--ca FILE`) works for rustls only where it is not marked CA: TRUE",
        ),
        (
            Server,
            "`openssl req -x509` marks it CA: TRUE unless told otherwise",
        ),
    ],
};

pub(super) const CA_AS_SERVER: Page = Page {
    meaning: "The server presents a certificate that is marked CA: TRUE, which may sign others. Its key lies on the \
              server, and whoever takes it can be anyone. rustls refuses that, so what works in Go or Python fails \
              in Rust.",
    seen: &[
        (Tonic, "`CaUsedAsEndEntity`"),
        (Go, "accepts it, where it is trusted"),
        (Python, "accepts it, where it is trusted"),
        (Node, "accepts it, where it is trusted"),
        (Java, "accepts it, where it is trusted"),
    ],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki init && grpc-pki issue`: a CA, and a certificate of its own for the server",
        ),
        (
            Server,
            "load server.crt and server.key, and keep ca.key off the server",
        ),
        (Client, "trust ca.crt, the CA's certificate"),
    ],
};

pub(super) const PURPOSE: Page = Page {
    meaning: "The certificate has an extendedKeyUsage without serverAuth, so that it is no server's. Most often a \
              client's file was given to a server. `anyExtendedKeyUsage` alone is not enough either.",
    seen: &[
        (
            Tonic,
            "`certificate does not allow extended key usage for` …",
        ),
        (Go, "`incompatible key usage`; accepts anyExtendedKeyUsage"),
        (Python, "`unsupported certificate purpose`"),
        (Node, "refuses it, anyExtendedKeyUsage too"),
        (
            Java,
            "refuses a client's certificate, accepts anyExtendedKeyUsage",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "`profile = \"server\"`, or `\"peer\"` for what also dials others; `grpc-pki issue`",
        ),
        (
            Server,
            "look whether it loads client.crt in place of server.crt",
        ),
        (Server, "with OpenSSL: `extendedKeyUsage = serverAuth`"),
    ],
};

pub(super) const ISSUER_PURPOSE: Page = Page {
    meaning: "A CA between the server's certificate and the trusted one has an extendedKeyUsage without serverAuth. \
              It binds everything below it: this CA may not issue for servers, whatever the server's own \
              certificate says.",
    seen: &[
        (
            Tonic,
            "the same text as for a certificate that is not for servers",
        ),
        (Go, "`incompatible key usage`, without naming the CA"),
        (Python, "`unsupported certificate purpose`, likewise"),
        (Node, "refuses it"),
    ],
    fix: &[
        (
            Server,
            "have the CA made again with serverAuth, or without extendedKeyUsage",
        ),
        (
            Server,
            "or take a certificate of another CA, and send its chain",
        ),
        (
            GrpcPki,
            "a CA made by `grpc-pki init` has no extendedKeyUsage",
        ),
    ],
};

pub(super) const ISSUER_NOT_CA: Page = Page {
    meaning: "A certificate in the chain signed the one below it without being a CA: its basicConstraints do not \
              say CA, or its keyUsage lacks keyCertSign. Otherwise every holder of a certificate could make more.",
    seen: &[
        (Tonic, "`EndEntityUsedAsCa`"),
        (Node, "`key usage does not include certificate signing`"),
    ],
    fix: &[
        (
            Server,
            "have the issuer made again as a CA, then the certificates below it",
        ),
        (
            Server,
            "with OpenSSL: `basicConstraints = critical,CA:TRUE` and `keyUsage = critical,keyCertSign,cRLSign`",
        ),
        (
            GrpcPki,
            "or issue from a CA of your own: `grpc-pki init && grpc-pki issue`",
        ),
    ],
};

pub(super) const LENGTH: Page = Page {
    meaning: "A CA of the chain says in its basicConstraints how many CAs may stand below it (pathlen), and there \
              are more. A CA with pathlen 0 issues for servers and clients, not for further CAs.",
    seen: &[
        (Tonic, "`PathLenConstraintViolated`"),
        (
            All,
            "refused: the limit is part of every certification path",
        ),
    ],
    fix: &[
        (
            Server,
            "take a certificate of a CA higher up, so that the chain gets shorter",
        ),
        (
            Server,
            "or have the upper CA made again with a larger pathlen",
        ),
        (
            GrpcPki,
            "issues straight from its CA: `grpc-pki init && grpc-pki issue`",
        ),
    ],
};

pub(super) const NAME_CONSTRAINTS: Page = Page {
    meaning: "A CA of the chain is limited to certain names, and the certificate has one beyond them. All of it is \
              refused then, also under its other names.",
    seen: &[
        (Tonic, "`NameConstraintViolation`, without the name"),
        (Go, "names the name and the constraint"),
        (Python, "`permitted subtree violation`"),
    ],
    fix: &[
        (
            Server,
            "have the certificate issued without the name that is not allowed",
        ),
        (GrpcPki, "take it out of `alt_names`, then `grpc-pki issue`"),
        (
            GrpcPki,
            "or make a CA whose `permitted` has it: `grpc-pki init --pki NEW`, `grpc-pki issue --pki NEW`",
        ),
    ],
};

pub(super) const CRITICAL_EXTENSION: Page = Page {
    meaning: "A certificate of the chain has an extension that is marked critical, and clients do not know it. \
              Critical means: refuse the certificate unless you understand this.",
    seen: &[
        (Tonic, "`UnsupportedCriticalExtension`"),
        (
            All,
            "refused, unless the client happens to know the extension",
        ),
    ],
    fix: &[
        (
            Server,
            "have the certificate issued without the extension, or without `critical`",
        ),
        (
            GrpcPki,
            "its certificates have no extension of this kind: `grpc-pki issue`",
        ),
    ],
};

pub(super) const WEAK: Page = Page {
    meaning: "A certificate of the chain has an RSA key below 2048 bits, or was signed with SHA-1 or MD5. Such keys \
              and signatures can be forged with enough effort, and clients differ in what they still take.",
    seen: &[
        (
            Tonic,
            "RSA-1024: `BadSignature`, which misleads; SHA-1: refused",
        ),
        (Go, "SHA-1: refused; RSA-1024: accepted"),
        (Python, "accepts both"),
        (Node, "SHA-1: refused; RSA-1024: accepted"),
    ],
    fix: &[
        (
            GrpcPki,
            "`key = \"ecdsa-p256\"` in certs.toml, then `grpc-pki issue`",
        ),
        (
            Server,
            "with OpenSSL: `-sha256`, and `genrsa 3072` or `ecparam -name prime256v1`",
        ),
        (
            Server,
            "where a CA is the weak one, make it anew with all that is below it",
        ),
    ],
};

pub(super) const REFUSED: Page = Page {
    meaning: "Issuer, names, dates, purpose and strength look right, and rustls still does not accept the \
              certificate: it breaks a rule that this program does not name yet, as constraints on directory or \
              URI names do, which rustls does not support.",
    seen: &[
        (
            Tonic,
            "`invalid peer certificate`, with a word of rustls behind it",
        ),
        (Go, "may accept it, as may Python, Node and Java"),
    ],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki verify TARGET -v` shows the word of rustls as `raw`",
        ),
        (
            Server,
            "`openssl x509 -in server.crt -noout -text`: what is unusual there?",
        ),
        (GrpcPki, "a certificate that all accept: `grpc-pki issue`"),
    ],
};

pub(super) const UNREADABLE: Page = Page {
    meaning: "What the server presents is not an intact X.509 certificate: a damaged file, or one of a tool that \
              does not keep to the encoding. Nothing in it can be judged.",
    seen: &[
        (Tonic, "`invalid peer certificate: BadEncoding`"),
        (All, "an error about parsing or decoding the certificate"),
    ],
    fix: &[
        (
            Server,
            "`openssl x509 -in server.crt -noout -text`: does OpenSSL read it?",
        ),
        (
            GrpcPki,
            "make it anew: `grpc-pki issue NAME --force`, and restart the server",
        ),
    ],
};

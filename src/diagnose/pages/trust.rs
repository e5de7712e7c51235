//! Pages: revocation lists, and SPIFFE ids.

use super::Page;
use super::Who::{All, Client, Go, GrpcPki, Java, Node, Python, Server, Tonic};

pub(super) const REVOKED: Page = Page {
    meaning: "The CA took the certificate back before its end, or that of a CA below it: its serial number stands on \
              the CA's revocation list (CRL), with the date and the reason. Most often the private key got into \
              other hands, so whoever answers need not be the server that was meant. A list was given with `--crl`, \
              or lies in the folder as crl.pem. gRPC clients as they come do not look at such lists and still \
              accept the certificate.",
    seen: &[
        (Tonic, "accepts it; rustls itself could be given the list"),
        (Go, "accepts it: crypto/tls looks at no revocation list"),
        (Python, "accepts it"),
        (Node, "accepts it"),
        (
            Java,
            "accepts it, unless the property `com.sun.net.ssl.checkRevocation` is set",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "`grpc-pki issue NAME --force`, which makes a new key as well",
        ),
        (Server, "restart it; look whether it loads the new files"),
    ],
};

pub(super) const CRL_EXPIRED: Page = Page {
    meaning: "A revocation list says when the next one is due. This one is past that, so it is silent about what was \
              revoked since; or it was made in the future, by a clock that is wrong. It is a warning, since the \
              server and its certificate may be fine and gRPC clients do not ask. What does stand on an old list \
              counts as revoked all the same.",
    seen: &[(
        All,
        "nothing: gRPC clients look at no revocation list by themselves",
    )],
    fix: &[
        (Client, "fetch the list that the CA publishes now"),
        (
            Server,
            "with a CA run by OpenSSL: `openssl ca -gencrl -crldays 30 -out crl.pem`, from cron",
        ),
        (
            GrpcPki,
            "`openssl crl -in crl.pem -noout -lastupdate -nextupdate` shows both dates",
        ),
    ],
};

pub(super) const CRL_NOT_FOR_THIS_CHAIN: Page = Page {
    meaning: "A revocation list is about the certificates of one CA, the one that signed it. The list that was given \
              is from none of the CAs of this server's chain, by name or by key, so nothing is known from it. \
              crl.pem in the folder is passed over in silence, unless it bears the name of a CA of the chain that \
              did not sign it: then that CA was probably made again.",
    seen: &[(
        All,
        "nothing: gRPC clients look at no revocation list by themselves",
    )],
    fix: &[
        (
            Client,
            "pass the list of the CA that issued the certificate; a file may hold the lists of several CAs",
        ),
        (
            GrpcPki,
            "`openssl crl -in crl.pem -noout -issuer` shows whose list it is",
        ),
    ],
};

pub(super) const CRL_UNUSABLE: Page = Page {
    meaning: "The list is from the right CA, but must not be used here. Delta lists have only changes, lists with an \
              issuingDistributionPoint only a part, and other critical extensions may mean anything; RFC 5280 has \
              who does not know them leave the list aside. Or the CA's own certificate does not let it sign lists.",
    seen: &[(
        All,
        "nothing: gRPC clients look at no revocation list by themselves",
    )],
    fix: &[
        (
            Client,
            "take the full list of the CA, also called its base CRL",
        ),
        (
            Server,
            "with a CA run by OpenSSL: leave `issuingDistributionPoint` out of `crl_extensions`",
        ),
        (
            GrpcPki,
            "`openssl crl -in crl.pem -noout -text` shows the extensions",
        ),
    ],
};

pub(super) const SPIFFE_MISMATCH: Page = Page {
    meaning: "With `--spiffe-id` the server is known by the URI in its subjectAltName, and no DNS name is needed. The \
              certificate has a SPIFFE id, but another one. Ids are compared whole: trust domain, path, upper and \
              lower case. So a certificate of the same trust domain is still another workload's.",
    seen: &[
        (
            Go,
            "with go-spiffe and `tlsconfig.AuthorizeID`: `unexpected ID`, with the one that it got",
        ),
        (
            All,
            "gRPC clients as they come look for a DNS name or an IP address, and never at this",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "put it into `alt_names` as `URI`, in place of the old one, then `grpc-pki issue`",
        ),
        (
            Client,
            "or expect what the server has: `--spiffe-id` with the id of the report",
        ),
        (
            Server,
            "with SPIRE: `spire-server entry show`, and whether the selectors match this workload",
        ),
    ],
};

pub(super) const SPIFFE_MISSING: Page = Page {
    meaning: "With `--spiffe-id` the server is known by the URI in its subjectAltName. The certificate has no URI \
              there, or one that does not start with `spiffe://`. Its DNS names do not count in that case.",
    seen: &[
        (Go, "with go-spiffe: `certificate contains no URI SAN`"),
        (
            All,
            "gRPC clients as they come look for a DNS name or an IP address, and never at this",
        ),
    ],
    fix: &[
        (
            GrpcPki,
            "add `URI = [\"spiffe://example.internal/orders\"]` to `alt_names`, then `grpc-pki issue`",
        ),
        (
            Client,
            "or leave `--spiffe-id` out, and check the name that is dialled",
        ),
    ],
};

pub(super) const SPIFFE_SEVERAL: Page = Page {
    meaning: "The SPIFFE specification (X509-SVID, 2) allows exactly one URI in subjectAltName, of whatever kind, and \
              has clients refuse a certificate with more: nobody could say which of them its holder is. It may \
              have any number of DNS names.",
    seen: &[
        (
            Go,
            "with go-spiffe: `certificate contains more than one URI SAN`",
        ),
        (
            All,
            "gRPC clients as they come look for a DNS name or an IP address, and never at this",
        ),
    ],
    fix: &[
        (
            Server,
            "have the certificate issued with one URI; where it serves as two, give it two certificates",
        ),
        (
            GrpcPki,
            "refuses a second SPIFFE id in `alt_names`, so a certificate of its own has one",
        ),
    ],
};

//! Pages: what stands between the server's certificate and whom clients trust, and between the clocks of both.

use super::Page;
use super::Who::{All, Client, Go, Haproxy, Java, Network, Nginx, Node, Python, Server, Tonic};

pub(super) const MISSING_INTERMEDIATE: Page = Page {
    meaning: "The CA that clients trust did not sign the server's certificate itself, but by way of an intermediate CA. \
              Clients have the trusted one alone, so the server has to send the certificate of the intermediate \
              behind its own.",
    seen: &[
        (Tonic, "`UnknownIssuer`, as for any CA that is not trusted"),
        (Go, "`certificate signed by unknown authority`"),
        (Python, "`unable to get local issuer certificate`"),
        (Node, "`unable to verify the first certificate`"),
        (Java, "`PKIX path building failed`"),
    ],
    fix: &[
        (
            Server,
            "`cat server.crt intermediate.crt > chain.crt`, its own first",
        ),
        (Tonic, "`Identity::from_pem(chain, key)`"),
        (Go, "`tls.LoadX509KeyPair(\"chain.crt\", \"server.key\")`"),
        (Python, "`grpc.ssl_server_credentials([(key, chain)])`"),
        (Node, "`ServerCredentials.createSsl`, `cert_chain: chain`"),
        (Java, "`TlsServerCredentials.create(chain, key)`"),
        (Nginx, "`ssl_certificate chain.crt;`"),
        (Haproxy, "`bind … crt FILE`, both chain and key in FILE"),
    ],
};

pub(super) const INTERCEPTED: Page = Page {
    meaning: "Between client and server stands a product that ends TLS, reads along and dials on: a proxy of the company, \
              an antivirus program, a debugging proxy. It shows a certificate that it made up for the name and signed \
              with a CA of its own.",
    seen: &[
        (Tonic, "`UnknownIssuer`"),
        (Go, "`certificate signed by unknown authority`"),
        (Python, "`unable to get local issuer certificate`"),
        (Node, "`unable to verify the first certificate`"),
        (Java, "`PKIX path building failed`"),
    ],
    fix: &[
        (
            Client,
            "where a proxy is set (`HTTPS_PROXY`, which Go reads, or `https_proxy`), exempt the host: \
             `NO_PROXY=orders.internal`, and `no_proxy` for Python, C++ and Node",
        ),
        (
            Network,
            "have the server exempt from TLS inspection, by its name or address",
        ),
        (
            Client,
            "or trust the CA of the product, where it is to read along: `--ca FILE`",
        ),
    ],
};

pub(super) const CLOCK_SKEW: Page = Page {
    meaning: "The `date` of the server's answer and the clock of this machine are more than five minutes apart, so one of \
              the two is wrong. Each side judges certificates by its own clock: one that was just issued is \
              not yet valid for who is behind, and one that is about to end has ended for who is ahead.",
    seen: &[(
        All,
        "nothing, until a certificate is new or about to end: then one machine refuses what others accept",
    )],
    fix: &[
        (
            Server,
            "`timedatectl set-ntp true`, or `chronyc makestep` where chrony runs",
        ),
        (Client, "the same; containers have the clock of their host"),
    ],
};

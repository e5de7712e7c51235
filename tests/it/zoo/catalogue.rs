//! The ways in which gRPC over TLS is known to fail, each with its number. Every one is on a row of the table, or
//! stands below with the reason.

use std::collections::BTreeSet;

use grpc_pki::diagnose::Code;

use super::row::Row;
use super::table;

/// Number and case.
const CASES: [(&str, &str); 79] = [
    // What is read before anything is sent.
    (
        "A1",
        "a CA file without a certificate, or one that is not PEM",
    ),
    ("A2", "certificate and key given the wrong way round"),
    ("A3", "a key of another certificate"),
    ("A4", "an encrypted key"),
    (
        "A5",
        "a certificate file that does not begin with the end entity",
    ),
    (
        "A6",
        "a CA file with the server's certificate or with another CA",
    ),
    (
        "A7",
        "a key that others may read, or the CA's key beside a client",
    ),
    ("A8", "a target that is not host:port"),
    // DNS and TCP.
    ("B1", "a name that does not resolve"),
    ("B2", "a closed port"),
    ("B3", "localhost is ::1 here and 127.0.0.1 there"),
    ("B4", "packets are dropped"),
    ("B5", "accepts, and closes or resets before a ServerHello"),
    ("B6", "accepts, and never answers"),
    ("B7", "one of several addresses is bad"),
    ("B8", "a Unix socket"),
    // TLS.
    ("C1", "a server without TLS"),
    ("C2", "a client without TLS"),
    ("C3", "https:// without tls_config in tonic"),
    ("C4", "h2 refused in ALPN"),
    ("C5", "no ALPN, and HTTP/2 behind it"),
    ("C6", "no ALPN, and HTTP/1 behind it"),
    ("C7", "h2 agreed, and HTTP/1 behind it"),
    ("C8", "TLS 1.1 or older alone"),
    ("C9", "no cipher suite or group in common"),
    ("C10", "TLS 1.2 without extended master secret"),
    ("C11", "a kind of key that not every client has"),
    ("C12", "a large or split ClientHello gets no answer"),
    ("C13", "a name that the server does not know"),
    ("C14", "the certificate of another site by default"),
    ("C15", "a slow handshake"),
    ("C16", "a proxy in between opens TLS"),
    // The certificate.
    ("D1", "another CA"),
    ("D2", "the CA made again by the same name"),
    ("D3", "an intermediate that is not sent along"),
    ("D4", "a chain in disorder, or with more than it needs"),
    ("D5", "signed by itself, CA: TRUE, as its own CA file"),
    ("D6", "signed by itself and not trusted"),
    ("D7", "issued by what is no CA"),
    ("D8", "a common name alone"),
    ("D9", "a name that the certificate lacks"),
    ("D10", "an address that the certificate lacks"),
    ("D11", "a wildcard of another depth"),
    ("D12", "a near miss"),
    ("D13", "expired, or not yet valid"),
    ("D14", "an expired intermediate"),
    ("D15", "an expired CA"),
    ("D16", "clocks that differ"),
    ("D17", "a client's certificate as a server's"),
    ("D18", "any purpose alone"),
    ("D19", "an intermediate for another purpose"),
    ("D20", "a weak key or signature"),
    ("D21", "a name outside the constraints of a CA"),
    ("D22", "a critical extension that nobody knows"),
    ("D23", "more intermediates than a CA allows"),
    ("D24", "revoked"),
    ("D25", "renewed on disk, and not loaded"),
    (
        "D26",
        "a validity or an extension that strict libraries refuse",
    ),
    ("D27", "a SPIFFE id alone"),
    // Client certificates.
    ("E1", "required, and none shown"),
    ("E2", "of another CA"),
    ("E3", "expired"),
    ("E4", "not for clients"),
    ("E5", "without its intermediate"),
    ("E6", "asked for, and not required"),
    ("E7", "required by a proxy, with HTTP 400"),
    ("E8", "whichever certificate gets in"),
    ("E9", "the CA of the servers is the CA of the clients"),
    ("E10", "known, and not allowed to"),
    // HTTP/2 and gRPC.
    ("F1", "h2 agreed, and no SETTINGS"),
    ("F2", "GOAWAY"),
    ("F3", "a proxy whose backend is gone"),
    ("F4", "a web server's answer"),
    ("F5", "no health service"),
    ("F6", "NOT_SERVING, or a service that is not known"),
    ("F7", "a health service that wants credentials"),
    ("F8", "no reflection"),
    ("F9", "trailers that a proxy dropped"),
    ("F10", "a message too large, or encoded in an unknown way"),
];

/// What no row has, and why.
const NOT_STAGED_IDS: [(&str, &str); 5] = [
    ("A8", "such a target is never dialled: `targets` types them"),
    (
        "B7",
        "a name with several addresses is staged with a resolver of its own: `addresses` does",
    ),
    (
        "C2",
        "`verify` always speaks TLS; what a client without it sees is told by `explain tls.plaintext`",
    ),
    (
        "C3",
        "tonic refuses it before it dials, so that there is no server to look at; `explain tls.plaintext` has its words",
    ),
    (
        "E9",
        "a server that lets in every certificate of its CA does what it was told to, and cannot be told apart",
    ),
];

#[test]
fn every_known_case_is_staged_or_has_its_reason() {
    let rows = table();
    let staged: BTreeSet<&str> = rows.iter().flat_map(Row::ids).collect();
    let known: BTreeSet<&str> = CASES.iter().map(|(id, _)| *id).collect();
    assert_eq!(known.len(), CASES.len(), "an id stands twice");
    let unknown: Vec<_> = staged.difference(&known).collect();
    assert!(unknown.is_empty(), "no such case: {unknown:?}");
    let missing: BTreeSet<&str> = known.difference(&staged).copied().collect();
    let listed: BTreeSet<&str> = NOT_STAGED_IDS.iter().map(|(id, _)| *id).collect();
    let told = |ids: Vec<&&str>| {
        let cases = CASES.iter().filter(|(id, _)| ids.contains(&id));
        cases
            .map(|(id, case)| format!("{id} {case}"))
            .collect::<Vec<_>>()
    };
    let forgotten = told(missing.difference(&listed).collect());
    assert!(
        forgotten.is_empty(),
        "neither a row nor a reason: {forgotten:#?}"
    );
    let staged_after_all = told(listed.difference(&missing).collect());
    assert!(
        staged_after_all.is_empty(),
        "a row and a reason: {staged_after_all:#?}"
    );
    assert!(NOT_STAGED_IDS.iter().all(|(_, why)| !why.is_empty()));
}

#[test]
fn what_only_a_page_can_tell_is_told_there() {
    let page = Code::TlsPlaintext.page();
    let seen: Vec<&str> = page.seen.iter().map(|(_, text)| *text).collect();
    let seen = seen.join("\n");
    for words in [
        "the other way round: `Socket closed`, `operation was canceled`",
        "`Connecting to HTTPS without TLS enabled`",
    ] {
        assert!(seen.contains(words), "{words} is not in\n{seen}");
    }
}

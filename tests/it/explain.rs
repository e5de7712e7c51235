//! `explain`: the list, a page, a code that there is not, and JSON.

use grpc_pki::diagnose::Code;
use insta::assert_snapshot;

use crate::support::Project;

#[test]
fn alone_it_lists_every_code_by_stage() {
    let ran = Project::empty().run("explain").ok();
    assert_snapshot!(ran, @r"
    inputs
      inputs.ca_bom               The CA file has a byte order mark, or is UTF-16
      inputs.ca_der               The CA file is DER or PKCS, not PEM
      inputs.ca_empty             The CA file holds no certificate
      inputs.ca_is_leaf           The CA file is an end entity's certificate
      inputs.ca_is_key            The CA file is a private key
      inputs.ca_key_as_client     The private key is the CA's own
      inputs.ca_partly_damaged    A certificate of the CA file cannot be read
      inputs.ca_unreadable        The CA file is damaged
      inputs.ca_with_key          The CA file has a private key in it
      inputs.cert_empty           The file of --cert holds no certificate
      inputs.chain_order          The client certificate does not come first
      inputs.client_damaged       The client certificate or its key is damaged
      inputs.client_encoding      The client certificate or its key is not plain PEM
      inputs.identity_unusable    A private key that rustls does not sign with
      inputs.key_empty            The file of --key holds no private key
      inputs.key_encrypted        The private key is encrypted with a passphrase
      inputs.key_mismatch         The private key is another certificate's
      inputs.key_readable         Others may read the private key
      inputs.swapped              --cert and --key are the wrong way round
    dns
      dns.not_found               The name does not resolve
      dns.timeout                 The resolver does not answer
    tcp
      tcp.not_a_socket            The file is not a Unix socket
      tcp.other_loopback          The server listens on the other loopback address
      tcp.refused                 Nothing listens on the port
      tcp.socket_denied           This user may not connect to the Unix socket
      tcp.socket_missing          There is no such Unix socket
      tcp.timeout                 The address does not answer
      tcp.unreachable             There is no way to the address
    tls
      tls.accepts_old_versions    The server still accepts TLS 1.1 or 1.0
      tls.alert                   The server ended the handshake with an alert
      tls.closed                  The connection ended during the handshake
      tls.hello_in_one_piece      A ClientHello must come in one packet
      tls.incompatible            Server and client have no TLS in common
      tls.key_type                The server's key is of a kind that clients refuse
      tls.large_hello             A large ClientHello gets no answer
      tls.no_common_cipher        Server and client share no cipher suite
      tls.no_common_group         Server and client share no group
      tls.no_common_signature     Server and client share no signature algorithm
      tls.not_tls                 The port speaks another protocol than TLS
      tls.old_version             The server speaks nothing later than TLS 1.1
      tls.plaintext               The server speaks gRPC without TLS
      tls.server_name             The server does not take the name asked for
      tls.silent                  The port accepts connections, but never answers
      tls.split_hello             A ClientHello in two packets gets no answer
    path
      path.ca_as_server           A CA's certificate is used as a server's
      path.ca_recreated           A CA of the same name, but with another key
      path.critical_extension     A critical extension that is not understood
      path.crl_expired            A revocation list that is not of today
      path.crl_not_for_chain      A revocation list of another CA
      path.crl_unusable           A revocation list that cannot be used
      path.intercepted            A proxy in between opens TLS
      path.issuer_not_ca          A certificate that is no CA issued another
      path.issuer_purpose         An intermediate CA that is not for servers
      path.length                 More intermediates than a CA allows
      path.missing_intermediate   The server does not send an intermediate CA
      path.name_constraints       A name that a CA of the chain may not certify
      path.other_entry            The address serves another entry's certificate
      path.purpose                The certificate is not for servers
      path.refused                rustls refuses the certificate for another reason
      path.revoked                The certificate was revoked by its CA
      path.self_signed            The certificate signed itself and is not trusted
      path.unknown_issuer         The certificate is from a CA that is not trusted
      path.unreadable             Not an X.509 certificate that can be read
      path.weak                   A key or a signature that is too weak
    name
      name.dns_not_in_san         The certificate does not have the DNS name
      name.ip_not_in_san          The certificate does not have the IP address
      name.no_san                 The certificate has no subjectAltName
      name.spiffe_mismatch        The certificate has another SPIFFE id
      name.spiffe_missing         The certificate has no SPIFFE id
      name.spiffe_several         The certificate has more than one URI
      name.other_site             The server showed another site's certificate
    time
      time.anchor_expired         A trusted CA expired, or is not yet valid
      time.below_min_days         Fewer days are left than --min-days asks for
      time.clock_skew             The clocks of server and client differ
      time.expired                The certificate expired
      time.issuer                 A CA of the chain expired, or is not yet valid
      time.not_yet_valid          The certificate is not yet valid
      time.renewed_on_disk        Renewed on disk; the server has the old one
    alpn
      alpn.none                   The server chose no protocol by ALPN
      alpn.refused                The server refused HTTP/2 in ALPN
    http2
      http2.closed                The connection ended after the handshake
      http2.goaway                The server ended the HTTP/2 connection with GOAWAY
      http2.not_http2             Behind TLS there is no HTTP/2
      http2.no_settings           HTTP/2 was agreed, but the server never speaks
    client_auth
      client_auth.accepts_any     Any client certificate gets in
      client_auth.not_enforced    Clients without a certificate may get in
      client_auth.optional        Clients without a certificate get in too
      client_auth.refused         The server refused our client certificate
      client_auth.required        The server demands a client certificate
    grpc
      grpc.authentication         The health service wants credentials
      grpc.backend_down           A proxy does not reach the server behind it
      grpc.no_answer              The call got no answer
      grpc.health_unimplemented   There is no health service; the connection is fine
      grpc.not_a_route            There is no gRPC at this host and port
      grpc.http_status            The answer is not gRPC
      grpc.not_serving            The health service says NOT_SERVING
      grpc.service_unchecked      The health of a service cannot be learned
      grpc.service_unknown        The health service does not know this service
      grpc.health_unknown         The health service does not say if it works
      grpc.status                 The server answered with an error
      grpc.trailers_missing       The answer has no gRPC status: trailers are lost
      grpc.undecodable            The answer says gRPC, but cannot be decoded
    opinions
      opinions.refused_elsewhere  Trusted, but other clients refuse it
    next: grpc-pki explain CODE
    --- exit 0
    ");
    let listed = ran.stdout.lines().filter(|line| line.starts_with("  "));
    assert_eq!(listed.count(), Code::ALL.len());
}

#[test]
fn a_code_has_its_page() {
    let project = Project::empty();
    assert_snapshot!(project.run("explain name.ip_not_in_san"), @r#"
    name.ip_not_in_san — The certificate does not have the IP address

    The client dials an IP address, and the certificate does not have it as an IP
    address. One that stands there as a DNS name does not count, and DNS names do
    not help: nobody looks up the address of a name.

    seen  tonic     `certificate not valid for name`, with the names that it has
          Go        `doesn't contain any IP SANs`
          Python    refuses it
          Node      `IP: 127.0.0.1 is not in the cert's list: `
          Java      refuses it

    fix   grpc-pki  add `IP = ["127.0.0.1", "::1"]` to `alt_names`, then
                    `grpc-pki issue`
          client    or dial by name: `--server-name NAME` shows whether it would do
          client    `0.0.0.0` is for servers to listen on, not for clients to dial
    exit  13
    --- exit 0
    "#);
    assert_snapshot!(project.run("explain grpc.health_unimplemented"), @r"
    grpc.health_unimplemented — There is no health service; the connection is fine

    The server answered UNIMPLEMENTED to `grpc.health.v1.Health/Check`. That is an
    answer of gRPC, so the connection works, TLS and names included. Nothing is
    wrong, but probes learn no more from it.

    seen  Go        from such a server: UNIMPLEMENTED, `unknown service`
          Python    from such a server: UNIMPLEMENTED, `Method not found!`

    fix   tonic     `tonic_health::server::health_reporter()`
          Go        `healthpb.RegisterHealthServer(server, health.NewServer())`
          Python    `grpcio-health-checking`: `add_HealthServicer_to_server`
          Node      the package `grpc-health-check`
          Java      `HealthStatusManager` of grpc-services
    exit  0, as gRPC clients get through
    --- exit 0
    ");
    for code in Code::ALL {
        let code = code.as_str();
        let ran = project.run(&format!("explain {code}")).ok();
        assert!(ran.stdout.starts_with(&format!("{code} — ")), "{ran}");
        for part in ["\n\nseen  ", "\n\nfix   ", "\nexit  "] {
            assert!(ran.stdout.contains(part), "{part:?} is not in\n{ran}");
        }
    }
}

#[test]
fn a_code_that_there_is_not_is_an_error_with_the_nearest() {
    let project = Project::empty();
    assert_snapshot!(project.run("explain name.dns_not_in_sam"), @r"
    --- stderr
    error: there is no finding `name.dns_not_in_sam`
    hint: did you mean `name.dns_not_in_san`?
    --- exit 2
    ");
    assert_snapshot!(project.run("explain ca_recreated"), @r"
    --- stderr
    error: there is no finding `ca_recreated`
    hint: did you mean `path.ca_recreated`?
    --- exit 2
    ");
    assert_snapshot!(project.run("explain weather"), @r"
    --- stderr
    error: there is no finding `weather`
    hint: `grpc-pki explain` lists all of them
    --- exit 2
    ");
    let json = project.run("explain weather --format json").exits(2).json();
    assert_eq!(json["ok"], false);
    assert_eq!(json["error"]["message"], "there is no finding `weather`");
}

#[test]
fn json_has_every_part_of_every_page() {
    let project = Project::empty();
    let json = project.run("explain --format json").ok().json();
    assert_eq!(json["command"], "explain");
    assert_eq!(json["exit_code"], 0);
    let codes = json["codes"].as_array().unwrap();
    let names: Vec<_> = codes
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    let all: Vec<_> = Code::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(names, all);
    for code in codes {
        let lines = [("seen", "client"), ("fix", "where")];
        for (part, key) in lines {
            for line in code[part].as_array().unwrap() {
                assert!(line[key].is_string() && line["text"].is_string(), "{code}");
            }
        }
        assert!(code["title"].is_string() && code["meaning"].is_string());
    }
    let one = project.run("explain path.length --format json").ok().json();
    assert_snapshot!(serde_json::to_string_pretty(&one).unwrap(), @r#"
    {
      "codes": [
        {
          "code": "path.length",
          "exit_code": 13,
          "fix": [
            {
              "text": "take a certificate of a CA higher up, so that the chain gets shorter",
              "where": "server"
            },
            {
              "text": "or have the upper CA made again with a larger pathlen",
              "where": "server"
            },
            {
              "text": "issues straight from its CA: `grpc-pki init && grpc-pki issue`",
              "where": "grpc-pki"
            }
          ],
          "meaning": "A CA of the chain says in its basicConstraints how many CAs may stand below it (pathlen), and there are more. A CA with pathlen 0 issues for servers and clients, not for further CAs.",
          "seen": [
            {
              "client": "tonic",
              "text": "`PathLenConstraintViolated`"
            },
            {
              "client": "all",
              "text": "refused: the limit is part of every certification path"
            }
          ],
          "stage": "path",
          "title": "More intermediates than a CA allows"
        }
      ],
      "command": "explain",
      "exit_code": 0,
      "ok": true,
      "schema": 1
    }
    "#);
}

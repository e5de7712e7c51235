//! `--help`: as it reads, the same exit codes everywhere, and examples that can be typed.

use grpc_pki::cli::{self, exit};

/// The long help of a command, as wide as it gets.
fn help(name: &str) -> String {
    let mut command = cli::command().term_width(100);
    command.build();
    let command = match name {
        "" => &mut command,
        _ => command.find_subcommand_mut(name).unwrap(),
    };
    let text = command.render_long_help().to_string();
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The help of a command without the parts that all commands share.
fn own(name: &str) -> String {
    let text = help(name);
    let (head, rest) = text.split_once("\nCommon options:\n").unwrap();
    let (_, examples) = rest.split_once("\nExamples:\n").unwrap();
    let examples = examples.strip_suffix(&exit::help()).unwrap();
    format!("{head}\nExamples:\n{examples}")
}

#[test]
fn every_help_ends_with_the_exit_codes() {
    let command = cli::command();
    let names = command.get_subcommands().map(|it| it.get_name());
    for name in names.chain([""]) {
        assert!(help(name).ends_with(&exit::help()), "{name}");
    }
    let lines = exit::help();
    let lines: Vec<&str> = lines.lines().skip(1).collect();
    let table = exit::TABLE.map(|(code, meaning)| format!("{code:>5}  {meaning}"));
    assert_eq!(lines, table);
}

#[test]
fn every_example_can_be_typed() {
    for command in cli::command().get_subcommands() {
        let text = command.get_after_long_help().unwrap().to_string();
        let examples: Vec<&str> = text
            .lines()
            .take_while(|line| !line.starts_with("Exit codes:"))
            .filter_map(|line| line.trim_start().strip_prefix("grpc-pki "))
            .collect();
        assert!(
            !examples.is_empty(),
            "{} has no examples",
            command.get_name()
        );
        for example in examples {
            let (typed, means) = example
                .split_once("  ")
                .expect("what it means, two spaces on");
            assert!(!means.trim().is_empty(), "{example}");
            let typed = typed.split(" || ").next().unwrap();
            let words = ["grpc-pki"].into_iter().chain(typed.split(' '));
            if let Err(error) = cli::command().try_get_matches_from(words) {
                panic!("grpc-pki {typed}: {error}");
            }
            assert!(typed.starts_with(command.get_name()), "{example}");
        }
    }
}

#[test]
fn grpc_pki() {
    insta::assert_snapshot!(help(""), @r#"
    TLS and mutual TLS for gRPC: make the certificates, and prove that they work

    Usage: grpc-pki [OPTIONS] <COMMAND>

    Commands:
      init     Make a certificate authority (CA)
      issue    Make the certificates that are missing, stale or wrong
      verify   Connect to a server as a gRPC client does, and say what is wrong and how to fix it
      serve    Run a sample gRPC server on the issued files
      demo     Show all of it in a temporary folder: init, issue, serve, verify
      explain  Tell what a finding of verify means, and how to fix it

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Common options:
          --pki <DIR>
              Folder of keys and certificates

              [default: pki]

          --config <FILE>
              What to make [default: certs.toml]

          --format <human|json>
              Text for people, or one JSON document for scripts

              [default: human]

          --color <auto|always|never>
              When to colour text

              [default: auto]

      -q, --quiet
              Print nothing but warnings and errors

      -v, --verbose
              Show everything

    Examples:
      grpc-pki init                            a CA, and a certs.toml to edit
      grpc-pki issue                           keys and certificates as certs.toml asks
      grpc-pki serve                           a sample server on localhost:50051
      grpc-pki verify localhost:50051          is it trusted? if not, why, and what to do
      grpc-pki demo                            all of it at once, in a temporary folder

    Exit codes:
        0  done, or trusted
        1  the answer is no: --check found work, or several targets failed differently
        2  usage, certs.toml, or a local file is wrong
        3  could not read, write or lock
       10  verify: the name does not resolve
       11  verify: no TCP connection
       12  verify: no TLS session, or a server without TLS
       13  verify: the certificate's path, name, time, purpose or strength
       14  verify: ALPN or HTTP/2
       15  verify: client authentication
       16  verify: gRPC
       17  verify: the server says NOT_SERVING
       18  verify: a certificate has fewer days left than --min-days asks for
       19  verify: nothing failed, but there are warnings, and --deny-warnings
      124  verify: the time of --wait ran out
    "#);
}

#[test]
fn init() {
    insta::assert_snapshot!(own("init"), @r#"
    Make a certificate authority (CA)

    Writes ca.crt, which clients trust, and ca.key, which signs certificates, as [ca] in certs.toml
    asks; where there is no certs.toml, also a commented one to start from. A CA that is there is never
    replaced.

    Usage: grpc-pki init [OPTIONS]

    Options:
          --encrypt
              Encrypt ca.key with a passphrase, as `encrypt = true` of [ca] does

          --ephemeral
              Issue what certs.toml asks for at once, and never write ca.key

              Who trusts this CA trusts these certificates and no others, as nobody can sign with it
              again. To renew them, make another CA in a new folder.

          --passphrase-file <FILE>
              File whose first line is the passphrase of ca.key

              Without it, the passphrase is that of the environment variable GRPC_PKI_PASSPHRASE, or
              else it is asked for on the terminal; only where ca.key is encrypted, and something is to
              be signed. The file may be a pipe.

          --lock-timeout <TIME>
              Wait at most this long for another command that is changing the same folder

              [default: 10s]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      grpc-pki init                                a CA in ./pki, and a starter certs.toml
      grpc-pki init --pki /etc/orders/pki          a CA in another folder
      grpc-pki init --encrypt                      ca.key under a passphrase, asked for twice
      grpc-pki init --encrypt --passphrase-file pass.txt  the same without a terminal
      grpc-pki init --ephemeral                    all certificates at once, and no ca.key to lose
      grpc-pki init --format json                  the same for scripts

    Where the passphrase comes from: --passphrase-file, else the variable GRPC_PKI_PASSPHRASE, else the
    terminal, where it is asked for twice.
    "#);
}

#[test]
fn issue() {
    insta::assert_snapshot!(own("issue"), @r#"
    Make the certificates that are missing, stale or wrong

    Reads certs.toml, compares it with the files that are there, and makes exactly what is needed: where
    a file is missing or damaged, where subject, names, profile, key type or CA are not what certs.toml
    asks for, where the key is another one's, and where `renew_before` is reached. The plan is whole
    before the first byte is written. A second run writes nothing.

    Usage: grpc-pki issue [OPTIONS] [NAME]...

    Arguments:
      [NAME]...
              Certificates of certs.toml to look at; all when none is named

    Options:
          --dry-run
              Print the plan and write nothing

          --check
              Print the plan, write nothing, and exit with 1 when there is work

          --force
              Make them anew even where nothing is wrong

          --passphrase-file <FILE>
              File whose first line is the passphrase of ca.key

              Without it, the passphrase is that of the environment variable GRPC_PKI_PASSPHRASE, or
              else it is asked for on the terminal; only where ca.key is encrypted, and something is to
              be signed. The file may be a pipe.

          --lock-timeout <TIME>
              Wait at most this long for another command that is changing the same folder

              [default: 10s]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      grpc-pki issue                               all that certs.toml asks for
      grpc-pki issue server client                 these two
      grpc-pki issue --dry-run                     what would be made, and why
      grpc-pki issue --check || alert              for CI: is there something to do?
      grpc-pki issue orders --force                a new key and certificate although the old are good
      grpc-pki issue --passphrase-file pass.txt    with an encrypted ca.key, without a terminal

    Where the passphrase comes from: --passphrase-file, else the variable GRPC_PKI_PASSPHRASE, else the
    terminal. It is needed only where ca.key is encrypted and there is something to sign.
    "#);
}

#[test]
fn verify() {
    insta::assert_snapshot!(own("verify"), @r"
    Connect to a server as a gRPC client does, and say what is wrong and how to fix it

    Resolves the name, connects, shakes hands with TLS 1.3 or 1.2, judges path, name and time of the
    certificate against the CA, agrees on HTTP/2 and asks the health service. Every step is shown with
    what was seen. A server that is not trusted is looked at further for diagnosis only, and is shown no
    client certificate. Where the client certificate is shown, a second connection without it tells
    whether the server insists on one. Where TLS fails, up to six more tell why: with older versions,
    other algorithms, another name, or without TLS.

    Usage: grpc-pki verify [OPTIONS] [TARGET]...

    Arguments:
      [TARGET]...
              Whom to dial: HOST:PORT, or unix:PATH (can be repeated)

    Options:
          --all
              Verify the `address` of every entry of certs.toml too

          --ca <FILE>
              CA certificates to trust, or `system` for those that this machine trusts [default: ca.crt
              in the folder]

          --crl <FILE>
              Revocation lists (CRLs) to look into, besides crl.pem in the folder where it is there (can
              be repeated)

          --client <NAME>
              Client certificate to show, by its name in the folder

          --cert <FILE>
              Client certificate to show, as a file

          --key <FILE>
              Private key of --cert

          --require-mtls
              Fail unless it is proven that clients without a certificate are turned away

          --deep
              Look closer, at up to six connections more: would the server take a client certificate
              that nobody signed, which versions of TLS does it accept, and does it take a ClientHello
              in two packets?

          --server-name <NAME>
              Name to check instead of the host that is dialled

          --connect <PLACE>
              Dial there, HOST:PORT or unix:PATH, and still check the name of the target and send it

          --all-addresses
              Look at every address of the name, up to 32, not at the first alone that answers; fails
              where one does, with the exit code of the first that does

          --spiffe-id <URI>
              SPIFFE id to check instead of a name

          --service <NAME>
              Service that is to be SERVING, as the health service names it, instead of the server as a
              whole

          --header <NAME: VALUE>
              Metadata for the calls, such as 'authorization: Bearer TOKEN'; only a server that is
              trusted gets it (can be repeated)

          --reflection
              List the services of the server by gRPC reflection

          --timeout <TIME>
              Limit for each step on its own, such as 5s or 500ms: resolving, connecting, the handshake,
              the server's first octets, the call

              [default: 5s]

          --wait <TIME>
              Try again for this long, as long as time may mend what is wrong; all else fails at once

          --interval <TIME>
              Time between two attempts of --wait

              [default: 500ms]

          --min-days <N>
              Fail where a certificate of the path has fewer whole days left (at most 3650)

          --deny-warnings
              Fail where there is a warning

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      grpc-pki verify localhost:50051                      trust pki/ca.crt
      grpc-pki verify localhost:50051 --client client      show pki/client.crt (mutual TLS)
      grpc-pki verify a:50051 --client b --require-mtls    for CI: nobody gets in without a certificate
      grpc-pki verify 10.0.0.7:443 --server-name orders    dial an address, check a name
      grpc-pki verify orders:443 --connect 10.0.0.7:443    check and send the name, dial elsewhere
      grpc-pki verify orders:443 --all-addresses           every machine behind the name
      grpc-pki verify unix:/run/orders.sock                a Unix socket; the name is localhost
      grpc-pki verify 10.0.0.7:443 --spiffe-id spiffe://internal/orders   check a SPIFFE id instead
      grpc-pki verify example.com:443 --ca corporate.crt   trust another CA
      grpc-pki verify example.com:443 --ca system          trust the CAs that this machine trusts
      grpc-pki verify a:50051 --service shop.v1.Orders     is this service SERVING?
      grpc-pki verify a:50051 --reflection -v              list its services
      grpc-pki verify a:50051 b:50051 --format json        several, one JSON document a line
      grpc-pki verify --all --min-days 21                  every `address` of certs.toml, 3 weeks ahead
      grpc-pki verify localhost:50051 --wait 30s -q        until it serves, for scripts
    ");
}

#[test]
fn serve() {
    insta::assert_snapshot!(own("serve"), @r#"
    Run a sample gRPC server on the issued files

    Offers health, reflection and WhoAmI, which answers who the caller is as the server saw it. With
    --mtls only clients with a certificate of the CA get in. Files that change are loaded again; open
    connections go on.

    Usage: grpc-pki serve [OPTIONS] [ADDR]

    Arguments:
      [ADDR]
              Where to listen: HOST:PORT

              [default: localhost:50051]

    Options:
          --mtls
              Demand a client certificate of the CA in the folder

          --name <NAME>
              Certificate to serve with, by its name in the folder

              [default: server]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      grpc-pki serve                               TLS on localhost:50051
      grpc-pki serve --mtls                        mutual TLS: clients need a certificate of pki/ca.crt
      grpc-pki serve 0.0.0.0:443 --name orders     every interface, with pki/orders.crt
      grpc-pki serve localhost:0                   a free port, printed
    "#);
}

#[test]
fn demo() {
    insta::assert_snapshot!(own("demo"), @r#"
    Show all of it in a temporary folder: init, issue, serve, verify

    Makes a CA and certificates, runs the sample server on a free port, verifies it over TLS and over
    mutual TLS, then shows a failure on purpose with its diagnosis. Prints the commands it stands for
    and leaves nothing behind. Exits with 0 only if everything went as it should.

    Usage: grpc-pki demo [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Examples:
      grpc-pki demo                            about a second, needs no network but loopback
    "#);
}

#[test]
fn explain() {
    insta::assert_snapshot!(own("explain"), @r#"
    Tell what a finding of verify means, and how to fix it

    Prints the page of a code: what it means, how it looks in each client and how to fix it on each
    server, as far as there is something to say about them. "Python" stands for all clients and servers
    on the same core: C++, Ruby and PHP. Without a code it lists all of them. Reads no file and connects
    to nothing.

    Usage: grpc-pki explain [OPTIONS] [CODE]

    Arguments:
      [CODE]
              Code of a finding, as `verify` prints it; all are listed when none is named

    Options:
      -h, --help
              Print help (see a summary with '-h')

    Examples:
      grpc-pki explain                             every code in one line
      grpc-pki explain name.dns_not_in_san         one page
      grpc-pki explain --format json               all pages for scripts
    "#);
}

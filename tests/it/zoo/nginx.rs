//! Rows: nginx.

use std::net::TcpListener;

use super::client_auth::{RACES, shown};
use super::enforcement::{ANONYMOUS, OURS, THROWAWAY, TWO, VERDICT, WITH_CERT};
use super::grpc::{Answer, Manner, Tonic, closed_port};
use super::pki::{Authority, Key, Pair, World, for_clients};
use super::process::Process;
use super::row::{Row, Staged, row};
use super::tool::Tool;

/// What stands around the servers. nginx makes its folders and its pid file below its prefix.
const AROUND: &str = "
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events {}
http {
access_log off;
default_type text/html;
ssl_protocols TLSv1.2 TLSv1.3;
client_body_temp_path body;
proxy_temp_path proxy;
fastcgi_temp_path fastcgi;
uwsgi_temp_path uwsgi;
scgi_temp_path scgi;
";

/// nginx with these servers; in their text `LISTEN` is the address. It is handed the socket as its standard input,
/// the way it hands sockets to its own successor, so that no port is looked for and lost.
fn nginx(world: &World, servers: &str) -> Process {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let servers = servers.replace("LISTEN", &listener.local_addr().unwrap().to_string());
    let folder = tempfile::tempdir_in(world.path()).unwrap().keep();
    std::fs::write(folder.join("nginx.conf"), format!("{AROUND}{servers}}}\n")).unwrap();
    let mut command = Tool::Nginx.command();
    command
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(&folder)
        .env("NGINX", "0;");
    Process::handed(listener, command)
}

/// One server on TLS and HTTP/2 with this in it.
fn server(pair: &Pair, more: &str) -> String {
    format!(
        "server {{ listen LISTEN ssl http2; {} {more} }}\n",
        files(pair)
    )
}

fn files(pair: &Pair) -> String {
    let (certificate, key) = (pair.certificate.display(), pair.key.display());
    format!("ssl_certificate {certificate}; ssl_certificate_key {key};")
}

/// nginx in front of a healthy gRPC server.
fn before_grpc(world: &World, more: &str) -> Staged {
    let backend = Tonic::start(None, Answer::Serving, Manner::Prompt);
    let pass = format!(
        "location / {{ grpc_pass grpc://127.0.0.1:{}; }}",
        backend.port
    );
    let nginx = nginx(
        world,
        &server(&world.ours("server"), &format!("{more} {pass}")),
    );
    Staged::new(nginx.port, (nginx, backend))
}

/// In front of a healthy gRPC server, and with `ssl_verify_client` so.
fn verifying(world: &World, how: &str) -> Staged {
    let ca = world.ours("ca").certificate;
    let ca = ca.display();
    before_grpc(
        world,
        &format!("ssl_verify_client {how}; ssl_client_certificate {ca};"),
    )
}

pub fn rows() -> Vec<Row> {
    let mut rows = clients();
    rows.extend(answers());
    rows.extend(names());
    rows.into_iter().map(|it| it.needs(Tool::Nginx)).collect()
}

fn clients() -> Vec<Row> {
    let with = |how: &'static str, args: &'static [&str]| {
        move |world: &World| verifying(world, how).args(args)
    };
    fn stranger(world: &World) -> Pair {
        let other = Authority::new("other-ca", Key::P256, |_| ());
        world.leaf_of(&other, for_clients)
    }
    vec![
        row(
            "nginx, ssl_verify_client on, none shown, TLS 1.2",
            15,
            "client_auth",
            &["client_auth.required"],
            &["HTTP 400", "TLS 1.2"],
            with("on; ssl_protocols TLSv1.2", &[]),
        )
        .id("E7")
        .tells(ANONYMOUS, "refused_http")
        .times(RACES),
        row(
            "nginx, ssl_verify_client on, none shown",
            15,
            "client_auth",
            &["client_auth.required"],
            &["HTTP 400", "TLS 1.3", "--client client", "CN=my-ca"],
            with("on", &[]),
        )
        .id("E1")
        .id("E7")
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_http")
        .connects(&["primary"])
        .times(RACES),
        row(
            "nginx, ssl_verify_client on, one of another CA",
            15,
            "client_auth",
            &["client_auth.refused"],
            &["HTTP 400", "CN=other-ca"],
            |world| shown(verifying(world, "on"), &stranger(world)),
        )
        .id("E2")
        .tells(WITH_CERT, "refused_http")
        .unsaid("perhaps it is not about certificates")
        .times(RACES),
        row(
            "nginx, ssl_verify_client on, ours shown",
            0,
            "",
            &[],
            &["required (proven)", "SERVING"],
            with("on", &["--client", "client", "--require-mtls"]),
        )
        .id("E7")
        .tells(VERDICT, "required")
        .tells(ANONYMOUS, "refused_http")
        .connects(TWO)
        .times(RACES),
        row(
            "nginx, ssl_verify_client on, looked at closely",
            0,
            "",
            &[],
            &["required (proven)"],
            with("on", &["--client", "client", "--deep"]),
        )
        .tells(THROWAWAY, "refused_http"),
        row(
            "nginx, ssl_verify_client optional, none shown",
            0,
            "",
            &[],
            &["requested (not enforced)", "SERVING"],
            with("optional", &[]),
        )
        .tells(VERDICT, "requested")
        .times(RACES),
        row(
            "nginx, ssl_verify_client optional, ours shown",
            0,
            "",
            &["client_auth.optional"],
            &["ssl_verify_client on"],
            with("optional", &OURS),
        )
        .id("E6")
        .tells(VERDICT, "requested")
        .connects(TWO)
        .times(RACES),
        row(
            "nginx, ssl_verify_client optional_no_ca, looked at closely",
            15,
            "client_auth",
            &["client_auth.accepts_any"],
            &["made up for this test"],
            with("optional_no_ca", &["--client", "client", "--deep"]),
        )
        .id("E8")
        .tells(VERDICT, "accepts_any")
        .times(RACES),
        row(
            "nginx, ssl_verify_client off",
            0,
            "",
            &[],
            &["ignored (not asked for)", "SERVING"],
            with("off", &OURS),
        )
        .tells(VERDICT, "ignored")
        .connects(&["primary"]),
    ]
}

fn answers() -> Vec<Row> {
    let with = |more: &'static str| {
        move |world: &World| {
            let nginx = nginx(world, &server(&world.ours("server"), more));
            Staged::new(nginx.port, nginx)
        }
    };
    vec![
        row(
            "nginx without http2",
            14,
            "alpn",
            &["alpn.refused"],
            &["does not offer HTTP/2", "listen … ssl http2;"],
            |world| {
                let files = files(&world.ours("server"));
                let nginx = nginx(world, &format!("server {{ listen LISTEN ssl; {files} }}\n"));
                Staged::new(nginx.port, nginx)
            },
        )
        .id("C4"),
        row(
            "nginx, whose backend is gone",
            16,
            "grpc",
            &["grpc.backend_down"],
            &["HTTP 502", "text/html", "nginx", "backend"],
            |world| {
                let pass = format!(
                    "location / {{ grpc_pass grpc://127.0.0.1:{}; }}",
                    closed_port()
                );
                let nginx = nginx(world, &server(&world.ours("server"), &pass));
                Staged::new(nginx.port, nginx)
            },
        )
        .id("F3"),
        row(
            "nginx, with no route for gRPC",
            16,
            "grpc",
            &["grpc.not_a_route"],
            &["HTTP 404", "text/html", "nginx"],
            with("location / { return 404; }"),
        )
        .id("F4"),
        row(
            "nginx, with a page instead of gRPC",
            16,
            "grpc",
            &["grpc.not_a_route"],
            &["text/html", "nginx"],
            with("location / { return 200 '<h1>Welcome</h1>'; }"),
        )
        .id("F4"),
        row(
            "nginx, in front of gRPC",
            0,
            "",
            &[],
            &["SERVING", "TLS 1.2"],
            |world| before_grpc(world, "ssl_protocols TLSv1.2;"),
        ),
    ]
}

fn names() -> Vec<Row> {
    vec![
        row(
            "nginx, whose default_server is another site",
            13,
            "name",
            &["name.dns_not_in_san"],
            &["localhost", "orders.internal"],
            |world| {
                let [default, other] = ["orders", "server"].map(|it| files(&world.ours(it)));
                let backend = Tonic::start(None, Answer::Serving, Manner::Prompt);
                let pass = format!("location / {{ grpc_pass grpc://127.0.0.1:{}; }}", backend.port);
                let servers = format!(
                    "server {{ listen LISTEN ssl http2 default_server; {default} {pass} }}\n\
                     server {{ listen LISTEN ssl http2; server_name shop.internal; {other} }}\n"
                );
                let nginx = nginx(world, &servers);
                Staged::new(nginx.port, (nginx, backend))
            },
        )
        .id("C14"),
        row(
            "nginx, that rejects names which it does not know",
            12,
            "tls",
            &["tls.alert"],
            &["unrecognized name", "--server-name"],
            |world| {
                let files = files(&world.ours("server"));
                let servers = format!(
                    "server {{ listen LISTEN ssl http2 default_server; ssl_reject_handshake on; }}\n\
                     server {{ listen LISTEN ssl http2; server_name shop.internal; {files} }}\n"
                );
                let nginx = nginx(world, &servers);
                Staged::new(nginx.port, nginx)
            },
        )
        .id("C13"),
    ]
}

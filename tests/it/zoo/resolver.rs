//! A row: name servers that do not answer, for one process alone.

use std::net::{Ipv4Addr, UdpSocket};

use super::row::{Row, Staged, row};
use super::tool::Tool;

/// Puts two files in front of those of the machine, in a mount namespace of its own, and runs the rest of the line.
const IN_FRONT: &str = r#"
for file in resolv.conf nsswitch.conf; do
    if [ -e "/etc/$file" ]; then mount --bind "$0/$file" "/etc/$file" || exit 99; fi
done
exec "$@""#;

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "name servers that do not answer",
            10,
            "dns",
            &["dns.timeout"],
            &[
                "orders.example",
                "No name server answered in time",
                "/etc/resolv.conf",
            ],
            |world| {
                let server = silent_name_server().unwrap();
                let address = server.local_addr().unwrap().ip();
                let folder = tempfile::tempdir_in(world.path()).unwrap().keep();
                let write = |name, text: &str| std::fs::write(folder.join(name), text).unwrap();
                write(
                    "resolv.conf",
                    &format!("nameserver {address}\noptions timeout:20 attempts:1\n"),
                );
                write("nsswitch.conf", "hosts: files dns\n");
                let folder = folder.to_str().unwrap();
                Staged::new(50051, server)
                    .at("orders.example")
                    .through(["unshare", "--mount", "sh", "-c", IN_FRONT, folder])
                    .quick()
            },
        )
        .id("B1")
        .needs(Tool::Resolver),
    ]
}

/// Port 53, as resolv.conf knows no other, of an address that nobody else has; never read from.
pub fn silent_name_server() -> Option<UdpSocket> {
    (1..=50).find_map(|last| UdpSocket::bind((Ipv4Addr::new(127, 53, 53, last), 53)).ok())
}

//! Every connection of a run is one from the start: a resumed session would show no certificate, and no request for
//! one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, Stream, SupportedProtocolVersion,
};

use super::grpc::{Tonic, rustls};
use super::pki::World;
use super::row::{finish, verify};

/// More than are looked at at one time, so that some come when others are done.
const TARGETS: usize = 64;

/// Sessions that a server offered, and those that a client came back with.
#[derive(Debug)]
struct Sessions {
    kept: Arc<ServerSessionMemoryCache>,
    offered: AtomicUsize,
    resumed: AtomicUsize,
}

impl Sessions {
    fn counted(&self, found: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let count = usize::from(found.is_some());
        self.resumed.fetch_add(count, Ordering::SeqCst);
        found
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.offered.fetch_add(1, Ordering::SeqCst);
        self.kept.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.counted(self.kept.get(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.counted(self.kept.take(key))
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[test]
fn no_session_is_resumed_where_another_client_resumes_it() {
    let versions = [&[&rustls::version::TLS12], &[&rustls::version::TLS13]];
    for version in versions {
        let world = World::new();
        let sessions = Arc::new(Sessions {
            kept: ServerSessionMemoryCache::new(4 * TARGETS),
            offered: AtomicUsize::new(0),
            resumed: AtomicUsize::new(0),
        });
        let mut tls = rustls(&world.ours("server"), None, version);
        tls.session_storage = sessions.clone();
        let server = Tonic::tls(tls);
        let mut command = verify(&world);
        command.args(vec![format!("localhost:{}", server.port); TARGETS]);
        let output = finish(command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let counts = || {
            let counts = [&sessions.offered, &sessions.resumed];
            counts.map(|it| it.load(Ordering::SeqCst))
        };
        let [offered, resumed] = counts();
        assert!(offered >= TARGETS, "{offered} sessions were offered");
        assert_eq!(resumed, 0);
        assert_eq!(
            twice(&world, server.port, version),
            [HandshakeKind::Full, HandshakeKind::Resumed]
        );
        assert_eq!(counts()[1], 1);
    }
}

/// How rustls shakes hands, and how the next time.
fn twice(
    world: &World,
    port: u16,
    version: &[&'static SupportedProtocolVersion],
) -> [HandshakeKind; 2] {
    let mut roots = RootCertStore::empty();
    let anchor = CertificateDer::from_pem_file(world.path().join("pki/ca.crt"));
    roots.add(anchor.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_protocol_versions(version).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    [(), ()].map(|()| {
        let name = ServerName::try_from("localhost").unwrap();
        let mut session = ClientConnection::new(config.clone(), name).unwrap();
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut stream = Stream::new(&mut session, &mut socket);
        stream
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        // What comes in the session comes behind the ticket.
        stream.read_exact(&mut [0]).unwrap();
        session.handshake_kind().unwrap()
    })
}

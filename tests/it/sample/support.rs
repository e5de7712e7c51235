//! A throw-away PKI, a running server, and a client that tells what it saw.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grpc_pki::sample::v1::who_am_i_client::WhoAmIClient;
use grpc_pki::sample::v1::{WhoAmIRequest, WhoAmIResponse};
use grpc_pki::sample::{Event, Material, ServeError, Server, Source};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Certificate, Channel, Endpoint, Identity};

/// Nothing here takes a second; a slow machine gets thirty.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for what must happen.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("in time")
}

/// A certificate authority.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub struct Issued {
    pub certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Ca {
    pub fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub fn anchor(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub fn server(&self, serial: u64) -> Issued {
        let mut params = params("server");
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params, serial)
    }

    pub fn client(&self, name: &str, serial: u64) -> Issued {
        let mut params = params(name);
        let uri = format!("spiffe://example.internal/{name}");
        params.subject_alt_names = vec![
            SanType::DnsName(format!("{name}.internal").try_into().unwrap()),
            SanType::IpAddress([10, 0, 0, 7].into()),
            SanType::URI(uri.try_into().unwrap()),
        ];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, serial)
    }

    fn issue(&self, mut params: CertificateParams, serial: u64) -> Issued {
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued {
            certificate: certificate.der().clone(),
            key,
        }
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "MyOrganization, Inc.");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A certificate as tonic takes it.
pub fn pem(certificate: &CertificateDer<'_>) -> Certificate {
    Certificate::from_pem(grpc_pki::pki::pem::encode("CERTIFICATE", certificate).as_str())
}

impl Issued {
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// Certificate and key as tonic takes them.
    pub fn identity(&self) -> Identity {
        Identity::from_pem(pem(&self.certificate), self.key.serialize_pem())
    }

    /// What a server of this certificate loads; with `anchors`, it wants client certificates.
    pub fn material(&self, anchors: Option<&[&Ca]>) -> Material {
        Material {
            chain: vec![self.certificate.clone()],
            key: self.key().into(),
            client_anchors: anchors.map(|all| all.iter().map(|ca| ca.anchor()).collect()),
        }
    }
}

/// The files, without files: replaced at will while the server runs.
#[derive(Clone)]
pub struct Files(Arc<Mutex<(u64, Material)>>);

impl Files {
    pub fn new(material: Material) -> Self {
        Self(Arc::new(Mutex::new((0, material))))
    }

    pub fn replace(&self, material: Material) {
        let mut files = self.0.lock().unwrap();
        *files = (files.0 + 1, material);
    }
}

impl Source for Files {
    type Error = io::Error;

    fn stamp(&self) -> u64 {
        self.0.lock().unwrap().0
    }

    fn load(&self) -> Result<Material, io::Error> {
        let material = &self.0.lock().unwrap().1;
        Ok(Material {
            chain: material.chain.clone(),
            key: material.key.clone_key().into(),
            client_anchors: material.client_anchors.clone(),
        })
    }
}

/// A server at work, stopped by [`stop`](Self::stop) or with the test.
pub struct Running {
    pub address: SocketAddr,
    pub files: Files,
    events: mpsc::UnboundedReceiver<Event>,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub async fn start(material: Material) -> Self {
        let files = Files::new(material);
        let (sender, events) = mpsc::unbounded_channel();
        let server = Server::bind("127.0.0.1:0", files.clone(), move |event| {
            let _ = sender.send(event);
        });
        let server = server.await.unwrap();
        let (shutdown, asked) = oneshot::channel();
        Self {
            address: server.local_addrs()[0],
            files,
            events,
            shutdown,
            task: tokio::spawn(server.run(async {
                let _ = asked.await;
            })),
        }
    }

    /// The next event that is not a connection.
    pub async fn event(&mut self) -> Event {
        loop {
            match soon(self.events.recv()).await.expect("the server runs") {
                Event::Connected { .. } => {}
                event => return event,
            }
        }
    }

    /// Why the next client is refused.
    pub async fn refusal(&mut self) -> String {
        match self.event().await {
            Event::HandshakeFailed { why, .. } => why.to_string(),
            other => panic!("not a refusal: {other:?}"),
        }
    }

    /// Asks the server to stop, and goes on at once.
    pub fn shutdown(self) -> JoinHandle<Result<(), ServeError>> {
        self.shutdown.send(()).unwrap();
        self.task
    }

    pub async fn stop(self) {
        soon(self.shutdown()).await.unwrap().unwrap();
    }
}

/// How a client of `ca` is set up.
pub fn client_config(ca: &Ca, identity: Option<&Issued>) -> ClientConfig {
    client_config_for(ca, identity, rustls::DEFAULT_VERSIONS)
}

pub fn client_config_for(
    ca: &Ca,
    identity: Option<&Issued>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(ca.anchor()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(own) => builder
            .with_client_auth_cert(vec![own.certificate.clone()], own.key())
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// The handshake alone. On TLS 1.3 it succeeds even where the server refuses the client.
pub async fn handshake(
    server: &Running,
    config: &Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::clone(config)).connect(name, stream)).await
}

/// A client with an open connection.
pub struct Client {
    pub address: SocketAddr,
    pub channel: Channel,
    pub kind: HandshakeKind,
    pub server_certificate: CertificateDer<'static>,
}

impl Client {
    pub async fn connect(server: &Running, config: &Arc<ClientConfig>) -> Self {
        let stream = handshake(server, config).await.unwrap();
        let (socket, session) = stream.get_ref();
        let address = socket.local_addr().unwrap();
        let kind = session.handshake_kind().unwrap();
        let server_certificate = session.peer_certificates().unwrap()[0].clone();

        // One connection only: a second would hide that the first one broke.
        let mut once = Some(TokioIo::new(stream));
        let connector = tower::service_fn(move |_| {
            let stream = once.take().ok_or(io::ErrorKind::NotConnected);
            async move { stream.map_err(io::Error::from) }
        });
        let channel = Endpoint::from_static("http://localhost")
            .connect_with_connector(connector)
            .await
            .unwrap();
        Self {
            address,
            channel,
            kind,
            server_certificate,
        }
    }

    pub async fn who_am_i(&self) -> Result<WhoAmIResponse, tonic::Status> {
        let mut client = WhoAmIClient::new(self.channel.clone());
        let answer = soon(client.who_am_i(WhoAmIRequest {})).await?;
        Ok(answer.into_inner())
    }
}

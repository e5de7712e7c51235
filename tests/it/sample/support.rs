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
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SanType, SerialNumber, date_time_ymd,
};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

/// Nothing here takes a second; a slow machine gets thirty.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for what must happen.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("in time")
}

/// A certificate authority.
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate, its key and its serial number.
pub struct Issued {
    pub certificate: CertificateDer<'static>,
    pub serial: u64,
    key: KeyPair,
}

impl Ca {
    pub fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
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

    pub fn crl(&self, revoked: &Issued) -> CertificateRevocationListDer<'static> {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 2),
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: revoked.serial.into(),
                revocation_time: date_time_ymd(2020, 1, 2),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).unwrap().into()
    }

    fn issue(&self, mut params: CertificateParams, serial: u64) -> Issued {
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued {
            certificate: certificate.der().clone(),
            serial,
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

impl Issued {
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// What a server of this certificate loads; with `anchors`, it wants client certificates.
    pub fn material(&self, anchors: Option<&[&Ca]>) -> Material {
        Material {
            chain: vec![self.certificate.clone()],
            key: self.key(),
            client_anchors: anchors.map(|all| all.iter().map(|ca| ca.anchor()).collect()),
            client_crls: Vec::new(),
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
            key: material.key.clone_key(),
            client_anchors: material.client_anchors.clone(),
            client_crls: material.client_crls.clone(),
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

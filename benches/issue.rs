//! How much a certificate costs beyond the cryptography in it; run it with `cargo bench`.
//!
//! Both sides of a ratio take turns in the same run, and the best round of each counts: a round is shorter than
//! what a busy machine gives to a process at a time, so some rounds are not disturbed.

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use grpc_pki::keys::SystemKeys;
use grpc_pki::pki::{
    DistinguishedName, GeneralName, Issuer, KeyAlgorithm, KeySource, NameConstraints, Profile,
    Template, Validity, pem, sign,
};
use rayon::prelude::*;
use time::OffsetDateTime;

const ROUNDS: usize = 600;
const PER_ROUND: u32 = 20;
const MANY: u32 = 10_000;
/// About the size of what is signed in a certificate, in octets.
const MESSAGE: [u8; 400] = [7; 400];

fn main() {
    let ca = Ca::new();
    let (mut ours, mut raw) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(micros(|| ca.certificate()));
        raw = raw.min(micros(key_and_signature));
    }
    println!(
        "certificate in memory: {ours:.1} us, raw key + signature: {raw:.1} us, \
         ratio {:.2} (target at most 1.3)",
        ours / raw
    );

    let best = (0..9)
        .map(|_| {
            let start = Instant::now();
            let octets: usize = (0..MANY).into_par_iter().map(|_| ca.certificate()).sum();
            black_box(octets);
            f64::from(MANY) / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max);
    println!(
        "{MANY} certificates in memory on {} threads: {best:.0} a second \
         (target at least 30000 on 2 cores)",
        rayon::current_num_threads()
    );
}

/// A CA in memory, and what its certificates are to say.
struct Ca {
    issuer: Issuer,
    subject: DistinguishedName,
    names: Vec<GeneralName>,
    validity: Validity,
}

impl Ca {
    fn new() -> Self {
        let lifetime = "1y".parse().unwrap();
        let validity = Validity::starting(OffsetDateTime::now_utc(), &lifetime);
        let subject = DistinguishedName::common_name("my-ca").unwrap();
        let template = Template {
            subject: &subject,
            names: &[],
            validity,
            serial: SystemKeys.serial().unwrap(),
        };
        let key = SystemKeys.key(KeyAlgorithm::EcdsaP256).unwrap();
        let certificate = sign::self_signed(&template, &NameConstraints::default(), &key).unwrap();
        Self {
            issuer: Issuer::new(certificate, key).unwrap(),
            subject: DistinguishedName::common_name("my-server").unwrap(),
            names: ["my-server", "localhost"]
                .map(|it| GeneralName::dns(it).unwrap())
                .into(),
            validity,
        }
    }

    /// What `issue` does for one certificate up to the two texts that it writes; returns their length.
    fn certificate(&self) -> usize {
        let key = SystemKeys.key(KeyAlgorithm::EcdsaP256).unwrap();
        let template = Template {
            subject: &self.subject,
            names: &self.names,
            validity: self.validity,
            serial: SystemKeys.serial().unwrap(),
        };
        let certificate = self.issuer.issue(&template, Profile::Server, &key).unwrap();
        let certificate = pem::encode("CERTIFICATE", certificate.der());
        certificate.len() + key.to_pem().unwrap().len()
    }
}

/// The cryptography of one certificate and nothing else.
fn key_and_signature() -> usize {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let signature = key.sign(&SystemRandom::new(), &MESSAGE).unwrap();
    signature.as_ref().len()
}

/// Microseconds that one call takes on average over a round.
fn micros(work: impl Fn() -> usize) -> f64 {
    let start = Instant::now();
    for _ in 0..PER_ROUND {
        black_box(work());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(PER_ROUND)
}

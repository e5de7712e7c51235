//! A certificate and a private key, each good by itself: whether they belong together, and to a client.

use std::path::Path;

use super::client::public_of;
use super::mend::Role;
use super::{Fault, Files, InputFile};
use crate::diagnose::{Code, Fix, words};
use crate::pki::Certificate;
use crate::text::{printable, quoted};

impl Files<'_> {
    /// Two good files that do not belong together.
    pub(super) fn pair(&self, certificate: &InputFile, key: &InputFile) -> Option<Fault> {
        let public = public_of(&key.contents)?;
        let chain = &certificate.contents.certificates;
        let first = chain.first()?;
        let belongs = first.public_key_info == public;
        let trusted = self
            .inputs
            .ca
            .as_ref()
            .map_or(&[][..], |it| &it.contents.certificates);
        // One that names a server or a client and signed itself is nobody's CA, whatever its basicConstraints say.
        let is_ca = |it: &&Certificate| it.is_ca() && it.names.is_empty();
        let mut cas = trusted.iter().chain(chain).filter(is_ca);
        if let Some(ca) = cas.find(|it| it.public_key_info == public) {
            return Some(self.ca_key(certificate, key, ca));
        }
        if belongs {
            return None;
        }
        match chain.iter().position(|it| it.public_key_info == public) {
            Some(own) => Some(self.chain_order(certificate, own)),
            None => Some(self.mismatch(certificate, key, first, public)),
        }
    }

    fn ca_key(&self, certificate: &InputFile, key: &InputFile, ca: &Certificate) -> Fault {
        let why = format!(
            "It signs for {}: whoever has it can make certificates in any name, so it stays where certificates are \
             issued and goes to no client.",
            words::short(&ca.subject)
        );
        let first = certificate
            .contents
            .certificates
            .first()
            .filter(|it| !it.is_ca());
        let own = first.and_then(|it| self.key_of(&it.public_key_info));
        let other = self.entries.iter().find(|it| it.is_for_clients());
        let folder = self.inputs.folder();
        let fix = match (own, other) {
            (Some(own), _) => Fix::command(self.again_with(own, Role::Key), ""),
            (None, Some(entry)) => {
                let file = |end: &str| folder.join(format!("{}.{end}", entry.name));
                Fix::command(self.again(None, Some((&file("crt"), &file("key")))), "")
            }
            (None, None) => Fix::steps([
                "make a certificate for the client: in certs.toml `[certs.client]` with `profile = \"client\"`, then \
                 `grpc-pki issue`",
            ]),
        };
        let headline = "is the private key of a CA, not of a client";
        Fault::new(
            key,
            "a CA's private key",
            Code::InputsCaKeyAsClient,
            headline,
            &why,
            fix,
        )
    }

    /// The file begins with an issuer; `own` is where the key's certificate stands.
    fn chain_order(&self, file: &InputFile, own: usize) -> Fault {
        let chain = &file.contents.certificates;
        let why = format!(
            "Who loads it takes the first certificate for the one that belongs to the key, and the first is {}. The \
             certificate of the key stands at place {}. rustls and Go refuse the pair, and a gRPC server in Python or \
             C++ that loads such a file does not start.",
            words::short(&chain[0].subject),
            own + 1
        );
        let parts: Vec<String> = order(chain, own)
            .iter()
            .map(|it| format!("p[{}]", it + 1))
            .collect();
        let command = format!(
            "awk '/-----BEGIN CERT/{{n++}} {{p[n]=p[n] $0 \"\\n\"}} END{{printf \"%s\",{}}}' IN > OUT",
            parts.join(" ")
        );
        let fix = self.converted(file, Role::Certificate, &command);
        let headline = "does not begin with the certificate of the key";
        Fault::new(
            file,
            "an issuer comes first",
            Code::InputsChainOrder,
            headline,
            &why,
            fix,
        )
    }

    fn mismatch(
        &self,
        certificate: &InputFile,
        key: &InputFile,
        first: &Certificate,
        public: &[u8],
    ) -> Fault {
        let own_key = self.key_of(&first.public_key_info);
        let own_certificate = self.certificate_of(public);
        let mut steps = Vec::new();
        let mut told = String::new();
        if let Some(found) = own_key {
            let name = printable(&found.display().to_string());
            told.push_str(&format!(" The key of this certificate is {name}."));
            steps.push(self.again_with(found, Role::Key));
        }
        let is_clients = |it: &Path| {
            self.certificate_at(it)
                .is_none_or(Certificate::allows_client_auth)
        };
        if let Some(found) = own_certificate {
            let name = printable(&found.display().to_string());
            told.push_str(&format!(" The certificate of this key is {name}."));
            if is_clients(found) {
                steps.push(self.again_with(found, Role::Certificate));
            }
        }
        let fix = match (self.anew(), steps.as_slice()) {
            (Some(anew), _) => anew,
            (None, []) => {
                let (one, two) = (quoted(&certificate.path), quoted(&key.path));
                Fix::steps([
                    "give the private key that was made with this certificate, or have this key certified".to_owned(),
                    format!(
                        "the same text must come from `openssl x509 -in {one} -noout -pubkey` and `openssl pkey -in \
                         {two} -pubout`"
                    ),
                ])
            }
            (None, [one]) => Fix::command(one, ""),
            (None, [one, two, ..]) => Fix::command(one, "").or(format!("or `{two}`")),
        };
        let why = format!(
            "{} is certified with another public key than the one that belongs to {}, so it cannot be proven that \
             the certificate is ours.{told}",
            words::short(&first.subject),
            key.name()
        );
        let headline = format!("is not the private key of {}", certificate.name());
        let code = Code::InputsKeyMismatch;
        Fault::new(key, "another certificate's key", code, &headline, &why, fix)
    }
}

/// The key's certificate first, then each one's issuer, then what is left.
fn order(chain: &[Certificate], own: usize) -> Vec<usize> {
    let mut order = vec![own];
    while let Some(last) = order.last().map(|it| &chain[*it])
        && let Some(next) =
            (0..chain.len()).find(|it| !order.contains(it) && last.is_issued_by(&chain[*it]))
    {
        order.push(next);
    }
    let rest: Vec<usize> = (0..chain.len()).filter(|it| !order.contains(it)).collect();
    order.extend(rest);
    order
}

//! `address`: where a certificate is served, for `verify --all`.

use super::fields::{Key, Reader, Value};
use super::{Config, ConfigError, Entry, schema};
use crate::pki::{GeneralName, Profile};
use crate::target::Target;

const HINT: &str = "write HOST:PORT as clients dial it, such as \"localhost:50051\"";

/// The hint for `address` in a table that has no such key: below `[alt_names]` it looks like the end of the file.
pub(super) fn misplaced(key: &str) -> Option<String> {
    (key == schema::ADDRESS).then(|| {
        "the `address` of the certificate `server` stands at the top of the file, above the first [table]; \
         those of others in their [certs.NAME]"
            .to_owned()
    })
}

impl Reader<'_> {
    /// `address` of the entry of that name.
    pub(super) fn address(
        &mut self,
        value: Option<(&Key<'_>, &Value<'_>)>,
        name: &str,
        profile: Profile,
    ) -> Option<Target> {
        let (key, value) = value?;
        if !profile.server_auth() {
            let hint =
                "leave it out, or write profile = \"peer\" for a service that also dials others";
            let message = format!("a {profile} serves nowhere, so it has no `address`");
            self.note(key.span(), message, Some(hint.to_owned()));
            return None;
        }
        let text = self.string(value, HINT)?;
        match Target::parse(text) {
            Ok(target) => Some(Target {
                entry: Some(name.to_owned()),
                ..target
            }),
            Err(error) => {
                self.note(value.span(), error.to_string(), Some(HINT.to_owned()));
                None
            }
        }
    }

    /// A top-level `address` without the certificate that it is about.
    pub(super) fn address_of_nothing(&mut self, value: Option<(&Key<'_>, &Value<'_>)>) {
        if let Some((key, _)) = value {
            let hint =
                "add [dn] and [alt_names], or move it into the [certs.NAME] that it is about";
            let message =
                "`address` here is that of the certificate `server`, which [alt_names] makes";
            self.note(key.span(), message.to_owned(), Some(hint.to_owned()));
        }
    }
}

impl Config {
    /// Where the certificates are served, in file order, each with its entry.
    ///
    /// # Errors
    /// [`ConfigError::NoAddress`] where the file does not say so for any.
    pub fn addresses(&self) -> Result<Vec<Target>, ConfigError> {
        let entries = self.certificates.iter();
        let addresses: Vec<Target> = entries.filter_map(|it| it.address.clone()).collect();
        if !addresses.is_empty() {
            return Ok(addresses);
        }
        Err(ConfigError::NoAddress {
            path: self.path.display().to_string(),
            place: self.place_for_an_address(),
        })
    }

    /// What to write, and where, for the first certificate that a server has.
    fn place_for_an_address(&self) -> String {
        let path = self.path.display();
        let mut servers = self.certificates.iter();
        let Some(entry) = servers.find(|it| it.profile.server_auth()) else {
            return format!(
                "no entry of {path} is a server: add [certs.NAME] with profile = \"server\", alt_names and address"
            );
        };
        let line = format!("`address = \"{}:50051\"`", host(entry));
        match entry.line {
            None => format!("add {line} at the top of {path}, above the first [table]"),
            Some(at) => format!("{path}:{at}: in [certs.{}], add {line}", entry.name),
        }
    }
}

/// A name that its clients may dial.
fn host(entry: &Entry) -> String {
    let names = || entry.names.iter();
    let dialled = names().find_map(|it| match it {
        GeneralName::Dns(name) if name == "localhost" => Some(name.clone()),
        _ => None,
    });
    let first = || {
        names().find_map(|it| match it {
            GeneralName::Dns(name) if !name.starts_with('*') => Some(name.clone()),
            GeneralName::Ip(std::net::IpAddr::V6(address)) => Some(format!("[{address}]")),
            GeneralName::Ip(address) => Some(address.to_string()),
            _ => None,
        })
    };
    dialled
        .or_else(first)
        .unwrap_or_else(|| "localhost".to_owned())
}

//! One address, several sites: the server chose another one than was meant (RFC 6066, 3).

use super::offers::names;
use super::{Code, Finding, Fix, Judge};
use crate::pki::{Certificate, GeneralName};
use crate::probe::Site;

impl Judge<'_> {
    /// Another name led to a certificate that is trusted and fits better than the one that was shown.
    pub(super) fn other_site(
        &self,
        shown: &Certificate,
        wanted: &GeneralName,
        presented: &str,
    ) -> Option<Finding> {
        let is_better = |site: &&Site| {
            let first = site.chain.first();
            let it = first.and_then(|it| Certificate::from_der(it.clone()).ok());
            it.is_some_and(|it| {
                let covers = it.names.iter().any(|name| name.covers(wanted));
                let meant = covers || matches!(wanted, GeneralName::Ip(_));
                it.der() != shown.der() && site.is_trusted && meant
            })
        };
        let site = self.observation.sites().find(is_better)?;
        let other = names(site)?;
        let presented = match presented {
            "" => "one without names".to_owned(),
            names => format!("one for {names}"),
        };
        let (asked, name) = match &site.name {
            Some(name) => (format!("asked for `{name}`"), Some(name)),
            None => ("asked for no name".to_owned(), None),
        };
        let why = match wanted {
            GeneralName::Ip(_) => format!(
                "An address names no site, so the server shows the certificate of its default one, {presented}; \
                 {asked} it shows one for {other}."
            ),
            _ => format!(
                "Asked for `{wanted}` the server shows {presented}; {asked} it shows one for {other}."
            ),
        };
        let fix = match name {
            Some(name) => Fix::steps([
                format!("if that is the site that you mean, ask for it: `--server-name {name}`"),
                "other clients: dial the name, or set it as authority (`grpc.ssl_target_name_override`)".to_owned(),
                format!("or let the server show that certificate for {wanted} too: make it the default site"),
            ]),
            None => Fix::steps([format!(
                "let the server show that certificate for `{wanted}`: nginx `server_name {wanted};` in its site"
            )]),
        };
        let headline = "the server showed the certificate of another site";
        Some(Finding::new(Code::NameOtherSite, headline, why, fix))
    }
}

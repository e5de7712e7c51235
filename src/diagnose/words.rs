//! Words that several rules share.

use crate::pki::certificate::Name;
use crate::probe::Failure;
use crate::text::printable;

/// A name for a line of a few words: its commonName where it has one.
pub(super) fn short(name: &Name) -> String {
    printable(
        name.common_name()
            .map_or_else(|| name.to_string(), str::to_owned)
            .as_str(),
    )
}

/// What a peer wrote, as far as it fits into a sentence.
pub(super) fn excerpt(text: &str) -> String {
    let mut chars = text.chars();
    let shown: String = chars.by_ref().take(120).collect();
    let more = if chars.next().is_some() { "…" } else { "" };
    format!("{}{more}", printable(&shown))
}

/// `Go`, `Go and Java`, `Go, Node and Java`.
pub(super) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// A peer's words in backticks: at most 120 characters, none of which steers a terminal or ends the quotation.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 120;
    let safe = printable(text).replace('`', "'");
    let mut cut: String = safe.chars().take(MOST).collect();
    if safe.chars().nth(MOST).is_some() {
        cut.push('…');
    }
    format!("`{}`", cut.trim())
}

/// The first octets that a peer sent, as far as a few words tell what it is; in backticks.
pub(super) fn sent(octets: &[u8]) -> String {
    const MOST: usize = 40;
    let text = printable(&String::from_utf8_lossy(octets)).replace('`', "'");
    let text: String = text.chars().take(MOST).collect();
    format!("`{text}`")
}

/// How a peer ended a connection.
pub(super) fn ended(failure: &Failure) -> String {
    match failure {
        Failure::Alert(number) => format!("it sent the alert `{}`", alert(*number)),
        Failure::Certificate => "its certificate was not accepted".to_owned(),
        Failure::Closed => "it closed the connection without a word".to_owned(),
        Failure::Incompatible(what) => what.clone(),
        Failure::NotTls => "it sent something that is not TLS".to_owned(),
        Failure::Other(words) => format!("the connection broke ({})", quoted(words)),
        Failure::Reset => "it reset the connection".to_owned(),
        Failure::Timeout => "it did not answer in time".to_owned(),
    }
}

/// The name of a TLS alert (RFC 8446, B.2), with spaces.
pub(super) fn alert(number: u8) -> String {
    let name = match number {
        0 => "close notify",
        10 => "unexpected message",
        20 => "bad record mac",
        40 => "handshake failure",
        42 => "bad certificate",
        43 => "unsupported certificate",
        44 => "certificate revoked",
        45 => "certificate expired",
        46 => "certificate unknown",
        47 => "illegal parameter",
        48 => "unknown ca",
        49 => "access denied",
        50 => "decode error",
        51 => "decrypt error",
        70 => "protocol version",
        71 => "insufficient security",
        80 => "internal error",
        109 => "missing extension",
        112 => "unrecognized name",
        116 => "certificate required",
        120 => "no application protocol",
        other => return format!("number {other}"),
    };
    name.to_owned()
}

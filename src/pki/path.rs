//! Certification paths (RFC 5280, 6): from an end entity to a trust anchor, by name and signature alone.
//!
//! Time, purpose and constraints are judged on the path that is found, each on its own, so that one fault
//! does not hide another.

use super::certificate::Certificate;

/// More certificates than this are not searched; peers may send any number.
const MAX_CHAIN: usize = 16;

/// A way from the end entity to a trust anchor, or how far there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// The end entity first, then its issuers as far as the peer sent them.
    pub certificates: Vec<&'a Certificate>,
    /// What lies at the end.
    pub end: End<'a>,
}

/// How a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// This trust anchor issued the last certificate, or is the last certificate.
    Anchor(&'a Certificate),
    /// This trust anchor has the issuer's name, but another key than the one that signed.
    OtherKey(&'a Certificate),
    /// The last certificate signed itself and is not trusted.
    SelfSigned,
    /// No certificate with the issuer's name is known.
    UnknownIssuer,
}

impl<'a> Path<'a> {
    /// Finds the best path from the first certificate of `chain`, the others in any order, to one of `anchors`.
    ///
    /// `None` for an empty chain.
    pub fn find(chain: &'a [Certificate], anchors: &'a [Certificate]) -> Option<Self> {
        let chain = &chain[..chain.len().min(MAX_CHAIN)];
        let mut certificates = vec![chain.first()?];
        loop {
            let last = *certificates.last()?;
            if let Some(anchor) = anchors
                .iter()
                .find(|it| is_same(it, last) || last.is_issued_by(it))
            {
                return Some(Self {
                    certificates,
                    end: End::Anchor(anchor),
                });
            }
            let next = chain.iter().find(|it| {
                !certificates.iter().any(|seen| is_same(seen, it)) && last.is_issued_by(it)
            });
            match next {
                Some(issuer) => certificates.push(issuer),
                None => {
                    let end = Self::stop(last, anchors);
                    return Some(Self { certificates, end });
                }
            }
        }
    }

    fn stop(last: &Certificate, anchors: &'a [Certificate]) -> End<'a> {
        let namesake = anchors
            .iter()
            .find(|it| it.subject.as_der() == last.issuer.as_der());
        match namesake {
            Some(anchor) => End::OtherKey(anchor),
            None if last.is_self_issued() => End::SelfSigned,
            None => End::UnknownIssuer,
        }
    }

    /// Every certificate below the trust anchor whose issuer is known, with that issuer.
    pub fn issued(&self) -> impl Iterator<Item = (&'a Certificate, &'a Certificate)> {
        let sent = self.certificates.iter().copied();
        let last = self.certificates.last().copied();
        let anchor = self.anchor().zip(last);
        // The last one may be the trust anchor itself.
        let anchor = anchor.filter(|(anchor, last)| !is_same(anchor, last));
        let issuers = self.certificates.iter().skip(1).copied();
        let issuers: Vec<_> = issuers.chain(anchor.map(|(anchor, _)| anchor)).collect();
        sent.zip(issuers)
    }

    /// The trust anchor that it reaches.
    pub fn anchor(&self) -> Option<&'a Certificate> {
        match self.end {
            End::Anchor(anchor) => Some(anchor),
            _ => None,
        }
    }
}

/// The same name and key, whatever else differs: what makes two trust anchors the same (RFC 5280, 6.1.1 d).
fn is_same(one: &Certificate, other: &Certificate) -> bool {
    one.subject == other.subject && one.public_key_info == other.public_key_info
}

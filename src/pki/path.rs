//! Certification paths (RFC 5280, 6): from an end entity to a trust anchor, by name and signature alone.
//!
//! Time, purpose and constraints are judged on the path that is found, each on its own, so that one fault
//! does not hide another.

use time::OffsetDateTime;

use super::certificate::Certificate;
use super::validity::Moment;

/// More signatures than this are not verified; peers may send any number of certificates, all by one name.
const MOST: usize = 128;

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
    /// Finds the best path from the first certificate of `chain`, the others in any order, to one of `anchors`: the
    /// first whose CAs are all within their dates, as a CA may have several certificates for one key.
    ///
    /// `None` for an empty chain.
    pub fn find(
        chain: &'a [Certificate],
        anchors: &'a [Certificate],
        now: OffsetDateTime,
    ) -> Option<Self> {
        let mut search = Search {
            chain,
            anchors,
            now,
            left: MOST,
            best: None,
        };
        search.go_on(vec![chain.first()?]);
        search.best.map(|(_, path)| path)
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

/// A search for the best path, as far as it has come.
struct Search<'a> {
    chain: &'a [Certificate],
    anchors: &'a [Certificate],
    now: OffsetDateTime,
    /// Signatures that may still be verified.
    left: usize,
    /// The best so far, and what is held against it.
    best: Option<(usize, Path<'a>)>,
}

impl<'a> Search<'a> {
    /// Looks at every way on from the last of these, until one is found against which there is nothing.
    fn go_on(&mut self, certificates: Vec<&'a Certificate>) {
        let Some(last) = certificates.last().copied() else {
            return;
        };
        let mut is_end = true;
        for anchor in self.anchors {
            if is_same(anchor, last) || self.is_issued(last, anchor) {
                is_end = false;
                self.keep(&certificates, End::Anchor(anchor));
            }
        }
        if !is_end {
            return;
        }
        for next in self.chain {
            let is_new = !certificates.iter().any(|seen| is_same(seen, next));
            if is_new && self.is_issued(last, next) {
                is_end = false;
                self.go_on([&certificates[..], &[next]].concat());
                if matches!(self.best, Some((0, _))) {
                    return;
                }
            }
        }
        if is_end {
            let end = self.stop(last);
            self.keep(&certificates, end);
        }
    }

    fn is_issued(&mut self, certificate: &Certificate, issuer: &Certificate) -> bool {
        if self.left == 0 || certificate.issuer.as_der() != issuer.subject.as_der() {
            return false;
        }
        self.left -= 1;
        certificate.is_issued_by(issuer)
    }

    fn stop(&self, last: &Certificate) -> End<'a> {
        let namesake = self
            .anchors
            .iter()
            .find(|it| it.subject.as_der() == last.issuer.as_der());
        match namesake {
            Some(anchor) => End::OtherKey(anchor),
            None if last.is_self_issued() => End::SelfSigned,
            None => End::UnknownIssuer,
        }
    }

    /// Keeps this path, unless one that is as good was found before.
    fn keep(&mut self, certificates: &[&'a Certificate], end: End<'a>) {
        let held = match end {
            End::Anchor(anchor) => {
                let authorities = certificates.iter().skip(1).copied().chain([anchor]);
                authorities
                    .filter(|it| it.validity.at(self.now) != Moment::Within)
                    .count()
            }
            End::OtherKey(_) => usize::MAX - 1,
            End::SelfSigned | End::UnknownIssuer => usize::MAX,
        };
        if self.best.as_ref().is_none_or(|(best, _)| held < *best) {
            let certificates = certificates.to_vec();
            self.best = Some((held, Path { certificates, end }));
        }
    }
}

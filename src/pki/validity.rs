//! Validity periods (RFC 5280, 4.1.2.5) and the lengths of time that certs.toml gives.

use std::fmt;
use std::str::FromStr;

use jiff::{Span, Timestamp, tz::TimeZone};
use time::{Duration, OffsetDateTime};

/// How far notBefore lies in the past, so that a peer whose clock runs behind accepts the certificate.
pub const BACKDATE: Duration = Duration::minutes(5);

/// The last moment that a certificate can name: 9999-12-31 23:59:59 (RFC 5280, 4.1.2.5).
const LAST: i64 = 253_402_300_799;

/// A length of time as certs.toml gives it, such as `90d` or `1y`; years and months follow the calendar.
#[derive(Clone, Debug)]
pub struct Lifetime {
    text: String,
    span: Span,
}

/// Why a text is no length of time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// Zero or negative.
    #[error("`{0}` is not a length of time above zero")]
    NotPositive(String),
    /// Reaches beyond the year 9999, the last that a certificate can name.
    #[error("`{0}` reaches beyond the year 9999")]
    TooLong(String),
    /// Not number and unit.
    #[error("`{0}` is not a length of time")]
    Unreadable(String),
}

impl Lifetime {
    /// The moment that lies this far after `start`, at most the end of the year 9999.
    pub fn after(&self, start: OffsetDateTime) -> OffsetDateTime {
        self.shift(start, 1)
    }

    /// The moment that lies this far before `end`.
    pub fn before(&self, end: OffsetDateTime) -> OffsetDateTime {
        self.shift(end, -1)
    }

    /// Whether it is shorter than `other`, counted from the same day.
    pub fn is_shorter_than(&self, other: &Self) -> bool {
        let day = OffsetDateTime::UNIX_EPOCH;
        self.after(day) < other.after(day)
    }

    fn shift(&self, from: OffsetDateTime, sign: i64) -> OffsetDateTime {
        let shifted = Timestamp::from_second(from.unix_timestamp())
            .ok()
            .and_then(|at| {
                at.to_zoned(TimeZone::UTC)
                    .checked_add(self.span * sign)
                    .ok()
            });
        let limit = if sign > 0 { LAST } else { 0 };
        let seconds = shifted.map_or(limit, |at| at.timestamp().as_second().min(LAST));
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(from)
    }
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, LifetimeError> {
        let span: Span = text
            .parse()
            .map_err(|_| LifetimeError::Unreadable(text.to_owned()))?;
        if span.is_zero() || span.is_negative() {
            return Err(LifetimeError::NotPositive(text.to_owned()));
        }
        let from_2000 = Timestamp::from_second(946_684_800)
            .ok()
            .and_then(|at| at.to_zoned(TimeZone::UTC).checked_add(span).ok());
        if from_2000.is_none() {
            return Err(LifetimeError::TooLong(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            span,
        })
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// notBefore and notAfter, both inclusive, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second at which it may be used.
    pub not_before: OffsetDateTime,
    /// Last second at which it may be used.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// A period that starts [`BACKDATE`] before `now` and ends `lifetime` after it; never before 1970,
    /// which rustls refuses to read.
    pub fn starting(now: OffsetDateTime, lifetime: &Lifetime) -> Self {
        let now = now.replace_nanosecond(0).unwrap_or(now);
        Self {
            not_before: (now - BACKDATE).max(OffsetDateTime::UNIX_EPOCH),
            not_after: lifetime.after(now),
        }
    }

    /// The part of it that lies within `issuer`, and whether any was cut off its end.
    pub fn within(self, issuer: Self) -> (Self, bool) {
        let clipped = Self {
            not_before: self.not_before.max(issuer.not_before),
            not_after: self.not_after.min(issuer.not_after),
        };
        (clipped, clipped.not_after < self.not_after)
    }

    /// Where `now` lies.
    pub fn at(&self, now: OffsetDateTime) -> Moment {
        if now < self.not_before {
            Moment::Before
        } else if now > self.not_after {
            Moment::After
        } else {
            Moment::Within
        }
    }
}

/// Where a moment lies with respect to a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Past its end: expired.
    After,
    /// Ahead of its start: not yet valid.
    Before,
    /// Inside.
    Within,
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn lifetime(text: &str) -> Lifetime {
        text.parse().unwrap()
    }

    #[test]
    fn years_follow_the_calendar() {
        let start = datetime!(2024-02-29 12:00 UTC);
        assert_eq!(lifetime("1y").after(start), datetime!(2025-02-28 12:00 UTC));
        assert_eq!(
            lifetime("10y").after(start),
            datetime!(2034-02-28 12:00 UTC)
        );
        assert_eq!(
            lifetime("90d").after(start),
            datetime!(2024-05-29 12:00 UTC)
        );
        assert_eq!(
            lifetime("30d").before(start),
            datetime!(2024-01-30 12:00 UTC)
        );
        assert_eq!(lifetime("36h").after(start), datetime!(2024-03-02 0:00 UTC));
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in ["", "90", "d", "-1d", "0d", "1 fortnight", "90dd"] {
            assert!(text.parse::<Lifetime>().is_err(), "{text}");
        }
        assert_eq!(
            "9000y".parse::<Lifetime>().err(),
            Some(LifetimeError::TooLong("9000y".into()))
        );
    }

    #[test]
    fn no_certificate_ends_after_the_year_9999() {
        let end = lifetime("7900y").after(datetime!(2500-01-01 0:00 UTC));
        assert_eq!(end, datetime!(9999-12-31 23:59:59 UTC));
    }

    #[test]
    fn a_period_is_clipped_to_its_issuer_s() {
        let now = datetime!(2026-01-01 0:00 UTC);
        let ca = Validity::starting(now, &lifetime("10d"));
        let (clipped, cut) = Validity::starting(now, &lifetime("365d")).within(ca);
        assert_eq!((clipped, cut), (ca, true));
        let (whole, cut) = Validity::starting(now, &lifetime("9d")).within(ca);
        assert_eq!(
            (whole.not_after, cut),
            (datetime!(2026-01-10 0:00 UTC), false)
        );
    }

    #[test]
    fn both_ends_are_inside() {
        let now = datetime!(2026-01-01 0:00 UTC);
        let period = Validity::starting(now, &lifetime("1d"));
        assert_eq!(period.not_before, datetime!(2025-12-31 23:55 UTC));
        assert_eq!(period.at(period.not_before), Moment::Within);
        assert_eq!(period.at(period.not_after), Moment::Within);
        assert_eq!(
            period.at(period.not_after + Duration::SECOND),
            Moment::After
        );
        assert_eq!(
            period.at(period.not_before - Duration::SECOND),
            Moment::Before
        );
    }
}

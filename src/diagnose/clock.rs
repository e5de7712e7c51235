//! The clock of the server beside ours: certificates are judged by the clock of who looks at them.

use ::time::{Duration, OffsetDateTime};

use super::time::minute;
use super::{Code, Finding, Fix, Judge};
use crate::text::until;

/// Clocks that differ by less are nobody's trouble (Kerberos draws the line there, RFC 4120, 7.2).
const TOLERABLE: Duration = Duration::minutes(5);

impl Judge<'_> {
    /// What the server says that the time is: the `date` of its answer (RFC 9110, 6.6.1).
    pub(super) fn server_time(&self) -> Option<OffsetDateTime> {
        let http = self.answering()?.rpc.as_ref()?.http.as_ref()?;
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        let read = parser.parse_timestamp(http.date.as_ref()?).ok()?;
        OffsetDateTime::from_unix_timestamp(read.as_second()).ok()
    }

    /// How the server's clock stands to ours, in words, where they differ by more than is tolerable.
    pub(super) fn skew(&self) -> Option<String> {
        let theirs = self.server_time()?;
        let apart = theirs - self.now;
        if apart.abs() <= TOLERABLE {
            return None;
        }
        let way = if apart.is_positive() {
            "ahead of"
        } else {
            "behind"
        };
        Some(format!("{} {way}", until(self.now, theirs)))
    }

    pub(super) fn clocks(&mut self) {
        let (Some(theirs), Some(skew)) = (self.server_time(), self.skew()) else {
            return;
        };
        let headline = format!("the server's clock is {skew} this machine's");
        let why = format!(
            "It says {}, and this machine says {}. Certificates are judged by the clock of who looks at them: where it \
             is behind, a new one is refused, and where it is ahead, one that still lasts.",
            minute(theirs),
            minute(self.now)
        );
        let fix = set_clocks();
        let finding = Finding::new(Code::TimeClockSkew, headline.clone(), why, fix);
        self.find(headline, finding);
    }
}

/// How to have a machine's clock right.
pub(super) fn set_clocks() -> Fix {
    Fix::steps([
        "have the clocks of both machines set by NTP: `timedatectl set-ntp true`, and `timedatectl` shows whether it is; \
         with chrony `chronyc makestep` sets one at once",
    ])
}

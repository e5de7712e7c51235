//! What to do about a finding: a command or a line that works when it is typed.

use ::time::OffsetDateTime;

use super::stale::LOAD_AGAIN;
use super::{Knowledge, KnownEntry};
use crate::config::NewLine;
use crate::pki::{Certificate, GeneralName};
use crate::text::date;

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// One or more steps, in words or as commands.
    pub steps: Vec<String>,
    /// The line of certs.toml to write.
    pub line: Option<ConfigLine>,
    /// The command to run, after the line where there is one.
    pub command: Option<String>,
}

/// A line of certs.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigLine {
    /// The file, as it was named.
    pub file: String,
    /// Where; counted from 1.
    pub line: usize,
    /// Whether it replaces that line, or goes below it.
    pub replaces: bool,
    /// The line.
    pub text: String,
}

impl Fix {
    /// Steps in words.
    pub(super) fn steps<S: Into<String>>(steps: impl IntoIterator<Item = S>) -> Self {
        Self {
            steps: steps.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// One command, and what comes after it.
    pub(super) fn command(command: impl Into<String>, then: &str) -> Self {
        let command = command.into();
        let then = if then.is_empty() {
            String::new()
        } else {
            format!(", {then}")
        };
        Self {
            steps: vec![format!("`{command}`{then}")],
            line: None,
            command: Some(command),
        }
    }

    /// One more step.
    pub(super) fn or(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }
}

impl Knowledge {
    /// A command that finds the same folder and file as the one that is running.
    pub(super) fn command(&self, command: &str) -> String {
        format!("grpc-pki {command}{}", self.flags)
    }

    /// The two commands from nothing to certificates.
    pub(super) fn init_and_issue(&self) -> String {
        format!("{} && {}", self.command("init"), self.command("issue"))
    }

    /// The entry that made this certificate: the same one is on disk, it stands in issued.jsonl, or it is one of our CA
    /// with the subject or the names of the entry.
    pub(super) fn owner(&self, served: &Certificate) -> Option<&KnownEntry> {
        let on_disk = |entry: &&KnownEntry| {
            entry
                .certificate
                .as_ref()
                .is_some_and(|it| it.der() == served.der())
        };
        let ours = self.anchors.iter().any(|it| it.subject == served.issuer);
        let alike = |entry: &&KnownEntry| {
            ours && entry.certificate.as_ref().is_some_and(|it| {
                // The system trusts other CAs than ours.
                let same_issuer = it.issuer == served.issuer;
                it.subject == served.subject && (same_issuer || !self.trusts_system)
            })
        };
        let recorded = self.issued.get(&served.fingerprint());
        let has_name = |entry: &&KnownEntry| recorded.is_some_and(|it| *it == entry.name);
        let same_names = |entry: &&KnownEntry| {
            let within =
                |some: &[GeneralName], all: &[GeneralName]| some.iter().all(|it| all.contains(it));
            ours && !self.trusts_system
                && !entry.names.is_empty()
                && within(&entry.names, &served.names)
                && within(&served.names, &entry.names)
        };
        let entries = || self.entries.iter();
        entries()
            .find(on_disk)
            .or_else(|| entries().find(has_name))
            .or_else(|| entries().find(alike))
            .or_else(|| entries().find(same_names))
    }

    /// How to have a certificate made anew; in words where it is not ours.
    pub(super) fn issue_again(&self, served: &Certificate, now: OffsetDateTime) -> Fix {
        let Some(entry) = self.owner(served) else {
            return Fix::steps([
                "have the server's certificate issued anew, and restart the server",
            ]);
        };
        let command = self.command(&format!("issue {}", entry.name));
        let on_disk = entry.certificate.as_ref();
        if on_disk.is_none_or(|it| it.der() == served.der()) {
            return Fix::command(command, "then restart the server");
        }
        if let Some((entry, new)) = self.renewed(served, now) {
            let (name, until) = (&entry.name, date(new.validity.not_after));
            return Fix::steps([format!(
                "{LOAD_AGAIN}: on disk {name}.crt is a newer one, until {until}"
            )]);
        }
        // `issue` alone would find nothing to do where the server only has not loaded what was renewed.
        let mut fix = Fix::steps([format!(
            "`{}` on disk is another certificate than the one served: run `{command}`, which says \
             whether it is current, then restart the server",
            entry.name
        )]);
        fix.command = Some(command);
        fix
    }

    /// How to have a name put into the served certificate.
    pub(super) fn add_name(&self, served: &Certificate, name: &GeneralName) -> Fix {
        let Some(entry) = self.owner(served) else {
            return Fix::steps([format!(
                "have the server's certificate issued anew with the name {name} in subjectAltName"
            )]);
        };
        let covers = |names: &[GeneralName]| names.iter().any(|it| it.covers(name));
        let command = self.command(&format!("issue {}", entry.name));
        if entry
            .certificate
            .as_ref()
            .is_some_and(|it| covers(&it.names))
        {
            return Fix::steps([
                "restart the server, or have it load its files again: on disk the certificate has the name"
                    .to_owned(),
            ]);
        }
        if covers(&entry.names) {
            return Fix::command(
                command,
                "and restart the server: certs.toml has the name already",
            );
        }
        let what = format!(
            "add {name} to the {} names of `{}`",
            name.kind(),
            entry.name
        );
        self.write(
            entry,
            entry.place.add(name.kind(), &name.to_string()),
            &what,
        )
    }

    /// How to change the names of an entry: by this line, or, where none would do, as `what` says.
    pub(super) fn write(&self, entry: &KnownEntry, line: Option<NewLine>, what: &str) -> Fix {
        let command = self.command(&format!("issue {}", entry.name));
        let file = &self.config_path;
        let then = format!("then `{command}`, and restart the server");
        let Some(new) = line else {
            let step = format!("{file}:{}: {what}", entry.place.line);
            return Fix {
                steps: vec![step, then],
                line: None,
                command: Some(command),
            };
        };
        let verb = if new.replaces {
            "write"
        } else {
            "below it, add"
        };
        let step = format!("{file}:{}: {verb} `{}`", new.line, new.text.trim());
        let line = ConfigLine {
            file: file.clone(),
            line: new.line,
            replaces: new.replaces,
            text: new.text,
        };
        Fix {
            steps: vec![step, then],
            line: Some(line),
            command: Some(command),
        }
    }
}

//! What to do about a finding: a command or a line that works when it is typed.

use super::{Knowledge, KnownEntry};
use crate::pki::{Certificate, GeneralName};

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

    /// The entry that made this certificate: the same one is on disk, or one of our CA has its names.
    pub(super) fn owner(&self, served: &Certificate) -> Option<&KnownEntry> {
        let on_disk = |entry: &&KnownEntry| {
            entry
                .certificate
                .as_ref()
                .is_some_and(|it| it.der() == served.der())
        };
        let ours = self.anchors.iter().any(|it| it.subject == served.issuer);
        let alike = |entry: &&KnownEntry| {
            entry
                .certificate
                .as_ref()
                .is_some_and(|it| ours && it.names == served.names && it.subject == served.subject)
        };
        self.entries
            .iter()
            .find(on_disk)
            .or_else(|| self.entries.iter().find(alike))
    }

    /// How to have a certificate made anew; in words where it is not ours.
    pub(super) fn issue_again(&self, served: &Certificate) -> Fix {
        match self.owner(served) {
            Some(entry) => Fix::command(
                self.command(&format!("issue {}", entry.name)),
                "then restart the server",
            ),
            None => {
                Fix::steps(["have the server's certificate issued anew, and restart the server"])
            }
        }
    }

    /// How to have a name put into the served certificate.
    pub(super) fn add_name(&self, served: &Certificate, name: &GeneralName) -> Fix {
        let Some(entry) = self.owner(served) else {
            return Fix::steps([format!(
                "have the server's certificate issued anew with the name {name} in subjectAltName"
            )]);
        };
        let command = self.command(&format!("issue {}", entry.name));
        let line = config_line(&self.config_path, entry, name);
        let verb = if line.replaces {
            "reads"
        } else {
            "below it, add"
        };
        let step = format!("{}:{}: {verb} `{}`", line.file, line.line, line.text);
        let then = format!("then `{command}`, and restart the server");
        Fix {
            steps: vec![step, then],
            line: Some(line),
            command: Some(command),
        }
    }
}

fn config_line(file: &str, entry: &KnownEntry, name: &GeneralName) -> ConfigLine {
    let kind = name.kind();
    let same: Vec<&GeneralName> = entry.names.iter().filter(|it| it.kind() == kind).collect();
    let own_line = match name {
        GeneralName::Dns(_) => entry.place.dns_line,
        _ => entry.place.ip_line,
    };
    let line = if own_line == 0 {
        entry.place.line
    } else {
        own_line
    };
    let numbered = entry.place.numbered;
    let text = if numbered {
        format!("{kind}.{} = \"{name}\"", same.len() + 1)
    } else {
        let all: Vec<String> = same
            .iter()
            .map(|it| format!("\"{it}\""))
            .chain([format!("\"{name}\"")])
            .collect();
        format!("{kind} = [{}]", all.join(", "))
    };
    let replaces = !numbered && own_line != 0;
    ConfigLine {
        file: file.to_owned(),
        line,
        replaces,
        text,
    }
}

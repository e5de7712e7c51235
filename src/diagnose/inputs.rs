//! What is wrong with the files on this machine, before a packet is sent: whom to trust, and what to show.
//!
//! A client loads many wrong files without a word and then fails at the handshake, as if the server were at fault.

mod authority;
mod client;
mod mend;
mod pair;

use std::path::{Path, PathBuf};

use super::{Code, Finding, Fix, Judge, KnownEntry, Outcome, StageId, Status, words};
use crate::pki::Certificate;
use crate::pki::contents::{Block, Contents};
use crate::text::{plural, printable, quoted};

/// The files that were read, and how they were named.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Whom to trust; `None` where nothing was read.
    pub ca: Option<InputFile>,
    /// The client certificate and its private key, where one is to be shown.
    pub client: Option<(InputFile, InputFile)>,
    /// The name by which they were asked for, where it was one of the folder.
    pub client_name: Option<String>,
    /// The CA that is trusted where none is named: `ca.crt` in the folder.
    pub usual_ca: PathBuf,
    /// The other flags of this run, each after a space.
    pub flags: String,
    /// Those of them that other commands need to find the same folder and file.
    pub folder_flags: String,
    /// What lies beside the files; read once something is wrong.
    pub neighbours: Vec<(PathBuf, Contents)>,
}

/// A file that was named, or that stands for one that was not.
#[derive(Debug)]
pub struct InputFile {
    /// As it was named.
    pub path: PathBuf,
    /// What it holds.
    pub contents: Contents,
    /// The permission bits.
    pub mode: u32,
}

/// What is wrong, and the same in a few words for the line of the stage.
struct Fault {
    finding: Finding,
    short: String,
}

impl Fault {
    fn new(file: &InputFile, short: &str, code: Code, headline: &str, why: &str, fix: Fix) -> Self {
        let name = file.name();
        Self {
            finding: Finding::new(code, format!("{name} {headline}"), why, fix),
            short: format!("{name}: {short}"),
        }
    }
}

impl InputFile {
    fn name(&self) -> String {
        printable(&self.path.display().to_string())
    }
}

impl Inputs {
    /// Whether the run ends here: not one of these servers can be looked at with files like these.
    pub fn is_failed(&self) -> bool {
        let files = Files {
            inputs: self,
            target: "",
            entries: &[],
        };
        let faults = files.faults();
        faults.iter().any(|it| is_failure(&it.finding))
    }

    /// The pki folder.
    fn folder(&self) -> &Path {
        self.usual_ca.parent().unwrap_or(Path::new(""))
    }
}

fn is_failure(finding: &Finding) -> bool {
    finding.code.outcome() != Outcome::Passes
}

impl Judge<'_> {
    /// Judges the files; whether the run ends here.
    pub(super) fn inputs(&mut self) -> bool {
        let files = Files {
            inputs: &self.knowledge.inputs,
            target: &self.observation.target.text,
            entries: &self.knowledge.entries,
        };
        let faults = files.faults();
        let failed = faults.iter().any(|it| is_failure(&it.finding));
        if !failed {
            let lists = self.knowledge.revocation.iter().map(|it| it.path.as_str());
            let mut shown: Vec<&str> = std::iter::once(self.knowledge.anchors_path.as_str())
                .chain(lists)
                .collect();
            let identity = self.knowledge.identity.as_ref();
            let identity = identity.map(|it| format!("as {}", words::short(&it.subject)));
            shown.extend(identity.as_deref());
            self.stage(StageId::Inputs, Status::Ok, shown.join(", "), None);
        }
        for fault in faults {
            self.find(fault.short, fault.finding);
        }
        failed
    }
}

/// The files, whom they were named for, and what certs.toml could make.
struct Files<'a> {
    inputs: &'a Inputs,
    target: &'a str,
    entries: &'a [KnownEntry],
}

impl Files<'_> {
    fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.authority().into_iter().collect();
        faults.extend(self.client());
        faults
    }

    /// The command that was typed, with other files where they are given.
    fn again(&self, ca: Option<&Path>, client: Option<(&Path, &Path)>) -> String {
        let inputs = self.inputs;
        let typed = inputs.client.as_ref();
        let typed = typed.map(|(one, two)| (one.path.as_path(), two.path.as_path()));
        let client = match client.or(typed).map(|it| (self.name_of(it), it)) {
            Some((Some(name), _)) => format!(" --client {}", quoted(Path::new(&name))),
            Some((None, (certificate, key))) => as_files(certificate, key),
            None => String::new(),
        };
        self.command(ca, &client)
    }

    /// The same with these two, each as a file.
    fn again_as_files(&self, certificate: &Path, key: &Path) -> String {
        self.command(None, &as_files(certificate, key))
    }

    fn command(&self, ca: Option<&Path>, client: &str) -> String {
        let inputs = self.inputs;
        let target = quoted(Path::new(self.target));
        let ca = ca.or(inputs.ca.as_ref().map(|it| it.path.as_path()));
        let ca = match ca.filter(|it| *it != inputs.usual_ca) {
            Some(path) => format!(" --ca {}", quoted(path)),
            None => String::new(),
        };
        format!("grpc-pki verify {target}{ca}{client}{}", inputs.flags)
    }

    /// The name by which `--client` finds a pair in the folder.
    fn name_of(&self, (certificate, key): (&Path, &Path)) -> Option<String> {
        let folder = self.inputs.folder();
        let name = certificate.file_name()?.to_str()?.strip_suffix(".crt")?;
        let of_folder = |file: String| folder.join(file);
        let fits = certificate == of_folder(format!("{name}.crt"))
            && key == of_folder(format!("{name}.key"));
        fits.then(|| name.to_owned())
    }

    /// The private key beside the files that belongs to this SubjectPublicKeyInfo.
    fn key_of(&self, public: &[u8]) -> Option<&Path> {
        self.beside(|it| it.has_key_of(public))
    }

    /// The certificate beside the files that belongs to it.
    fn certificate_of(&self, public: &[u8]) -> Option<&Path> {
        self.beside(|it| it.has_certificate_of(public))
    }

    /// The first certificate of a file beside the files.
    fn certificate_at(&self, path: &Path) -> Option<&Certificate> {
        let mut all = self.inputs.neighbours.iter();
        let (_, found) = all.find(|(it, _)| it == path)?;
        found.certificates.first()
    }

    fn beside(&self, fits: impl Fn(&Contents) -> bool) -> Option<&Path> {
        let mut all = self.inputs.neighbours.iter();
        all.find(|(_, it)| fits(it)).map(|(path, _)| path.as_path())
    }
}

fn as_files(certificate: &Path, key: &Path) -> String {
    format!(" --cert {} --key {}", quoted(certificate), quoted(key))
}

/// Where blocks stand: `line 4`, `lines 4 and 9`, or how many there are.
fn lines(blocks: &[Block]) -> String {
    match blocks {
        [one] => format!("line {}", one.line),
        [one, two] => format!("lines {} and {}", one.line, two.line),
        [first, ..] => format!(
            "{} from line {} on",
            plural(blocks.len(), "place"),
            first.line
        ),
        [] => String::new(),
    }
}

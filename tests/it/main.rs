//! The integration tests, as one binary. What is about one command on real files is a session in the file of
//! that command; what every certificate has to be is in `certificate`; what goes wrong is in `config` and
//! `refusals`.

// Signatures of other implementations.
mod algorithm;
// What every certificate is, whoever asked for it: read back, and accepted by others.
mod certificate;
// Mistakes in certs.toml: every message, with its place.
mod config;
// README, certs.toml, examples and --help say what is true.
mod docs;
// `init --ephemeral`: a CA that signs once.
mod ephemeral;
// `explain`: the list, a page, an unknown code.
mod explain;
// System calls that fail, kills, crowds and full disks: what the folder is then.
mod faults;
// What is in the way of writing, and modes and owners of what is written.
mod folder;
// Servers and files that nobody foresaw.
mod fuzz;
// The walls between the rooms.
mod house;
// `init`: sessions, options, and what it leaves alone.
mod init;
// `issue`: sessions, the plan, the reasons.
mod issue;
// The list of what was made: torn lines, serial numbers.
mod issued;
// Who waits for whom, and who reads while others write.
mod lock;
// The CA key under a passphrase.
mod passphrase;
// The checked-in protobuf code is what its source generates.
mod protobuf;
// Files and folders that are not what they should be: one sentence, one exit code, nothing changed.
mod refusals;
// The sample server: who gets in, reload, start and stop.
mod sample;
// What must stay secret is neither printed nor left anywhere.
mod secrecy;
// `status`: how everything stands.
mod status;
// The project folder and the runs that the sessions share.
mod support;
// Targets that are none: what was understood, and what to type.
mod targets;
// What the next command makes of a change that was interrupted.
mod transaction;
// `verify` against staged servers: what it concludes, and what it says.
mod zoo;

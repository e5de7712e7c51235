//! TLS and mutual TLS for gRPC: makes the certificates from one TOML file, and proves that a server works with them.
//!
//! Data goes one way, and no room knows a room above it:
//!
//! ```text
//! main → cli → { report, apply, probe, diagnose, sample, plan, config } → store → pki
//!
//! init    Args → Config → Inventory → plan::init  → apply → Outcome → Report
//! issue   Args → Config → Inventory → plan::issue → apply → Outcome → Report
//! verify  Args → Target + trust anchors + identity → probe → Observation → diagnose → Verdict → Report
//! ```
//!
//! | room | does |
//! |---|---|
//! | [`pki`] | the domain, in the words of RFC 5280; no I/O, no clock, no randomness; signs |
//! | [`store`] | the pki folder: layout and modes, inventory, lock, transaction |
//! | [`config`] | certs.toml, checked once |
//! | [`plan`] | (configuration, files, now) → steps with reasons; pure |
//! | [`apply`] | carries out a plan in one transaction |
//! | [`target`] | whom to look at: `HOST:PORT` and Unix sockets, as people write them |
//! | [`probe`] | talks to a live server and concludes nothing |
//! | [`diagnose`] | (observation, knowledge, now) → verdict with ranked findings; pure |
//! | [`sample`] | the sample server behind `serve`, `demo` and the tests |
//! | [`report`] | one report per command, as human text or JSON; pure |
//! | [`cli`] | arguments to report, and the only writer to stdout and stderr |
//! | [`keys`], [`text`], [`error`] | randomness; dates and safe text; one error over all |
//!
//! Why a plan: it is whole before the first byte is written, so a dry run costs nothing and a mistake in the last
//! entry changes nothing. Why an observation: what a peer did and what that means are separate questions, and the
//! second one can be tested without a peer. Why the files are the state: there is nothing else to drift from them.

#![warn(
    clippy::dbg_macro,
    clippy::disallowed_methods,
    clippy::exit,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::todo,
    clippy::unimplemented,
    clippy::unwrap_used
)]

pub mod apply;
pub mod cli;
pub mod config;
pub mod diagnose;
pub mod error;
pub mod keys;
pub mod pki;
pub mod plan;
pub mod probe;
pub mod report;
pub mod sample;
pub mod store;
pub mod target;
pub mod text;

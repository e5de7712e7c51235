//! The integration tests, as one binary.

// README, certs.toml, examples and --help say what is true.
mod docs;
// The checked-in protobuf code is what its source generates.
mod protobuf;
// The sample server: who gets in, reload, start and stop.
mod sample;

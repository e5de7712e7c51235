//! The integration tests, as one binary.

// Signatures of other implementations.
mod algorithm;
// The walls between the rooms.
mod house;
// The checked-in protobuf code is what its source generates.
mod protobuf;
// The sample server: who gets in, reload, start and stop.
mod sample;

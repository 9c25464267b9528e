//! The program itself, on a free port, with a fake AWS on loopback behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what a test stands on ends it when it is not there; clippy sees that only inside of test functions"
)]

mod access;
mod jobs;
mod orchestrator;
mod process;

//! The binary as a user runs it: against the local target with real containers, and refused where it has to be.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test panics where its own setup is wrong, and says why it is skipped"
)]

mod access;
mod action;
mod canaries;
mod destroying;
mod drift;
mod end_to_end;
mod env_sync;
mod failing;
mod faults;
mod fitting;
mod http;
mod images;
mod init;
mod interrupts;
mod killed;
mod large;
mod promoting;
mod proxy;
mod refusals;
mod rollback;
mod running;
mod secrets;
mod terminal;
mod truth;
mod two_at_once;
mod unopened;
mod without_engine;
mod workspace;

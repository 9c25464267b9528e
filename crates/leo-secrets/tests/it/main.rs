//! Secrets on their way to Secrets Manager, against its wire format.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]

mod at_once;
mod calls;
mod ensuring;
mod given;
mod interleaved;
mod pushing;
mod recording;
mod restoring;
mod rotating;
mod service;
mod statuses;

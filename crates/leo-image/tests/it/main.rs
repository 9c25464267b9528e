//! ECR's wire format, and the real engine with a real registry.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]

mod catalog;
mod context;
mod docker;
mod ecr;
mod registry;

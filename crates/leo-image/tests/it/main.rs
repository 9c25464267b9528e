//! ECR's wire format, and the real engine with a real registry.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

mod bridge;
mod builder;
mod catalog;
mod collecting;
mod commit_tag;
mod context;
mod docker;
mod docker_cache;
mod docker_failing;
mod docker_remote;
mod ecr;
mod gate;
mod own_engine;
mod registry;
mod scan;
mod stub;

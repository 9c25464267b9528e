//! Looks at folders as they are on a disk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

mod cache;
mod context;
mod errors;
mod inputs;
mod layers;
mod leaks;

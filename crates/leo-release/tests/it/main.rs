//! The artifacts bucket against an S3 in memory, which keeps S3's conditions, and against the emulator's.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a helper of a test fails as a test does, and says why it skips"
)]

mod bucket;
mod emulator;
mod lease;
mod promotions;
mod records;
mod releases;
mod templates;

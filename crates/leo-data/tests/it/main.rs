//! The account as the services tell it on the wire: the SDK's real serialisation on one side, an account in memory on the
//! other.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::format_collect,
    reason = "a helper of a test fails as a test does"
)]

mod account;
mod buckets;
mod finding;
mod json;
mod runs;
mod s3;
mod secrets;
mod uses;

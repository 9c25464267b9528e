//! Copies between real registries (Debian's `docker-registry`), with a gate in front of each that can lose, refuse and
//! falsify. Without that program a test says why it does nothing; with `LEO_REQUIRE_ALL=1` it fails instead.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test panics where its own setup is wrong"
)]
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

mod bench;
mod copying;
mod gate;
mod image;
mod inspecting;
mod interrupted;
mod login;
mod memory;
mod redirects;
mod registry;

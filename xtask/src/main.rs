//! `cargo xtask`: everything people do with this repository.
fn main() {}

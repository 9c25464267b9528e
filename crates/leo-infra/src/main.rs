//! The commands that speak to AWS; `cargo xtask` builds and runs this binary.
fn main() {}

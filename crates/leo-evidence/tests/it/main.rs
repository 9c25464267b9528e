//! The recorder against written conversations in the services' own wire formats, and every cause against evidence as AWS
//! words it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a helper of a test fails as a test does"
)]

mod answers;
mod causes;
mod live;
mod recorder;
mod wire;

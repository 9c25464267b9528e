//! The recorder against written conversations in the services' own wire formats, and every cause against evidence as AWS
//! words it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::format_collect,
    clippy::too_many_lines,
    reason = "a helper of a test fails as a test does, and a table of cases is as long as it is"
)]

mod answers;
mod cases;
mod causes;
mod live;
mod order;
mod recorder;
mod signal;
mod wire;

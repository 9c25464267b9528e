//! What a `leo.toml` and the environment files give, and what is said when they are wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "also what only helps a test may fail it")]

mod defaults;
mod generated;
mod messages;
mod precedence;
mod shipped;

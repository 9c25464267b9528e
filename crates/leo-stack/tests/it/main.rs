//! The composed stacks: what every configuration gives, and what AWS's own linter says of it.

#![allow(clippy::indexing_slicing, reason = "a helper of a test fails as a test does")]

mod invariants;
mod lint;
mod properties;
mod settings;

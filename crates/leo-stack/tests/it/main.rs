//! The composed stacks: what every configuration gives, and what AWS's own linter says of it.

mod invariants;
mod lint;
mod properties;
mod settings;

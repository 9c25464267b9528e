//! What a `leo.toml` and the environment files give, and what is said when they are wrong.

mod defaults;
mod generated;
mod messages;
mod precedence;
mod shipped;

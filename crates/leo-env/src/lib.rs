//! The `.env` files and the process environment, read into values that know where they came from.
//!
//! Lowest first: `env/.env.defaults` (committed), `env/.env`, `env/.env.<environment>`, the process environment, the command
//! line. Files are parsed into values, never loaded into the process. An empty value is as good as none.
//!
//! # Which keys are secrets
//!
//! The [`Schema`] says: `infra/env.toml` declares every key. The files are parsed without it, so that what is wrong with them
//! is said in any case: everything that is not a [`Setting`] or an output (`LEO_OUT_*`) is a [`Secret`] from the moment it is
//! parsed, and [`Env::check`], given the schema, says afterwards which keys nobody knows. Nothing that could be a secret is
//! ever a plain text.
//!
//! * Secrets come from one file: `env/.env.<environment>` where it exists, readable or not, else `env/.env`. They are not
//!   layered, or a key that one environment lacks would be filled with another one's.
//! * From the process environment a secret is read as `LEO_SECRET_<KEY>` alone: CI systems and shells export other tools'
//!   tokens under the bare names.
//! * With [`SecretsPolicy::Ignore`] (everything offline) no secret is kept. `env/.env` is still opened, since it may override
//!   settings; the value of any other key is dropped as soon as its line is parsed, the text with the parser before
//!   [`Env::load`] returns, and `LEO_SECRET_*` is not looked at.
//! * With [`SecretsPolicy::Unopened`] (`--local`) only `env/.env.defaults` is opened.
//!
//! # What keeps them here
//!
//! Before a secret is read, [`keep_memory_private`] turns core dumps off. [`secret_variables`] names what no child of ours may
//! inherit. After [`hide_values_in_panics`] a panic shows no value.
//!
//! What this crate deliberately does not do: decide which layer wins against `infra/leo.toml` (`leo-config` does), or
//! change a file on its own accord: [`EnvFile`] is for the commands that do.

mod character;
mod check;
mod children;
mod dialect;
pub mod document;
mod edit;
mod entries;
mod env;
mod file;
pub mod form;
mod layer;
mod line;
mod memory;
mod panic;
mod regular;
pub mod schema;
mod secret;
mod setting;
mod sibling;
mod visible;

pub use children::secret_variables;
pub use dialect::differences;
pub use edit::{Access, Edit, EditError, EnvFile, Place, Written, replace_file};
pub use entries::{Entry, entries};
pub use env::{Env, SecretsPolicy};
pub use layer::{EnvValue, Origin, SecretValue, Source};
pub use memory::{keep_memory_private, not_private};
pub use panic::hide_values_in_panics;
pub use regular::{BROKEN_LINK, LARGEST, is_broken_link, read_file};
pub use schema::Schema;
pub use secret::Secret;
pub use setting::Setting;
pub use visible::{hidden, holds_secret, refused_argument, visible};

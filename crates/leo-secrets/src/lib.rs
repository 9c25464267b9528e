//! Makes sure that every secret has a value before a container asks for it.
//!
//! A deploy creates what is missing and overwrites nothing: [`ensure`]. It looks at a secret's versions; a value is
//! read only to see which keys it has, and only where the caller may. What changed reaches the running tasks through
//! the [`Revision`], which is made from version ids and never from values.
//!
//! Deliberately absent: creating or deleting a secret itself (its stack does), changing a value that exists, printing.
//! No error, report or debug output of this crate can hold a value: none of its types has a place for one.

mod ensure;
mod error;
mod fingerprint;
mod plan;
mod revision;
mod service;
mod values;

pub use ensure::{Report, check_values, ensure};
pub use error::{Problem, SecretsError};
pub use plan::SecretPlan;
pub use revision::Revision;
pub use values::Values;

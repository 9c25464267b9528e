//! What is kept: [`registry`] has the image repositories and the artifacts bucket, shared by an account's
//! environments; [`data`] has one environment's bucket of generated applications and its secrets.
//!
//! Deliberately absent: the values of secrets, which never pass through a template.

mod bucket;
mod data;
mod registry;

pub use data::{Exports as DataExports, data};
pub use registry::{Exports as RegistryExports, registry};

//! The few AWS calls that the demo programs make: `RunTask`, `DescribeTasks` and `ListTasks` of ECS, and putting, getting
//! and listing objects in S3, signed with Signature Version 4.
//!
//! It takes its settings from the variables that ECS gives to every container, refreshes the task role's credentials
//! before they end, and tries again what AWS says to try again. It deliberately is no SDK: no profiles, no single
//! sign-on, no instance metadata, no other call. The real SDK's clients for these two services would take longer to
//! compile than everything else in this workspace together.

mod client;
mod credentials;
pub mod ecs;
mod endpoint;
mod error;
mod http;
pub mod s3;
mod variables;

pub use client::{Client, Retry};
pub use endpoint::Endpoint;
pub use error::Error;
pub use variables::{Variables, VariablesError};

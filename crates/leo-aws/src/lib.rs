//! What a failed call to AWS means, for every crate that makes calls: [`ServiceError`] says what AWS answered,
//! [`ErrorClass`] what the caller may do about it, [`FailureKind`] which exit code it ends in.
//!
//! Deliberately absent: calling AWS or trying again, codes that only one service has (its caller knows those), and any
//! service's SDK.

mod class;
mod kind;
mod service_error;

pub use class::ErrorClass;
pub use kind::FailureKind;
pub use service_error::ServiceError;

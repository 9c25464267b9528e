//! An output of one stack that is a parameter of another.

use leo_cfn::{Output, Parameter};

/// An output of the foundation that goes into a parameter of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The output's key.
    pub output: String,
    /// The parameter's key.
    pub parameter: String,
}

impl Link {
    /// Links two ends of one type: a VPC's id can't reach a parameter that wants a bucket.
    pub(crate) fn new<T>(output: &Output<T>, parameter: &Parameter<T>) -> Self {
        Self { output: output.key().to_owned(), parameter: parameter.key().to_owned() }
    }
}

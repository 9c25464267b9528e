use std::ffi::OsString;

use crate::layer::SECRET_PREFIX;

/// The names of this process's variables in which secrets are given to us, and to nobody else: what is taken from the
/// environment of every child before it starts.
pub fn secret_variables() -> impl Iterator<Item = OsString> {
    let is_secret = |name: &OsString| name.as_encoded_bytes().starts_with(SECRET_PREFIX.as_bytes());
    std::env::vars_os().map(|(name, _)| name).filter(is_secret)
}

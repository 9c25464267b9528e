//! Speaks the registry protocol (OCI distribution) to look at images and to copy them by digest: what `docker` can't
//! do without an engine, and what ECR's own API can't do between two accounts.
//!
//! A [`Connection`] is one registry and who we are to it. [`Connection::inspect`] says what an image is made of;
//! [`copy()`] brings an image or an index with all its platforms into another repository, byte for byte, so that the
//! digest stays. Blobs are streamed, those that are there already are not sent, and every byte that arrives is checked
//! against its digest.
//!
//! TLS, root certificates and proxies are those of the AWS SDKs, because it is their HTTP client. Plain HTTP is spoken
//! to a registry on loopback and to no other.
//!
//! Deliberately absent: tags (they belong to ECR's API, which sets them only where they are absent), bearer tokens (ECR
//! and a plain registry take basic authentication), unpacking layers, credentials of the Docker CLI.

mod blob;
mod connection;
mod copy;
mod digest;
mod error;
mod http;
mod inspect;
mod login;
mod manifest;
mod place;
mod retry;

pub use connection::Connection;
pub use copy::{Copied, CopyEvent, CopySink, copy};
pub use digest::{DigestError, ImageDigest, ImageReference};
pub use error::OciError;
pub use inspect::{Inspected, Layer};
pub use login::{Login, SignIn, SignInError, SignInFuture};
pub use manifest::Platform;

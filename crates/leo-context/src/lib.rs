//! What a container build can see: one hash of all of it, and what of it must not be there.
//!
//! [`look`] reads a build context as BuildKit's client would send it (the `.dockerignore` by the rules of moby's
//! patternmatcher), the Dockerfile, and everything else that decides what an image becomes. The same [`SourceHash`]
//! means: a build would see the same, so an image that is tagged with it need not be built again. On the way every
//! file is held against the names and the shapes of known secrets. A second look reads only what has changed.
//!
//! Deliberately absent: building, registries, AWS, git, printing. Nothing that is found is ever quoted: a [`Leak`]
//! says where and what kind, never the value.

mod cache;
mod content;
mod dockerfile;
mod error;
mod folder;
mod glance;
mod hash;
mod ignore;
mod leak;
mod look;
mod pattern;
mod place;
mod side_by_side;
#[cfg(test)]
mod testing;
mod walk;

pub use dockerfile::{MovingBase, MovingReason};
pub use error::ContextError;
pub use glance::{Glance, glance};
pub use hash::SourceHash;
pub use leak::{IgnoreLine, Leak, LeakSource, Secret};
pub use look::{Look, Request, look};

//! The artifacts bucket, which every machine that deploys an environment shares: template bodies by SHA-256, a numbered
//! record for each release, what is promoted to an environment, and the lease that lets one deploy at a time work on it.
//!
//! Everything rests on S3's conditional writes (S3 User Guide, "How to prevent object overwrites with conditional
//! writes" and "How to perform conditional deletes"): what must be new is sent with `If-None-Match: *`, what must be
//! unchanged with `If-Match: <ETag>`, so that two writers never both believe that they won. Whatever is interrupted
//! leaves either nothing or something that the next run recognises: an object appears whole or not at all, a call
//! whose answer got lost finds its own object, and a lease ends by itself.
//!
//! - [`Artifacts::stage`], [`Artifacts::template`]: templates.
//! - [`Artifacts::record`], [`Artifacts::releases`], [`Artifacts::release`], [`previous_good`]: releases.
//! - [`Artifacts::promote`], [`Artifacts::promotion`], [`Artifacts::promotion_deployed`]: what the next deploy takes.
//! - [`Artifacts::environments`], [`Artifacts::promotions`]: which environments there are, and what they will run.
//! - [`Artifacts::lease`]: one deploy at a time; [`Artifacts::behind_collection`]: none while images are deleted.
//!
//! Deliberately absent: creating the bucket (the registry's stack does), deleting anything but a lease and a
//! promotion that was deployed, knowing what the stacks contain, printing.

mod artifacts;
mod error;
mod history;
mod lease;
mod objects;
mod previous;
mod process;
mod promotion;
mod release;

pub use artifacts::{Address, Artifacts, StagedTemplate, TEMPLATE_LIMIT, template_sha256};
pub use error::ReleaseError;
pub use history::{History, Unreadable, rfc3339};
pub use lease::{Holder, Lease, Lost, REGISTRY_IMAGES, Waiting};
pub use previous::{Previous, previous_good};
pub use process::Process;
pub use promotion::{PendingPromotion, PromotedFrom, PromotedImage, Promotion};
pub use release::{NewRelease, NewStack, Release, ReleasedImage, ReleasedStack};

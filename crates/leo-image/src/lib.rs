//! Builds the platform's images with BuildKit, pushes them to ECR and answers with digests.
//!
//! The order of one image: [`choose_sources`] says where it is built from, [`plan()`] turns that into a
//! [`BuildPlan`] (pure), [`Publisher::publish`] looks at what the build would see and asks ECR whether it has the image
//! of just that. If not, it builds, pushes, looks at the image as the registry has it, and then tags it with the hash of
//! its source. What is deployed is a digest; a tag is set only where it is absent, and every digest carries one before
//! this crate hands it out, because untagged images expire.
//!
//! Deliberately absent: printing (progress goes to a [`Sink`]), finding AWS credentials or stack outputs (the
//! caller passes clients and [`Repository`]s), deciding which digests a running platform has.
//! Which images may be deleted says [`retention`], from uses that its caller has seen; only [`Catalog::delete`] does it.

mod build;
mod buildctl;
mod catalog;
mod check;
mod choice;
mod connect;
mod delivery;
pub mod demo;
mod endpoint;
mod engine;
mod error;
mod event;
mod git;
mod keep;
mod lazy;
mod local_names;
mod login;
mod lookup;
mod origin;
mod plan;
mod process;
mod progress;
mod publish;
mod push;
pub mod retention;
mod scan;
mod selection;
mod source_tag;
mod sources;
mod stage;
mod tag;
mod verify;

pub use catalog::{
    Catalog, DELETED_AT_ONCE, KeptByEcr, ListedImage, Marked, Removal, StoredImage, TagOutcome,
};
pub use check::{BuildReason, Checked, Looked, Present, PublishOptions, SourceFacts, Verdict};
pub use choice::{ImagesChoice, ImagesChoiceError};
pub use engine::{Engine, PushMode};
pub use error::{ImageError, MissingFolder};
pub use event::{ImageEvent, ImageEventKind, ImageName, Sink};
pub use git::GitHead;
pub use lazy::LazyEngine;
pub use leo_oci::{DigestError, ImageDigest, ImageReference};
pub use login::{Password, Registry, RegistryCredentials};
pub use plan::{BuildPlan, CachePlan, CacheUse, PlanInput, Repository, plan};
pub use publish::{Made, PublishedImage, Publisher, look};
pub use scan::{FailOn, FailOnError, Finding, Scan, Severity};
pub use selection::{ImageNameError, Selection};
pub use source_tag::{Day, SourceTags};
pub use sources::{DemoImages, Source, SourceChoice, SourcePair, Sources, choose_sources};
pub use stage::{Bytes, Size, Stage, StageProgress, StageState};
pub use tag::{ImageTag, TagError};
pub use verify::{Verified, Wanted, verify};

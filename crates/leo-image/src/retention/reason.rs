//! Why an image stays or goes, in words.

use std::fmt;
use std::time::Duration;

use crate::{ImageDigest, ImageTag};

/// Who uses an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// A service of ECS runs it, or still drains it.
    Service {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        service: String,
        /// The task definition, as family and revision.
        definition: String,
    },
    /// A task that has not stopped.
    Task {
        /// The cluster's name.
        cluster: String,
        /// The task definition, as family and revision.
        definition: String,
        /// The task's id.
        task: String,
    },
    /// A task definition that new tasks can be started from, as family and revision.
    Definition(String),
    /// A parameter of a stack: what an update that fails goes back to.
    Stack {
        /// The stack.
        stack: String,
        /// The parameter.
        parameter: String,
    },
    /// One of the newest releases.
    Release {
        /// The environment.
        environment: String,
        /// Its number.
        number: u64,
    },
    /// A promotion that the next deploy takes.
    Promotion {
        /// The environment that it is promoted to.
        environment: String,
    },
}

/// Why an image stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stays {
    /// It is used.
    Used(User),
    /// A tag says that it is wanted: `keep-*`, or of one of the newest releases.
    Tagged(ImageTag),
    /// It was pushed less than so long ago.
    Fresh(Duration),
    /// ECR does not say when it was pushed.
    AgeUnknown,
    /// It is a build cache: those expire by the repository's own rule.
    Cache(ImageTag),
    /// A part of it stays for its own sake.
    Holds(ImageDigest),
    /// It is a part of an index that stays.
    PartOf(ImageDigest),
    /// It describes an image that stays.
    Describes(ImageDigest),
}

/// Why an image may go: nothing uses it, and this is what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goes {
    /// The image of a release that is older than the newest ones.
    OldRelease {
        /// The environment.
        environment: String,
        /// Its number.
        number: u64,
    },
    /// It is a part of an index that goes.
    PartOf(ImageDigest),
    /// It describes an image that goes, or that is gone.
    Describes(ImageDigest),
    /// No release of those that are recorded has its tag.
    Unused,
}

impl User {
    /// What kind of user it is, in one word, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Service { .. } => "service",
            Self::Task { .. } => "task",
            Self::Definition(_) => "task-definition",
            Self::Stack { .. } => "stack",
            Self::Release { .. } => "release",
            Self::Promotion { .. } => "promotion",
        }
    }
}

impl Stays {
    /// What kind of reason it is, in one word, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Used(user) => user.kind(),
            Self::Tagged(_) => "tag",
            Self::Fresh(_) => "new",
            Self::AgeUnknown => "age-unknown",
            Self::Cache(_) => "cache",
            Self::Holds(_) => "holds",
            Self::PartOf(_) => "part",
            Self::Describes(_) => "describes",
        }
    }
}

impl Goes {
    /// What kind of reason it is, in one word, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OldRelease { .. } => "old-release",
            Self::PartOf(_) => "part",
            Self::Describes(_) => "describes",
            Self::Unused => "unused",
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { cluster, service, definition } => {
                write!(f, "service {service} in {cluster} ({definition})")
            }
            Self::Task { cluster, definition, task } => write!(f, "task {task} in {cluster} ({definition})"),
            Self::Definition(definition) => write!(f, "task definition {definition} is active"),
            Self::Stack { stack, parameter } => write!(f, "stack {stack} ({parameter})"),
            Self::Release { environment, number } => write!(f, "release {number} of {environment}"),
            Self::Promotion { environment } => write!(f, "promoted to {environment}, not deployed yet"),
        }
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used(user) => user.fmt(f),
            Self::Tagged(tag) => write!(f, "tagged {tag}"),
            Self::Fresh(within) => write!(f, "pushed less than {} hours ago", within.as_secs() / 3600),
            Self::AgeUnknown => f.write_str("ECR does not say when it was pushed"),
            Self::Cache(tag) => write!(f, "build cache {tag}, which expires by itself"),
            Self::Holds(part) => write!(f, "its part {} is used", part.short()),
            Self::PartOf(index) => write!(f, "part of {}, which stays", index.short()),
            Self::Describes(image) => write!(f, "describes {}, which stays", image.short()),
        }
    }
}

impl fmt::Display for Goes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldRelease { environment, number } => {
                write!(f, "release {number} of {environment} is none of the newest")
            }
            Self::PartOf(index) => write!(f, "part of {}, which goes", index.short()),
            Self::Describes(image) => write!(f, "describes {}, which goes or is gone", image.short()),
            Self::Unused => f.write_str("nothing uses it"),
        }
    }
}

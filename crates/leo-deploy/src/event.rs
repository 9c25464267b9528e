//! What happens while a deploy runs, as data: a live tree and plain lines are both made from it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cause::Cause;
use crate::change::Finding;
use crate::control::{GaveUp, Span};
use crate::part::Part;
use crate::progress::Progress;
use crate::state::StackStatus;

/// One part of a deploy, by the name that people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Step(pub &'static str);

impl Step {
    /// The repositories and the artifacts bucket.
    pub const REGISTRY: Self = Self("registry");
    /// The network, the data, the roles, the cluster.
    pub const FOUNDATION: Self = Self("foundation");
    /// Build and push of both images.
    pub const IMAGES: Self = Self("images");
    /// The secrets' values.
    pub const SECRETS: Self = Self("secrets");
    /// The service and its load balancer.
    pub const PLATFORM: Self = Self("platform");
    /// The check that what was planned runs.
    pub const GATE: Self = Self("gate");
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Something that happened in a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepEvent {
    /// Where.
    pub step: Step,
    /// What.
    pub kind: StepEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepEventKind {
    /// The step went on to another status.
    Status(StepStatus),
    /// Something of its stack.
    Stack(StackEvent),
    /// How far something under way in it is.
    Part(Part),
    /// A line of a tool's output, of interest while it runs.
    Line(String),
    /// A fact worth keeping on the screen.
    Note(String),
    /// Something that succeeded but should be looked at.
    Warning(String),
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// What it needs is not there yet.
    Waiting,
    /// It works.
    Running,
    /// It ended and changed something.
    Done,
    /// It ended and there was nothing to change.
    Unchanged,
    /// It failed; the run's errors say how.
    Failed,
    /// It never began, because something that it needs failed.
    Skipped,
}

/// Something that happened to a stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackEvent {
    /// An operation that someone else (or an earlier run) began is being followed.
    Attached {
        /// The stack's status when it was found.
        status: StackStatus,
        /// Who began it, as far as the stack says.
        owner: Option<Owner>,
    },
    /// The operation that was followed is over.
    Detached {
        /// The stack's status now.
        status: StackStatus,
    },
    /// A change set is being computed.
    Preparing {
        /// Whether the stack will be created.
        creates: bool,
    },
    /// The change set is ready.
    Prepared {
        /// How many resources it touches.
        resources: usize,
    },
    /// The service's validation has something to say.
    Finding(Finding),
    /// Nothing differs.
    NoChange,
    /// The change set began to run.
    Executing,
    /// A resource of the stack, or the stack itself, changed its status.
    Resource(ResourceEvent),
    /// The count after the resource events before it.
    Progress(Progress),
    /// The time that is left until the operation is given up.
    Countdown {
        /// To the second.
        left: Duration,
    },
    /// The deadline has come, and there is reason to wait longer.
    Extended {
        /// How much longer.
        longer: Duration,
        /// What is waited for.
        why: String,
    },
    /// The operation is ended early: an update is rolled back, a create deleted.
    GivingUp {
        /// Why.
        why: GaveUp,
    },
    /// The operation was to be ended early, and CloudFormation does not do it: it runs to its own end.
    NotStopped {
        /// What the call said.
        reason: String,
    },
    /// AWS did not answer a question about the progress; the operation goes on, the question is asked again.
    PollDelayed {
        /// What the call said.
        reason: String,
    },
    /// Something begins that is no deploy: a delete, a recovery, an adoption, a look at the drift.
    Begins {
        /// What, in plain words.
        what: String,
    },
    /// A failure that is known to pass is tried once more.
    Retrying {
        /// What failed.
        cause: Cause,
    },
    /// Something of ours could not be deleted.
    LeftBehind {
        /// The change set's ARN.
        change_set: String,
        /// What the call said.
        reason: String,
    },
    /// The operation is over.
    Finished {
        /// The stack's status now.
        status: StackStatus,
    },
}

/// Whose an operation is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// The request token that its events carry: `leo-…` where this engine began it.
    pub token: Option<String>,
    /// What its change set says of itself: who deploys what from where.
    pub description: Option<String>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.description, &self.token) {
            (Some(description), Some(token)) => write!(f, "{description} (token {token})"),
            (Some(description), None) => f.write_str(description),
            (None, Some(token)) => write!(f, "token {token}"),
            (None, None) => f.write_str("someone"),
        }
    }
}

/// One stack event of CloudFormation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceEvent {
    /// CloudFormation's id of the event.
    pub id: String,
    /// When, in RFC 3339.
    pub time: String,
    /// The resource's name in the template; the stack's name for the stack itself.
    pub logical_id: String,
    /// The name or ARN, once there is one.
    pub physical_id: Option<String>,
    /// The CloudFormation type.
    pub resource_type: String,
    /// The status, as received.
    pub status: String,
    /// The reason, where one is given.
    pub reason: Option<String>,
    /// The token of the operation that it belongs to.
    pub token: Option<String>,
    /// Whether this is the stack itself.
    pub of_stack: bool,
}

/// Receives the events of one stack operation.
pub type OnEvent<'a> = dyn Fn(StackEvent) + Send + Sync + 'a;

/// Receives the events of all steps.
pub type Sink = Arc<dyn Fn(StepEvent) + Send + Sync>;

/// A sink bound to one step.
#[derive(Clone)]
pub struct Reporter {
    step: Step,
    sink: Sink,
}

impl Reporter {
    /// Reports as `step`.
    pub fn new(step: Step, sink: Sink) -> Self {
        Self { step, sink }
    }

    /// The step moved on.
    pub(crate) fn status(&self, status: StepStatus) {
        self.emit(StepEventKind::Status(status));
    }

    /// Something of the step's stack.
    pub fn stack(&self, event: StackEvent) {
        self.emit(StepEventKind::Stack(event));
    }

    /// How far something under way in the step is.
    pub fn part(&self, part: Part) {
        self.emit(StepEventKind::Part(part));
    }

    /// A line of a tool's output.
    pub fn line(&self, text: impl Into<String>) {
        self.emit(StepEventKind::Line(text.into()));
    }

    /// A fact worth keeping on the screen.
    pub fn note(&self, text: impl Into<String>) {
        self.emit(StepEventKind::Note(text.into()));
    }

    /// Something that succeeded but should be looked at.
    pub fn warning(&self, text: impl Into<String>) {
        self.emit(StepEventKind::Warning(text.into()));
    }

    fn emit(&self, kind: StepEventKind) {
        (self.sink)(StepEvent { step: self.step, kind });
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("step", &self.step).finish_non_exhaustive()
    }
}

impl fmt::Display for StepEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.kind)
    }
}

impl fmt::Display for StepEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Stack(event) => event.fmt(f),
            Self::Part(part) => part.fmt(f),
            Self::Line(text) | Self::Note(text) => f.write_str(text),
            Self::Warning(text) => write!(f, "warning: {text}"),
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Running => "started",
            Self::Done => "done",
            Self::Unchanged => "nothing to change",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        })
    }
}

impl fmt::Display for StackEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached { status, owner: None } => {
                write!(f, "already {status}: following that operation")
            }
            Self::Attached { status, owner: Some(owner) } => {
                write!(f, "already {status}: following the operation of {owner}")
            }
            Self::Detached { status } => write!(f, "that operation ended with {status}"),
            Self::Preparing { creates: true } => f.write_str("computing what to create"),
            Self::Preparing { creates: false } => f.write_str("computing what would change"),
            Self::Prepared { resources: 1 } => f.write_str("1 resource to change"),
            Self::Prepared { resources } => write!(f, "{resources} resources to change"),
            Self::Finding(finding) => finding.fmt(f),
            Self::NoChange => f.write_str("no difference"),
            Self::Executing => f.write_str("executing"),
            Self::Resource(event) => event.fmt(f),
            Self::Progress(progress) => progress.fmt(f),
            Self::Countdown { left } => write!(f, "{} left", Span(*left)),
            Self::Extended { longer, why } => write!(f, "waiting for {} longer: {why}", Span(*longer)),
            Self::GivingUp { why } => write!(f, "giving up: {why}"),
            Self::NotStopped { reason } => write!(f, "can't be stopped and goes on ({reason})"),
            Self::PollDelayed { reason } => write!(f, "progress is late ({reason})"),
            Self::Begins { what } => f.write_str(what),
            Self::Retrying { cause } => write!(f, "trying once more after {cause}"),
            Self::LeftBehind { change_set, reason } => write!(f, "could not delete {change_set} ({reason})"),
            Self::Finished { status } => write!(f, "{status}"),
        }
    }
}

impl fmt::Display for ResourceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.logical_id)?;
        if !self.of_stack {
            write!(f, " ({})", self.resource_type)?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}

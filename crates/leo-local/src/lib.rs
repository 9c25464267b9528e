//! The local target: an AWS emulator (ministack) beside the machine's Docker engine, so that the same deploy engine and the same
//! templates as on AWS run on one machine, with real containers.
//!
//! It is synchronous and light on purpose: `xtask` links it for `local up|down|status`, which must not compile an AWS SDK. It
//! never speaks AWS's protocols itself; whoever deploys takes the address and the credentials of [`LocalTarget`]. It never reads
//! real secrets, and it serves only loopback and this machine's own containers.
//!
//! # Parts
//! - [`PythonTools`]: the pinned Python tools in a venv.
//! - [`Engine`]: whether there is a Docker engine with buildx, and where its bridge is.
//! - [`up`], [`attach`], [`down`], [`status`]: the emulator's life. It outlives the command that started it.
//! - [`forward`]: lets our containers, and nobody else, reach the emulator that listens on loopback alone.
//! - [`adapt_template`]: the one list of what has to differ in a template.
//!
//! # How the emulator differs from AWS (ministack 1.5.33)
//! The launcher in `src/guard/` closes the holes in its authentication; its first lines say which. What stays different:
//!
//! **Identity.** A task's role, its permissions boundary, and `ecs:RunTask` with `ecs:cluster`, `ecs:CreateAction`,
//! `iam:PassRole` and `aws:ResourceTag` are really evaluated. Not carried: execution roles (the emulator itself pulls images, reads
//! secrets and writes logs), trust policies of task roles (so `aws:SourceAccount` there), `aws:SecureTransport` (every request
//! counts as sent over TLS), capabilities of a change set. A task gets its role's session as environment variables, because SDKs
//! refuse a credentials address that is neither HTTPS nor loopback.
//!
//! **Containers.** Ignored: `EntryPoint`, `HealthCheck` (health stays `UNKNOWN`), `ReadonlyRootFilesystem`, `User`, `Ulimits`,
//! `InitProcessEnabled`, `StopTimeout` (5 s), CPU, memory and ephemeral storage. `RuntimePlatform` is lost on the way through a
//! template. Tasks sit on the engine's default bridge; security groups, subnets and routes are records only. A service whose tasks
//! can't start gets five starts a minute, and its deployment still calls itself `COMPLETED`. `ForceNewDeployment`, the grace period
//! and `clientToken` are ignored. The network interface of a stopped task stays `ATTACHED` for ever.
//!
//! **Load balancer.** Plain HTTP on every listener, no health checks (`describe-target-health` always says healthy), no stickiness.
//!
//! **Registry.** `127.0.0.1:<port>/<repository>`; `IMMUTABLE_WITH_EXCLUSION` is not enforced, and nothing expires. Images are
//! deleted and weighed as ECR does, by the launcher: the emulator alone deletes a whole image with any of its tags.
//!
//! **CloudFormation.** Accepts unknown properties and wrong values, so validate first; operations finish before the first poll;
//! `DescribeEvents` answers with an empty list; a bucket that is not empty is deleted without a word. State is in memory only.

mod adapt;
mod emulator;
mod engine;
mod error;
pub mod forward;
mod life;
mod process;
mod secret;
mod state;
mod target;
mod text;
mod tools;

pub use adapt::{ADAPTATIONS, Adaptation, adapt_template};
pub use engine::{Architecture, Bridge, DockerEngine, Engine};
pub use error::LocalError;
pub use life::{LocalOptions, STATE_DIR, attach, down, status, up};
pub use secret::Secret;
pub use state::{Container, Status};
pub use target::{LocalTarget, loopback_endpoint};
pub use tools::{PythonTools, ToolsError};

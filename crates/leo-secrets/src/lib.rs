//! Brings secrets from the environment files to Secrets Manager.
//!
//! * [`ensure`], for a deploy: every secret has a value before a container asks for one. It overwrites nothing, and reads
//!   no value on AWS: what changed reaches the running tasks through the [`Revision`], which is made from version ids.
//! * [`plan_push`] and [`push`]: what is here becomes what is there, key by key. Only here are values compared, in memory.
//! * [`status`]: how they compare, and since when.
//! * [`rotate`]: one key.
//!
//! # Nobody's change is lost
//!
//! A new value is sent as a version that no task gets, and then becomes the current one only if the version that it was
//! made from still is: Secrets Manager moves the label `AWSCURRENT` only for a caller who names the version that has it.
//! So of two changes at once, by whatever tool, one is refused. A key that differs is overwritten unasked only if it still is
//! what this machine last saw equal to its file ([`Record`]), or a dummy of the local target; whether it was changed
//! elsewhere since then or nothing is known of it is said. What is replaced stays as `AWSPREVIOUS`. The rest of a value, also
//! what nothing declares, keeps its bytes.
//!
//! Deliberately absent: creating or deleting a secret itself (its stack does), printing, asking. No error, report or
//! debug output of this crate can hold a value: none of its types has a place for one but [`Secret`](leo_env::Secret), and
//! [`KeyName`], for the token that somebody pasted where a key belongs, shows only what looks like a name. Memory that held a
//! value is overwritten, but for what the SDK and the connection keep of a request and an answer.

mod all;
mod change;
mod ensure;
mod error;
mod fingerprint;
mod first;
mod history;
mod key_name;
mod look;
mod object;
mod plan;
mod push;
mod record;
mod revision;
mod rotate;
mod service;
mod status;
mod values;
mod wanted;

pub use change::{Change, KeyAction, Overwrite, PlannedKey, PlannedSecret, PushPlan, Undeclared};
pub use ensure::{Blank, Report, check_values, ensure};
pub use error::{Problem, Purpose, SecretsError};
pub use key_name::KeyName;
pub use plan::SecretPlan;
pub use push::{Outcome, PushReport, Pushed, plan_push, push};
pub use record::{Record, RecordError};
pub use revision::Revision;
pub use rotate::{Rotated, rotate};
pub use service::{ENSURE_ACTIONS, PUSH_ACTIONS};
pub use status::{Holds, KeyState, KeyStatus, SecretState, SecretStatus, Status, status};
pub use values::Values;
pub use wanted::{Wanted, WantedKey};

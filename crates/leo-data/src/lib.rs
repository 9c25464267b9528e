//! What an environment holds in the account: its data, and the tasks that write to it.
//!
//! [`find`] says which resources with fixed names exist already, so that a stack can adopt them instead of failing on
//! their names. [`take`] counts what a person should know before it is gone. The rest makes it go:
//! [`stop_runs`], [`empty_bucket`], [`delete_bucket`], [`schedule_secrets`], [`delete_repositories`]; and
//! [`restore_secrets`] brings back what still can be. [`image_uses`] says what ECS runs, to whoever deletes images. Nothing
//! of it is remembered between two calls: each looks at what is there, so a call after one that was killed continues it.
//!
//! Deliberately absent: deciding what may go, asking a person, stacks, and the names of anything: they come in.

mod bucket;
mod clients;
mod each;
mod error;
mod find;
mod inventory;
mod repositories;
mod runs;
mod secrets;
mod uses;

pub use bucket::{Bucket, Emptied, delete_bucket, empty_bucket};
pub use clients::Clients;
pub use error::{DataError, Refusal};
pub use find::{Existing, Kind, Named, State, find};
pub use inventory::{
    BucketContents, COUNTED_AT_MOST, Images, Inventory, SecretFound, Subject, count, size, take,
};
pub use repositories::delete_repositories;
pub use runs::{Interfaces, STOPS_WITHIN, Scope, StopProgress, Task, running_tasks, stop_runs};
pub use secrets::{RecoveryWindow, Scheduled, restore_secrets, schedule_secrets};
pub use uses::{ImageUse, ImageUser, ImageUses, image_uses};

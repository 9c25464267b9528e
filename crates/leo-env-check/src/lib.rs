//! What is wrong with the environment files, and what each key is set to.
//!
//! [`look`] gathers the facts: the files and their modes, what git says of them, the sibling repositories. [`audit`] judges
//! them, all findings at once, and does nothing else. [`Report`] is what comes of it, as a text or as JSON; no value of a
//! secret is in it, only its length and, of a long one, the last two characters. [`fix`] does what can be done about a
//! finding without asking. Whoever writes into a file asks [`published`] first, and [`placeholder`] whether a value is one.
//!
//! With [`Request::public`] no file that may hold a secret is opened: what is left may be seen by anyone.
//!
//! What this crate deliberately does not do: reach the network or AWS, write into a file, read lines of `.env` files
//! (`leo-env` does) or decide an exit code.

mod audit;
mod facts;
mod fix;
mod git;
mod placeholder;
mod published;
mod report;
mod shown;
mod sibling;
mod text;

pub use audit::audit;
pub use facts::{Facts, Request, look};
pub use fix::fix;
pub use placeholder::placeholder;
pub use published::{Published, published};
pub use report::{FileReport, Finding, Key, Kind, Place, Report, Sibling, State};

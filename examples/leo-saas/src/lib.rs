//! The demo orchestrator: a web service that starts a generator on ECS for each job, and answers from S3 and ECS alone
//! what became of it, so that any number of orchestrators can stand side by side.
//!
//! It proves the contract between the platform and its containers (`examples/README.md`) and deliberately does nothing
//! else: no accounts, no database, no pages, no cancelling. `GET /healthz`, `GET /ws`, `POST /jobs`, `GET /jobs/<id>`.

mod access;
mod answer;
mod drain;
mod health;
mod jobs;
mod log;
mod random;
mod routes;
mod run;
mod server;
mod settings;
mod token;
mod websocket;

pub use health::{HealthError, check};
pub use log::line;
pub use server::serve;
pub use settings::Settings;

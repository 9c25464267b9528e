//! What comes after a change of secrets: the deploy that was asked for, and what is told of both.

use super::Place;
use crate::{
    ask,
    commands::deploy::{self, OfSecrets},
    deploy::Deployed,
    failure::{Failure, Problem},
    stdout,
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, process::ExitCode};

/// What a command came to.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) document: Json,
    /// What it could not do.
    pub(super) failure: Option<Failure>,
    /// The versions that it wrote, by the secret's name: what tasks have to be given.
    pub(super) written: BTreeMap<String, String>,
}

/// Whether a deploy follows.
#[derive(Clone, Copy)]
pub(super) struct Then {
    pub(super) deploy: bool,
    /// Whether that one need not ask either.
    pub(super) yes: bool,
}

impl Then {
    /// Refuses before anything is changed where the deploy would have to ask and nobody can be asked.
    pub(super) fn check(self, command: &str) -> Result<(), Problem> {
        if self.deploy && !self.yes && !ask::possible() {
            return Err(ask::needs_terminal(&format!("{command} --deploy")));
        }
        Ok(())
    }
}

/// Deploys where that was asked for and all went well, and prints what was done, whatever failed after it.
pub(super) async fn finish(told: Result<Told, Failure>, place: &Place, then: Then, json: bool) -> ExitCode {
    let told = match told {
        Ok(told) => told,
        Err(failure) => return failure.report(json),
    };
    let failure = match told.failure {
        Some(failure) => failure,
        None => match Box::pin(rolled(place, then, told.written)).await {
            Ok(deployed) => {
                tell(json, &told.text, told.document, deployed.as_ref());
                return ExitCode::SUCCESS;
            }
            Err(failure) => failure,
        },
    };
    eprintln!("{}", told.text);
    // One document: with what was done.
    let code = failure.report(false);
    if json {
        stdout::line(format_args!("{:#}", failure.with(told.document)));
    }
    code
}

/// Rolls what gets the secrets. The deploy's own role does it, not the one that reads values.
async fn rolled(
    place: &Place,
    then: Then,
    written: BTreeMap<String, String>,
) -> Result<Option<Deployed>, Failure> {
    if !then.deploy {
        return Ok(None);
    }
    let args = deploy::Args::from(OfSecrets {
        environment: place.environment.clone(),
        local: place.local,
        with_secrets: place.with_secrets,
        yes: then.yes,
        written,
    });
    Box::pin(deploy::deploy(&args)).await.map(Some)
}

/// Prints what a command did, and what the deploy after it did.
fn tell(json: bool, text: &str, document: Json, deployed: Option<&Deployed>) {
    if json {
        stdout::line(format_args!("{:#}", with_deploy(document, deployed)));
        return;
    }
    stdout::line(text);
    if let Some(deployed) = deployed {
        stdout::line(deployed.text());
    }
}

fn with_deploy(mut document: Json, deployed: Option<&Deployed>) -> Json {
    if let (Some(fields), Some(deployed)) = (document.as_object_mut(), deployed) {
        fields.insert("deploy".to_owned(), json!(deployed.json()));
    }
    document
}

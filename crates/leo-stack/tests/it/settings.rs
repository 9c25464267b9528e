//! Configurations for tests.

use leo_config::{Config, testing::schema};
use leo_diagnostic::SourceFile;
use leo_env::{Env, SecretsPolicy};
use leo_stack::{StackTemplate, Stacks, compose};
use std::io;

/// The configuration of `dev` that this text and these lines of `env/.env.defaults` give.
pub(crate) fn configuration(leo_toml: &str, defaults: &str) -> Config {
    let defaults = format!("AWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\n{defaults}");
    let read = |path: &str| match path {
        "env/.env.defaults" => Ok(defaults.clone()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let env = Env::from_parts(read, [], None, SecretsPolicy::Ignore);
    let leo_toml = format!("[environments.dev]\n{leo_toml}");
    match leo_config::load(&SourceFile::new("infra/leo.toml", leo_toml), &schema(), &env, None) {
        Ok(config) => config,
        Err(findings) => panic!("{findings:#?}"),
    }
}

pub(crate) fn stacks(leo_toml: &str, defaults: &str) -> Stacks {
    composed(&configuration(leo_toml, defaults))
}

pub(crate) fn composed(config: &Config) -> Stacks {
    match compose(config) {
        Ok(stacks) => stacks,
        Err(errors) => panic!("{errors:#?}"),
    }
}

/// The properties of a stack's resource.
pub(crate) fn properties<'a>(stack: &'a StackTemplate, id: &str) -> &'a serde_json::Value {
    stack
        .template
        .resources()
        .find_map(|(found, body)| (found == id).then(|| &body["Properties"]))
        .unwrap_or_else(|| panic!("{} has no {id}", stack.name))
}

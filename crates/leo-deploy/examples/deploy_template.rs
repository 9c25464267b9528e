//! Deploys one template as one stack, as `aws cloudformation deploy` does: for comparing the two.
//!
//! `deploy_template <stack> <template.json>`, with `AWS_ENDPOINT_URL`, `AWS_REGION` and the keys in the environment.
//! Prints `changed` or `unchanged`.

#![allow(clippy::print_stdout, reason = "its result is what it prints")]

use std::{env, error::Error, fs};

use aws_credential_types::Credentials;
use aws_sdk_cloudformation::{
    Client, Config,
    config::{BehaviorVersion, Region},
};
use leo_deploy::{Capability, Control, OnCreateFailure, StackRequest, Stacks, TemplateSource};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let (Some(name), Some(file)) = (args.next(), args.next()) else {
        return Err("wanted: <stack> <template.json>".into());
    };
    let request = StackRequest {
        name,
        template: TemplateSource::Inline(fs::read_to_string(file)?),
        parameters: [].into(),
        capabilities: vec![Capability::CapabilityIam],
        tags: [].into(),
        on_create_failure: OnCreateFailure::Delete,
        description: None,
        express: false,
        revert_drift: false,
    };
    let stacks = Stacks::new(Client::from_conf(config()?));
    // As the commands that link the engine have it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(stacks.deploy(&request, &Control::default(), &|_| ()))?;
    println!("{}", if outcome.changed { "changed" } else { "unchanged" });
    Ok(())
}

fn config() -> Result<Config, env::VarError> {
    let keys = (env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?);
    Ok(Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(env::var("AWS_REGION")?))
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .credentials_provider(Credentials::new(keys.0, keys.1, None, None, "environment"))
        .build())
}

//! The local target from a command's point of view: how it is started, and what of a configuration it can't carry.

use crate::{
    commands::forward,
    failure::{Failure, Problem},
};
use leo_aws::FailureKind;
use leo_config::{Architecture, Config, Endpoint};
use leo_local::{LocalError, LocalOptions, LocalTarget, PythonTools};
use leo_project::Project;

/// The local target of this work tree, started where it does not run.
pub(crate) async fn start(project: &Project) -> Result<LocalTarget, Failure> {
    let root = project.root.clone();
    let environment = &project.config.environment;
    let account_id = environment.account.as_ref().map(ToString::to_string);
    let region = environment.region.to_string();
    let started = tokio::task::spawn_blocking(move || {
        let tools = PythonTools::ensure(&root.join("target"), &root.join("ci/requirements.txt"), |message| {
            eprintln!("{message}");
        })
        .map_err(|error| {
            let hint = error.hint();
            Problem { hint, ..Problem::new(FailureKind::Failed, error.to_string()) }
        })?;
        let executable = std::env::current_exe()
            .map_err(|error| Problem::new(FailureKind::Failed, format!("find this executable: {error}")))?;
        let forwarder = vec![executable.into(), forward::COMMAND.into()];
        let options =
            LocalOptions::of_work_tree(&root, tools.python(), account_id.as_deref(), &region, forwarder);
        leo_local::up(&options).map_err(Problem::from)
    })
    .await
    .map_err(|error| Problem::new(FailureKind::Failed, format!("start the local target: {error}")))??;
    Ok(started)
}

/// Leaves out what exists on AWS only: a certificate, a hosted zone, another processor than this machine's. What was
/// left out is named.
pub(crate) fn without_aws_only(config: &mut Config) -> Vec<String> {
    let mut left_out = vec![];
    if let Endpoint::Https { domain, .. } = &config.load_balancer.endpoint {
        left_out.push(format!("HTTPS for {domain}: the local load balancer speaks HTTP"));
        config.load_balancer.endpoint = Endpoint::Http;
    }
    let host = match std::env::consts::ARCH {
        "aarch64" => Architecture::Arm64,
        _ => Architecture::X86_64,
    };
    for (name, architecture) in [
        ("orchestrator", &mut config.orchestrator.architecture),
        ("generator", &mut config.generator.architecture),
    ] {
        if *architecture != host {
            left_out.push(format!(
                "{} for the {name}: it runs on this machine's {}",
                architecture.ecs(),
                host.ecs()
            ));
            *architecture = host;
        }
    }
    left_out
}

impl From<LocalError> for Problem {
    fn from(error: LocalError) -> Self {
        let hint = error.hint();
        Self { hint, ..Self::new(FailureKind::Failed, error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_config::testing::load;

    #[test]
    fn what_exists_on_aws_only_is_left_out_and_named() {
        let toml = "[environments.dev]\ndomain = \"leo.example.com\"\nhosted_zone_id = \"Z0123456789ABC\"\n\
                    [orchestrator]\narchitecture = \"arm64\"\n[generator]\narchitecture = \"x86_64\"\n";
        let mut config = load(toml).expect("is valid");
        let named = without_aws_only(&mut config);
        assert_eq!(config.load_balancer.endpoint, Endpoint::Http);
        assert_eq!(config.orchestrator.architecture, config.generator.architecture);
        // One of the two is not this machine's, whichever this is.
        assert_eq!(named.len(), 2, "{named:?}");
        assert!(without_aws_only(&mut config).is_empty());
    }
}

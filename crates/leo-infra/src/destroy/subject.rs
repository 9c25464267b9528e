//! What can be taken away: an environment, or the registry that the environments share.

use super::{BUCKET, REPOSITORIES};
use crate::{failure::Problem, fixed_names::named, registry::standing};
use leo_aws::FailureKind;
use leo_config::{AccountId, Config, Environment, Region, names};
use leo_data::{Bucket, Kind, Named};
use leo_deploy::Step;
use leo_stack::Stacks;

/// What is taken away.
pub(crate) struct Subject {
    /// What a person types to delete its data.
    pub(crate) word: String,
    /// How a sentence names it.
    pub(crate) title: String,
    /// The command that deletes its data as well.
    pub(crate) deletes_data: String,
    /// Its stacks, in the order in which they go, each with its step.
    pub(crate) stacks: Vec<(Step, String)>,
    /// Its data.
    pub(crate) data: Vec<Named>,
    /// The cluster that its generators run in.
    pub(crate) cluster: Option<String>,
    /// The account that owns all of it.
    account: String,
}

impl Subject {
    /// An environment: its platform, then its foundation. Nothing of it is in the registry.
    pub(crate) fn environment(stacks: &Stacks, account: &AccountId, environment: &Environment) -> Self {
        let name = &environment.name;
        Self {
            word: name.to_string(),
            title: format!("environment `{name}`"),
            deletes_data: format!("cargo xtask destroy --environment {name} --delete-data"),
            stacks: vec![
                (Step::PLATFORM, stacks.platform.name.to_string()),
                (Step::FOUNDATION, stacks.foundation.name.to_string()),
            ],
            data: named(stacks.foundation.template.json(), account.as_str(), environment.region.as_str()),
            cluster: Some(name.cluster()),
            account: account.to_string(),
        }
    }

    /// The registry of this account and region.
    pub(crate) fn registry(stacks: &Stacks, account: &AccountId, region: &Region) -> Self {
        Self {
            word: "registry".to_owned(),
            title: "the registry".to_owned(),
            deletes_data: "cargo xtask destroy --registry --delete-data".to_owned(),
            stacks: vec![(Step::REGISTRY, stacks.registry.name.to_string())],
            data: named(stacks.registry.template.json(), account.as_str(), region.as_str()),
            cluster: None,
            account: account.to_string(),
        }
    }

    /// The names of its data of this kind.
    pub(crate) fn names(&self, kind: Kind) -> impl Iterator<Item = String> {
        self.data.iter().filter(move |named| named.kind == kind).map(|named| named.name.clone())
    }

    /// Its buckets.
    pub(crate) fn buckets(&self) -> Vec<Bucket> {
        let bucket = |name| Bucket { name, account: self.account.clone() };
        self.names(Kind::Bucket).map(bucket).collect()
    }

    /// What deletes its data, in order.
    pub(super) fn data_steps(&self) -> impl Iterator<Item = Step> {
        [(Kind::Bucket, BUCKET), (Kind::Repository, REPOSITORIES), (Kind::Secret, Step::SECRETS)]
            .into_iter()
            .filter(|(kind, _)| self.names(*kind).next().is_some())
            .map(|(_, step)| step)
    }
}

/// Refuses to take away an environment that its configuration protects.
pub(crate) fn refuse_protected(config: &Config) -> Result<(), Problem> {
    let environment = &config.environment;
    if !environment.protected {
        return Ok(());
    }
    let name = &environment.name;
    Err(Problem::new(FailureKind::Usage, format!("destroy environment `{name}`: it is protected")).hint(format!(
        "it is meant to stay; to destroy it all the same, remove `protected` from [environments.{name}] in \
         infra/leo.toml and deploy once, which turns the protection of its stacks off"
    )))
}

/// Refuses to take the registry away from under a platform: the images of its tasks are in it.
pub(crate) async fn refuse_used(client: &aws_sdk_cloudformation::Client) -> Result<(), Problem> {
    let platforms: Vec<String> =
        standing(client, names::is_platform_stack).await?.into_iter().map(|stack| stack.name).collect();
    if platforms.is_empty() {
        return Ok(());
    }
    Err(Problem {
        details: platforms,
        ..Problem::new(FailureKind::Usage, "destroy the registry: there are platforms that run images of it")
    }
    .hint("destroy those environments first: cargo xtask destroy --environment <name>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudformation::config::{BehaviorVersion, Credentials, retry::RetryConfig};
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    /// An endpoint that answers one call after another with these pages of stacks.
    fn endpoint(pages: &'static [(&'static str, Option<&'static str>)]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let address = format!("http://{}", listener.local_addr().expect("has an address"));
        thread::spawn(move || {
            for (stack, next) in pages {
                let (mut stream, _) = listener.accept().expect("is asked");
                let mut request = [0; 16384];
                let _ = stream.read(&mut request).expect("reads");
                let next = next.map(|next| format!("<NextToken>{next}</NextToken>")).unwrap_or_default();
                let body = format!(
                    "<ListStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><ListStacksResult>\
                     <StackSummaries><member><StackName>{stack}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
                     <CreationTime>2026-11-01T00:00:00Z</CreationTime></member></StackSummaries>{next}\
                     </ListStacksResult></ListStacksResponse>"
                );
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .expect("answers");
            }
        });
        address
    }

    #[tokio::test]
    async fn a_platform_on_the_last_page_keeps_the_registry() {
        let client = |address: String| {
            let config = aws_sdk_cloudformation::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(aws_sdk_cloudformation::config::Region::new("us-east-1"))
                .credentials_provider(Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .endpoint_url(address);
            aws_sdk_cloudformation::Client::from_conf(config.build())
        };
        let used = client(endpoint(&[("leo-dev-foundation", Some("more")), ("leo-dev-platform", None)]));
        let problem = refuse_used(&used).await.expect_err("is refused");
        assert_eq!(
            (problem.kind, problem.details),
            (FailureKind::Usage, vec!["leo-dev-platform".to_owned()])
        );
        let unused = client(endpoint(&[("leo-dev-foundation", None)]));
        assert!(refuse_used(&unused).await.is_ok());
    }
}

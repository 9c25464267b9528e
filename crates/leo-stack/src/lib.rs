//! The composer: every edge from one crate's exports to another's inputs is here, and nowhere else.
//!
//! A configuration gives three stacks. The registry and the foundation take no parameters, so they can go side by
//! side; the platform takes the foundation's outputs ([`Link`]s, each checked for its type while this crate compiles),
//! the images by digest and the revision of the secrets.
//!
//! Deliberately absent: anything that is not in the configuration. The same configuration gives the same bytes.

mod access;
mod link;
mod wire;

pub use access::{AccessError, SecretsAccess};
pub use link::Link;

use leo_cfn::{ComposeError, Fragment, Template};
use leo_config::{Config, StackName, names};
use std::collections::BTreeMap;

/// The three stacks of an environment, and what the platform takes.
#[derive(Clone, Debug)]
pub struct Stacks {
    /// `leo-registry`: one per account and region.
    pub registry: StackTemplate,
    /// `leo-<environment>-foundation`: changes rarely, holds the data.
    pub foundation: StackTemplate,
    /// `leo-<environment>-platform`: changes with every release.
    pub platform: StackTemplate,
    /// Which output of the foundation goes into which parameter of the platform.
    pub links: Vec<Link>,
    /// The resources of the foundation, by logical id, that the platform stands on: each with the links whose output is
    /// made from it.
    pub consumed: BTreeMap<String, Vec<Link>>,
    /// The platform's parameters that a deploy fills in, and the outputs that it reads.
    pub keys: Keys,
}

impl Stacks {
    /// The stacks in the order in which they can be deployed one after another.
    pub fn all(&self) -> impl Iterator<Item = &StackTemplate> {
        [&self.registry, &self.foundation, &self.platform].into_iter()
    }
}

/// A stack: its name and its template.
#[derive(Clone, Debug)]
pub struct StackTemplate {
    /// Its name.
    pub name: StackName,
    /// Its template.
    pub template: Template,
}

/// Keys of parameters and outputs that a deploy needs by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Registry, output: the URI of the orchestrator's repository.
    pub orchestrator_repository: String,
    /// Registry, output: the URI of the generators' repository.
    pub generator_repository: String,
    /// Foundation, output: the bucket of generated applications.
    pub bucket: String,
    /// Foundation, output: the cluster.
    pub cluster: String,
    /// Platform, parameter: the orchestrator's image by digest.
    pub orchestrator_image: String,
    /// Platform, parameter: the generators' image by digest.
    pub generator_image: String,
    /// Platform, parameter: the revision of the secrets.
    pub secrets_revision: String,
    /// Platform, output: where users go.
    pub url: String,
    /// Platform, output: the load balancer's name in the account.
    pub load_balancer_name: String,
    /// Platform, output: the load balancer's own domain name.
    pub load_balancer_dns_name: String,
    /// Platform, output: the target group's ARN.
    pub target_group: String,
    /// Platform, output: the service's ARN.
    pub service: String,
    /// Platform, output: the ARN of the task definition that the service runs.
    pub orchestrator_task_definition: String,
}

/// A stack that can't be composed.
#[derive(Debug, thiserror::Error)]
#[error("compose `{stack}`: {error}")]
pub struct StackError {
    /// The stack.
    pub stack: StackName,
    /// Why.
    pub error: ComposeError,
}

/// The stacks of a configuration.
///
/// # Errors
/// Every problem of every stack. A valid configuration has none.
pub fn compose(config: &Config) -> Result<Stacks, Vec<StackError>> {
    let environment = &config.environment.name;
    let (registry_fragments, registry) = wire::registry(config);
    let (foundation_fragments, foundation) = wire::foundation(config);
    let (platform_fragments, platform) = wire::platform(config);
    let mut errors = vec![];
    let mut stack =
        |name: StackName, description: &str, environment: Option<&str>, fragments: Vec<Fragment>| {
            let template = Template::compose(description, &tags(&name, environment), fragments)
                .map_err(|problems| {
                    errors
                        .extend(problems.into_iter().map(|error| StackError { stack: name.clone(), error }));
                })
                .ok()?;
            Some(StackTemplate { name, template })
        };
    let registry_stack = stack(
        names::registry_stack(),
        "Leo: image repositories and the artifacts bucket of an account and region",
        None,
        registry_fragments,
    );
    let foundation_stack = stack(
        environment.foundation_stack(),
        &format!("Leo {environment}: network, data, roles, cluster"),
        Some(environment.as_str()),
        foundation_fragments,
    );
    let platform_stack = stack(
        environment.platform_stack(),
        &format!("Leo {environment}: task definitions, load balancer, orchestrator"),
        Some(environment.as_str()),
        platform_fragments,
    );
    let links = wire::links(&foundation, &platform.parameters);
    match (registry_stack, foundation_stack, platform_stack) {
        (Some(registry_stack), Some(foundation_stack), Some(platform_stack)) => Ok(Stacks {
            consumed: consumed(&foundation_stack.template, &links),
            registry: registry_stack,
            foundation: foundation_stack,
            platform: platform_stack,
            links,
            keys: wire::keys(&registry, &foundation, &platform),
        }),
        _ => Err(errors),
    }
}

/// The links that rest on each resource.
fn consumed(foundation: &Template, links: &[Link]) -> BTreeMap<String, Vec<Link>> {
    let mut consumed: BTreeMap<String, Vec<Link>> = BTreeMap::new();
    for link in links {
        for resource in foundation.resources_of_output(&link.output) {
            consumed.entry(resource).or_default().push(link.clone());
        }
    }
    consumed
}

/// What every resource of a stack is tagged with. Nothing here changes from one deploy to the next: a tag that did
/// would touch every resource.
fn tags(stack: &StackName, environment: Option<&str>) -> BTreeMap<&'static str, String> {
    let mut tags =
        BTreeMap::from([("leo:managed-by", "leo-infra".to_owned()), ("leo:stack", stack.to_string())]);
    tags.extend(environment.map(|environment| ("leo:environment", environment.to_owned())));
    tags
}

//! Whether each task can be given the secrets that its containers name: what its execution role may read, as the
//! templates themselves have it.

#![allow(
    clippy::indexing_slicing,
    reason = "a JSON value that has no such member gives null, and never panics"
)]

mod policy;

use crate::{Link, Stacks};
use policy::{Grants, Reach};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

const TASK_DEFINITION: &str = "AWS::ECS::TaskDefinition";
const SECRET: &str = "AWS::SecretsManager::Secret";

/// What a task has to be given before its containers start. Roles and secrets are outputs of the foundation, whose
/// values are ARNs once it is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsAccess {
    /// The task definition's logical id.
    pub task_definition: String,
    /// The output with the ARN of the role that ECS takes on to start it.
    pub execution_role: String,
    /// The outputs with the ARNs of the secrets that its containers name.
    pub secrets: BTreeSet<String>,
}

/// Why a task would not start, or could be given more than it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It would end in ResourceInitializationError.
    #[error("start `{task}`: its execution role `{role}` may not read `{secret}`, which a container names")]
    Missing {
        /// The task definition's logical id.
        task: String,
        /// The role's.
        role: String,
        /// The secret's.
        secret: String,
    },
    /// Something forbids it, whatever else permits it.
    #[error("start `{task}`: a statement of its execution role `{role}` may forbid to read `{secret}`")]
    Forbidden {
        /// The task definition's logical id.
        task: String,
        /// The role's.
        role: String,
        /// The secret's.
        secret: String,
    },
    /// More than the containers name.
    #[error("keep `{task}` to its own secrets: its execution role `{role}` may also read {what}")]
    Excess {
        /// The task definition's logical id.
        task: String,
        /// The role's.
        role: String,
        /// What it may read besides.
        what: String,
    },
    /// The template says it in a way that this check can't follow, so nothing is proved.
    #[error("follow the secrets of `{task}`: {what}")]
    Unproved {
        /// The task definition's logical id.
        task: String,
        /// What was found.
        what: String,
    },
}

impl Stacks {
    /// What the execution role of each task has to be allowed, in the order of the task definitions' logical ids.
    ///
    /// # Errors
    /// Everything by which the templates' policies allow an execution role more or less than exactly the secrets that
    /// its containers name. A permissions boundary, and policies of the organization, are not in the templates: only
    /// AWS knows what they leave.
    pub fn secrets_access(&self) -> Result<Vec<SecretsAccess>, Vec<AccessError>> {
        of(self.foundation.template.json(), self.platform.template.json(), &self.links)
    }
}

fn of(foundation: &Json, platform: &Json, links: &[Link]) -> Result<Vec<SecretsAccess>, Vec<AccessError>> {
    let outputs = links.iter().map(|link| (link.parameter.as_str(), link.output.as_str())).collect();
    let look = Look { foundation, outputs };
    let mut needed = Vec::new();
    let mut errors = Vec::new();
    for (task, properties) in resources(platform, TASK_DEFINITION) {
        match look.at(task, properties) {
            Ok(access) => needed.extend(access),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(needed) } else { Err(errors) }
}

/// The foundation, and by which of its outputs a parameter of the platform is filled.
struct Look<'a> {
    foundation: &'a Json,
    outputs: BTreeMap<&'a str, &'a str>,
}

impl<'a> Look<'a> {
    /// `None`: its containers name no secret, and its role may read none.
    fn at(&self, task: &str, properties: &'a Json) -> Result<Option<SecretsAccess>, Vec<AccessError>> {
        let unproved = |what: String| AccessError::Unproved { task: task.to_owned(), what };
        let mut errors = Vec::new();
        // By logical id, with the output that it comes by.
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for value in secrets_of(properties) {
            match self.linked(first_part(value)).filter(|(id, _)| self.is_secret(id)) {
                Some((id, output)) => drop(named.insert(id, output)),
                None => errors.push(unproved(format!("`ValueFrom` is {value}"))),
            }
        }
        let role = &properties["ExecutionRoleArn"];
        let Some((role, role_output)) = self.linked(role) else {
            if !named.is_empty() || !role.is_null() {
                errors.push(unproved(format!("`ExecutionRoleArn` is {role}")));
            }
            return if errors.is_empty() { Ok(None) } else { Err(errors) };
        };
        let grants = Grants::of(self.foundation, role);
        let (owned, owned_role) = (|| task.to_owned(), || role.to_owned());
        errors.extend(grants.unclear.iter().map(|what| unproved(format!("`{role}` {what}"))));
        for &secret in named.keys() {
            if grants.denied.iter().any(|reach| reach.may_be(secret)) {
                let secret = secret.to_owned();
                errors.push(AccessError::Forbidden { task: owned(), role: owned_role(), secret });
            } else if !grants.allowed.iter().any(|reach| reach.may_be(secret)) {
                let secret = secret.to_owned();
                errors.push(AccessError::Missing { task: owned(), role: owned_role(), secret });
            }
        }
        for reach in &grants.allowed {
            let what = match reach {
                Reach::One(id) if named.contains_key(id) => continue,
                Reach::One(id) => format!("`{id}`"),
                Reach::Pattern(pattern) => pattern.to_string(),
            };
            errors.push(AccessError::Excess { task: owned(), role: owned_role(), what });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok((!named.is_empty()).then(|| SecretsAccess {
            task_definition: task.to_owned(),
            execution_role: role_output.to_owned(),
            secrets: named.into_values().map(str::to_owned).collect(),
        }))
    }

    /// The foundation's resource behind a reference to a parameter of the platform, and the output between the two.
    fn linked(&self, reference: &'a Json) -> Option<(&'a str, &'a str)> {
        let output = *self.outputs.get(reference["Ref"].as_str()?)?;
        let id = resource_of(&self.foundation["Outputs"][output]["Value"])?;
        Some((id, output))
    }

    fn is_secret(&self, id: &str) -> bool {
        self.foundation["Resources"][id]["Type"] == SECRET
    }
}

/// The properties of a template's resources of a type, by logical id.
fn resources<'a>(template: &'a Json, kind: &str) -> impl Iterator<Item = (&'a str, &'a Json)> {
    let all = template["Resources"].as_object().into_iter().flatten();
    all.filter(move |(_, body)| body["Type"] == kind).map(|(id, body)| (id.as_str(), &body["Properties"]))
}

/// Where its containers take secrets from, also those that log drivers and registries need.
fn secrets_of(task_definition: &Json) -> impl Iterator<Item = &Json> {
    let containers = task_definition["ContainerDefinitions"].as_array().into_iter().flatten();
    containers.flat_map(|container| {
        let own = container["Secrets"].as_array().into_iter().flatten();
        let of_log = container["LogConfiguration"]["SecretOptions"].as_array().into_iter().flatten();
        own.chain(of_log).map(|secret| &secret["ValueFrom"]).chain(
            Some(&container["RepositoryCredentials"]["CredentialsParameter"])
                .filter(|credentials| !credentials.is_null()),
        )
    })
}

/// The ARN in a `ValueFrom`, before the JSON key (`<arn>:KEY::`).
fn first_part(value: &Json) -> &Json {
    match &value["Fn::Join"] {
        Json::Array(join) if join.first() == Some(&Json::from("")) => {
            join.get(1).and_then(|parts| parts.get(0)).unwrap_or(value)
        }
        _ => value,
    }
}

/// The logical id of what a value is the ARN of.
fn resource_of(value: &Json) -> Option<&str> {
    value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str())
}

#[cfg(test)]
mod tests;

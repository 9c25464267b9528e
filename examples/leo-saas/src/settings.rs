//! What the task definition tells the orchestrator.

use leo_aws::{Client, Retry, Variables, VariablesError};

use crate::access::Access;
use crate::jobs::{Generator, Jobs};

/// Everything that is needed to serve. Has no `Debug`: it holds secrets.
pub struct Settings {
    /// `PORT`, where it listens; 0 lets the system choose.
    pub port: u16,
    /// Who may use `/jobs`.
    pub access: Access,
    /// Starting and looking at jobs.
    pub(crate) jobs: Jobs,
}

impl Settings {
    /// Reads all variables; the error names every one that is missing or malformed.
    pub fn read(variables: &mut Variables<'_>) -> Result<Self, VariablesError> {
        let port = variables.parsed("PORT", "a port number", |text| text.parse().ok());
        let bucket = variables.required("LEO_BUCKET");
        let generator = generator(variables);
        let client = Client::read(variables, Retry::default());
        variables.check()?;
        match (port, bucket, generator, client) {
            (Some(port), Some(bucket), Some(generator), Some(client)) => {
                let access = Access::new(&client, &bucket);
                Ok(Self { port, access, jobs: Jobs::new(client, bucket, generator) })
            }
            _ => Err(variables.failed()),
        }
    }
}

fn generator(variables: &mut Variables<'_>) -> Option<Generator> {
    let cluster = variables.required("LEO_CLUSTER");
    let task_definition = variables.required("LEO_GENERATOR_TASK_DEFINITION");
    let container = variables.required("LEO_GENERATOR_CONTAINER");
    let subnets =
        variables.parsed("LEO_GENERATOR_SUBNETS", "a list of subnet ids with commas between them", |text| {
            let subnets: Vec<_> = text.split(',').map(|subnet| subnet.trim().to_owned()).collect();
            subnets.iter().all(|subnet| !subnet.is_empty()).then_some(subnets)
        });
    let security_group = variables.required("LEO_GENERATOR_SECURITY_GROUP");
    let assign_public_ip =
        variables.parsed("LEO_GENERATOR_ASSIGN_PUBLIC_IP", "ENABLED or DISABLED", |text| {
            matches!(text, "ENABLED" | "DISABLED").then(|| text.to_owned())
        });
    let capacity_provider = variables.required("LEO_GENERATOR_CAPACITY_PROVIDER");
    Some(Generator {
        cluster: cluster?,
        task_definition: task_definition?,
        container: container?,
        subnets: subnets?,
        security_group: security_group?,
        assign_public_ip: assign_public_ip?,
        capacity_provider: capacity_provider?,
    })
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use leo_aws::Variables;

    fn problems(lookup: &dyn Fn(&str) -> Option<String>) -> String {
        Settings::read(&mut Variables::new(lookup)).err().expect("the variables are wrong").to_string()
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        insta::assert_snapshot!(problems(&|_| None).replace("; ", "\n"), @"
        read the environment: PORT is not set
        LEO_BUCKET is not set
        LEO_CLUSTER is not set
        LEO_GENERATOR_TASK_DEFINITION is not set
        LEO_GENERATOR_CONTAINER is not set
        LEO_GENERATOR_SUBNETS is not set
        LEO_GENERATOR_SECURITY_GROUP is not set
        LEO_GENERATOR_ASSIGN_PUBLIC_IP is not set
        LEO_GENERATOR_CAPACITY_PROVIDER is not set
        AWS_REGION is not set
        the task role's AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, or a pair of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, is not set
        ");
    }

    #[test]
    fn what_is_malformed_is_named_with_what_would_be_right_and_without_its_value() {
        let lookup = |name: &str| {
            Some(match name {
                "LEO_GENERATOR_SUBNETS" => "subnet-1,,".to_owned(),
                "LEO_GENERATOR_CAPACITY_PROVIDER" => "FARGATE".to_owned(),
                "AWS_ENDPOINT_URL" => "http://127.0.0.1:1".to_owned(),
                _ => "swordfish".to_owned(),
            })
        };
        insta::assert_snapshot!(problems(&lookup).replace("; ", "\n"), @"
        read the environment: PORT is not a port number
        LEO_GENERATOR_SUBNETS is not a list of subnet ids with commas between them
        LEO_GENERATOR_ASSIGN_PUBLIC_IP is not ENABLED or DISABLED
        ");
    }
}

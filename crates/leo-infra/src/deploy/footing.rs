//! What the running platform stands on: a change that would take it away is refused.
//!
//! The platform takes outputs of the foundation as parameters. While it runs, a resource behind one of them can't go:
//! its tasks would lose their role, its network interfaces hold on to groups and subnets, its jobs are in the bucket. All
//! else of the foundation may be replaced or removed.

use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_config::StackName;
use leo_deploy::{Change, ChangeAction, replacements_and_removals};
use leo_stack::Link;
use std::collections::BTreeMap;

const SECRET: &str = "AWS::SecretsManager::Secret";
/// Resources whose id is the id of the one that they belong to (their `Ref`, CloudFormation's Template Reference Guide).
const UNDER_ANOTHERS_ID: [&str; 1] = ["AWS::S3::BucketPolicy"];

/// What a change set does to resources that exist.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Footing {
    /// The changes that would take from the running platform what it uses, each as a line.
    pub(super) lost: Vec<String>,
    /// What leaves the stack and stays in the account, each as a line.
    pub(super) kept: Vec<String>,
}

/// Judges `changes` of the foundation. `consumed` is what the platform takes by today's templates; `running` the
/// parameters of the platform that runs, by which also a resource is known that today's templates have no more.
pub(super) fn judge(
    changes: &[Change],
    consumed: &BTreeMap<String, Vec<Link>>,
    running: &BTreeMap<String, String>,
) -> Footing {
    let mut footing = Footing::default();
    for change in replacements_and_removals(changes) {
        let uses = uses(change, consumed, running);
        if change.action == ChangeAction::Remove && is_retained(change) {
            footing.kept.push(kept(change));
        } else if !uses.is_empty() {
            footing.lost.push(format!("{change}, which the platform uses ({})", uses.join("; ")));
        }
    }
    footing
}

/// What leaves the stack and stays, and how it goes for good.
fn kept(change: &Change) -> String {
    let id = change.physical_id.as_deref().unwrap_or(&change.logical_id);
    let how = if change.resource_type == SECRET {
        format!("; once nothing needs it: aws secretsmanager delete-secret --secret-id {id}")
    } else {
        String::new()
    };
    format!("{id} ({}) leaves the stack and stays in the account{how}", change.resource_type)
}

/// What is said where the running platform would lose something; nothing has been changed by then.
pub(super) fn refused(foundation: &StackName, lost: Vec<String>) -> Problem {
    Problem {
        details: lost,
        ..Problem::new(
            FailureKind::Failed,
            format!("update {foundation}: it would replace or remove what the platform uses; nothing was changed"),
        )
        .hint(
            "keep the settings behind these resources as they are, or build a second environment with the new ones and \
             move to it",
        )
    }
}

/// Where the running platform has this resource: its parameters, with the output where that is known.
fn uses(
    change: &Change,
    consumed: &BTreeMap<String, Vec<Link>>,
    running: &BTreeMap<String, String>,
) -> Vec<String> {
    let links = consumed.get(&change.logical_id).map(Vec::as_slice).unwrap_or_default();
    let linked = links.iter().filter(|link| running.contains_key(&link.parameter));
    let mut uses: Vec<String> =
        linked.map(|link| format!("output `{}`, parameter `{}`", link.output, link.parameter)).collect();
    let own =
        change.physical_id.as_ref().filter(|_| !UNDER_ANOTHERS_ID.contains(&change.resource_type.as_str()));
    let Some(physical_id) = own else { return uses };
    let named = running.iter().filter(|(parameter, value)| {
        names(value, physical_id) && !links.iter().any(|link| link.parameter == **parameter)
    });
    uses.extend(named.map(|(parameter, _)| format!("parameter `{parameter}`")));
    uses
}

/// Whether a parameter's value is this id, an ARN that ends with it, or a list with either in it.
fn names(value: &str, physical_id: &str) -> bool {
    value.split(',').any(|one| {
        one.strip_suffix(physical_id).is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']))
    })
}

fn is_retained(change: &Change) -> bool {
    match change.policy.as_deref() {
        Some(policy) => policy == "Retain",
        // The local target tells no policy. Every secret of ours is retained, in every version.
        None => change.resource_type == SECRET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_deploy::Replacement;

    fn change(
        logical_id: &str,
        physical_id: &str,
        action: ChangeAction,
        replacement: Replacement,
        policy: &str,
    ) -> Change {
        Change {
            logical_id: logical_id.to_owned(),
            resource_type: "AWS::Some::Type".to_owned(),
            physical_id: Some(physical_id.to_owned()),
            action,
            replacement,
            scope: vec![],
            properties: vec!["Name".to_owned()],
            policy: Some(policy.to_owned()),
        }
    }

    fn replaced(logical_id: &str, physical_id: &str) -> Change {
        change(logical_id, physical_id, ChangeAction::Modify, Replacement::Yes, "ReplaceAndDelete")
    }

    fn removed(logical_id: &str, physical_id: &str, policy: &str) -> Change {
        change(logical_id, physical_id, ChangeAction::Remove, Replacement::No, policy)
    }

    /// The default configuration's links, and a platform that runs on them.
    fn footing(changes: &[Change]) -> Footing {
        let config = leo_config::testing::load("[environments.dev]").expect("is valid");
        let stacks = leo_stack::compose(&config).expect("composes");
        let values = [
            ("VpcId", "vpc-1"),
            ("PublicSubnetIds", "subnet-1,subnet-2"),
            ("OrchestratorTaskRoleArn", "arn:aws:iam::111122223333:role/leo-dev-foundation-Task-1"),
            ("AppsBucketName", "apps"),
            ("Former", "sg-9"),
        ];
        let running = values.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        judge(changes, &stacks.consumed, &running)
    }

    #[test]
    fn what_the_platform_takes_is_refused_with_the_parameters_it_takes_it_as() {
        let perhaps =
            change("PublicSubnetB", "subnet-2", ChangeAction::Modify, Replacement::Maybe, "ReplaceAndDelete");
        let footing = footing(&[
            replaced("Vpc", "vpc-1"),
            perhaps,
            replaced("OrchestratorTaskRole", "leo-dev-foundation-Task-1"),
        ]);
        let expected = [
            "replace Vpc (AWS::Some::Type): Name, which the platform uses (output `VpcId`, parameter `VpcId`)",
            "modify or replace PublicSubnetB (AWS::Some::Type): Name, which the platform uses (output \
             `PublicSubnetIds`, parameter `PublicSubnetIds`)",
            "replace OrchestratorTaskRole (AWS::Some::Type): Name, which the platform uses (output \
             `OrchestratorTaskRoleArn`, parameter `OrchestratorTaskRoleArn`)",
        ];
        assert_eq!(footing.lost, expected);
        assert_eq!(footing.kept, [""; 0]);
    }

    #[test]
    fn what_it_does_not_take_may_go() {
        let footing = footing(&[
            replaced("RouteTable", "rtb-1"),
            removed("RouteTable", "rtb-1", "Delete"),
            // Its parameter is not one of the platform that runs.
            replaced("GeneratorSecurityGroup", "sg-2"),
            change("Vpc", "vpc-1", ChangeAction::Modify, Replacement::No, ""),
            change("PublicSubnetC", "", ChangeAction::Add, Replacement::No, ""),
            Change {
                resource_type: "AWS::S3::BucketPolicy".to_owned(),
                ..removed("AppsBucketPolicy", "apps", "Delete")
            },
        ]);
        assert_eq!(footing, Footing::default());
    }

    #[test]
    fn a_resource_that_todays_templates_lack_is_known_by_its_id() {
        let footing = footing(&[removed("FormerGroup", "sg-9", "Delete")]);
        assert_eq!(
            footing.lost,
            ["remove FormerGroup (AWS::Some::Type): Name, which the platform uses (parameter `Former`)"]
        );
        assert!(!names("arn:aws:iam::111122223333:role/another-task", "task"));
    }

    #[test]
    fn a_secret_that_is_no_longer_configured_is_kept() {
        let id = "arn:aws:secretsmanager:us-east-1:111122223333:secret:leo/dev/old-a1b2c3";
        let footing = footing(&[removed("OldSecret", id, "Retain")]);
        assert_eq!(footing.lost, [""; 0]);
        assert_eq!(
            footing.kept,
            [format!("{id} (AWS::Some::Type) leaves the stack and stays in the account")]
        );
    }
}

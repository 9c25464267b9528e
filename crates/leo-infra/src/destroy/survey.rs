//! What there is before anything is taken away, shown before anything is asked.

use super::{Plan, Subject};
use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_config::names;
use leo_data::{Clients, Inventory, Kind, take};
use leo_deploy::{Stack, Stacks, Step};

/// What there is.
pub(crate) struct Survey {
    /// The stacks that stand, in the order in which they go.
    pub(crate) stacks: Vec<Stack>,
    pub(crate) inventory: Inventory,
}

impl Survey {
    /// Looks at everything at once.
    pub(crate) async fn look(engine: &Stacks, clients: &Clients, subject: &Subject) -> Result<Self, Problem> {
        let counted = leo_data::Subject {
            buckets: subject.buckets(),
            secrets: subject.names(Kind::Secret).collect(),
            // An environment's images are in the registry, and so are everybody's.
            repositories: [names::ORCHESTRATOR_REPOSITORY, names::GENERATOR_REPOSITORY]
                .map(str::to_owned)
                .into(),
            cluster: subject.cluster.clone(),
        };
        let (stacks, inventory) = tokio::try_join!(
            async {
                let mut found = vec![];
                for (_, name) in &subject.stacks {
                    found.extend(engine.describe(name).await.map_err(Problem::from)?);
                }
                Ok(found)
            },
            async { take(clients, &counted).await.map_err(Problem::from) },
        )?;
        Ok(Self { stacks, inventory })
    }

    pub(crate) fn has_stack(&self, name: &str) -> bool {
        self.stacks.iter().any(|stack| stack.name == name)
    }
}

/// Refuses to begin with stacks of which one would refuse in the end.
pub(crate) fn refuse_protected_stacks(stacks: &[Stack]) -> Result<(), Problem> {
    let protected: Vec<&str> =
        stacks.iter().filter(|stack| stack.termination_protection).map(|stack| stack.name.as_str()).collect();
    if protected.is_empty() { Ok(()) } else { Err(refusal(&protected)) }
}

fn refusal(protected: &[&str]) -> Problem {
    let lift = |name: &&str| {
        format!(
            "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {name}"
        )
    };
    Problem {
        details: protected.iter().map(lift).collect(),
        ..Problem::new(
            FailureKind::Usage,
            format!("destroy {}: termination protection is on", protected.join(" and ")),
        )
    }
    .hint("somebody meant it to stay; to destroy it all the same, turn the protection off first (above), or deploy the environment without `protected`")
}

impl Plan<'_> {
    /// What goes and what stays, a line each.
    pub(crate) fn preview(&self) -> String {
        let inventory = &self.survey.inventory;
        let place = match &self.target.local {
            Some(_) => "the local target".to_owned(),
            None => format!("account {}, {}", self.account, self.region),
        };
        let mut lines = vec![format!("{} in {place}:", self.subject.title)];
        let mut line = |fate: &str, what: String| lines.push(format!("  {fate:<9} {what}"));
        for stack in &self.survey.stacks {
            line("deleted", format!("stack {} ({})", stack.name, stack.status));
        }
        let foundation = self.subject.stacks.iter().find(|(step, _)| *step == Step::FOUNDATION);
        if foundation.is_some_and(|(_, name)| self.survey.has_stack(name)) {
            line("deleted", "its log groups, with what is in them".to_owned());
        }
        for task in &inventory.tasks {
            line("stopped", task.to_string());
        }
        let data = if self.data.is_some() { "deleted" } else { "kept" };
        for bucket in &inventory.buckets {
            line(data, format!("bucket {bucket}"));
        }
        for secret in &inventory.secrets {
            match self.data {
                Some(window) if !secret.scheduled_for_deletion => {
                    line("deleted", format!("secret {secret}, to be restored within {} days", window.days()));
                }
                _ => line("kept", format!("secret {secret}")),
            }
        }
        let of_subject = self.subject.names(Kind::Repository).next().is_some();
        for images in &inventory.repositories {
            if of_subject {
                line(data, format!("repository {images}"));
            } else {
                line("kept", format!("repository {images}, shared by all environments"));
            }
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protected_stack_is_refused_with_what_lifts_it() {
        let problem = refusal(&["leo-dev-foundation"]);
        assert_eq!(problem.kind, FailureKind::Usage);
        assert_eq!(problem.message, "destroy leo-dev-foundation: termination protection is on");
        assert_eq!(problem.details.len(), 1);
        assert!(problem.details[0].ends_with("--stack-name leo-dev-foundation"), "{problem:?}");
    }
}

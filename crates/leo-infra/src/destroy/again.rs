//! What is looked at again before something goes: a person took time to answer, and another run its turn.

use super::{Plan, refuse_protected_stacks, refuse_used};
use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_data::{Existing, Kind, Named, State, find};
use leo_deploy::Stack;
use leo_release::{Holder, ReleaseError};

impl Plan<'_> {
    /// Whether there is the bucket in which runs take turns.
    pub(super) async fn has_turns(&self) -> Result<bool, Problem> {
        let bucket =
            Named { logical_id: String::new(), kind: Kind::Bucket, name: self.artifacts.bucket().to_owned() };
        let found = find(&self.target.data(), self.account.as_str(), &[bucket]).await?;
        has_turns(&self.subject.title, found.first())
    }

    /// Refuses to go on where the stacks are not those that were shown any more, or one is protected since.
    pub(super) async fn refuse_new_stacks(&self) -> Result<(), Problem> {
        let mut now = vec![];
        for (_, name) in &self.subject.stacks {
            now.extend(self.engine.describe(name).await?);
        }
        refuse_protected_stacks(&now)?;
        refuse_unseen(&self.subject.title, &self.survey.stacks, &now)
    }

    /// Refuses to take the registry away from under those who use it. An environment is this run's own by its turn.
    pub(super) async fn refuse_use(&self) -> Result<(), Problem> {
        if self.subject.cluster.is_some() {
            return Ok(());
        }
        refuse_used(&self.target.cloudformation).await?;
        let holders = match self.artifacts.holders().await {
            Err(ReleaseError::NoBucket { .. }) => vec![],
            holders => holders?,
        };
        refuse_held(&holders)
    }
}

/// Without a turn goes only what no other run could take one on.
fn has_turns(title: &str, bucket: Option<&Existing>) -> Result<bool, Problem> {
    let kind = match bucket.map(|bucket| &bucket.state) {
        None => return Ok(false),
        Some(State::Present) => return Ok(true),
        Some(State::NotOurs) => FailureKind::Credentials,
        Some(_) => FailureKind::Failed,
    };
    let bucket = bucket.map(ToString::to_string).unwrap_or_default();
    Err(Problem::new(kind, format!("have {title} for itself: {bucket}")).hint(
        "runs take turns in that bucket: use credentials that may list, read and write it (s3:ListBucket, \
         s3:GetObject, s3:PutObject, s3:DeleteObject)",
    ))
}

/// What was agreed to is what was shown.
fn refuse_unseen(title: &str, seen: &[Stack], now: &[Stack]) -> Result<(), Problem> {
    let unseen: Vec<String> = now
        .iter()
        .filter(|stack| seen.iter().all(|seen| seen.name != stack.name))
        .map(|stack| format!("{} ({})", stack.name, stack.status))
        .collect();
    if unseen.is_empty() {
        return Ok(());
    }
    Err(Problem {
        details: unseen,
        ..Problem::new(FailureKind::Failed, format!("destroy {title}: there are stacks that were not shown"))
    }
    .hint("somebody deployed it meanwhile; if it is to go all the same, run it again: it shows what there is now"))
}

/// A deploy that runs is about to make a platform, or to put images into the registry.
fn refuse_held(holders: &[Holder]) -> Result<(), Problem> {
    if holders.is_empty() {
        return Ok(());
    }
    Err(Problem {
        details: holders.iter().map(|holder| format!("{holder} works on {}", holder.environment)).collect(),
        ..Problem::new(FailureKind::Failed, "destroy the registry: somebody works on an environment that uses it")
    }
    .hint("wait until they are done, then run it again; if a machine is gone, its claim ends by itself within two minutes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leo_deploy::StackStatus;
    use leo_release::Process;

    fn stack(name: &str) -> Stack {
        Stack {
            name: name.to_owned(),
            id: format!("arn:{name}"),
            status: StackStatus::from("CREATE_COMPLETE"),
            status_reason: None,
            outputs: [].into(),
            parameters: [].into(),
            tags: [].into(),
            termination_protection: false,
            change_set_id: None,
            express: false,
        }
    }

    #[test]
    fn a_stack_that_nobody_was_shown_stays() {
        let [foundation, platform] = ["leo-dev-foundation", "leo-dev-platform"].map(stack);
        let seen = [platform.clone(), foundation.clone()];
        assert!(refuse_unseen("it", &seen, std::slice::from_ref(&foundation)).is_ok(), "less is fine");
        let problem = refuse_unseen("it", &[foundation], &seen).expect_err("is refused");
        assert_eq!(problem.details, ["leo-dev-platform (CREATE_COMPLETE)"]);
        assert!(problem.hint.is_some_and(|hint| hint.contains("run it again")));

        let protected = Stack { termination_protection: true, ..platform };
        assert!(refuse_protected_stacks(&[protected]).is_err());
    }

    fn bucket(state: State) -> Existing {
        Existing {
            logical_id: String::new(),
            kind: Kind::Bucket,
            name: "leo-artifacts".to_owned(),
            identifier: [].into(),
            state,
        }
    }

    #[test]
    fn only_without_a_bucket_is_no_turn_taken() {
        assert!(!has_turns("environment `dev`", None).expect("goes on without"));
        assert!(has_turns("environment `dev`", Some(&bucket(State::Present))).expect("takes one"));
        let hidden =
            has_turns("environment `dev`", Some(&bucket(State::NotOurs))).expect_err("could mix two runs");
        assert_eq!(hidden.kind.exit_code(), 4);
        assert_eq!(
            hidden.message,
            "have environment `dev` for itself: bucket leo-artifacts belongs to another account, or these \
             credentials may not look at it"
        );
        let elsewhere = bucket(State::ElsewhereIn { region: None });
        assert_eq!(has_turns("it", Some(&elsewhere)).expect_err("is refused").kind, FailureKind::Failed);
    }

    #[test]
    fn somebody_at_work_keeps_the_registry() {
        assert!(refuse_held(&[]).is_ok());
        let holder = Holder {
            environment: "dev".to_owned(),
            operation: String::new(),
            user: "ada".to_owned(),
            host: "laptop".to_owned(),
            process: Process::current(),
            commit: None,
            command: "deploy".to_owned(),
        };
        let problem = refuse_held(&[holder]).expect_err("is refused");
        let [line] = problem.details.as_slice() else { panic!("{problem:?}") };
        assert!(line.starts_with("ada@laptop (deploy, ") && line.ends_with(" works on dev"), "{line}");
    }
}

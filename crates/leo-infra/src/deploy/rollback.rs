//! Going back to an earlier release: to which one, and what that changes.

use crate::{
    commands::releases::{images, short, when},
    failure::Problem,
    standing::Standing,
};
use leo_aws::FailureKind;
use leo_deploy::Change;
use leo_release::{History, Previous, Release, previous_good};
use leo_stack::Stacks;
use std::fmt::Write as _;

/// The parameters of the platform that a rollback does not take from the release: the foundation's outputs are read
/// anew, and the secrets stay as they are.
pub(crate) fn taken_from_elsewhere(stacks: &Stacks) -> Vec<&str> {
    let links = stacks.links.iter().map(|link| link.parameter.as_str());
    links.chain([stacks.keys.secrets_revision.as_str()]).collect()
}

/// The release to go back to: the one that is asked for, or the one before what stands.
///
/// Where no release stands (a deploy failed its gate, or someone changed a stack) it is the newest one. A record that
/// can't be read is not stepped over without a word: going back further than expected is no small thing.
pub(crate) fn choose<'a>(
    environment: &str,
    history: &'a History,
    stands: Option<u64>,
    asked: Option<u64>,
    ignored: &[&str],
) -> Result<&'a Release, Problem> {
    if let Some(number) = asked {
        return history
            .releases
            .iter()
            .find(|release| release.number == number)
            .ok_or_else(|| not_there(environment, history, number));
    }
    let current = stands.unwrap_or(u64::MAX);
    let release = match previous_good(&history.releases, current, ignored) {
        Previous::Release(release) => release,
        Previous::NothingRecorded => {
            return Err(Problem::new(
                FailureKind::Failed,
                format!("roll `{environment}` back: no release is recorded"),
            )
            .hint("a deploy that passes its health gate is recorded: `cargo xtask deploy`"));
        }
        Previous::NothingBefore => {
            return Err(Problem::new(
                FailureKind::Failed,
                format!("roll `{environment}` back: before release {current} there was nothing else"),
            )
            .hint(
                "name the release to go to: `cargo xtask releases` lists them, `--to <number>` takes one",
            ));
        }
    };
    let stepped_over = history.unreadable.iter().find(|unreadable| {
        unreadable.number.is_some_and(|number| number > release.number && number < current)
    });
    match stepped_over {
        None => Ok(release),
        Some(unreadable) => Err(Problem::new(
            FailureKind::Failed,
            format!("roll `{environment}` back: {} can't be read: {}", unreadable.key, unreadable.reason),
        )
        .hint(format!("name the release to go to: the one before it is `--to {}`", release.number))),
    }
}

fn not_there(environment: &str, history: &History, number: u64) -> Problem {
    let unreadable = history.unreadable.iter().find(|unreadable| unreadable.number == Some(number));
    let why = unreadable.map_or("it is not recorded", |unreadable| unreadable.reason.as_str());
    Problem::new(FailureKind::Usage, format!("go back to release {number} of `{environment}`: {why}"))
        .hint("`cargo xtask releases` lists them")
}

/// What CloudFormation says that it would do to a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Foreseen {
    /// The stack is not there and would be created.
    Created,
    /// Nothing.
    Nothing,
    /// These changes; none where outputs alone change.
    Changes(Vec<Change>),
    /// It can't say yet, for this reason.
    Unknown(String),
}

/// A rollback as it is shown before it is agreed to.
pub(crate) struct Shown<'a> {
    pub(crate) environment: &'a str,
    pub(crate) to: &'a Release,
    /// The release that stands.
    pub(crate) from: Option<&'a Release>,
    pub(crate) standing: &'a Standing,
    /// Parameters that are not the release's.
    pub(crate) ignored: &'a [&'a str],
    /// What CloudFormation foresees, by stack.
    pub(crate) foreseen: &'a [(String, Foreseen)],
}

impl Shown<'_> {
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let to = self.to;
        // Writing to a string can't fail.
        let _ = writeln!(text, "roll `{}` back to release {}", self.environment, named(to));
        let from = self.from.map_or_else(|| "none of the recorded releases".to_owned(), named);
        let _ = writeln!(text, "  runs now    {from}");
        let _ = writeln!(text, "  images      {}", images(to));
        for stack in &to.stacks {
            let template = match self.standing.has_template(stack) {
                Some(true) => "the same template",
                Some(false) => "another template",
                None => "not there, would be created",
            };
            let _ = writeln!(text, "  {:<11} {template}", stack.role);
            for (name, before, after) in self.standing.parameters_that_differ(stack, self.ignored) {
                let before = before.unwrap_or("none");
                let _ = writeln!(
                    text,
                    "              {name}: {} → {}",
                    digest_short(before),
                    digest_short(after)
                );
            }
        }
        let _ = writeln!(text, "  secrets     stay as they are: a rollback does not bring old values back");
        let _ = writeln!(text, "what CloudFormation would do:");
        for (stack, foreseen) in self.foreseen {
            let said = match foreseen {
                Foreseen::Created => "create it".to_owned(),
                Foreseen::Nothing => "nothing".to_owned(),
                Foreseen::Changes(changes) if changes.is_empty() => "change outputs".to_owned(),
                Foreseen::Changes(changes) => {
                    changes.iter().map(|change| format!("\n    {change}")).collect::<Vec<_>>().concat()
                }
                Foreseen::Unknown(reason) => format!("not known yet: {reason}"),
            };
            let gap = if said.starts_with('\n') { "" } else { " " };
            let _ = writeln!(text, "  {stack}:{gap}{said}");
        }
        text
    }
}

/// `10 (2026-11-22 14:10 UTC, ada@laptop, commit 0123456789)`
fn named(release: &Release) -> String {
    let commit = release.commit.as_deref();
    let commit = commit.map(|commit| format!(", commit {}", short(commit, 10))).unwrap_or_default();
    format!("{} ({} UTC, {}@{}{commit})", release.number, when(release), release.by, release.host)
}

/// An image's reference with as much of its digest as people compare.
fn digest_short(value: &str) -> String {
    match value.split_once("@sha256:") {
        Some((repository, digest)) => format!("{repository}@{}", short(digest, 12)),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::testing::{release, standing};
    use leo_deploy::{ChangeAction, Replacement};
    use leo_release::Unreadable;

    fn history(unreadable: &[u64]) -> History {
        let unreadable = unreadable.iter().map(|number| Unreadable {
            key: format!("releases/dev/{number:08}.json"),
            number: Some(*number),
            reason: "it is no record".to_owned(),
        });
        History {
            releases: vec![release(5, "c", &[]), release(3, "b", &[]), release(1, "a", &[])],
            unreadable: unreadable.collect(),
            older: 0,
        }
    }

    fn chosen(unreadable: &[u64], stands: Option<u64>, asked: Option<u64>) -> Result<u64, String> {
        choose("dev", &history(unreadable), stands, asked, &[]).map(|release| release.number).map_err(
            |problem| format!("failed to {}\nhint: {}", problem.message, problem.hint.unwrap_or_default()),
        )
    }

    #[test]
    fn the_release_before_what_stands_or_the_one_that_is_named() {
        assert_eq!(chosen(&[], Some(5), None), Ok(3));
        assert_eq!(chosen(&[], Some(3), None), Ok(1));
        assert_eq!(chosen(&[], None, None), Ok(5), "what stands passed no gate: the newest that did");
        assert_eq!(chosen(&[], Some(5), Some(1)), Ok(1));
        assert_eq!(chosen(&[], Some(3), Some(5)), Ok(5), "forth again, when it is named");
        assert_eq!(chosen(&[2], Some(5), None), Ok(3), "a damaged one further back");
        assert_eq!(chosen(&[4], Some(5), Some(3)), Ok(3));
    }

    #[test]
    fn what_cannot_be_gone_to_is_said() {
        let said = [
            chosen(&[], Some(1), None),
            chosen(&[4], Some(5), None),
            chosen(&[6], None, None),
            chosen(&[4], Some(5), Some(4)),
            chosen(&[], Some(5), Some(2)),
        ];
        let said: Vec<_> = said.into_iter().map(Result::unwrap_err).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn the_plan_shows_what_differs_and_what_stays() {
        let image = |digit: &str| format!("r/orchestrator@sha256:{}", digit.repeat(64));
        let (old, new) = (image("a"), image("c"));
        let to = release(3, "b", &[("Image", &old), ("SecretsRevision", "r1"), ("Size", "512")]);
        let from = release(5, "c", &[("Image", &new), ("SecretsRevision", "r2"), ("Size", "512")]);
        let change = Change {
            logical_id: "Service".to_owned(),
            resource_type: "AWS::ECS::Service".to_owned(),
            physical_id: None,
            action: ChangeAction::Modify,
            replacement: Replacement::No,
            scope: vec![],
            properties: vec!["TaskDefinition".to_owned()],
            policy: None,
        };
        let foreseen = [
            ("leo-dev-foundation".to_owned(), Foreseen::Nothing),
            ("leo-dev-platform".to_owned(), Foreseen::Changes(vec![change])),
        ];
        let shown = Shown {
            environment: "dev",
            to: &to,
            from: Some(&from),
            standing: &standing(&from),
            ignored: &["SecretsRevision"],
            foreseen: &foreseen,
        };
        insta::assert_snapshot!(shown.text());
        let foreseen = [
            ("leo-dev-foundation".to_owned(), Foreseen::Created),
            ("leo-dev-platform".to_owned(), Foreseen::Unknown("the foundation is not there".to_owned())),
        ];
        let standing = Standing::default();
        let shown = Shown { from: None, standing: &standing, foreseen: &foreseen, ..shown };
        insta::assert_snapshot!(shown.text());
    }
}

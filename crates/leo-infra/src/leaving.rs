//! What is said and offered when a command is left before its end.

use crate::{
    ask,
    deploy::Session,
    failure::Problem,
    operation::{Operation, Underway},
};
use leo_aws::FailureKind;
use leo_deploy::{StackStatus, Stacks};
use std::time::Duration;

/// After which time an execution that was on its way shows in its stack.
const SHOWS_AFTER: Duration = Duration::from_secs(2);

/// Says what goes on in AWS without us. On a terminal, an update can be cancelled instead: it is still this run's as
/// long as `session` has the environment.
pub(crate) async fn leave(engine: &Stacks, operation: &Operation, session: &Session) -> Problem {
    eprintln!("interrupted: looking what goes on (Ctrl-C again leaves at once)");
    let mut running = vec![];
    for stack in operation.underway() {
        if goes_on(engine, &stack).await {
            running.push(stack.stack);
        }
    }
    let cancelled = if ask::possible() { offer_to_cancel(engine, session, &running).await } else { vec![] };
    left(&operation.record().command, &running, &cancelled)
}

/// Whether an operation works on the stack: AWS knows, and what was heard counts where it does not answer.
async fn goes_on(engine: &Stacks, underway: &Underway) -> bool {
    let Underway { stack, starting, running } = underway;
    let now = async || match engine.describe(stack).await {
        Ok(found) => found.is_some_and(|found| found.status.in_progress()),
        Err(_) => *running || *starting,
    };
    if now().await {
        return true;
    }
    if !starting {
        return false;
    }
    tokio::time::sleep(SHOWS_AFTER).await;
    now().await
}

/// The problem's kind is `Detached` only where something really goes on.
fn left(command: &str, running: &[String], cancelled: &[String]) -> Problem {
    if running.is_empty() {
        return Problem::new(
            FailureKind::Failed,
            format!("finish the {command}: it was interrupted, and nothing of it goes on in AWS"),
        )
        .hint("run the same command again: it continues where this one stopped");
    }
    let what = |stack: &String| {
        if cancelled.contains(stack) {
            format!("{stack}: its update is being cancelled, and rolls back in AWS")
        } else {
            format!("{stack}: goes on in AWS")
        }
    };
    Problem {
        details: running.iter().map(what).collect(),
        ..Problem::new(
            FailureKind::Detached,
            format!("follow the {command} to its end: it was interrupted, and what it started goes on"),
        )
        .hint("run the same command again: it follows what still runs, then continues")
    }
}

/// The stacks whose update was told to roll back.
async fn offer_to_cancel(engine: &Stacks, session: &Session, running: &[String]) -> Vec<String> {
    let mut cancelled = vec![];
    for stack in running {
        let Ok(Some(found)) = engine.describe(stack).await else { continue };
        if found.status != StackStatus::UpdateInProgress {
            continue;
        }
        eprintln!("the update of {stack} goes on in AWS (Ctrl-C again leaves it alone)");
        if !ask::yes("cancel it and roll back?").unwrap_or(false) {
            continue;
        }
        // The question may have stood there for long: by now the update could be somebody else's.
        if let Err(problem) = session.confirm().await {
            eprintln!("failed to {}", problem.message);
            break;
        }
        match engine.cancel_update(stack).await {
            Ok(()) => cancelled.push(stack.clone()),
            Err(error) => eprintln!("failed to {error}"),
        }
    }
    cancelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_says_what_goes_on() {
        let nothing = left("deploy", &[], &[]);
        assert_eq!(nothing.kind.exit_code(), 1);
        assert!(nothing.details.is_empty());

        let running = ["leo-dev-foundation".to_owned(), "leo-dev-platform".to_owned()];
        let something = left("deploy", &running, &running[1..]);
        assert_eq!(something.kind.exit_code(), 5);
        assert_eq!(
            something.details,
            [
                "leo-dev-foundation: goes on in AWS",
                "leo-dev-platform: its update is being cancelled, and rolls back in AWS"
            ]
        );
    }
}

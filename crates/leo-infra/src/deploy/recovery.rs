//! What is done about stacks that are stuck, with somebody's yes.

use super::{Before, Consent};
use crate::{ask, failure::Problem};
use leo_aws::FailureKind;
use leo_deploy::{Action, Stacks, action};
use std::collections::BTreeMap;

/// Which stuck stacks may be recovered: all, or the ones that the person at the terminal says yes to. A no leaves
/// everything as it is.
pub(crate) async fn consent(
    engine: &Stacks,
    before: &Before,
    all: bool,
    may_ask: bool,
) -> Result<Consent, Problem> {
    if all {
        return Ok(Consent::All);
    }
    let mut agreed = BTreeMap::new();
    if !may_ask {
        return Ok(Consent::Only(agreed));
    }
    for stack in [&before.registry, &before.foundation, &before.platform].into_iter().flatten() {
        if !matches!(action(Some(&stack.status)), Action::Blocked(_)) {
            continue;
        }
        let Some(recovery) = engine.recovery(stack).await? else { continue };
        eprintln!("{} is in {}", stack.name, stack.status);
        if !ask::yes(&format!("{recovery}?"))? {
            return Err(Problem::new(
                FailureKind::Failed,
                format!("deploy {}: it is in {}; nothing was changed", stack.name, stack.status),
            )
            .hint("say yes to the question, or run it with --recover"));
        }
        agreed.insert(stack.name.clone(), recovery);
    }
    Ok(Consent::Only(agreed))
}

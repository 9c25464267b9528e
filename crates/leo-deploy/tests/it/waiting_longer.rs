//! A deadline that comes while giving up would only undo what goes well.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use leo_deploy::{Control, DeployError, GaveUp, Respite};

use crate::answers::*;
use crate::played::Played;

const WHY: &str = "an old task is protected";

/// Has this many reasons to wait a minute longer.
fn control(minutes: usize) -> (Control, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let respite = Respite::new(move || {
        let before = counter.fetch_add(1, Ordering::Relaxed);
        (before < minutes).then(|| (Duration::from_mins(1), WHY.to_owned()))
    });
    (Control { deadline: Some(Duration::from_mins(1)), respite: Some(respite), abort: None }, asked)
}

#[tokio::test(start_paused = true)]
async fn an_update_that_goes_well_is_waited_for() {
    let forward = [(0, "UPDATE_IN_PROGRESS"), (150, "UPDATE_COMPLETE")];
    let conversation = Played::new(Some("CREATE_COMPLETE"), &forward, &[]).conversation();
    let lines = Lines::default();
    let (control, asked) = control(5);
    let outcome = stacks(&conversation).deploy(&request(), &control, &lines.sink()).await.unwrap();
    assert!(outcome.changed);
    // Two minutes more were enough.
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let waited = lines.text().matches("waiting for 1 min longer: an old task is protected").count();
    assert_eq!(waited, 2, "{}", lines.text());
}

#[tokio::test(start_paused = true)]
async fn without_a_reason_any_more_it_is_given_up() {
    let forward = [(0, "UPDATE_IN_PROGRESS"), (3600, "UPDATE_COMPLETE")];
    let back = [(1, "UPDATE_ROLLBACK_IN_PROGRESS"), (60, "UPDATE_ROLLBACK_COMPLETE")];
    let conversation = Played::new(Some("CREATE_COMPLETE"), &forward, &back).conversation();
    let (control, _) = control(1);
    let error = stacks(&conversation).deploy(&request(), &control, &|_| {}).await.unwrap_err();
    let DeployError::GivenUp { why: GaveUp::Deadline(limit), .. } = &error else { panic!("{error}") };
    assert!((120..130).contains(&limit.as_secs()), "{limit:?}");
}

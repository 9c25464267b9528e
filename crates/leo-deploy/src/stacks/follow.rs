//! From a running operation to its end, whatever happens to the connection.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types as sdk;
use tokio::time::Instant;

use super::cancel::is_stoppable;
use super::poller::{Poller, Start, before_another, start_of_running};
use super::{Stack, Stacks};
use crate::control::{GaveUp, Limits};
use crate::error::DeployError;
use crate::event::{OnEvent, Owner, ResourceEvent, StackEvent};
use crate::pace::{Pace, Patience};
use crate::progress::Counter;
use crate::state::StackStatus;

/// For how long AWS may give no answer before the operation is left to itself.
pub(super) const LOST_AFTER: Duration = Duration::from_mins(10);
/// Within what time an accepted change set shows in its stack.
const STARTS_WITHIN: Duration = Duration::from_mins(2);
/// How often is looked again at an end that the events do not tell yet.
const LAST_LOOKS: usize = 5;

/// What is followed.
pub(super) struct Operation<'a> {
    pub(super) stack: &'a str,
    pub(super) stack_id: &'a str,
    pub(super) start: Start,
    /// What its first event carries, where that is known: another operation's does not.
    pub(super) token: Option<&'a str>,
    /// How many resources it touches, where that is known.
    pub(super) total: Option<usize>,
    /// Whether the stack was seen in progress already.
    pub(super) running: bool,
    /// Whether a failure may end with the stack's deletion: its rollback need not be the end then.
    pub(super) deletes_on_failure: bool,
}

/// How far the early end of an operation is.
#[derive(Debug)]
enum Stopping {
    No,
    /// A call was sent and not answered; it may have arrived nevertheless.
    InDoubt(GaveUp),
    /// CloudFormation took it.
    Sent(GaveUp),
    /// CloudFormation refused it: the operation runs to its own end.
    Refused,
}

impl Stopping {
    /// Why the operation did not run to its own end.
    fn reason(self) -> Option<GaveUp> {
        match self {
            Self::Sent(why) | Self::InDoubt(why) => Some(why),
            Self::No | Self::Refused => None,
        }
    }
}

/// How an operation ended.
pub(super) struct Ended {
    pub(super) stack: Stack,
    /// All its events, oldest first.
    pub(super) events: Vec<ResourceEvent>,
    /// Why it was ended early, where it was.
    pub(super) given_up: Option<GaveUp>,
}

impl Stacks {
    /// Follows an operation to its end. The stack's own status alone says what became of it; a call that fails
    /// never does.
    pub(super) async fn follow(
        &self,
        operation: Operation<'_>,
        on_event: &OnEvent<'_>,
    ) -> Result<Ended, DeployError> {
        self.follow_within(operation, &mut Limits::none(), on_event).await
    }

    /// As [`Stacks::follow`], and ends the operation when its limits are reached.
    pub(super) async fn follow_within(
        &self,
        operation: Operation<'_>,
        limits: &mut Limits,
        on_event: &OnEvent<'_>,
    ) -> Result<Ended, DeployError> {
        let Operation { stack: name, stack_id, start, token, total, mut running, deletes_on_failure } =
            operation;
        let mut poller = Poller::new(self.client.clone(), stack_id, start);
        let mut counter = Counter::new(total);
        let mut pace = Pace::of_operation();
        let mut patience = Patience::new(LOST_AFTER);
        let mut last_looks = LAST_LOOKS;
        let mut stopping = Stopping::No;
        let mut stoppable = false;
        let mut events: Vec<ResourceEvent> = Vec::new();
        let since = Instant::now();
        loop {
            let mut failure = None;
            // Events first: a status that is seen after the operation's first event is not the one from before it.
            match poller.poll().await {
                Ok(fresh) if fresh.is_empty() => {}
                Ok(fresh) => {
                    pace.quicken();
                    running |= fresh.iter().any(|event| event.of_stack);
                    report(&fresh, &mut counter, on_event);
                    events.extend(fresh);
                }
                Err(error) => failure = Some(error),
            }
            match self.look_up(stack_id).await {
                Ok(found) => {
                    let stack = found.unwrap_or_else(|| Stack::deleted(name, stack_id));
                    running |= stack.status.in_progress() || stack.status == StackStatus::DeleteComplete;
                    let may_delete = deletes_on_failure || !matches!(stopping, Stopping::No);
                    let overtaken = before_another(&events, token, may_delete);
                    if let Some((status, events)) = overtaken.and_then(ended_in) {
                        let stack = Stack { status, ..stack };
                        return Ok(Ended { stack, events, given_up: stopping.reason() });
                    }
                    if running && !works(&stack.status) {
                        let told = newest_of_stack(&events) == Some(stack.status.as_str());
                        let goes_on = deletes_on_failure && stack.status == StackStatus::RollbackComplete;
                        if (told && !goes_on) || last_looks == 0 {
                            return Ok(Ended { stack, events, given_up: stopping.reason() });
                        }
                        last_looks -= 1;
                    } else {
                        last_looks = LAST_LOOKS;
                        // Another operation is never ended.
                        stoppable = is_stoppable(&stack.status) && overtaken.is_none();
                        if stoppable && let Some((longer, why)) = limits.extend() {
                            on_event(StackEvent::Extended { longer, why });
                        }
                        if overtaken.is_none() {
                            stopping = self.stop_if_reached(stopping, limits, &stack, on_event).await;
                        }
                    }
                }
                Err(error) => failure = Some(error),
            }

            match failure {
                None if !running && since.elapsed() > STARTS_WITHIN => {
                    return Err(DeployError::NotStarted { stack: name.to_owned(), waited: since.elapsed() });
                }
                None => patience.restore(),
                Some(error) if error.is_retryable() && patience.bears() => {
                    pace.slow_down();
                    on_event(StackEvent::PollDelayed { reason: error.to_string() });
                }
                Some(source) => return Err(DeployError::LostContact { stack: name.to_owned(), source }),
            }
            // Once it goes back, or has almost arrived, nothing ends it early.
            if stoppable && let Some(left) = limits.countdown() {
                on_event(StackEvent::Countdown { left });
            }
            let awaited = stoppable && limits.reached().is_none();
            tokio::select! {
                () = pace.wait() => {}
                () = limits.wait(), if awaited => {}
            }
        }
    }

    /// Ends the operation early, where there is a reason to and it has not been done.
    async fn stop_if_reached(
        &self,
        stopping: Stopping,
        limits: &Limits,
        stack: &Stack,
        on_event: &OnEvent<'_>,
    ) -> Stopping {
        let why = match stopping {
            Stopping::No => {
                let reason = limits.reached().filter(|_| is_stoppable(&stack.status));
                let Some(why) = reason else { return Stopping::No };
                on_event(StackEvent::GivingUp { why: why.clone() });
                why
            }
            Stopping::InDoubt(why) if is_stoppable(&stack.status) => why,
            decided => return decided,
        };
        match self.stop(stack).await {
            Ok(()) => Stopping::Sent(why),
            Err(error) if error.is_retryable() => Stopping::InDoubt(why),
            Err(error) => {
                on_event(StackEvent::NotStopped { reason: error.to_string() });
                Stopping::Refused
            }
        }
    }

    /// Follows the operation that someone else began on this stack, until the stack is at rest.
    pub(super) async fn attach(&self, stack: &Stack, on_event: &OnEvent<'_>) -> Result<(), DeployError> {
        let (start, token) = self.begun(stack, on_event).await?;
        let description = self.description_of(stack, token.as_deref()).await;
        let owner = Owner { token: token.clone(), description };
        let owner = (owner != Owner::default()).then_some(owner);
        on_event(StackEvent::Attached { status: stack.status.clone(), owner });
        // A stack does not say what becomes of a first create that fails; this engine has it deleted.
        let creates = matches!(stack.status, StackStatus::CreateInProgress | StackStatus::RollbackInProgress);
        let operation = Operation {
            stack: &stack.name,
            stack_id: &stack.id,
            start,
            token: token.as_deref(),
            total: None,
            running: true,
            deletes_on_failure: creates,
        };
        let ended = self.follow(operation, on_event).await?;
        on_event(StackEvent::Detached { status: ended.stack.status });
        Ok(())
    }

    /// Where the events of the running operation begin, and its token. It goes on whether that is answered or not.
    async fn begun(
        &self,
        stack: &Stack,
        on_event: &OnEvent<'_>,
    ) -> Result<(Start, Option<String>), DeployError> {
        let mut pace = Pace::of_operation();
        let mut patience = Patience::new(LOST_AFTER);
        loop {
            match start_of_running(&self.client, &stack.id).await {
                Ok(begun) => return Ok(begun),
                Err(error) if error.is_retryable() && patience.bears() => {
                    pace.slow_down();
                    on_event(StackEvent::PollDelayed { reason: error.to_string() });
                }
                Err(source) => return Err(DeployError::LostContact { stack: stack.name.clone(), source }),
            }
            pace.wait().await;
        }
    }

    /// What the change set of the running operation says of itself; only a courtesy, so no error. The stack knows the
    /// last change set that was executed, which need not be what runs now: a delete or a plain update has none.
    async fn description_of(&self, stack: &Stack, token: Option<&str>) -> Option<String> {
        let page = self.change_set_page(stack.change_set_id.as_deref()?, None).await.ok()?;
        // This engine's change sets are named like the token of their execution.
        let is_named_so = token.is_some() && page.change_set_name() == token;
        let runs = page.execution_status() == Some(&sdk::ExecutionStatus::ExecuteInProgress)
            && stack.status != StackStatus::DeleteInProgress;
        let description = page.description().filter(|text| !text.is_empty());
        description.filter(|_| is_named_so || runs).map(str::to_owned)
    }
}

impl Stack {
    /// A stack that is not even found by its ARN any more.
    fn deleted(name: &str, id: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: id.to_owned(),
            status: StackStatus::DeleteComplete,
            status_reason: None,
            outputs: BTreeMap::new(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            termination_protection: false,
            change_set_id: None,
            express: false,
        }
    }
}

/// Where an operation ended that left these events; `None` while its end is not told.
fn ended_in(events: &[ResourceEvent]) -> Option<(StackStatus, Vec<ResourceEvent>)> {
    let status = newest_of_stack(events).map(StackStatus::from)?;
    (!works(&status)).then(|| (status, events.to_vec()))
}

/// Whether the status is one on the way to another: also that of a stack whose create has yet to begin.
fn works(status: &StackStatus) -> bool {
    status.in_progress() || *status == StackStatus::ReviewInProgress
}

fn newest_of_stack(events: &[ResourceEvent]) -> Option<&str> {
    events.iter().rev().find(|event| event.of_stack).map(|event| event.status.as_str())
}

fn report(fresh: &[ResourceEvent], counter: &mut Counter, on_event: &OnEvent<'_>) {
    for event in fresh {
        counter.add(event);
        on_event(StackEvent::Resource(event.clone()));
    }
    on_event(StackEvent::Progress(counter.progress()));
}

//! Steps that need one another, composed as plain futures.
//!
//! A step is a future; what it needs is passed to it as a value, so the order is the data's. Steps that don't need
//! each other are joined with `tokio::join!`: when one fails, the others run to their end, and `?` keeps the ones that
//! need it from beginning. [`Run`] collects the errors and tells how far each step is.

use std::sync::{Mutex, PoisonError};

use crate::event::{Reporter, Sink, Step, StepStatus};

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished<T> {
    /// What later steps use.
    pub value: T,
    /// Whether the step changed anything.
    pub changed: bool,
}

impl<T> Finished<T> {
    /// A result, and whether anything was changed for it.
    pub fn new(value: T, changed: bool) -> Self {
        Self { value, changed }
    }
}

/// A step failed; its error is kept in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// One run of several steps.
pub struct Run<E> {
    sink: Sink,
    /// The steps that have not begun, in the order in which they were announced.
    waiting: Mutex<Vec<Step>>,
    errors: Mutex<Vec<(Step, E)>>,
}

impl<E> Run<E> {
    /// Announces the steps in the order in which people should see them.
    pub fn new(sink: Sink, steps: &[Step]) -> Self {
        let run = Self { sink, waiting: Mutex::new(steps.to_vec()), errors: Mutex::new(Vec::new()) };
        for step in steps {
            run.reporter(*step).status(StepStatus::Waiting);
        }
        run
    }

    /// Does a step's work. Its error is kept for [`Run::finish`].
    pub async fn step<T>(
        &self,
        step: Step,
        work: impl AsyncFnOnce(Reporter) -> Result<Finished<T>, E>,
    ) -> Result<T, Stopped> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).retain(|waiting| *waiting != step);
        let reporter = self.reporter(step);
        reporter.status(StepStatus::Running);
        match work(reporter.clone()).await {
            Ok(finished) => {
                reporter.status(if finished.changed { StepStatus::Done } else { StepStatus::Unchanged });
                Ok(finished.value)
            }
            Err(error) => {
                reporter.status(StepStatus::Failed);
                self.errors.lock().unwrap_or_else(PoisonError::into_inner).push((step, error));
                Err(Stopped)
            }
        }
    }

    /// The result of all steps, or the error of every step that failed, in the order in which they failed. What never
    /// began is reported as skipped.
    pub fn finish<T>(self, result: Result<T, Stopped>) -> Result<T, Vec<(Step, E)>> {
        for step in self.waiting.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            self.reporter(*step).status(StepStatus::Skipped);
        }
        let errors = self.errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(value) if errors.is_empty() => Ok(value),
            _ => Err(errors),
        }
    }

    fn reporter(&self, step: Step) -> Reporter {
        Reporter::new(step, self.sink.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    type Log = Arc<Mutex<Vec<String>>>;

    fn logged() -> (Sink, Log) {
        let log = Log::default();
        let sink = log.clone();
        (Arc::new(move |event| sink.lock().unwrap().push(event.to_string())), log)
    }

    /// The first deploy in small: each step takes a while and passes its name on.
    async fn deploy(fails: &'static [Step]) -> (Result<String, Vec<(Step, String)>>, Vec<String>) {
        let (sink, log) = logged();
        let steps =
            [Step::REGISTRY, Step::FOUNDATION, Step::IMAGES, Step::SECRETS, Step::PLATFORM, Step::GATE];
        let run = Run::new(sink, &steps);
        log.lock().unwrap().clear();
        let work = |step: Step, seconds: u64, input: String| {
            run.step(step, async move |_| {
                sleep(Duration::from_secs(seconds)).await;
                if fails.contains(&step) {
                    return Err(format!("{step} broke"));
                }
                Ok(Finished::new(format!("{input}{step} "), step != Step::REGISTRY))
            })
        };
        let result = async {
            let (left, right) = tokio::join!(
                async {
                    let registry = work(Step::REGISTRY, 1, String::new()).await?;
                    work(Step::IMAGES, 10, registry).await
                },
                async {
                    let foundation = work(Step::FOUNDATION, 3, String::new()).await?;
                    work(Step::SECRETS, 1, foundation).await
                },
            );
            let platform = work(Step::PLATFORM, 1, left? + &right?).await?;
            work(Step::GATE, 1, platform).await
        };
        let result = result.await;
        let result = run.finish(result);
        let lines = log.lock().unwrap().clone();
        (result, lines)
    }

    #[tokio::test(start_paused = true)]
    async fn steps_run_side_by_side_and_in_order() {
        let (result, lines) = deploy(&[]).await;
        assert_eq!(result.unwrap(), "registry images foundation secrets platform gate ");
        insta::assert_snapshot!(lines.join("\n"), @r"
        registry: started
        foundation: started
        registry: nothing to change
        images: started
        foundation: done
        secrets: started
        secrets: done
        images: done
        platform: started
        platform: done
        gate: started
        gate: done
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_lets_siblings_finish_and_skips_what_needs_it() {
        let (result, lines) = deploy(&[Step::FOUNDATION, Step::IMAGES]).await;
        let errors = result.unwrap_err();
        assert_eq!(
            errors,
            [(Step::FOUNDATION, "foundation broke".to_owned()), (Step::IMAGES, "images broke".to_owned())]
        );
        insta::assert_snapshot!(lines.join("\n"), @r"
        registry: started
        foundation: started
        registry: nothing to change
        images: started
        foundation: failed
        images: failed
        secrets: skipped
        platform: skipped
        gate: skipped
        ");
    }
}

//! What a deploy holds while it runs, so that it can be given back however it ends.

use super::{Before, Plan};
use crate::{failure::Problem, operation::Operation};
use leo_aws::FailureKind;
use leo_deploy::{Finished, Reporter};
use leo_release::{Artifacts, Holder, Lease, Process, REGISTRY_IMAGES, ReleaseError, Waiting};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::timeout};

/// For how long another deploy of the same environment is waited for: as long as a slow first one takes.
pub(crate) const WAIT_AT_MOST: Duration = Duration::from_mins(45);
/// How often it is said that another one is waited for.
const SAID_EVERY: Duration = Duration::from_secs(30);
/// How often a step that takes long makes sure that the environment still is its own.
const CONFIRMED_EVERY: Duration = Duration::from_secs(10);

/// For how long a claim that was interrupted is waited for, to be given back: a call or two.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// What is held while a command changes an environment.
#[derive(Default)]
pub(crate) struct Session {
    lease: tokio::sync::Mutex<Option<Arc<Lease>>>,
    /// The environment may be had before that is known here: whoever is interrupted meanwhile has to give it back.
    taking: tokio::sync::Mutex<Option<JoinHandle<Result<Lease, ReleaseError>>>>,
}

impl Session {
    /// Has the environment for this run alone; another one is waited for. The stacks as they are from then on: what the
    /// other one changed, or what was changed while a question was on the screen, is seen again.
    pub(crate) async fn take(
        &self,
        plan: &Plan<'_>,
        reporter: &Reporter,
    ) -> Result<Finished<Before>, Problem> {
        let environment = &plan.project.config.environment.name;
        let alone = self.take_for(&plan.artifacts, plan.operation, environment.as_str(), reporter).await?;
        refuse_another_release(plan).await?;
        let before = if alone && plan.before.is_fresh() {
            plan.before.clone()
        } else {
            Before::look(&plan.engine, plan.stacks).await?
        };
        Ok(Finished::new(before, true))
    }

    /// The same for any operation on an environment, which also waits until nobody deletes images. Whether nobody else had
    /// it when it was asked for.
    pub(crate) async fn take_for(
        &self,
        artifacts: &Artifacts,
        operation: &Operation,
        environment: &str,
        reporter: &Reporter,
    ) -> Result<bool, Problem> {
        let alone = self.acquire(artifacts, operation, environment, WAIT_AT_MOST, reporter).await?;
        // Only now: whoever deletes images sees from here on that it has to give way.
        let said = Arc::new(Said::default());
        let waited = artifacts.behind_collection(WAIT_AT_MOST, &telling(said, reporter)).await?;
        Ok(alone && !waited)
    }

    /// Has the registry's images for this run alone; another one that has them is not waited for.
    pub(crate) async fn take_images(
        &self,
        artifacts: &Artifacts,
        operation: &Operation,
        reporter: &Reporter,
    ) -> Result<(), Problem> {
        self.acquire(artifacts, operation, REGISTRY_IMAGES, Duration::ZERO, reporter).await.map(drop)
    }

    async fn acquire(
        &self,
        artifacts: &Artifacts,
        operation: &Operation,
        environment: &str,
        at_most: Duration,
        reporter: &Reporter,
    ) -> Result<bool, Problem> {
        let said = Arc::new(Said::default());
        let on_wait = telling(said.clone(), reporter);
        let record = operation.record();
        let holder = Holder {
            environment: environment.to_owned(),
            operation: record.id,
            user: record.who.user,
            host: record.who.host,
            process: Process::current(),
            commit: record.who.commit,
            command: record.command,
        };
        let artifacts = artifacts.clone();
        let mut taking = self.taking.lock().await;
        let task =
            taking.insert(tokio::spawn(async move { artifacts.lease(holder, at_most, &on_wait).await }));
        let lease = task.await;
        *taking = None;
        let lease = lease.map_err(|error| {
            Problem::new(FailureKind::Failed, format!("have `{environment}` for itself: {error}"))
        })??;
        if let Some(before) = lease.taken_over() {
            reporter.note(format!("{before} did not end in order: continuing where it stopped"));
        }
        let alone = lease.taken_over().is_none() && !said.is_anything();
        *self.lease.lock().await = Some(Arc::new(lease));
        Ok(alone)
    }

    /// Works for as long as no other run has taken the environment: once it has, the work is given up where it waits.
    pub(crate) async fn alone<T>(
        &self,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        self.confirm().await?;
        tokio::select! {
            biased;
            done = work => done,
            problem = self.lost() => Err(problem),
        }
    }

    /// Waits until the environment is lost, for ever where it is not, or was never had.
    async fn lost(&self) -> Problem {
        let Some(lease) = self.lease.lock().await.clone() else { return std::future::pending().await };
        loop {
            // While this machine sleeps nothing is renewed, and no time passes that would tell.
            let _ = tokio::time::timeout(CONFIRMED_EVERY, lease.lost()).await;
            if let Err(lost) = lease.confirm().await {
                return lost.into();
            }
        }
    }

    /// Makes sure that no other run has taken the environment meanwhile, before a step that would mix the two.
    pub(crate) async fn confirm(&self) -> Result<(), Problem> {
        let lease = self.lease.lock().await.clone();
        match lease {
            Some(lease) => Ok(lease.confirm().await?),
            None => Ok(()),
        }
    }

    /// Gives the environment back. Where that fails its claim ends by itself.
    pub(crate) async fn give_back(&self) {
        let mut lease = self.lease.lock().await.take().and_then(Arc::into_inner);
        if let Some(mut task) = self.taking.lock().await.take() {
            if let Ok(Ok(Ok(taken))) = timeout(SETTLES_WITHIN, &mut task).await {
                lease = Some(taken);
            } else {
                // It waits for another one, and has nothing yet.
                task.abort();
            }
        }
        if let Some(lease) = lease {
            // It ends by itself within two minutes; the run's own outcome is what counts.
            drop(lease.release().await);
        }
    }
}

/// What was shown and agreed to has to be about the release that still is the newest.
async fn refuse_another_release(plan: &Plan<'_>) -> Result<(), Problem> {
    let Some(seen) = plan.seen else { return Ok(()) };
    let environment = plan.project.config.environment.name.as_str();
    match plan.artifacts.newest(environment).await? {
        Some(newest) if newest != seen => Err(Problem::new(
            FailureKind::Failed,
            format!("go back in `{environment}`: release {newest} came in between; nothing was changed"),
        )
        .hint("run the same command again: it shows what it would do now")),
        _ => Ok(()),
    }
}

/// Says who is waited for, every now and then.
fn telling(said: Arc<Said>, reporter: &Reporter) -> impl Fn(&Waiting) + Send + Sync + 'static {
    let reporter = reporter.clone();
    move |waiting| {
        if said.is_due() {
            reporter.note(format!("waiting: {waiting}"));
        }
    }
}

/// When something was said last.
#[derive(Default)]
struct Said(Mutex<Option<Instant>>);

impl Said {
    fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= SAID_EVERY);
        if due {
            *last = Some(Instant::now());
        }
        due
    }

    fn is_anything(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::{
        config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
        primitives::SdkBody,
    };
    use aws_smithy_runtime_api::client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
    };
    use leo_release::Address;

    /// A bucket that takes a lease and then has none.
    #[derive(Debug)]
    struct Forgetful;

    impl HttpConnector for Forgetful {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let created = request.headers().get("if-none-match").is_some();
            let (status, body) = match request.method() {
                "PUT" if created => (200, ""),
                "PUT" => (412, "<Error><Code>PreconditionFailed</Code></Error>"),
                _ => (404, "<Error><Code>NoSuchKey</Code></Error>"),
            };
            let mut answer = HttpResponse::new(status.try_into().expect("is one"), SdkBody::from(body));
            answer.headers_mut().insert("etag", "one");
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    async fn forgotten() -> Session {
        let connector = SharedHttpConnector::new(Forgetful);
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIAEXAMPLE", "not-a-secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        let address = Address::Aws { region: "us-east-1".to_owned() };
        let artifacts =
            Artifacts::new(aws_sdk_s3::Client::from_conf(config.build()), "leo-artifacts", address);
        let holder = Holder {
            environment: "dev".to_owned(),
            operation: String::new(),
            user: "ada".to_owned(),
            host: "laptop".to_owned(),
            process: Process::current(),
            commit: None,
            command: "destroy".to_owned(),
        };
        let session = Session::default();
        let lease = artifacts.lease(holder, Duration::ZERO, &|_| {}).await.expect("is free");
        *session.lease.lock().await = Some(Arc::new(lease));
        session
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_given_up_once_the_environment_is_another_ones() {
        let session = forgotten().await;
        let quick = session.alone(async { Ok(1) }).await;
        assert_eq!(quick.expect("is over before"), 1);
        let endless = session.alone(std::future::pending::<Result<(), Problem>>()).await;
        let problem = endless.expect_err("is given up");
        assert_eq!(problem.message, "keep `dev` for itself: its lease was removed");
        assert!(session.alone(async { Ok(()) }).await.is_err(), "nothing begins after that");

        assert!(Session::default().alone(async { Ok(()) }).await.is_ok(), "where no turns are taken");
    }
}

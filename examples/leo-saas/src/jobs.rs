//! Starting a job and finding out what became of it. Nothing is kept in the process: S3 and ECS know everything, so
//! another orchestrator gives the same answers.

use leo_aws::ecs::{Failure, RunTask, Started};
use leo_aws::s3::Object;
use leo_aws::{Client, Error};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::log;
use crate::run::RunId;

/// How long a generator may take. The generator stops itself then; the platform's reaper goes by the tag.
const LIFETIME: Duration = Duration::from_mins(15);
/// How long after its start a job without a task is still believed to be on its way: ECS answers late about new tasks.
const GRACE: Duration = Duration::from_mins(2);

/// Starts and describes jobs.
#[derive(Clone)]
pub(crate) struct Jobs {
    client: Client,
    bucket: String,
    generator: Generator,
}

/// How a generator is started.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    pub(crate) cluster: String,
    pub(crate) task_definition: String,
    pub(crate) container: String,
    pub(crate) subnets: Vec<String>,
    pub(crate) security_group: String,
    pub(crate) assign_public_ip: String,
    pub(crate) capacity_provider: String,
}

/// Why no generator was started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("make a run id: {0}")]
    Random(#[from] getrandom::Error),
    #[error("write the deadline down: {0}")]
    Deadline(#[from] time::error::Format),
    #[error(transparent)]
    Aws(#[from] Error),
    #[error("start a generator: {}", reasons(failures))]
    Refused { failures: Vec<Failure> },
}

impl StartError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(error) => error.hint(),
            Self::Refused { .. } => Some(
                "a new account may run 6 vCPUs on Fargate: raise the quota L-3032A538 (Spot: L-36FBB829), or wait"
                    .to_owned(),
            ),
            Self::Random(_) | Self::Deadline(_) => None,
        }
    }

    /// Whether the same request may succeed a little later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Aws(error) => error.is_transient(),
            Self::Refused { failures } => failures.iter().all(Failure::is_lack_of_capacity),
            Self::Random(_) | Self::Deadline(_) => false,
        }
    }
}

fn reasons(failures: &[Failure]) -> String {
    let one = |failure: &Failure| match &failure.detail {
        Some(detail) => format!("{} ({detail})", failure.reason),
        None => failure.reason.clone(),
    };
    failures.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Queued,
    Running,
    Done,
    Failed,
}

impl State {
    /// The word in the answer.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A job as its client sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) state: State,
    /// The keys that the generator has written so far, without its status.
    pub(crate) objects: Vec<String>,
    /// Why it failed.
    pub(crate) reason: Option<String>,
}

impl Jobs {
    pub(crate) fn new(client: Client, bucket: String, generator: Generator) -> Self {
        Self { client, bucket, generator }
    }

    /// Stores the prompt and starts a generator for it.
    pub(crate) async fn start(&self, prompt: String) -> Result<RunId, StartError> {
        let run = RunId::random()?;
        let deadline = deadline(SystemTime::now())?;
        let text = "text/plain; charset=utf-8";
        self.client.put_object(&self.bucket, &run.input(), text, prompt).await?;
        let task = self.run_generator(&run, &deadline).await?;
        log::line(format_args!("run {run}: started {task}, until {deadline}"));
        // The job goes on without this note; only how a generator died before it wrote its status is then not known.
        if let Err(error) = self.client.put_object(&self.bucket, &run.task(), text, task).await {
            log::line(format_args!("run {run}: failed to note the task: {error}"));
        }
        Ok(run)
    }

    /// Starts the task, and tries again while there is no room. A token stays the same until ECS has said that it
    /// started nothing: a repeated request can't start a second task, and a new attempt is not answered with the old
    /// refusal.
    async fn run_generator(&self, run: &RunId, deadline: &str) -> Result<String, StartError> {
        let generator = &self.generator;
        let id = run.to_string();
        let environment = [("LEO_RUN", id.as_str()), ("LEO_DEADLINE", deadline)];
        let tags = [("leo:component", "generator"), ("leo:run", id.as_str()), ("leo:expires-at", deadline)];
        let mut refusals = 0;
        let attempt = || {
            let client_token = format!("{id}-{refusals}");
            refusals += 1;
            async move {
                let task = RunTask {
                    cluster: &generator.cluster,
                    task_definition: &generator.task_definition,
                    capacity_provider: &generator.capacity_provider,
                    subnets: &generator.subnets,
                    security_group: &generator.security_group,
                    assign_public_ip: &generator.assign_public_ip,
                    container: &generator.container,
                    environment: &environment,
                    tags: &tags,
                    client_token: &client_token,
                    started_by: run.as_str(),
                };
                match self.client.run_task(&task).await? {
                    Started::Task(arn) => Ok(arn),
                    Started::Refused(failures) => Err(StartError::Refused { failures }),
                }
            }
        };
        let no_room = |error: &StartError| matches!(error, StartError::Refused { .. }) && error.is_passing();
        self.client.retry().run(attempt, no_room).await
    }

    /// The job; `None` where there never was one.
    pub(crate) async fn look(&self, run: &RunId) -> Result<Option<Job>, Error> {
        let objects = self.client.list_objects(&self.bucket, &run.prefix()).await?;
        let Some(input) = objects.iter().find(|object| object.key == run.input()) else { return Ok(None) };
        let started = input.last_modified;
        if let Some(job) = self.ended(run, &objects).await? {
            return Ok(Some(job));
        }
        let (state, reason) = match self.task_state(run, &objects).await? {
            TaskState::Alive(state) => (state, None),
            TaskState::Over(reason) => {
                // It may have written its status after the listing and before its end.
                let objects = self.client.list_objects(&self.bucket, &run.prefix()).await?;
                if let Some(job) = self.ended(run, &objects).await? {
                    return Ok(Some(job));
                }
                match reason {
                    Some(reason) => (State::Failed, Some(reason)),
                    None if is_recent(started, SystemTime::now()) => (State::Queued, None),
                    None => (State::Failed, Some("its task is gone and left no status".to_owned())),
                }
            }
        };
        Ok(Some(Job { state, objects: written(run, &objects), reason }))
    }

    /// The job as the generator's own last word has it, if it has been said.
    async fn ended(&self, run: &RunId, objects: &[Object]) -> Result<Option<Job>, Error> {
        if !objects.iter().any(|object| object.key == run.status()) {
            return Ok(None);
        }
        let status = self.client.get_object(&self.bucket, &run.status()).await?;
        let (state, reason) = read_status(&status);
        Ok(Some(Job { state, objects: written(run, objects), reason }))
    }

    /// What ECS says. The task is known by the note in the bucket, else by who started it.
    async fn task_state(&self, run: &RunId, objects: &[Object]) -> Result<TaskState, Error> {
        let cluster = &self.generator.cluster;
        let noted = objects.iter().any(|object| object.key == run.task());
        let arn = if noted {
            let note = self.client.get_object(&self.bucket, &run.task()).await?;
            Some(String::from_utf8_lossy(&note).into_owned())
        } else {
            self.client.find_task(cluster, run.as_str()).await?
        };
        let task = match arn {
            Some(arn) => self.client.describe_task(cluster, &arn).await?,
            None => None,
        };
        Ok(task.map_or(TaskState::Over(None), |task| task_state(&task)))
    }
}

enum TaskState {
    Alive(State),
    /// It ended, for the reason that ECS gives, or ECS knows nothing of it.
    Over(Option<String>),
}

fn task_state(task: &leo_aws::ecs::Task) -> TaskState {
    match task.last_status.as_str() {
        "PROVISIONING" | "PENDING" | "ACTIVATING" => TaskState::Alive(State::Queued),
        "STOPPED" => {
            let reason = task.stopped_reason.as_deref().unwrap_or("its task stopped");
            TaskState::Over(Some(match task.exit_code {
                Some(code) => format!("{reason} (exit code {code}, no status)"),
                None => format!("{reason} (no exit code, no status)"),
            }))
        }
        // RUNNING, and the steps from there to the end.
        _ => TaskState::Alive(State::Running),
    }
}

/// The keys under the output prefix, but for the status, which is the protocol's and not the generator's work.
fn written(run: &RunId, objects: &[Object]) -> Vec<String> {
    let (output, status) = (run.output(), run.status());
    let keys = objects.iter().map(|object| &object.key);
    keys.filter(|key| key.starts_with(&output) && **key != status).cloned().collect()
}

fn read_status(status: &[u8]) -> (State, Option<String>) {
    let document: serde_json::Value = serde_json::from_slice(status).unwrap_or_default();
    let field = |name: &str| document.get(name).and_then(serde_json::Value::as_str);
    match field("state") {
        Some("done") => (State::Done, None),
        Some("failed") => (State::Failed, Some(field("reason").unwrap_or("without a reason").to_owned())),
        _ => (State::Failed, Some("its status can't be read".to_owned())),
    }
}

fn deadline(now: SystemTime) -> Result<String, time::error::Format> {
    let moment = OffsetDateTime::from(now + LIFETIME);
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339)
}

/// Also where S3's clock is ahead of ours.
fn is_recent(started: SystemTime, now: SystemTime) -> bool {
    now.duration_since(started).is_ok_and(|age| age < GRACE) || started > now
}

#[cfg(test)]
mod tests {
    use super::{GRACE, State, deadline, is_recent, read_status};
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_deadline_is_in_whole_seconds_of_utc() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_348_800_123);
        assert_eq!(deadline(now).unwrap(), "2026-11-22T12:15:00Z");
    }

    #[test]
    fn a_job_is_recent_for_the_grace_and_when_it_comes_from_the_future() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        assert!(is_recent(now, now) && is_recent(now + GRACE, now));
        assert!(!is_recent(now - GRACE, now));
    }

    #[test]
    fn a_status_that_says_nothing_is_a_failure() {
        assert_eq!(read_status(br#"{"state":"done"}"#), (State::Done, None));
        let failed = (State::Failed, Some("too big".to_owned()));
        assert_eq!(read_status(br#"{"state":"failed","reason":"too big"}"#), failed);
        for broken in ["", "{}", "[]", "{\"state\":1}", "done"] {
            assert_eq!(read_status(broken.as_bytes()).0, State::Failed, "{broken}");
        }
    }
}

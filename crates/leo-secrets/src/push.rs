use aws_sdk_secretsmanager::Client;

use crate::all::each;
use crate::look::{Found, decide, edited, fits, look, look_at_all, note_equal, whole};
use crate::object::Object;
use crate::service::{self, Label, Reading, Sent, State};
use crate::{
    Change, KeyAction, Overwrite, PlannedSecret, Problem, PushPlan, Record, SecretsError, Undeclared, Wanted,
};

/// What a push did.
#[derive(Debug)]
pub struct PushReport {
    /// The secrets that are now as the plan wanted them, in its order.
    pub done: Vec<Pushed>,
    /// What failed, a secret each. The next push continues.
    pub failed: Vec<SecretsError>,
    /// What is known now of the versions: to be kept, also after a failure.
    pub record: Record,
}

/// A secret that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its name.
    pub name: String,
    /// What became of its value.
    pub outcome: Outcome,
    /// Whether it was restored from its scheduled deletion.
    pub restored: bool,
    /// The JSON keys that were added or changed.
    pub written: Vec<String>,
    /// The JSON keys that were taken out.
    pub removed: Vec<String>,
    /// The JSON keys that were changed elsewhere and so were left as they are.
    pub kept_back: Vec<String>,
    /// The id of the version that tasks get now.
    pub version: Option<String>,
}

/// What became of a secret's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It got its first one.
    Created,
    /// It has a new one.
    Updated,
    /// It is what it was.
    Unchanged,
}

impl PushReport {
    /// The names of the secrets that have another value now: what uses them has to be started anew.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        let changed = self.done.iter().filter(|pushed| pushed.outcome != Outcome::Unchanged);
        changed.map(|pushed| pushed.name.as_str())
    }

    /// The secrets with keys that were changed elsewhere and left as they are.
    pub fn kept_back(&self) -> impl Iterator<Item = &Pushed> {
        self.done.iter().filter(|pushed| !pushed.kept_back.is_empty())
    }
}

/// Compares what is here with what is in Secrets Manager. Values are compared in memory and dropped; the plan has none
/// of what is there.
///
/// A key that differs counts as changed here where it still is what this machine last saw equal to its file (`record`),
/// and otherwise as changed elsewhere. The first value, which a deploy made, is nobody's change.
///
/// # Errors
/// [`SecretsError::Blocked`] with all problems at once; [`SecretsError::ReadDenied`] where the role may not compare;
/// [`SecretsError::Service`] where AWS refuses or does not answer. Nothing was sent.
pub async fn plan_push(
    client: &Client,
    wanted: Vec<Wanted>,
    record: Record,
    undeclared: Undeclared,
) -> Result<PushPlan, SecretsError> {
    let looked = look_at_all(client, &wanted, &record).await?;
    let mut secrets = Vec::new();
    let mut problems = Vec::new();
    for (wanted, seen) in wanted.iter().zip(looked) {
        match decide(wanted, &seen, undeclared) {
            Ok(planned) => secrets.push(planned),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(SecretsError::of(problems));
    }
    let mut record = record;
    for planned in &secrets {
        note_equal(&mut record, planned);
    }
    Ok(PushPlan { secrets, wanted, undeclared, record })
}

/// Carries a plan out, all secrets at once. Each gets its new value only if it still has the one that the plan was made
/// from; what failed leaves the others alone, and the next push continues.
pub async fn push(client: &Client, plan: PushPlan, overwrite: Overwrite) -> PushReport {
    let PushPlan { secrets, wanted, undeclared, mut record } = plan;
    let jobs = secrets.into_iter().zip(wanted).map(|(planned, wanted)| Job {
        recorded: record.version(&planned.name).map(str::to_owned),
        client: client.clone(),
        planned,
        wanted,
        undeclared,
        overwrite,
    });
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for result in each(jobs, Job::run).await {
        match result {
            Ok(pushed) => {
                if let (true, Some(version)) = (pushed.kept_back.is_empty(), &pushed.version) {
                    record.set(&pushed.name, version);
                }
                done.push(pushed);
            }
            Err(error) => failed.push(error),
        }
    }
    PushReport { done, failed, record }
}

/// One secret of a push.
struct Job {
    client: Client,
    planned: PlannedSecret,
    wanted: Wanted,
    recorded: Option<String>,
    undeclared: Undeclared,
    overwrite: Overwrite,
}

impl Job {
    async fn run(mut self) -> Result<Pushed, SecretsError> {
        let restored = self.planned.change == Change::Restore;
        if restored {
            service::restore(&self.client, &self.planned.name).await?;
            self.planned = self.compare_again().await?;
        }
        if !self.planned.has_work(self.overwrite) {
            let version = self.planned.version.clone();
            return Ok(self.pushed(Outcome::Unchanged, restored, version));
        }
        let value = self.value().await?;
        fits(&self.wanted, &value).map_err(SecretsError::of)?;
        let base = self.planned.version.as_deref();
        let Some(written) = write(&self.client, &self.wanted, base, value).await? else {
            return self.overtaken(restored).await;
        };
        let outcome = match self.planned.change {
            Change::Create => Outcome::Created,
            _ => Outcome::Updated,
        };
        Ok(self.pushed(outcome, restored, Some(written)))
    }

    /// The new value, whole.
    async fn value(&self) -> Result<Object, SecretsError> {
        let name = &self.planned.name;
        match (self.planned.change, self.planned.version.as_deref()) {
            (Change::Update, Some(version)) => {
                let there = match service::read(&self.client, name, version).await? {
                    Reading::Text { text, .. } => Object::parse(text),
                    Reading::Denied => return Err(SecretsError::ReadDenied { secrets: vec![name.clone()] }),
                    Reading::Gone | Reading::Empty | Reading::Binary { .. } => None,
                };
                let there = there.ok_or_else(|| self.changed_meanwhile())?;
                Ok(edited(&there, &self.wanted, &self.planned.keys, self.overwrite))
            }
            _ => whole(&self.wanted).map_err(SecretsError::of),
        }
    }

    /// Someone else was faster. Where they wrote the same, all is well.
    async fn overtaken(&mut self, restored: bool) -> Result<Pushed, SecretsError> {
        let now = self.compare_again().await?;
        if now.change != Change::Unchanged {
            return Err(self.changed_meanwhile());
        }
        self.planned = now;
        let version = self.planned.version.clone();
        Ok(self.pushed(Outcome::Unchanged, restored, version))
    }

    async fn compare_again(&self) -> Result<PlannedSecret, SecretsError> {
        let seen = look(&self.client, &self.planned.name, self.recorded.as_deref()).await?;
        if matches!(seen.found, Found::ScheduledForDeletion) {
            let secret = self.planned.name.clone();
            return Err(SecretsError::of(vec![Problem::ScheduledForDeletion { secret }]));
        }
        decide(&self.wanted, &seen, self.undeclared).map_err(SecretsError::of)
    }

    fn changed_meanwhile(&self) -> SecretsError {
        SecretsError::ChangedMeanwhile { secret: self.planned.name.clone() }
    }

    fn pushed(&self, outcome: Outcome, restored: bool, version: Option<String>) -> Pushed {
        let keys = |wanted: &dyn Fn(KeyAction) -> bool| {
            let keys = self.planned.keys.iter().filter(|key| wanted(key.action));
            keys.map(|key| key.json_key.clone()).collect::<Vec<_>>()
        };
        let overwrite = self.overwrite;
        Pushed {
            name: self.planned.name.clone(),
            outcome,
            restored,
            written: keys(&|action| action.writes(overwrite) && action != KeyAction::Remove),
            removed: keys(&|action| action == KeyAction::Remove),
            kept_back: keys(&|action| action == KeyAction::ChangedElsewhere && overwrite == Overwrite::No),
            version,
        }
    }
}

/// Makes a value the current one, provided that `base` still is; answers its version, or `None` where it isn't.
///
/// The first version of a secret has the same id for everyone.
pub(crate) async fn write(
    client: &Client,
    wanted: &Wanted,
    base: Option<&str>,
    value: Object,
) -> Result<Option<String>, SecretsError> {
    let name = wanted.name.as_str();
    let value = value.into_secret();
    let first = base.is_none().then(|| wanted.first_version());
    let mut sent = service::put(client, name, first.as_deref(), Label::Staged, &value).await?;
    if matches!(sent, Sent::Exists) && service::facts(client, name).await?.state == State::Empty {
        // Someone sent another first value, and it did not become the current one.
        sent = service::put(client, name, None, Label::Staged, &value).await?;
    }
    match sent {
        Sent::Exists => Ok(None),
        Sent::Version { id, current: true } => Ok(Some(id)),
        Sent::Version { id, current: false } => {
            let current = service::make_current(client, name, &id, base).await?;
            Ok(current.then_some(id))
        }
    }
}

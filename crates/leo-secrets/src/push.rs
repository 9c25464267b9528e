use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;

use crate::all::each;
use crate::look::{Found, decide, edited, fits, look, look_at_all, note, whole};
use crate::object::Object;
use crate::service::{self, Label, Reading, Sent, State};
use crate::{
    Change, KeyAction, KeyName, Overwrite, PlannedKey, PlannedSecret, Problem, Purpose, PushPlan, Record,
    SecretsError, Undeclared, Wanted,
};

/// What a push did.
#[derive(Debug)]
pub struct PushReport {
    /// The secrets that are now as the plan wanted them, in its order.
    pub done: Vec<Pushed>,
    /// What failed, a secret each. The next push continues.
    pub failed: Vec<SecretsError>,
    /// What is now known to be equal: to be kept, also after a failure.
    pub seen: Record,
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
    pub written: Vec<KeyName>,
    /// The JSON keys that were taken out.
    pub removed: Vec<KeyName>,
    /// The keys that differ and were left as they are. Of a secret that was restored also what was asked for and no plan
    /// had shown: the next one does.
    pub kept_back: Vec<PlannedKey>,
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
    /// The secrets that have another value now: what uses them has to be started anew.
    pub fn changed(&self) -> impl Iterator<Item = &Pushed> {
        self.done.iter().filter(|pushed| pushed.outcome != Outcome::Unchanged)
    }

    /// The secrets with keys that were left as they are.
    pub fn kept_back(&self) -> impl Iterator<Item = &Pushed> {
        self.done.iter().filter(|pushed| !pushed.kept_back.is_empty())
    }

    /// The version that each secret has been given, by its name: what a deploy has to find.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let versions =
            self.changed().filter_map(|pushed| Some((pushed.name.clone(), pushed.version.clone()?)));
        versions.collect()
    }
}

/// Compares what is here with what is in Secrets Manager. Values are compared in memory and dropped; the plan has none
/// of what is there.
///
/// A key that differs counts as changed here where it still is what this machine last saw equal to its file (`known`), or
/// is a dummy of the local target. Otherwise it was changed elsewhere, or nothing is known of it: both stay without
/// [`Overwrite::Yes`]. A secret that can't be pushed holds no other one up: [`PushPlan::blocked`].
///
/// # Errors
/// [`SecretsError::Service`] where AWS refuses or does not answer. Nothing was sent.
pub async fn plan_push(
    client: &Client,
    wanted: Vec<Wanted>,
    known: Record,
    undeclared: Undeclared,
    overwrite: Overwrite,
) -> Result<PushPlan, SecretsError> {
    let looked = look_at_all(client, &wanted, &known).await?;
    let mut plan = PushPlan {
        secrets: Vec::new(),
        blocked: Vec::new(),
        overwrite,
        undeclared,
        wanted: Vec::new(),
        known,
        seen: Record::default(),
    };
    let mut problems = Vec::new();
    for (wanted, seen) in wanted.into_iter().zip(looked) {
        match decide(&wanted, &seen, undeclared, overwrite) {
            Ok(planned) => {
                let is_equal = |action| action == KeyAction::Same;
                note(&mut plan.seen, &planned, planned.version.as_deref(), is_equal);
                plan.secrets.push(planned);
                plan.wanted.push(wanted);
            }
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        plan.blocked = SecretsError::all(Purpose::Push, problems);
    }
    Ok(plan)
}

/// Carries a plan out, all secrets at once. Each gets its new value only if it still has the one that the plan was made
/// from; what failed leaves the others alone, and the next push continues.
pub async fn push(client: &Client, plan: PushPlan) -> PushReport {
    let PushPlan { secrets, blocked, overwrite, undeclared, wanted, known, mut seen } = plan;
    let known = Arc::new(known);
    let jobs = secrets.into_iter().zip(wanted).map(|(planned, wanted)| Job {
        client: client.clone(),
        planned,
        wanted,
        known: known.clone(),
        undeclared,
        overwrite,
        unshown: None,
    });
    let mut done = Vec::new();
    let mut failed = blocked;
    for result in each(jobs, Job::run).await {
        match result {
            Ok((pushed, equal)) => {
                seen.add(&equal);
                done.push(pushed);
            }
            Err(error) => failed.push(error),
        }
    }
    PushReport { done, failed, seen }
}

/// One secret of a push.
struct Job {
    client: Client,
    planned: PlannedSecret,
    wanted: Wanted,
    known: Arc<Record>,
    undeclared: Undeclared,
    overwrite: Overwrite,
    /// What was asked for of a secret that had to be restored first, so that no plan has shown what comes of it.
    unshown: Option<Undeclared>,
}

impl Job {
    async fn run(mut self) -> Result<(Pushed, Record), SecretsError> {
        if self.planned.change == Change::Restore {
            service::restore(&self.client, &self.planned.name).await?;
            self.unshown = Some(self.undeclared);
            (self.overwrite, self.undeclared) = (Overwrite::No, Undeclared::Keep);
            self.planned = self.compare_again().await?;
        }
        if !self.planned.has_work(self.overwrite) {
            let version = self.planned.version.clone();
            return Ok(self.pushed(Outcome::Unchanged, version));
        }
        let value = self.value().await?;
        fits(&self.wanted, &value).map_err(blocked)?;
        let base = self.planned.version.as_deref();
        let Some(written) = write(&self.client, &self.wanted, base, value).await? else {
            return self.overtaken().await;
        };
        let outcome = match self.planned.change {
            Change::Create => Outcome::Created,
            _ => Outcome::Updated,
        };
        Ok(self.pushed(outcome, Some(written)))
    }

    /// The new value, whole.
    async fn value(&self) -> Result<Object, SecretsError> {
        let name = &self.planned.name;
        match (self.planned.change, self.planned.version.as_deref()) {
            (Change::Update, Some(version)) => {
                let there = match service::read(&self.client, name, version).await? {
                    Reading::Text { text, .. } => Object::parse(text),
                    Reading::Denied(permission) => {
                        let secret = name.clone();
                        return Err(blocked(vec![Problem::MayNotRead { secret, permission }]));
                    }
                    Reading::Gone | Reading::Empty | Reading::Binary { .. } => None,
                };
                let there = there.ok_or_else(|| self.changed_meanwhile())?;
                Ok(edited(&there, &self.wanted, &self.planned.keys, self.overwrite))
            }
            _ => whole(&self.wanted).map_err(blocked),
        }
    }

    /// Someone else was faster. Where they wrote the same, all is well.
    async fn overtaken(&mut self) -> Result<(Pushed, Record), SecretsError> {
        let now = self.compare_again().await?;
        if now.change != Change::Unchanged {
            return Err(self.changed_meanwhile());
        }
        self.planned = now;
        let version = self.planned.version.clone();
        Ok(self.pushed(Outcome::Unchanged, version))
    }

    async fn compare_again(&self) -> Result<PlannedSecret, SecretsError> {
        let seen = look(&self.client, &self.wanted, &self.known).await?;
        if matches!(seen.found, Found::ScheduledForDeletion) {
            let secret = self.planned.name.clone();
            return Err(blocked(vec![Problem::ScheduledForDeletion { secret }]));
        }
        decide(&self.wanted, &seen, self.undeclared, self.overwrite).map_err(blocked)
    }

    fn changed_meanwhile(&self) -> SecretsError {
        SecretsError::ChangedMeanwhile { secret: self.planned.name.clone() }
    }

    /// What was done, and what is equal now.
    fn pushed(&self, outcome: Outcome, version: Option<String>) -> (Pushed, Record) {
        let overwrite = self.overwrite;
        let writes = |action: KeyAction| action.writes(overwrite) && action != KeyAction::Remove;
        let waits = |action: KeyAction| {
            let goes = action == KeyAction::Undeclared && self.unshown == Some(Undeclared::Remove);
            goes || action.is_kept_back(overwrite)
        };
        let names = |wanted: &dyn Fn(KeyAction) -> bool| {
            let keys = self.planned.keys.iter().filter(|key| wanted(key.action));
            keys.map(|key| key.json_key.clone()).collect::<Vec<_>>()
        };
        let mut equal = Record::default();
        note(&mut equal, &self.planned, version.as_deref(), |action| {
            action == KeyAction::Same || writes(action)
        });
        let pushed = Pushed {
            name: self.planned.name.clone(),
            outcome,
            restored: self.unshown.is_some(),
            written: names(&writes),
            removed: names(&|action| action == KeyAction::Remove),
            kept_back: self.planned.keys.iter().filter(|key| waits(key.action)).cloned().collect(),
            version,
        };
        (pushed, equal)
    }
}

fn blocked(problems: Vec<Problem>) -> SecretsError {
    SecretsError::of(Purpose::Push, problems)
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

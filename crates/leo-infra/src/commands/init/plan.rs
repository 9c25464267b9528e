//! What becomes of each key.

use super::{
    fitting::{Unfit, is_placeholder, unfit},
    given::Given,
};
use crate::failure::{Failure, Problem};
use leo_aws::FailureKind;
use leo_env::{Edit, Env, EnvFile, Place, Schema, Secret, Setting, Source, schema::KeySpec};

/// The first lines of a file that is made.
const HEAD: [&str; 2] =
    ["This machine's secrets and settings. Never committed, and read by no assistant.", ""];

/// What the files and the process environment have.
pub(super) struct Found<'a> {
    pub(super) env: &'a Env,
    /// Whether it is made now: what the shared one has no longer counts for the environment then.
    pub(super) starts_own: bool,
}

/// What becomes of a key.
pub(super) enum State {
    /// It will be written, or was.
    New(Secret),
    /// The file has a value, which stays.
    Kept(Secret),
    /// Another source has one.
    Elsewhere {
        /// Reads after "from".
        from: String,
        secret: Secret,
    },
    /// It needs a value and has none.
    Missing,
}

/// The keys that matter, in the order of the schema.
pub(super) struct Plan {
    pub(super) keys: Vec<Planned>,
}

pub(super) struct Planned {
    pub(super) name: String,
    pub(super) is_secret: bool,
    /// Where to get a value.
    pub(super) get: Option<String>,
    pub(super) state: State,
    /// What is wrong with the value that it has, which stays.
    pub(super) unfit: Option<Unfit>,
}

/// What can be said before anybody is asked.
///
/// # Errors
/// A value that was given where the file has another one, for every such key: nothing is overwritten.
pub(super) fn plan(
    schema: &Schema,
    file: &EnvFile,
    found: &Found<'_>,
    given: &mut Given,
) -> Result<Plan, Failure> {
    let mut keys = vec![];
    let mut problems = vec![];
    for spec in schema.keys() {
        let there = value_of(file, spec);
        let state = match (there, given.remove(&spec.name)) {
            (Some(there), Some(given)) if there.expose() != given.expose() => {
                problems.push((None, overwritten(file, spec)));
                continue;
            }
            (Some(there), _) => State::Kept(there),
            (None, Some(given)) => State::New(given),
            (None, None) => match elsewhere(spec, found) {
                Some(state) => state,
                None if spec.required && spec.default.is_none() => State::Missing,
                None => continue,
            },
        };
        let (name, get) = (spec.name.clone(), spec.get.clone());
        let unfit = match &state {
            State::Kept(value) | State::Elsewhere { secret: value, .. } => unfit(spec, value.expose()),
            State::New(_) | State::Missing => None,
        };
        keys.push(Planned { name, is_secret: spec.secret.is_some(), get, state, unfit });
    }
    if problems.is_empty() { Ok(Plan { keys }) } else { Err(Failure::Problems(problems)) }
}

/// The value that the file has; one that was never filled in is none.
fn value_of(file: &EnvFile, spec: &KeySpec) -> Option<Secret> {
    let value = file.value(&spec.name).filter(|value| !value.is_empty() && !is_placeholder(spec, value))?;
    Some(Secret::new(value.as_str()))
}

fn overwritten(file: &EnvFile, spec: &KeySpec) -> Problem {
    let (name, path) = (&spec.name, file.path());
    let line = file.line(name).unwrap_or_default();
    Problem::new(
        FailureKind::Usage,
        format!("set {name}: {path}:{line} has another value, which stays; nothing was written"),
    )
    .hint(format!("change it in {path}, or leave it out here"))
}

/// The value that a source besides the file has.
fn elsewhere(spec: &KeySpec, found: &Found<'_>) -> Option<State> {
    let (from, secret) = if spec.secret.is_some() {
        let value = found.env.secret(&spec.name)?;
        // A file that is made for an environment becomes its only one.
        let counts = value.origin.source == Source::Process || !found.starts_own;
        counts.then(|| (value.origin.to_string(), value.secret.clone()))?
    } else {
        let value = found.env.get(Setting::of_key(&spec.name)?)?;
        // The environment that was settled on is said elsewhere, and was perhaps no argument.
        (value.origin.source != Source::Argument).then_some(())?;
        (value.origin.to_string(), Secret::new(value.value.as_str()))
    };
    (!is_placeholder(spec, secret.expose())).then_some(State::Elsewhere { from, secret })
}

impl Plan {
    /// What a key of this run was given.
    pub(super) fn new_value(&self, name: &str) -> Option<&Secret> {
        self.keys.iter().find(|key| key.name == name).and_then(|key| match &key.state {
            State::New(value) => Some(value),
            State::Kept(_) | State::Elsewhere { .. } | State::Missing => None,
        })
    }

    /// The names of the keys that need a value and have none.
    pub(super) fn missing(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|key| matches!(key.state, State::Missing)).map(|key| key.name.as_str())
    }

    /// The keys whose value is none of theirs and stays, each with what is wrong with it.
    pub(super) fn unfit(&self) -> impl Iterator<Item = (&str, &Unfit)> {
        self.keys.iter().filter_map(|key| Some((key.name.as_str(), key.unfit.as_ref()?)))
    }

    /// Gives a key a value that was found; one that it has stays.
    pub(super) fn find(&mut self, name: &str, value: &str) {
        match self.keys.iter_mut().find(|key| key.name == name) {
            Some(key) if matches!(key.state, State::Missing) => key.state = State::New(Secret::new(value)),
            Some(_) => {}
            None => {
                let state = State::New(Secret::new(value));
                let name = name.to_owned();
                self.keys.push(Planned { name, is_secret: false, get: None, state, unfit: None });
            }
        }
    }

    /// Gives a missing key its answer.
    pub(super) fn answer(&mut self, name: &str, value: Secret) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.name == name) {
            key.state = State::New(value);
        }
    }

    /// Puts what is new into the file. A key that has got a value there in the meantime keeps it.
    pub(super) fn apply(&mut self, schema: &Schema, file: &mut EnvFile) -> Result<(), Problem> {
        let order = |name: &str| schema.keys().iter().position(|spec| spec.name == name);
        self.keys.sort_by_key(|key| order(&key.name));
        for key in &mut self.keys {
            let State::New(value) = &key.state else { continue };
            let spec = schema.key(&key.name);
            if let Some(there) = spec.and_then(|spec| value_of(file, spec)) {
                key.unfit = spec.and_then(|spec| unfit(spec, there.expose()));
                key.state = State::Kept(there);
                continue;
            }
            let before = schema.keys().iter().take_while(|spec| spec.name != key.name);
            let last = before.filter(|spec| file.line(&spec.name).is_some()).last();
            let place = last.map_or(Place::End, |spec| Place::AfterKey(&spec.name));
            let help = spec.map(|spec| spec.help.as_str());
            let head = HEAD.into_iter().filter(|_| file.text().trim().is_empty());
            let comment: Vec<&str> = head.chain(help).collect();
            let edit = file.set(&key.name, value.expose(), place, &comment)?;
            debug_assert!(edit != Edit::Unchanged, "it had no value");
        }
        Ok(())
    }
}

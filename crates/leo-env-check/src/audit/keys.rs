//! What each key is set to, and where that is from.

use leo_config::SettledSetting;
use leo_env::{Origin, Schema, SecretValue, Setting, Source, schema::KeySpec};

use crate::{
    Key, Place, State,
    facts::{EnvFile, Facts, Role},
    shown,
};

pub(super) fn keys(facts: &Facts) -> Vec<Key> {
    let Some(schema) = &facts.schema else { return Vec::new() };
    let declared = schema.keys().iter().map(|spec| key(facts, spec));
    declared.chain(outputs(facts)).collect()
}

fn key(facts: &Facts, spec: &KeySpec) -> Key {
    let (state, shown, from) = match &spec.secret {
        Some(_) => secret(facts, spec),
        None => setting(facts, spec),
    };
    let overrides = match &from {
        Some(from) if state == State::Set => others(facts, spec, from),
        _ => Vec::new(),
    };
    let provider = spec.secret.as_ref().map(|secret| secret.provider.clone());
    let unless = match spec.secret {
        Some(_) => Vec::new(),
        None => unless(facts, spec, settled(facts, spec)),
    };
    Key { name: spec.name.clone(), provider, state, shown, from, overrides, unless, help: spec.help.clone() }
}

fn settled<'f>(facts: &'f Facts, spec: &KeySpec) -> Option<&'f SettledSetting> {
    facts.outline.settings.iter().find(|settled| settled.setting.key() == spec.name)
}

/// The unopened files that may set the environment to another one.
pub(super) fn environment_unless(facts: &Facts) -> Vec<String> {
    let origin = facts.env.get(Setting::Environment).map(|value| value.origin.source);
    if matches!(origin, Some(Source::Process | Source::Argument)) {
        return Vec::new();
    }
    unopened(facts, &[Role::Shared])
}

/// The unopened files that may give a setting another value than this one.
pub(super) fn unless(facts: &Facts, spec: &KeySpec, settled: Option<&SettledSetting>) -> Vec<String> {
    let Some(setting) = Setting::of_key(&spec.name) else { return Vec::new() };
    if setting == Setting::Environment {
        return environment_unless(facts);
    }
    let both = || unopened(facts, &[Role::Own, Role::Shared]);
    match settled {
        // From there it has to agree with what is in the environment's own file, and comes before the other one.
        Some(SettledSetting { origin: Some(origin), .. })
            if matches!(origin.source, Source::Process | Source::Argument) =>
        {
            Vec::new()
        }
        // From the table of an environment that may be another one; the profile is the nearest to the person.
        Some(SettledSetting { origin: None, .. }) if setting != Setting::Profile => environment_unless(facts),
        _ => both(),
    }
}

/// Those that are there and were left unopened, by their paths.
fn unopened(facts: &Facts, roles: &[Role]) -> Vec<String> {
    let counts = |file: &&EnvFile| facts.public && roles.contains(&file.role) && file.is_there();
    facts.files.iter().filter(counts).map(|file| file.path.clone()).collect()
}

fn secret(facts: &Facts, spec: &KeySpec) -> (State, String, Option<Place>) {
    if facts.public {
        return (State::NotOpened, String::new(), None);
    }
    match super::secret_of(facts, &spec.name) {
        Some(SecretValue { secret, origin }) => {
            let mut place = place(origin);
            if origin.source == Source::Process {
                place.source = format!("LEO_SECRET_{} of {}", spec.name, place.source);
            }
            (State::Set, shown::hidden(secret.expose()), Some(place))
        }
        None => (State::Missing, String::new(), None),
    }
}

fn setting(facts: &Facts, spec: &KeySpec) -> (State, String, Option<Place>) {
    if let Some(settled) = settled(facts, spec) {
        let from = match (&settled.location, &settled.origin) {
            (Some(at), _) => Place { source: at.path.clone(), line: Some(at.line) },
            (None, Some(origin)) => place(origin),
            (None, None) => Place { source: "infra/leo.toml".to_owned(), line: None },
        };
        let state = if from.source == Schema::PATH { State::Default } else { State::Set };
        return (state, shown::plain(&settled.value), Some(from));
    }
    (if spec.required { State::Missing } else { State::Unset }, String::new(), None)
}

fn place(origin: &Origin) -> Place {
    match &origin.location {
        Some(at) => Place { source: at.path.clone(), line: Some(at.line) },
        None => Place { source: origin.to_string(), line: None },
    }
}

/// Where else the key has a value, highest first.
fn others(facts: &Facts, spec: &KeySpec, from: &Place) -> Vec<Place> {
    let rank = |file: &EnvFile| match file.role {
        Role::Own => 0,
        Role::Shared => 1,
        Role::Sibling => 2,
        Role::Defaults => 3,
        Role::Example | Role::Other | Role::Stray(_) => 4,
    };
    let mut files: Vec<&EnvFile> = facts.files.iter().filter(|file| rank(file) < 4).collect();
    files.sort_by_key(|file| rank(file));
    let mut places = Vec::new();
    if spec.secret.is_none()
        && let Some(process) =
            Setting::of_key(&spec.name).and_then(|key| facts.env.get_from(Source::Process, key))
    {
        places.push(place(&process.origin));
    }
    for file in files {
        let mut set = file
            .entries
            .iter()
            .flatten()
            .filter(|entry| entry.key == spec.name && !entry.value.expose().is_empty());
        places.extend(
            set.next_back()
                .map(|entry| Place { source: file.path.clone(), line: Some(*entry.lines.start()) }),
        );
    }
    places.retain(|place| place != from);
    places
}

/// What the committed file keeps of the stacks.
fn outputs(facts: &Facts) -> impl Iterator<Item = Key> {
    let defaults = facts.files.iter().filter(|file| file.role == Role::Defaults);
    let entries = defaults.flat_map(|file| file.entries.iter().flatten().map(move |entry| (file, entry)));
    entries.filter(|(_, entry)| entry.key.starts_with("LEO_OUT_")).map(|(file, entry)| Key {
        name: entry.key.clone(),
        provider: None,
        state: if entry.value.expose().is_empty() { State::Unset } else { State::Set },
        shown: shown::plain(entry.value.expose()),
        from: Some(Place { source: file.path.clone(), line: Some(*entry.lines.start()) }),
        overrides: Vec::new(),
        unless: Vec::new(),
        help: "an output of the stacks, which nothing reads".to_owned(),
    })
}

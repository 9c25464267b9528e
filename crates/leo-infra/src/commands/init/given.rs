//! What was given without a question: settings as arguments, everything on stdin.

use super::fitting::unfit;
use crate::failure::{Failure, Problem};
use leo_aws::FailureKind;
use leo_diagnostic::{Diagnostic, nearest};
use leo_env::{EnvFile, LARGEST, Schema, Secret, schema::KeySpec};
use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Read},
};

/// Values by key, each checked against the schema.
#[derive(Clone, Default)]
pub(super) struct Given {
    settings: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
}

impl Given {
    /// Reads the arguments of `--set`, and stdin where it is wanted.
    ///
    /// # Errors
    /// Everything that is wrong with them; no message has a value.
    pub(super) fn read(schema: &Schema, set: &[String], stdin: bool) -> Result<Self, Failure> {
        let mut given = Self::default();
        let mut problems: Vec<Problem> = vec![];
        for argument in set {
            match argument.split_once('=') {
                Some((key, value)) => problems.extend(given.take(schema, "--set", key, value).err()),
                None => problems.push(usage("read --set: it is not KEY=VALUE", "--set AWS_PROFILE=leo-dev")),
            }
        }
        if stdin {
            let lines = EnvFile::new("stdin", Some(read_stdin()?));
            let wrong: Vec<Diagnostic> = lines.malformed().into_iter().filter(Diagnostic::is_error).collect();
            if !wrong.is_empty() {
                return Err(Failure::Configuration(wrong));
            }
            for key in lines.keys() {
                let value = lines.value(&key).unwrap_or_default();
                problems.extend(given.take(schema, "stdin", &key, &value).err());
            }
        }
        if problems.is_empty() {
            Ok(given)
        } else {
            Err(Failure::Problems(problems.into_iter().map(|problem| (None, problem)).collect()))
        }
    }

    fn take(&mut self, schema: &Schema, from: &str, key: &str, value: &str) -> Result<(), Problem> {
        let Some(spec) = schema.key(key) else { return Err(unknown(schema, from, key)) };
        if from == "--set" && spec.secret.is_some() {
            let hint = format!(
                "other users see a process's arguments: revoke the value, and give a new one on stdin: \
                 printf '{key}=%s\\n' \"$VALUE\" | cargo xtask init --stdin"
            );
            return Err(usage(format!("read --set {key}: it is a secret"), hint));
        }
        if value.is_empty() {
            return Ok(());
        }
        if let Some(wrong) = unfit(spec, value) {
            let message = format!("read {key} from {from}: it {}", wrong.what);
            return Err(usage(message, format!("wanted {}", wrong.wanted)));
        }
        let twice = self.settings.contains_key(key) || self.secrets.contains_key(key);
        if twice {
            return Err(usage(format!("read {key} from {from}: it is given twice"), "give it once"));
        }
        self.add(spec, value);
        Ok(())
    }

    /// Adds a value that was checked.
    pub(super) fn add(&mut self, spec: &KeySpec, value: impl Into<String>) {
        let name = spec.name.clone();
        if spec.secret.is_some() {
            self.secrets.insert(name, Secret::new(value));
        } else {
            self.settings.insert(name, value.into());
        }
    }

    /// The same with one setting more.
    pub(super) fn with(&self, key: &str, value: &str) -> Self {
        let mut with = Self { settings: self.settings.clone(), secrets: BTreeMap::new() };
        with.settings.insert(key.to_owned(), value.to_owned());
        with
    }

    /// A setting.
    pub(super) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// All settings.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Takes a key's value out.
    pub(super) fn remove(&mut self, key: &str) -> Option<Secret> {
        self.settings.remove(key).map(Secret::new).or_else(|| self.secrets.remove(key))
    }
}

fn read_stdin() -> Result<String, Problem> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(usage(
            "read stdin: it is a terminal, which would show what is typed",
            "without --stdin you are asked, and nothing is shown",
        ));
    }
    whole(stdin.lock())
}

/// All of the input; cut off, its last value would be another one.
fn whole(input: impl Read) -> Result<String, Problem> {
    let hint = "it takes lines KEY=value as UTF-8 text, at most 1 MiB";
    let mut text = String::with_capacity(4096);
    let mut input = input.take(LARGEST + 1);
    input.read_to_string(&mut text).map_err(|error| usage(format!("read stdin: {error}"), hint))?;
    if text.len() as u64 > LARGEST {
        return Err(usage("read stdin: it has more than 1 MiB; nothing was written", hint));
    }
    Ok(text)
}

fn unknown(schema: &Schema, from: &str, key: &str) -> Problem {
    let keys = || schema.keys().iter().map(|spec| spec.name.as_str());
    // What isn't nearly a key may be anything, also a value.
    match nearest(key, keys()) {
        Some(near) => usage(
            format!("read a key from {from}: {} declares none of that name", Schema::PATH),
            format!("did you mean `{near}`?"),
        ),
        None => usage(
            format!("read a key from {from}: {} declares none of that name", Schema::PATH),
            format!("the keys are {}", keys().collect::<Vec<_>>().join(", ")),
        ),
    }
}

fn usage(message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem::new(FailureKind::Usage, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_taken_whole_or_not_at_all() {
        let most = "#".repeat(1 << 20);
        assert_eq!(whole(most.as_bytes()).expect("is taken").len(), 1 << 20);
        let refused = whole(format!("{most}\n").as_bytes()).expect_err("is refused");
        assert_eq!(refused.message, "read stdin: it has more than 1 MiB; nothing was written");
    }
}

//! What was found and written. Of a secret only its length is shown.

use super::{
    account::SignedIn,
    plan::{Plan, Planned, State},
};
use crate::failure::Problem;
use leo_aws::FailureKind;
use leo_config::Config;
use leo_env::{Secret, Setting, Written};
use serde_json::{Value as Json, json};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// What a clone is like now.
pub(super) struct Outcome {
    pub(super) environment: String,
    /// Whether the other commands mean it as well, where nothing is said.
    pub(super) is_default: bool,
    pub(super) path: String,
    /// `None`: there was nothing to write, and no file.
    pub(super) written: Option<Written>,
    pub(super) plan: Plan,
    pub(super) account: SignedIn,
    pub(super) pin: Pin,
    pub(super) config: Config,
    pub(super) siblings: Vec<Sibling>,
}

/// What became of the account of the credentials, where none is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pin {
    /// It is the only one to deploy to, from the environment's own file or from that of all.
    Written {
        /// Whether it is the environment's own file.
        own: bool,
    },
    /// It was not wanted, or nobody was asked.
    None,
    /// There is one already, or none was found.
    NotNow,
}

/// A repository beside this one that an image is built from.
pub(super) struct Sibling {
    setting: &'static str,
    context: PathBuf,
    is_there: bool,
    /// Another folder of that name.
    elsewhere: Option<PathBuf>,
}

/// Both siblings as they are on this machine.
pub(super) fn siblings(root: &Path, config: &Config) -> Vec<Sibling> {
    let images = &config.images;
    [("images.orchestrator.context", &images.orchestrator), ("images.generator.context", &images.generator)]
        .map(|(setting, source)| {
            let is_there = root.join(&source.context).is_dir();
            let elsewhere = source.context.file_name().and_then(|name| {
                let beside = [Path::new("..").join("..").join(name), PathBuf::from(name)];
                beside.into_iter().find(|path| !is_there && root.join(path).is_dir())
            });
            Sibling { setting, context: source.context.clone(), is_there, elsewhere }
        })
        .into()
}

impl Outcome {
    /// That required keys have no value, or one that is none of theirs, where nobody could be asked.
    pub(super) fn unanswered(&self) -> Vec<Problem> {
        let mut problems = vec![];
        let missing: Vec<&str> = self.plan.missing().collect();
        if !missing.is_empty() {
            let message = format!("find a value for {}", missing.join(", "));
            problems.push(Problem::new(FailureKind::Usage, message).hint(format!(
                "run it in a terminal to be asked, or give lines KEY=value on stdin: cargo xtask init{} --stdin",
                self.argument()
            )));
        }
        problems.extend(self.plan.unfit().map(|(name, wrong)| {
            Problem::new(
                FailureKind::Usage,
                format!("take the value of {name}, which stays: it {}", wrong.what),
            )
            .hint(format!("wanted {}", wrong.wanted))
        }));
        problems
    }

    /// What a command needs so that it means this environment.
    fn argument(&self) -> String {
        if self.is_default { String::new() } else { format!(" --environment {}", self.environment) }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let environment = &self.config.environment;
        // Writing to a string can't fail.
        let _ = writeln!(text, "environment  {}", self.environment);
        let _ = writeln!(text, "region       {}", environment.region);
        let _ = writeln!(text, "account      {}", self.account_text());
        for sibling in &self.siblings {
            let _ = writeln!(text, "sibling      {}", sibling.text());
        }
        let width = self.plan.keys.iter().map(|key| key.name.len()).max().unwrap_or_default();
        for key in &self.plan.keys {
            let _ = writeln!(text, "  {:width$}  {}", key.name, key.text());
        }
        let _ = writeln!(text, "{}", self.written_text());
        text + "next: cargo xtask env-check" + &self.argument()
    }

    fn account_text(&self) -> String {
        let configured = self.config.environment.account.as_ref().map(ToString::to_string);
        match (configured, &self.account) {
            (Some(account), SignedIn::Account(other)) if account != *other => {
                format!(
                    "{account} is configured, but these credentials are for {other}: nothing can be deployed with them"
                )
            }
            (Some(account), SignedIn::Account(_)) => format!("{account}, which these credentials are for"),
            (Some(account), SignedIn::NotAsked) => account,
            (Some(account), SignedIn::Unknown(why)) => {
                format!("{account}; whose credentials these are is not known: {why}")
            }
            (None, SignedIn::Account(account)) => {
                format!("{account}, by these credentials; {}", self.pin_text())
            }
            (None, SignedIn::NotAsked) => "not set: whichever the credentials are for".to_owned(),
            (None, SignedIn::Unknown(why)) => format!("not set, as it can't be found out: {why}"),
        }
    }

    fn pin_text(&self) -> String {
        let path = &self.path;
        match self.pin {
            Pin::Written { own: true } => format!("pinned in {path}"),
            Pin::Written { own: false } => {
                format!("pinned in {path}, for every environment that names no account in infra/leo.toml")
            }
            Pin::None | Pin::NotNow => format!(
                "not pinned: --pin-account writes it into {path}, `account` under [environments.{}] in infra/leo.toml \
                 is for everybody",
                self.environment
            ),
        }
    }

    fn written_text(&self) -> String {
        let path = &self.path;
        let count = self.new_keys();
        match self.written {
            None => format!("{path}: nothing to write"),
            Some(Written { changed, was_open }) => {
                let said = if changed {
                    format!("{path}: written, {count} new (mode 0600)")
                } else {
                    format!("{path}: nothing to change")
                };
                match was_open {
                    Some(mode) => {
                        format!("{said}; others could read it (mode {mode:04o}), now its owner alone")
                    }
                    None => said,
                }
            }
        }
    }

    fn new_keys(&self) -> usize {
        self.plan.keys.iter().filter(|key| matches!(key.state, State::New(_))).count()
    }

    pub(super) fn json(&self) -> Json {
        let changed = self.written.is_some_and(|written| written.changed);
        let keys: Vec<Json> = self.plan.keys.iter().map(Planned::json).collect();
        let siblings: Vec<Json> = self
            .siblings
            .iter()
            .map(|sibling| {
                json!({
                    "setting": sibling.setting,
                    "path": sibling.context,
                    "found": sibling.is_there,
                    "elsewhere": sibling.elsewhere,
                })
            })
            .collect();
        let signed_in = match &self.account {
            SignedIn::Account(id) => json!({"account": id}),
            SignedIn::Unknown(why) => json!({"unknown": why}),
            SignedIn::NotAsked => Json::Null,
        };
        let environment = &self.config.environment;
        let account = environment.account.as_ref().map(ToString::to_string);
        let pinned = || Some(self.plan.new_value(Setting::Account.key())?.expose().to_owned());
        json!({
            "status": if changed { "written" } else { "unchanged" },
            "environment": self.environment,
            "file": self.path,
            "region": environment.region.as_str(),
            "account": account.or_else(pinned),
            "account_pinned_in": matches!(self.pin, Pin::Written { .. }).then_some(&self.path),
            "signed_in": signed_in,
            "siblings": siblings,
            "keys": keys,
            "missing": self.plan.missing().collect::<Vec<_>>(),
        })
    }
}

impl Sibling {
    fn text(&self) -> String {
        let path = self.context.display();
        match &self.elsewhere {
            _ if self.is_there => format!("{path}"),
            Some(other) => {
                format!(
                    "{path} is not there, but {0} is: set {1} = \"{0}\" in infra/leo.toml",
                    other.display(),
                    self.setting
                )
            }
            None => format!("{path} is not there: clone it, or deploy the demo images until then (--demo)"),
        }
    }
}

impl Planned {
    fn shown(&self, secret: &Secret) -> String {
        if self.is_secret {
            format!("•••• ({} characters)", secret.expose().chars().count())
        } else {
            secret.expose().to_owned()
        }
    }

    fn text(&self) -> String {
        let text = self.state_text();
        match &self.unfit {
            Some(wrong) => format!("{text}, but it {}; wanted {}", wrong.what, wrong.wanted),
            None => text,
        }
    }

    fn state_text(&self) -> String {
        match &self.state {
            State::New(value) => format!("{}, new", self.shown(value)),
            State::Kept(value) => format!("{}, as it was", self.shown(value)),
            State::Elsewhere { from, secret } => format!("{} from {from}", self.shown(secret)),
            State::Missing => match &self.get {
                Some(get) => format!("missing; from {get}"),
                None => "missing".to_owned(),
            },
        }
    }

    fn json(&self) -> Json {
        let (state, value, from) = match &self.state {
            State::New(value) => ("new", Some(value), None),
            State::Kept(value) => ("kept", Some(value), None),
            State::Elsewhere { from, secret } => ("elsewhere", Some(secret), Some(from)),
            State::Missing => ("missing", None, None),
        };
        json!({
            "key": self.name,
            "secret": self.is_secret,
            "state": state,
            "value": value.map(|value| self.shown(value)),
            "from": from,
            "malformed": self.unfit.as_ref().map(|wrong| &wrong.what),
        })
    }
}

use std::time::SystemTime;

use crate::{KeyName, Record, SecretsError, Wanted};

/// What happens to keys that a secret's value has and nothing declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeclared {
    /// They stay as they are.
    Keep,
    /// They are taken out.
    Remove,
}

/// What happens to values that were changed elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// They stay as they are.
    No,
    /// They become what the environment files say.
    Yes,
}

/// What a push would do: no values, only names. [`plan_push`](crate::plan_push) makes it, [`push`](crate::push) carries
/// it out.
#[derive(Debug)]
pub struct PushPlan {
    /// The secrets that can be pushed, in the order of the configuration.
    pub secrets: Vec<PlannedSecret>,
    /// What keeps all others from being pushed.
    pub blocked: Vec<SecretsError>,
    /// What was asked for.
    pub overwrite: Overwrite,
    pub(crate) undeclared: Undeclared,
    /// In the order of `secrets`.
    pub(crate) wanted: Vec<Wanted>,
    /// What was known before.
    pub(crate) known: Record,
    /// What was seen to be equal.
    pub(crate) seen: Record,
}

/// What a push would do with one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSecret {
    /// Its name.
    pub name: String,
    /// Its ARN, where AWS says it.
    pub arn: Option<String>,
    /// What would happen to it as a whole.
    pub change: Change,
    /// What would happen to each key: the declared ones in their order, then the others. Of a secret that has to be
    /// restored first it isn't known yet: empty.
    pub keys: Vec<PlannedKey>,
    /// The id of the version that the plan was made from; `None` without a value.
    pub version: Option<String>,
    /// When the secret was last changed in any way, where AWS says so.
    pub last_changed: Option<SystemTime>,
}

/// What would happen to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has no value yet and gets its first one.
    Create,
    /// Some of its keys change, or would with [`Overwrite::Yes`]: see [`PlannedSecret::keys`].
    Update,
    /// It is scheduled for deletion: it is restored, then compared. Keys are added, and changed where they were changed here;
    /// anything else waits for a plan that shows it, whatever is asked for.
    Restore,
    /// Its value is no JSON object, so it was made elsewhere: replaced as a whole with [`Overwrite::Yes`] only.
    Replace,
    /// Nothing.
    Unchanged,
}

/// What would happen to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedKey {
    /// Its name in the environment files; `None` of a key that nothing declares.
    pub variable: Option<String>,
    /// Its name in the JSON object.
    pub json_key: KeyName,
    /// What would happen to it.
    pub action: KeyAction,
}

/// What would happen to a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// It isn't there yet.
    Add,
    /// It becomes what the file says.
    Update,
    /// It is what the file says.
    Same,
    /// It is not what the file says, and was changed or taken out elsewhere since this machine last saw it equal: it becomes
    /// what the file says with [`Overwrite::Yes`] only.
    ChangedElsewhere,
    /// It is not what the file says, and this machine knows of no version in which it was: nobody can tell where it was
    /// changed. It becomes what the file says with [`Overwrite::Yes`] only.
    Unseen,
    /// There is no value for it here: it stays.
    NotHere,
    /// Nothing declares it: it stays.
    Undeclared,
    /// Nothing declares it: it is taken out.
    Remove,
}

impl PushPlan {
    /// Whether a push would do something.
    pub fn has_work(&self) -> bool {
        self.secrets.iter().any(|secret| secret.has_work(self.overwrite))
    }

    /// The keys that differ and would stay as they are, with the names of their secrets.
    pub fn kept_back(&self) -> impl Iterator<Item = (&str, &PlannedKey)> {
        self.secrets
            .iter()
            .flat_map(|secret| secret.kept_back(self.overwrite).map(|key| (secret.name.as_str(), key)))
    }

    /// What was seen to be equal: to be kept where nothing is pushed.
    pub fn seen(&self) -> &Record {
        &self.seen
    }
}

impl PlannedSecret {
    /// Whether a push would do something with it.
    pub fn has_work(&self, overwrite: Overwrite) -> bool {
        match self.change {
            Change::Create | Change::Restore => true,
            Change::Replace => overwrite == Overwrite::Yes,
            Change::Update | Change::Unchanged => self.keys.iter().any(|key| key.action.writes(overwrite)),
        }
    }

    /// The keys that differ and stay as they are.
    pub fn kept_back(&self, overwrite: Overwrite) -> impl Iterator<Item = &PlannedKey> {
        self.keys.iter().filter(move |key| key.action.is_kept_back(overwrite))
    }

    /// The JSON keys with which this would happen.
    pub fn with_action(&self, action: KeyAction) -> impl Iterator<Item = &KeyName> {
        self.keys.iter().filter(move |key| key.action == action).map(|key| &key.json_key)
    }
}

impl KeyAction {
    /// Whether it changes the value that is there.
    pub fn writes(self, overwrite: Overwrite) -> bool {
        match self {
            Self::Add | Self::Update | Self::Remove => true,
            Self::ChangedElsewhere | Self::Unseen => overwrite == Overwrite::Yes,
            Self::Same | Self::NotHere | Self::Undeclared => false,
        }
    }

    /// Whether it differs and stays, which somebody has to decide about.
    pub fn is_kept_back(self, overwrite: Overwrite) -> bool {
        matches!(self, Self::ChangedElsewhere | Self::Unseen) && !self.writes(overwrite)
    }
}

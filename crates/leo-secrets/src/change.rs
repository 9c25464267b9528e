use std::time::SystemTime;

use crate::{Record, Wanted};

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
    /// Every secret, in the order of the configuration.
    pub secrets: Vec<PlannedSecret>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) undeclared: Undeclared,
    pub(crate) record: Record,
}

/// What a push would do with one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSecret {
    /// Its name.
    pub name: String,
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
    /// It is scheduled for deletion: it is restored, then compared and changed as if it had been there.
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
    pub json_key: String,
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
    /// It is not what the file says, and was changed, added or taken out elsewhere since this machine last saw it equal
    /// (or nothing is known of that): it becomes what the file says with [`Overwrite::Yes`] only.
    ChangedElsewhere,
    /// There is no value for it here: it stays.
    NotHere,
    /// Nothing declares it: it stays.
    Undeclared,
    /// Nothing declares it: it is taken out.
    Remove,
}

impl PushPlan {
    /// Whether a push would do something.
    pub fn has_work(&self, overwrite: Overwrite) -> bool {
        self.secrets.iter().any(|secret| secret.has_work(overwrite))
    }

    /// The secrets with something that was changed elsewhere.
    pub fn changed_elsewhere(&self) -> impl Iterator<Item = &PlannedSecret> {
        self.secrets.iter().filter(|secret| secret.is_changed_elsewhere())
    }

    /// What is known now of the versions: to be kept where nothing is pushed.
    pub fn record(&self) -> &Record {
        &self.record
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

    /// Whether something of it was changed elsewhere.
    pub fn is_changed_elsewhere(&self) -> bool {
        self.change == Change::Replace || self.with_action(KeyAction::ChangedElsewhere).next().is_some()
    }

    /// The JSON keys with which this would happen.
    pub fn with_action(&self, action: KeyAction) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(move |key| key.action == action).map(|key| key.json_key.as_str())
    }
}

impl KeyAction {
    /// Whether it changes the value that is there.
    pub fn writes(self, overwrite: Overwrite) -> bool {
        match self {
            Self::Add | Self::Update | Self::Remove => true,
            Self::ChangedElsewhere => overwrite == Overwrite::Yes,
            Self::Same | Self::NotHere | Self::Undeclared => false,
        }
    }
}

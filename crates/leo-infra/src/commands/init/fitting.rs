//! Whether a value can be one of its key's.

use leo_env::schema::KeySpec;
use leo_env_check::placeholder;

/// Why a value is none of its key's. Nothing of it quotes the value.
pub(super) struct Unfit {
    /// Reads after "it": "is not an AWS region".
    pub(super) what: String,
    /// What would be right.
    pub(super) wanted: String,
}

/// What is wrong with a value: it stands in for one that was never filled in, or has another form.
pub(super) fn unfit(spec: &KeySpec, value: &str) -> Option<Unfit> {
    if is_placeholder(spec, value) {
        let wanted = spec.get.as_ref().map_or_else(|| spec.help.clone(), |get| format!("one from {get}"));
        return Some(Unfit { what: "was never filled in".to_owned(), wanted });
    }
    spec.check(value).err().map(|wrong| Unfit { what: wrong.what, wanted: wrong.wanted })
}

/// Whether a value stands in for one that was never filled in, which is as good as none.
pub(super) fn is_placeholder(spec: &KeySpec, value: &str) -> bool {
    placeholder(&spec.name, value).is_some()
}

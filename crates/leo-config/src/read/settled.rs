//! What each setting of the environment files counts as, for whoever shows them.

use leo_diagnostic::{Location, SourceFile};
use leo_env::{Env, Origin, Setting};
use toml::de::DeTable;

use super::{
    environment,
    report::{Place, Report},
    section::Section,
    selection,
};
use crate::EnvironmentName;

/// A setting's value after all sources, and which of them it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledSetting {
    /// Which setting.
    pub setting: Setting,
    /// The value that counts.
    pub value: String,
    /// Where in the environment it is from; `None`: from the environment's own table.
    pub origin: Option<Origin>,
    /// The line that it is from; `None` for the process environment and the command line.
    pub location: Option<Location>,
}

/// Every setting that has a value, in the order of [`Setting::ALL`], whatever else is wrong with the configuration. Where
/// several sources contradict each other, which [`load`](super::load) reports, it is the one that would be taken.
pub fn settled(leo_toml: &SourceFile, env: &Env) -> Vec<SettledSetting> {
    let (document, _) = DeTable::parse_recoverable(&leo_toml.text);
    let root = document.get_ref();
    // What is wrong is reported by whoever loads the configuration.
    let report = Report::new(leo_toml);
    let chosen = env.get(Setting::Environment);
    let name = chosen.and_then(|chosen| EnvironmentName::parse(&chosen.value).ok());
    let own = name.as_ref().and_then(|name| selection::own_table(root, name));
    let settled = environment::settle(&Section::new(&report, own.into_iter().collect()), Some(env));
    let place = |(setting, value, place): (Setting, String, &Place)| {
        let origin = match place {
            Place::Toml { .. } => None,
            Place::Env { origin, .. } => Some(origin.clone()),
        };
        SettledSetting { setting, value, origin, location: report.locate(place) }
    };
    let mut all: Vec<SettledSetting> = settled.each().into_iter().map(place).collect();
    all.extend(chosen.map(|chosen| SettledSetting {
        setting: Setting::Environment,
        value: chosen.value.clone(),
        origin: Some(chosen.origin.clone()),
        location: chosen.origin.location.clone(),
    }));
    all.sort_by_key(|one| Setting::ALL.iter().position(|setting| *setting == one.setting));
    all
}

//! What can be said of a configuration that need not be valid, for whoever shows it.

use leo_diagnostic::{Location, SourceFile};
use leo_env::{Env, Origin, Schema, Setting};
use toml::de::DeTable;

use super::{
    environment, images,
    report::{Place, Report},
    section::{Layer, Section},
    selection,
};
use crate::{EnvironmentName, Images};

/// What a configuration says, as far as it can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The environment that is meant; `None`: none, or what is no name.
    pub environment: Option<EnvironmentName>,
    /// The environments that are declared.
    pub environments: Vec<EnvironmentName>,
    /// Whether the environment is protected.
    pub protected: bool,
    /// Every setting of the environment files that has a value, in the order of [`Setting::ALL`].
    pub settings: Vec<SettledSetting>,
    /// Where the images are built from; a default where something else is wrong.
    pub images: Images,
}

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

/// What a configuration says, whatever is wrong with it: that is for [`load`](super::load) to report. Where several sources
/// contradict each other, it is the one that would be taken. A schema that can't be read is an [empty](Schema::empty) one.
pub fn outline(leo_toml: &SourceFile, schema: &Schema, env: &Env) -> Outline {
    let (document, _) = DeTable::parse_recoverable(&leo_toml.text);
    let root = document.get_ref();
    let report = Report::new(leo_toml);
    let chosen = env.get(Setting::Environment);
    let name = chosen.and_then(|chosen| EnvironmentName::parse(&chosen.value).ok());
    let own = name.as_ref().and_then(|name| selection::own_table(root, name));
    let settled =
        environment::settle(&Section::new(&report, own.iter().cloned().collect()), schema, Some(env));
    let place = |(setting, value, place): (Setting, String, &Place)| {
        let origin = match place {
            Place::Toml { .. } => None,
            Place::Env { origin, .. } => Some(origin.clone()),
        };
        SettledSetting { setting, value, origin, location: report.locate(place) }
    };
    let mut settings: Vec<SettledSetting> = settled.each().into_iter().map(place).collect();
    settings.extend(chosen.map(|chosen| SettledSetting {
        setting: Setting::Environment,
        value: chosen.value.clone(),
        origin: Some(chosen.origin.clone()),
        location: chosen.origin.location.clone(),
    }));
    settings.sort_by_key(|one| Setting::ALL.iter().position(|setting| *setting == one.setting));
    let base = Layer { path: String::new(), table: root };
    let all = Section::new(&report, [base].into_iter().chain(own).collect());
    let images = all.table("images", |section| images::read(section, schema));
    Outline {
        environment: name,
        environments: selection::declared(root),
        protected: settled.protected,
        settings,
        images,
    }
}

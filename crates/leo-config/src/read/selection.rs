//! Which environment is meant, and which there are.

use leo_diagnostic::{Diagnostic, nearest};
use leo_env::{Env, EnvValue, Schema, Setting};
use toml::de::{DeTable, DeValue};

use super::{
    environment::allowed,
    item::Item,
    report::{Place, Report},
    section::Layer,
};
use crate::EnvironmentName;

/// The tables `[environments.<name>]` whose name is one.
pub(crate) fn declared(root: &DeTable<'_>) -> Vec<EnvironmentName> {
    let Some(DeValue::Table(environments)) = root.get("environments").map(toml::Spanned::get_ref) else {
        return Vec::new();
    };
    environments.keys().filter_map(|name| EnvironmentName::parse(name.get_ref()).ok()).collect()
}

/// The table `[environments.<name>]`.
pub(crate) fn own_table<'a>(root: &'a DeTable<'a>, name: &EnvironmentName) -> Option<Layer<'a>> {
    let DeValue::Table(environments) = root.get("environments")?.get_ref() else { return None };
    let DeValue::Table(table) = environments.get(name.as_str())?.get_ref() else { return None };
    Some(Layer { path: format!("environments.{name}"), table })
}

/// The environment that the variables were read for, which an argument has to agree with. `None`: there is none, which was
/// reported.
pub(crate) fn select(
    report: &Report<'_>,
    root: &DeTable<'_>,
    schema: &Schema,
    env: &Env,
    argument: Option<&EnvironmentName>,
) -> Option<EnvironmentName> {
    let variable = env.get(Setting::Environment);
    let place = variable.map(|EnvValue { origin, .. }| Place::Env {
        key: Setting::Environment.key(),
        origin: origin.clone(),
    });
    let chosen = match variable.map(|EnvValue { value, .. }| {
        let name = EnvironmentName::parse(value)?;
        allowed(schema, Setting::Environment, value).map(|()| name)
    }) {
        Some(Ok(name)) => Some(name),
        Some(Err(error)) => {
            if let Some(place) = &place {
                report.wrong(place, &error);
            }
            return None;
        }
        None => None,
    };
    let name = match (argument, chosen) {
        (Some(argument), chosen) if chosen.as_ref() != Some(argument) => {
            let finding = Diagnostic::error(format!("the environment files were not read for `{argument}`"))
                .hint("name the environment on the command line, or as `LEO_ENVIRONMENT`");
            report.add(place.as_ref(), finding);
            return None;
        }
        (_, Some(name)) => name,
        (_, None) => {
            let finding = Diagnostic::error("no environment is chosen")
                .hint("`--environment dev`, or `LEO_ENVIRONMENT=dev` in env/.env.defaults");
            report.add(None, finding);
            return None;
        }
    };
    known(report, root, &name, place.as_ref()).then_some(name)
}

/// Where environments are declared, only a declared one is known.
fn known(report: &Report<'_>, root: &DeTable<'_>, name: &EnvironmentName, place: Option<&Place>) -> bool {
    let declared = declared(root);
    if declared.is_empty() || declared.contains(name) {
        return true;
    }
    let names: Vec<&str> = declared.iter().map(EnvironmentName::as_str).collect();
    let hint = match nearest(name.as_str(), names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "the environments are {}; a further one is a table `[environments.{name}]`",
            names.join(", ")
        ),
    };
    report.add(
        place,
        Diagnostic::error(format!("there is no environment `{name}` in infra/leo.toml")).hint(hint),
    );
    false
}

/// Reports what under `[environments]` is not an environment.
pub(crate) fn check_names(report: &Report<'_>, root: &DeTable<'_>) {
    let Some(value) = root.get("environments") else { return };
    let Some(environments) = Item::new(report, "environments".to_owned(), value).table() else { return };
    for (name, value) in environments {
        let path = format!("environments.{}", name.get_ref());
        let place = Place::Toml { path: path.clone(), span: name.span() };
        if let Err(error) = EnvironmentName::parse(name.get_ref()) {
            report.wrong(&place, &error);
        }
        Item::new(report, path, value).table();
    }
}

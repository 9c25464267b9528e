use leo_diagnostic::{Diagnostic, nearest};
use leo_env::Setting;

use super::{
    item::Item,
    report::{Field, Place, Report},
    section::Section,
};
use crate::{InvalidValue, ProviderName, SecretProvider, SecretRef};

/// The key that opens everything in Supabase, past its row-level security.
pub(crate) const SERVICE_ROLE_KEY: &str = "SUPABASE_SERVICE_ROLE_KEY";

/// The providers where `[secrets]` names none, with the keys of each.
const DEFAULTS: [(&str, &[&str]); 4] = [
    ("claude", &["CLAUDE_CODE_OAUTH_TOKEN"]),
    ("flyio", &["FLY_API_TOKEN"]),
    ("github", &["GITHUB_TOKEN"]),
    ("supabase", &["SUPABASE_URL", "SUPABASE_ANON_KEY", SERVICE_ROLE_KEY]),
];

/// The tables `[secrets.<provider>]`, sorted by provider; without any, the default ones.
pub(crate) fn read(all: &Section<'_>) -> Vec<SecretProvider> {
    let mut named = false;
    let mut providers: Vec<SecretProvider> = Vec::new();
    for (name, place, section) in all.tables("secrets") {
        named = true;
        let keys = section.or("keys", Vec::new(), keys);
        section.close();
        match ProviderName::parse(&name) {
            Err(error) => all.report().wrong(&place, &error),
            Ok(_) if keys.wrong => {}
            Ok(_) if keys.value.is_empty() => {
                let finding = Diagnostic::error(format!("`{place}` has no keys"))
                    .hint("name what its secret holds: `keys = [\"GITHUB_TOKEN\"]`, or delete the table");
                all.report().add(keys.place.as_ref().or(Some(&place)), finding);
            }
            Ok(name) => providers.push(SecretProvider { name, keys: keys.value }),
        }
    }
    if named { providers } else { defaults() }
}

fn defaults() -> Vec<SecretProvider> {
    let provider = |(name, keys): (&str, &[&str])| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Some(SecretProvider { name: ProviderName::parse(name).ok()?, keys })
    };
    DEFAULTS.into_iter().filter_map(provider).collect()
}

fn keys(item: &Item<'_>) -> Option<Vec<String>> {
    let items = item.list()?;
    let given = items.len();
    let mut keys: Vec<String> = Vec::new();
    for item in items {
        let Some(key) = item.text() else { continue };
        if keys.iter().any(|other| other == key) {
            item.wrong::<()>(&InvalidValue::new(format!("names `{key}` twice"), "each key once"));
        } else if item.checked(secret_key(key)).is_some() {
            keys.push(key.to_owned());
        }
    }
    (keys.len() == given).then_some(keys)
}

/// A secret's key is a line of `env/.env` and a variable of a container.
fn secret_key(key: &str) -> Result<(), InvalidValue> {
    let form = key.len() <= 64
        && key.starts_with(|first: char| first.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !form {
        let hint = "the name of a variable, at most 64 capital letters, digits and `_`: `GITHUB_TOKEN`";
        return Err(InvalidValue::new(format!("holds \"{}\"", key.escape_debug()), hint));
    }
    if is_reserved(key) || Setting::of_key(key).is_some() {
        let hint =
            "`LEO_…`, `AWS_…` and `PORT` are what the platform itself gives a container: choose another name";
        return Err(InvalidValue::new(format!("holds the reserved name `{key}`"), hint));
    }
    Ok(())
}

/// Whether a variable of a container is set by the platform or by ECS.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with("LEO_") || name.starts_with("AWS_") || name.starts_with("ECS_") || name == "PORT"
}

/// A list of `"provider"` and `"provider.KEY"`, as what a container gets of each provider; by default all keys of
/// `default`'s providers, as far as they are there.
pub(crate) fn references(
    section: &Section<'_>,
    providers: &[SecretProvider],
    default: &[&str],
) -> Field<Vec<SecretRef>> {
    let all_of = |provider: &SecretProvider| SecretRef {
        provider: provider.name.clone(),
        keys: provider.keys.clone(),
    };
    let default =
        providers.iter().filter(|provider| default.contains(&provider.name.as_str())).map(all_of).collect();
    section.or("secrets", default, |item| {
        let items = item.list()?;
        let mut good = true;
        let mut references: Vec<SecretRef> = Vec::new();
        for item in &items {
            match reference(item, providers) {
                Some(reference) => merge(&mut references, reference),
                None => good = false,
            }
        }
        references.sort_by(|one, other| one.provider.cmp(&other.provider));
        good &= no_key_twice(item, &references);
        good.then_some(references)
    })
}

fn reference(item: &Item<'_>, providers: &[SecretProvider]) -> Option<SecretRef> {
    let text = item.text()?;
    let (name, key) = text.split_once('.').map_or((text, None), |(name, key)| (name, Some(key)));
    let Some(provider) = providers.iter().find(|provider| provider.name.as_str() == name) else {
        let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "the providers are {}; a further one is a table `[secrets.<provider>]`",
                names.join(", ")
            ),
        };
        return item.wrong(&InvalidValue::new(
            format!("names the provider \"{}\", which there isn't", name.escape_debug()),
            hint,
        ));
    };
    let keys = match key {
        None => provider.keys.clone(),
        Some(key) if provider.keys.iter().any(|known| known == key) => vec![key.to_owned()],
        Some(key) => {
            let hint = match nearest(key, provider.keys.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{name}.{near}`?"),
                None => format!("its keys are {}", provider.keys.join(", ")),
            };
            let problem = format!("names the key \"{}\", which `{name}` doesn't have", key.escape_debug());
            return item.wrong(&InvalidValue::new(problem, hint));
        }
    };
    Some(SecretRef { provider: provider.name.clone(), keys })
}

/// Adds what a reference names to what is named already of its provider.
fn merge(references: &mut Vec<SecretRef>, reference: SecretRef) {
    match references.iter_mut().find(|other| other.provider == reference.provider) {
        Some(other) => {
            let fresh: Vec<String> =
                reference.keys.into_iter().filter(|key| !other.keys.contains(key)).collect();
            other.keys.extend(fresh);
        }
        None => references.push(reference),
    }
}

/// A variable has one value, so two providers can't both give it.
fn no_key_twice(item: &Item<'_>, references: &[SecretRef]) -> bool {
    let mut good = true;
    for (index, reference) in references.iter().enumerate() {
        for other in references.iter().take(index) {
            for key in reference.keys.iter().filter(|key| other.keys.contains(key)) {
                good = false;
                let (one, two) = (&other.provider, &reference.provider);
                let hint = format!(
                    "name the keys that are wanted of each: `\"{one}.{key}\"`, and not `\"{two}\"` as a whole"
                );
                item.wrong::<()>(&InvalidValue::new(
                    format!("gets `{key}` from both `{one}` and `{two}`"),
                    hint,
                ));
            }
        }
    }
    good
}

/// The generator's task role may read the secrets that it is given as wholes, so it is given none that holds the service
/// role key, not even another key of it.
pub(crate) fn refuse_service_role(
    report: &Report<'_>,
    references: &Field<Vec<SecretRef>>,
    providers: &[SecretProvider],
) {
    let holds = |name: &ProviderName| {
        providers
            .iter()
            .any(|provider| provider.name == *name && provider.keys.iter().any(|key| key == SERVICE_ROLE_KEY))
    };
    let place: Option<&Place> = references.place.as_ref();
    for reference in references.value.iter().filter(|reference| holds(&reference.provider)) {
        let provider = &reference.provider;
        let finding = Diagnostic::error(format!(
            "the generator must not get secrets of `{provider}`, which holds `{SERVICE_ROLE_KEY}`"
        ))
        .hint(format!(
            "a task that gets one key of a secret may read all of it: put the keys that a generator needs into a provider \
             of their own, such as `[secrets.{provider}-anon]`, and name that here"
        ));
        report.add(place, finding);
    }
}

//! A template cut down to the resources that are imported.
//!
//! An import adds nothing but the resources that it imports, and no output; each of them needs a `DeletionPolicy`
//! ("Import existing resources into a stack", CloudFormation User Guide). What else the template has comes with the
//! update after it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The sections in which a resource's names can be looked up, and the functions that look there.
const CONDITIONS: &str = "Conditions";
const MAPPINGS: &str = "Mappings";
const PARAMETERS: &str = "Parameters";
const RESOURCES: &str = "Resources";
/// Sections that are kept as they are: they say how to read the rest.
const KEPT: [&str; 3] = ["AWSTemplateFormatVersion", "Description", "Transform"];

/// The template with only `wanted` (logical id and type) and what these use; the names of the parameters that are
/// left. Or why that can't be had.
pub(crate) fn cut(
    template: &str,
    wanted: &BTreeMap<&str, &str>,
) -> Result<(String, BTreeSet<String>), String> {
    let template: Map<String, Value> =
        serde_json::from_str(template).map_err(|error| format!("the template is no JSON object: {error}"))?;
    let mut resources = Map::new();
    let mut used = BTreeSet::new();
    for (id, expected) in wanted {
        let resource = section(&template, RESOURCES).and_then(|all| all.get(*id));
        let Some(resource) = resource.and_then(Value::as_object) else {
            return Err(format!("the template has no resource {id}"));
        };
        let found = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        if found != *expected {
            return Err(format!("{id} is an {found} in the template, and {expected} is there"));
        }
        let resource = imported(resource, wanted);
        names_in(&Value::Object(resource.clone()), &mut used);
        resources.insert((*id).to_owned(), Value::Object(resource));
    }
    let conditions = closure(&template, &mut used);
    if let Some(missing) = used.iter().find(|name| {
        section(&template, RESOURCES).is_some_and(|all| all.contains_key(*name))
            && !wanted.contains_key(name.as_str())
    }) {
        return Err(format!("what is there refers to {missing}, which is not there"));
    }
    let mut left = Map::new();
    for key in KEPT {
        if let Some(value) = template.get(key) {
            left.insert(key.to_owned(), value.clone());
        }
    }
    let parameters = chosen(&template, PARAMETERS, &used);
    let names = parameters.keys().cloned().collect();
    let sections = [
        (PARAMETERS, parameters),
        (MAPPINGS, chosen(&template, MAPPINGS, &used)),
        (CONDITIONS, conditions),
        (RESOURCES, resources),
    ];
    for (key, values) in sections.into_iter().filter(|(_, values)| !values.is_empty()) {
        left.insert(key.to_owned(), Value::Object(values));
    }
    Ok((Value::Object(left).to_string(), names))
}

/// A resource as an import takes it: after nothing that is not imported as well, and kept whatever happens. The
/// template's own policy may be `RetainExceptOnCreate`, of which nothing says what it means where an import is
/// rolled back; it comes with the update.
fn imported(resource: &Map<String, Value>, wanted: &BTreeMap<&str, &str>) -> Map<String, Value> {
    let mut resource = resource.clone();
    resource.insert("DeletionPolicy".to_owned(), "Retain".into());
    let after = match resource.remove("DependsOn") {
        Some(Value::Array(ids)) => ids,
        Some(one) => vec![one],
        None => vec![],
    };
    let after: Vec<Value> =
        after.into_iter().filter(|id| id.as_str().is_some_and(|id| wanted.contains_key(id))).collect();
    if !after.is_empty() {
        resource.insert("DependsOn".to_owned(), Value::Array(after));
    }
    resource
}

/// The conditions that are used, and those that these use; what they use is added to `used`.
fn closure(template: &Map<String, Value>, used: &mut BTreeSet<String>) -> Map<String, Value> {
    let mut conditions = Map::new();
    loop {
        let fresh = chosen(template, CONDITIONS, used);
        if fresh.len() == conditions.len() {
            return conditions;
        }
        for condition in fresh.values() {
            names_in(condition, used);
        }
        conditions = fresh;
    }
}

fn section<'a>(template: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    template.get(key).and_then(Value::as_object)
}

fn chosen(template: &Map<String, Value>, key: &str, used: &BTreeSet<String>) -> Map<String, Value> {
    let all = section(template, key).into_iter().flatten();
    all.filter(|(name, _)| used.contains(*name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Every name that a value may look up. A name too many keeps something that is not needed, which does no harm.
fn names_in(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("Ref" | "Condition", Value::String(name)) => drop(used.insert(name.clone())),
                    ("Fn::GetAtt", Value::String(path)) => {
                        used.extend(path.split('.').next().map(str::to_owned));
                    }
                    ("Fn::GetAtt" | "Fn::FindInMap" | "Fn::If", Value::Array(parts)) => {
                        used.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
                        for part in parts {
                            names_in(part, used);
                        }
                    }
                    ("Fn::Sub", Value::String(text)) => used.extend(placeholders(text)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        used.extend(parts.first().and_then(Value::as_str).into_iter().flat_map(placeholders));
                        for part in parts {
                            names_in(part, used);
                        }
                    }
                    (_, value) => names_in(value, used),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, used)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The names in `${Name}` and `${Name.Attribute}`; `${!Name}` is text.
fn placeholders(text: &str) -> impl Iterator<Item = String> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .filter(|(name, _)| !name.starts_with('!'))
        .filter_map(|(name, _)| name.split('.').next())
        .map(str::to_owned)
}

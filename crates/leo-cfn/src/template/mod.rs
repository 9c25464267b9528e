//! Templates: fragments merged and proved.

mod cycles;
mod limits;
mod references;

pub use limits::{INLINE_BODY_BYTES, Limit, STORED_BODY_BYTES};
pub use references::Kind;

use crate::{
    Fragment, Tagging,
    fragment::{Body, Entry},
};
use cycles::Dependencies;
use references::{dynamic_references, references};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// What can be wrong with a set of fragments.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ComposeError {
    /// Two things of one name.
    #[error("logical id `{id}` is defined by both `{first}` and `{second}`")]
    Duplicate {
        /// The name.
        id: String,
        /// The fragment that came first.
        first: &'static str,
        /// The fragment that came second.
        second: &'static str,
    },
    /// A reference to nothing, or to something of another kind.
    #[error("`{owner}` refers to `{target}` at {path}, but no fragment defines {} of that name", wanted(*.kind))]
    Dangling {
        /// The fragment that refers.
        owner: &'static str,
        /// Where in the template.
        path: String,
        /// What it names.
        target: String,
        /// What it would have to be.
        kind: Kind,
    },
    /// A text that CloudFormation would replace by a secret, readable for everyone who may read the resource.
    #[error("`{owner}` has a dynamic reference at {path}, which would put a secret into the resource")]
    DynamicReference {
        /// The fragment that has it.
        owner: &'static str,
        /// Where in the template.
        path: String,
    },
    /// Resources that need each other first.
    #[error("{} depend on each other in a circle", .ids.join(", "))]
    Cycle {
        /// The resources on the cycle.
        ids: Vec<String>,
    },
    /// More than CloudFormation takes.
    #[error("{limit}: {found}, but CloudFormation takes at most {}", .limit.most())]
    Limit {
        /// Of what there is too much.
        limit: Limit,
        /// How much there is.
        found: usize,
    },
    /// Properties that are no JSON.
    #[error("`{owner}` gives `{id}` properties that are no JSON: {reason}")]
    Unserializable {
        /// The fragment.
        owner: &'static str,
        /// The resource.
        id: String,
        /// What the serializer said.
        reason: String,
    },
}

const fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Resource => "a resource",
        Kind::Referable => "a resource or parameter",
        Kind::Condition => "a condition",
        Kind::Placeholder => "a binding",
    }
}

/// A complete CloudFormation template. Its JSON depends on the fragments alone, down to the byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    json: Json,
}

impl Template {
    /// Merges fragments into a template and proves that it holds together. Every resource whose type takes tags
    /// gets `tags` and its `leo:component`.
    ///
    /// # Errors
    /// Every problem there is, not only the first.
    pub fn compose(
        description: &str,
        tags: &BTreeMap<&'static str, String>,
        fragments: impl IntoIterator<Item = Fragment>,
    ) -> Result<Self, Vec<ComposeError>> {
        let mut draft = Draft::default();
        for fragment in fragments {
            draft.take(fragment, tags);
        }
        draft.check_references();
        let mut errors = draft.errors;
        let mut json = json!({"AWSTemplateFormatVersion": "2010-09-09", "Description": description});
        if let Some(template) = json.as_object_mut() {
            for (name, section) in draft.sections {
                template
                    .insert(name.to_owned(), section.into_iter().map(|(id, (_, body))| (id, body)).collect());
            }
        }
        let template = Self { json };
        errors.extend(limits::passed(&template));
        if errors.is_empty() { Ok(template) } else { Err(errors) }
    }

    /// The template as a person reads it: indented, with a closing line break.
    #[must_use]
    pub fn to_pretty_json(&self) -> String {
        format!("{:#}\n", self.json)
    }

    /// The template as it is sent.
    #[must_use]
    pub fn to_minified_json(&self) -> String {
        self.json.to_string()
    }

    /// The template's document.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// The resources, by logical id.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.section("Resources")
    }

    /// The parameters' keys.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.section("Parameters").map(|(key, _)| key)
    }

    /// The outputs' keys.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.section("Outputs").map(|(key, _)| key)
    }

    /// The resources that an output's value is made from, by logical id; none where there is no such output.
    #[must_use]
    pub fn resources_of_output(&self, key: &str) -> BTreeSet<String> {
        let Some((_, output)) = self.section("Outputs").find(|(found, _)| *found == key) else {
            return BTreeSet::new();
        };
        let resources: BTreeSet<&str> = self.resources().map(|(id, _)| id).collect();
        references(output, key)
            .into_iter()
            .map(|reference| reference.target)
            .filter(|target| resources.contains(target.as_str()))
            .collect()
    }

    fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Json)> {
        self.json
            .get(name)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(id, body)| (id.as_str(), body))
    }
}

/// A template in the making: each section's entries with the fragment that owns them.
#[derive(Default)]
struct Draft {
    sections: BTreeMap<&'static str, BTreeMap<String, (&'static str, Json)>>,
    errors: Vec<ComposeError>,
}

impl Draft {
    fn take(&mut self, fragment: Fragment, tags: &BTreeMap<&'static str, String>) {
        let owner = fragment.owner;
        for entry in fragment.resources {
            let id = entry.id.to_string();
            match body(entry, fragment.component, tags) {
                Ok(body) => self.insert("Resources", owner, id, body),
                Err(error) => self.unserializable(owner, id, error.to_string()),
            }
        }
        for (section, entries) in [
            ("Parameters", fragment.parameters),
            ("Conditions", fragment.conditions),
            ("Outputs", fragment.outputs),
        ] {
            for (id, body) in entries {
                self.insert(section, owner, id.to_string(), body);
            }
        }
        for (id, reason) in fragment.unserializable {
            self.unserializable(owner, id.to_string(), reason);
        }
    }

    fn unserializable(&mut self, owner: &'static str, id: String, reason: String) {
        self.errors.push(ComposeError::Unserializable { owner, id, reason });
    }

    /// Ids are unique within a template, outputs among themselves (CloudFormation, "Template anatomy").
    fn insert(&mut self, section: &'static str, owner: &'static str, id: String, body: Json) {
        let twin = if section == "Outputs" {
            self.find("Outputs", &id)
        } else {
            ["Resources", "Parameters", "Conditions"].iter().find_map(|section| self.find(section, &id))
        };
        if let Some(first) = twin {
            self.errors.push(ComposeError::Duplicate { id, first, second: owner });
        } else {
            self.sections.entry(section).or_default().insert(id, (owner, body));
        }
    }

    fn find(&self, section: &str, id: &str) -> Option<&'static str> {
        self.sections.get(section)?.get(id).map(|(owner, _)| *owner)
    }

    fn check_references(&mut self) {
        let mut dangling = vec![];
        let mut edges = vec![];
        for (section, entries) in &self.sections {
            for (id, (owner, body)) in entries {
                let mut found = references(body, id);
                found.extend(attribute_references(section, body, id));
                for reference in found {
                    let resource = self.find("Resources", &reference.target).is_some();
                    let defined = match reference.kind {
                        Kind::Resource => resource,
                        Kind::Referable => resource || self.find("Parameters", &reference.target).is_some(),
                        Kind::Condition => self.find("Conditions", &reference.target).is_some(),
                        Kind::Placeholder => false,
                    };
                    if !defined {
                        dangling.push(ComposeError::Dangling {
                            owner,
                            path: reference.path,
                            target: reference.target,
                            kind: reference.kind,
                        });
                    } else if resource && *section == "Resources" {
                        edges.push((id.as_str(), reference.target));
                    }
                }
            }
        }
        let mut needs = Dependencies::new();
        for (from, to) in &edges {
            needs.entry(from).or_default().insert(to);
        }
        let ids = cycles::on_cycles(&needs);
        self.errors.extend(dangling);
        let dynamic: Vec<_> = self
            .sections
            .values()
            .flatten()
            .flat_map(|(id, (owner, body))| {
                dynamic_references(body, id)
                    .into_iter()
                    .map(|path| ComposeError::DynamicReference { owner, path })
            })
            .collect();
        self.errors.extend(dynamic);
        if !ids.is_empty() {
            self.errors.push(ComposeError::Cycle { ids });
        }
    }
}

/// `DependsOn` and `Condition` name their targets without an intrinsic function.
fn attribute_references(section: &str, body: &Json, id: &str) -> Vec<references::Reference> {
    let mut found = vec![];
    if section == "Resources" {
        for target in body.get("DependsOn").and_then(Json::as_array).into_iter().flatten() {
            found.push((Kind::Resource, "DependsOn", target));
        }
        found.extend(body.get("Condition").map(|target| (Kind::Condition, "Condition", target)));
    }
    found
        .into_iter()
        .filter_map(|(kind, attribute, target)| {
            Some(references::Reference {
                path: format!("{id}.{attribute}"),
                kind,
                target: target.as_str()?.to_owned(),
            })
        })
        .collect()
}

fn body(
    entry: Entry,
    component: &str,
    tags: &BTreeMap<&'static str, String>,
) -> Result<Json, serde_json::Error> {
    let component = entry.attributes.component.unwrap_or(component);
    let mut properties = entry.properties;
    if entry.tagging == Tagging::List
        && let Some(properties) = properties.as_object_mut()
    {
        let own = properties.remove("Tags").and_then(|own| own.as_array().cloned()).unwrap_or_default();
        let tags =
            tags.iter().map(|(key, value)| (*key, value.as_str())).chain([("leo:component", component)]);
        let all: BTreeMap<&str, Json> =
            tags.map(|(key, value)| (key, json!({"Key": key, "Value": value}))).collect();
        properties.insert("Tags".to_owned(), all.into_values().chain(own).collect());
    }
    serde_json::to_value(Body { r#type: entry.kind, attributes: &entry.attributes, properties })
}

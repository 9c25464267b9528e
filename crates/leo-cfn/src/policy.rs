//! IAM policy documents.

use crate::Value;
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::collections::BTreeMap;

/// An IAM policy document, version 2012-10-17.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

impl PolicyDocument {
    /// A document of these statements.
    #[must_use]
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { version: "2012-10-17", statement: statements.into_iter().collect() }
    }
}

/// Whether a statement permits or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It permits.
    Allow,
    /// It forbids, whatever else permits.
    Deny,
}

/// Whom a resource or trust policy speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Everyone.
    Any,
    /// An AWS service, as `ecs-tasks.amazonaws.com`.
    Service(&'static str),
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("*"),
            Self::Service(service) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("Service", service)?;
                map.end()
            }
        }
    }
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    sid: &'static str,
    effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    action: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<Value<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, BTreeMap<&'static str, Vec<Value<String>>>>,
}

impl Statement {
    /// Permits `actions` (as `s3:GetObject`); `sid` says what for, in letters and digits.
    #[must_use]
    pub fn allow(sid: &'static str, actions: impl IntoIterator<Item = &'static str>) -> Self {
        Self::new(sid, Effect::Allow, actions)
    }

    /// Forbids `actions`.
    #[must_use]
    pub fn deny(sid: &'static str, actions: impl IntoIterator<Item = &'static str>) -> Self {
        Self::new(sid, Effect::Deny, actions)
    }

    fn new(sid: &'static str, effect: Effect, actions: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            sid,
            effect,
            principal: None,
            action: actions.into_iter().collect(),
            resource: vec![],
            condition: BTreeMap::new(),
        }
    }

    /// On these resources, by ARN.
    #[must_use]
    pub fn on(mut self, resources: impl IntoIterator<Item = Value<String>>) -> Self {
        self.resource.extend(resources);
        self
    }

    /// On every resource: for actions where AWS supports nothing narrower.
    #[must_use]
    pub fn on_everything(self) -> Self {
        self.on([Value::from("*")])
    }

    /// For this principal: only in trust and resource policies.
    #[must_use]
    pub fn by(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Only where a condition key compares so, as `("StringEquals", "aws:SourceAccount", account)`.
    #[must_use]
    pub fn when(mut self, operator: &'static str, key: &'static str, value: Value<String>) -> Self {
        self.condition.entry(operator).or_default().entry(key).or_default().push(value);
        self
    }
}

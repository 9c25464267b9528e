//! Resources, the handles that prove them, and what a resource carries besides its properties.

use crate::{Condition, LogicalId, Value};
use serde::Serialize;
use serde_json::json;
use std::marker::PhantomData;

/// The properties of one resource type.
///
/// `None` in an optional property leaves it out of the template.
pub trait Resource: Serialize {
    /// The type's name, as `AWS::EC2::VPC`.
    const TYPE: &'static str;
    /// Whether and where the type takes tags.
    const TAGGING: Tagging;
    /// What `Ref` yields.
    type Id;
}

/// Whether a resource type takes tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagging {
    /// As a list of keys and values in the property `Tags`; composing a template fills it in.
    List,
    /// The type has no tags.
    None,
}

/// A tag, for the few that a resource has on top of its stack's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The tag's name, as `leo:component`.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

/// Proof that a resource of type `R` was added to a fragment.
pub struct Handle<R> {
    pub(crate) id: LogicalId,
    kind: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    pub(crate) fn new(id: LogicalId) -> Self {
        Self { id, kind: PhantomData }
    }

    /// `Fn::GetAtt`; each type's attributes are methods that call it with a name that AWS documents.
    pub(crate) fn attribute<T>(&self, name: &str) -> Value<T> {
        Value::from_json(json!({"Fn::GetAtt": [self.id, name]}))
    }
}

impl<R: Resource> Handle<R> {
    /// `Ref`: the resource's own identifier.
    #[must_use]
    pub fn reference(&self) -> Value<R::Id> {
        Value::from_json(json!({"Ref": self.id}))
    }
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone())
    }
}

impl<R> std::fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({})", self.id)
    }
}

/// What becomes of a resource when it leaves its stack, or its stack is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum DeletionPolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Retain,
    /// It stays, except when the operation that created it is rolled back.
    RetainExceptOnCreate,
}

/// What becomes of the old resource when an update replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum UpdateReplacePolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Retain,
}

/// Everything CloudFormation lets a resource carry besides its properties.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<LogicalId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) depends_on: Vec<LogicalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_policy: Option<DeletionPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update_replace_policy: Option<UpdateReplacePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_policy: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<serde_json::Value>,
    #[serde(skip)]
    pub(crate) component: Option<&'static str>,
}

impl Attributes {
    /// For resources that hold data: kept on any deletion but the rollback of their own creation, and kept when
    /// replaced.
    #[must_use]
    pub fn data() -> Self {
        Self {
            deletion_policy: Some(DeletionPolicy::RetainExceptOnCreate),
            update_replace_policy: Some(UpdateReplacePolicy::Retain),
            ..Self::default()
        }
    }

    /// For a resource of another component than its fragment's; see [`Fragment::new`](crate::Fragment::new).
    #[must_use]
    pub fn component(mut self, component: &'static str) -> Self {
        self.component = Some(component);
        self
    }

    /// Created after, deleted before `handle`'s resource.
    #[must_use]
    pub fn after<R>(mut self, handle: &Handle<R>) -> Self {
        self.depends_on.push(handle.id.clone());
        self
    }

    /// There only where `condition` holds.
    #[must_use]
    pub fn when(mut self, condition: &Condition) -> Self {
        self.condition = Some(condition.id.clone());
        self
    }

    /// Complete only after this many success signals, within an ISO 8601 duration (as `PT15M`).
    #[must_use]
    pub fn signalled(mut self, count: u32, timeout: &str) -> Self {
        self.creation_policy = Some(json!({"ResourceSignal": {"Count": count, "Timeout": timeout}}));
        self
    }

    /// Metadata under `key`, for tools that read templates.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: serde_json::Value) -> Self {
        let metadata = self.metadata.get_or_insert_with(|| json!({}));
        if let Some(entries) = metadata.as_object_mut() {
            entries.insert(key.to_owned(), value);
        }
        self
    }
}

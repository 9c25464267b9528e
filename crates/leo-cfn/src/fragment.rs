//! A fragment: what one crate contributes to a stack.

use crate::{Attributes, Condition, Handle, LogicalId, Resource, Tagging, Value, join};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::marker::PhantomData;

/// What one crate contributes to a stack: resources, parameters, conditions and outputs.
#[derive(Debug)]
pub struct Fragment {
    pub(crate) owner: &'static str,
    pub(crate) component: &'static str,
    pub(crate) resources: Vec<Entry>,
    pub(crate) parameters: Vec<(LogicalId, Json)>,
    pub(crate) conditions: Vec<(LogicalId, Json)>,
    pub(crate) outputs: Vec<(LogicalId, Json)>,
    pub(crate) unserializable: Vec<(LogicalId, String)>,
}

/// One resource of a fragment.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: LogicalId,
    pub(crate) kind: &'static str,
    pub(crate) tagging: Tagging,
    pub(crate) attributes: Attributes,
    pub(crate) properties: Json,
}

impl Fragment {
    /// An empty fragment of `owner` (as errors name it: `networking`), whose resources are tagged
    /// `leo:component` = `component`, but for those added with [`Attributes::component`].
    #[must_use]
    pub fn new(owner: &'static str, component: &'static str) -> Self {
        Self {
            owner,
            component,
            resources: vec![],
            parameters: vec![],
            conditions: vec![],
            outputs: vec![],
            unserializable: vec![],
        }
    }

    /// Adds a resource; the handle proves that it is there.
    pub fn add<R: Resource>(&mut self, id: LogicalId, properties: R) -> Handle<R> {
        self.add_with(id, Attributes::default(), properties)
    }

    /// Adds a resource that carries more than its properties.
    #[expect(clippy::needless_pass_by_value, reason = "a resource belongs to the template once it is added")]
    pub fn add_with<R: Resource>(
        &mut self,
        id: LogicalId,
        attributes: Attributes,
        properties: R,
    ) -> Handle<R> {
        match serde_json::to_value(&properties) {
            Ok(properties) => self.resources.push(Entry {
                id: id.clone(),
                kind: R::TYPE,
                tagging: R::TAGGING,
                attributes,
                properties: without_nulls(properties),
            }),
            Err(error) => self.unserializable.push((id.clone(), error.to_string())),
        }
        Handle::new(id)
    }

    /// Declares a parameter. `T` decides its CloudFormation type.
    pub fn parameter<T: ParameterType>(
        &mut self,
        id: LogicalId,
        description: &str,
        rule: Option<Rule>,
    ) -> Parameter<T> {
        let mut declaration = json!({"Type": T::TYPE, "Description": description});
        if let (Some(rule), Some(entries)) = (rule, declaration.as_object_mut()) {
            entries.insert("AllowedPattern".to_owned(), rule.pattern.into());
            entries.insert("ConstraintDescription".to_owned(), rule.meaning.into());
        }
        self.parameters.push((id.clone(), declaration));
        Parameter { id, kind: PhantomData }
    }

    /// Declares a condition: true where both values are equal when the stack is deployed.
    pub fn condition(&mut self, id: LogicalId, left: Value<String>, right: Value<String>) -> Condition {
        self.conditions.push((id.clone(), json!({"Fn::Equals": [left.into_json(), right.into_json()]})));
        Condition { id }
    }

    /// Declares an output. Never an export: another stack takes it as a parameter.
    pub fn output<T>(&mut self, id: LogicalId, description: &str, value: Value<T>) -> Output<T> {
        self.outputs.push((id.clone(), json!({"Description": description, "Value": value.into_json()})));
        Output { id, kind: PhantomData }
    }

    /// Declares an output that holds a list, comma-separated, as a list parameter takes it.
    pub fn output_list<T>(
        &mut self,
        id: LogicalId,
        description: &str,
        values: impl IntoIterator<Item = Value<T>>,
    ) -> Output<Vec<T>> {
        let joined = join(",", values.into_iter().map(|value| value.text()));
        let output = self.output(id, description, joined);
        Output { id: output.id, kind: PhantomData }
    }
}

/// A type that a template can take as a parameter.
pub trait ParameterType {
    /// CloudFormation's name of it, as `String` or `AWS::EC2::VPC::Id`.
    const TYPE: &'static str;
}

impl ParameterType for String {
    const TYPE: &'static str = "String";
}

/// What a parameter's value has to look like.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// A regular expression that the whole value matches.
    pub pattern: &'static str,
    /// What CloudFormation says when it does not.
    pub meaning: &'static str,
}

/// A declared parameter of type `T`.
pub struct Parameter<T> {
    id: LogicalId,
    kind: PhantomData<fn() -> T>,
}

impl<T> Parameter<T> {
    /// The parameter's value.
    #[must_use]
    pub fn value(&self) -> Value<T> {
        Value::from_json(json!({"Ref": self.id}))
    }

    /// The key under which a deploy passes it.
    #[must_use]
    pub fn key(&self) -> &str {
        self.id.as_str()
    }
}

/// A declared output of type `T`.
pub struct Output<T> {
    id: LogicalId,
    kind: PhantomData<fn() -> T>,
}

impl<T> Output<T> {
    /// The key under which `DescribeStacks` lists it.
    #[must_use]
    pub fn key(&self) -> &str {
        self.id.as_str()
    }
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self { id: self.id.clone(), kind: PhantomData }
            }
        }
        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.id)
            }
        }
    )*};
}
opaque_debug!(Parameter, Output);

/// CloudFormation has no null: an absent property is one that is not written.
fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(entries) => entries
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// What the composer writes for one resource.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Body<'a> {
    pub(crate) r#type: &'static str,
    #[serde(flatten)]
    pub(crate) attributes: &'a Attributes,
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) properties: Json,
}

fn is_empty(properties: &Json) -> bool {
    properties.as_object().is_some_and(serde_json::Map::is_empty)
}

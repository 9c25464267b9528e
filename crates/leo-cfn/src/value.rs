//! Property values: literals and intrinsic functions, typed by what they yield.

use crate::LogicalId;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};
use std::marker::PhantomData;

/// A property value of CloudFormation type `T`: a literal, or an intrinsic function that yields a `T`.
pub struct Value<T> {
    json: Json,
    kind: PhantomData<fn() -> T>,
}

impl<T> Value<T> {
    pub(crate) fn from_json(json: Json) -> Self {
        Self { json, kind: PhantomData }
    }

    pub(crate) fn into_json(self) -> Json {
        self.json
    }

    /// `Fn::If`: one of two values, as `condition` decides when the stack is deployed.
    #[must_use]
    pub fn if_(condition: &Condition, then: &Self, otherwise: &Self) -> Self {
        Self::from_json(json!({"Fn::If": [condition.id, then.json, otherwise.json]}))
    }

    /// `AWS::NoValue`: as an arm of [`Value::if_`] it leaves the property out.
    #[must_use]
    pub fn no_value() -> Self {
        Self::from_json(json!({"Ref": "AWS::NoValue"}))
    }

    /// The same value where any text will do: in a policy, a pattern, a container's environment.
    #[must_use]
    pub fn text(&self) -> Value<String> {
        Value::from_json(self.json.clone())
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self::from_json(self.json.clone())
    }
}

impl<T> PartialEq for Value<T> {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl<T> std::fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.json)
    }
}

impl<T> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl From<&str> for Value<String> {
    fn from(text: &str) -> Self {
        Self::from_json(Json::from(text))
    }
}

impl From<String> for Value<String> {
    fn from(text: String) -> Self {
        Self::from_json(Json::from(text))
    }
}

/// A condition of a template; only [`Fragment::condition`](crate::Fragment::condition) makes one, and nothing
/// makes a `Ref` to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub(crate) id: LogicalId,
}

/// `Fn::Join`.
#[must_use]
pub fn join(separator: &str, parts: impl IntoIterator<Item = Value<String>>) -> Value<String> {
    let parts: Vec<Json> = parts.into_iter().map(Value::into_json).collect();
    Value::from_json(json!({"Fn::Join": [separator, parts]}))
}

/// `Fn::Join` over a list that is itself a value, as a list parameter.
#[must_use]
pub fn join_list<T>(separator: &str, list: &Value<Vec<T>>) -> Value<String> {
    Value::from_json(json!({"Fn::Join": [separator, list.json]}))
}

/// `Fn::Select`: the item of `list` at `index`, counted from 0.
#[must_use]
pub fn select<T>(index: usize, list: &Value<Vec<T>>) -> Value<T> {
    Value::from_json(json!({"Fn::Select": [index, list.json]}))
}

/// `Fn::Sub` over its own bindings: `sub("${Bucket}/*", [("Bucket", arn)])`.
///
/// Every placeholder but the pseudo parameters (`${AWS::Region}`) is bound in the call; composing a template
/// refuses one that is not.
#[must_use]
pub fn sub<const N: usize>(pattern: &str, bindings: [(&str, Value<String>); N]) -> Value<String> {
    if bindings.is_empty() {
        return Value::from_json(json!({"Fn::Sub": pattern}));
    }
    let bindings: Map<String, Json> =
        bindings.into_iter().map(|(name, value)| (name.to_owned(), value.json)).collect();
    Value::from_json(json!({"Fn::Sub": [pattern, bindings]}))
}

/// CloudFormation's pseudo parameters.
pub mod pseudo {
    use super::Value;
    use serde_json::json;

    fn reference(name: &str) -> Value<String> {
        Value::from_json(json!({"Ref": name}))
    }

    /// The account's id, 12 digits.
    #[must_use]
    pub fn account_id() -> Value<String> {
        reference("AWS::AccountId")
    }

    /// The region, as `us-east-1`.
    #[must_use]
    pub fn region() -> Value<String> {
        reference("AWS::Region")
    }

    /// The partition, as `aws`.
    #[must_use]
    pub fn partition() -> Value<String> {
        reference("AWS::Partition")
    }

    /// The domain of service addresses, as `amazonaws.com`.
    #[must_use]
    pub fn url_suffix() -> Value<String> {
        reference("AWS::URLSuffix")
    }
}

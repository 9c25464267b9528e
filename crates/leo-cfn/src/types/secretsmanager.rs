//! AWS Secrets Manager.

use super::{identifiers, resource};
use crate::{Handle, Value};
use serde::Serialize;

identifiers! {
    /// The ARN of a secret, with the random suffix that AWS gives it.
    SecretArn,
}

impl crate::ParameterType for SecretArn {
    const TYPE: &'static str = "String";
}

/// `AWS::SecretsManager::Secret`, always without a value: values never pass through a template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// What it holds and who gets it.
    pub description: String,
}
resource!(Secret = "AWS::SecretsManager::Secret", List, Ref = SecretArn);

impl Handle<Secret> {
    /// The secret's ARN; the attribute is called `Id`.
    #[must_use]
    pub fn arn(&self) -> Value<SecretArn> {
        self.attribute("Id")
    }
}

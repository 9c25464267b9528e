//! AWS IAM: roles.

use super::{identifiers, resource};
use crate::{Handle, PolicyDocument, Value};
use serde::Serialize;

identifiers! {
    /// The name of a role.
    RoleName,
    /// The ARN of a role.
    RoleArn,
}

impl crate::ParameterType for RoleArn {
    const TYPE: &'static str = "String";
}

/// `AWS::IAM::Role`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    /// What it is for.
    pub description: String,
    /// Who may take it on.
    pub assume_role_policy_document: PolicyDocument,
    /// What it may do.
    pub policies: Vec<Policy>,
    /// The ARN of a policy that nothing in the others can exceed.
    pub permissions_boundary: Option<String>,
}
resource!(Role = "AWS::IAM::Role", List, Ref = RoleName);

impl Handle<Role> {
    /// The role's ARN.
    #[must_use]
    pub fn arn(&self) -> Value<RoleArn> {
        self.attribute("Arn")
    }
}

/// A policy inside a role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// Its name, unique within the role.
    pub policy_name: &'static str,
    /// What it permits.
    pub policy_document: PolicyDocument,
}

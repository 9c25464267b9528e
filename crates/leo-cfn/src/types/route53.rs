//! Amazon Route 53.

use super::{identifiers, resource};
use crate::Value;
use serde::Serialize;

identifiers! {
    /// A record's domain name.
    RecordName,
}

/// `AWS::Route53::RecordSet` that is an alias.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecordSet {
    /// The hosted zone that it is in.
    pub hosted_zone_id: String,
    /// The name that it answers.
    pub name: String,
    /// `A`.
    pub r#type: &'static str,
    /// What it stands for.
    pub alias_target: AliasTarget,
    /// What it is for.
    pub comment: &'static str,
}
resource!(RecordSet = "AWS::Route53::RecordSet", None, Ref = RecordName);

/// What an alias stands for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AliasTarget {
    /// The target's name.
    #[serde(rename = "DNSName")]
    pub dns_name: Value<String>,
    /// The hosted zone of the target's name.
    pub hosted_zone_id: Value<String>,
    /// Whether an unhealthy target is left out of the answer.
    pub evaluate_target_health: bool,
}

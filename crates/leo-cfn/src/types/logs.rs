//! Amazon CloudWatch Logs.

use super::{identifiers, resource};
use serde::Serialize;

identifiers! {
    /// The name of a log group.
    LogGroupName,
}

/// `AWS::Logs::LogGroup`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogGroup {
    /// Its name.
    pub log_group_name: String,
    /// Days after which a line is deleted: one of the numbers that CloudWatch allows.
    pub retention_in_days: u32,
}
resource!(LogGroup = "AWS::Logs::LogGroup", List, Ref = LogGroupName);

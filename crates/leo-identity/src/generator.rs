//! What a generator may do: read the jobs' input, write their output, read its secrets. It can list nothing, so it
//! finds no other run's keys; run ids can't be guessed.

use crate::read_secrets;
use leo_cfn::{
    Handle, Statement, join,
    types::{s3::Bucket, secretsmanager::Secret},
};

pub(crate) fn statements(bucket: &Handle<Bucket>, secrets: &[&Handle<Secret>]) -> Vec<Statement> {
    let mut statements = vec![
        Statement::allow("ReadInput", ["s3:GetObject"])
            .on([join("/", [bucket.arn().text(), "jobs/*/input".into()])]),
        Statement::allow("WriteOutput", ["s3:PutObject", "s3:AbortMultipartUpload"])
            .on([join("/", [bucket.arn().text(), "jobs/*/output/*".into()])]),
    ];
    statements.extend(read_secrets(secrets));
    statements
}

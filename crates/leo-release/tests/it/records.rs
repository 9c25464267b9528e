//! Releases to record.

use leo_release::{NewRelease, NewStack, ReleasedImage};
use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

/// A release with these contents.
pub(crate) fn new(operation: &str, contents: &str) -> NewRelease {
    NewRelease {
        environment: "dev".to_owned(),
        at: UNIX_EPOCH + Duration::from_millis(1_795_000_000_500),
        by: "ada".to_owned(),
        host: "laptop".to_owned(),
        commit: Some("1a2b3c4".to_owned()),
        operation: operation.to_owned(),
        stacks: vec![
            stack("foundation", r#"{"Resources":{}}"#, "SubnetCount", "2"),
            stack("platform", contents, "SecretsRevision", "r1"),
        ],
        images: vec![ReleasedImage {
            container: "orchestrator".to_owned(),
            repository: "leo-saas-app".to_owned(),
            digest: format!("sha256:{contents}"),
            acceptable: vec![format!("sha256:{contents}"), "sha256:child".to_owned()],
        }],
        health_path: "/health".to_owned(),
        websocket_path: Some("/ws".to_owned()),
        rollback_of: None,
    }
}

fn stack(role: &str, template: &str, name: &str, value: &str) -> NewStack {
    NewStack {
        role: role.to_owned(),
        name: format!("leo-dev-{role}"),
        template: template.to_owned(),
        parameters: BTreeMap::from([(name.to_owned(), value.to_owned())]),
    }
}

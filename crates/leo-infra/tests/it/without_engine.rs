//! Without a Docker engine the templates are accepted, and nothing is called deployed.

use crate::workspace::{WorkTree, document, shown};
use serde_json::json;

#[test]
fn python_without_an_engine_nothing_is_called_deployed() {
    let tree = WorkTree::new();
    let nowhere = format!("unix://{}", tree.root().join("no-engine.sock").display());
    let output = tree
        .leo_infra(&["deploy", "--local", "--yes", "--json"])
        .env("DOCKER_HOST", nowhere)
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let document = document(&output);
    assert_eq!(document["status"], "control-plane-only");
    assert_eq!(document["url"], json!(null));
    assert_eq!(document["images"], json!([]));
    assert_eq!(document["stacks"].as_array().map(Vec::len), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("templates accepted, no containers"), "{said}");
}

//! Templates that are too large for a request, and too large at all.

use crate::{
    truth::Truth,
    workspace::{WorkTree, document, shown},
};
use leo_cfn::template::{INLINE_BODY_BYTES, STORED_BODY_BYTES};
use std::process::Output;

/// So many bytes of plain variables in the platform's template.
fn variables(bytes: usize) -> String {
    const VALUE: usize = 200;
    let value = "x".repeat(VALUE);
    let lines = (0..bytes / VALUE).map(|number| format!("VARIABLE_{number} = \"{value}\"\n"));
    format!("[orchestrator.environment]\n{}", lines.collect::<String>())
}

/// Without an engine, since nothing has to run for it.
fn deploy(tree: &WorkTree) -> Output {
    let nowhere = format!("unix://{}", tree.root().join("no-engine.sock").display());
    let mut command = tree.leo_infra(&["deploy", "--local", "--yes", "--json"]);
    command.env("DOCKER_HOST", nowhere).output().expect("runs")
}

#[test]
fn python_a_large_template_goes_through_the_bucket() {
    let tree = WorkTree::new();
    tree.configure(&variables(2 * INLINE_BODY_BYTES));
    let output = deploy(&tree);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert_eq!(document(&output)["status"], "control-plane-only");
    let target = tree.local_target();
    let truth = Truth::of(&target);
    let bucket = format!("leo-artifacts-{}-{}", target.account_id, target.region);
    let templates = truth.keys(&bucket, "templates/");
    let [template] = templates.as_slice() else { panic!("one is too large for a request: {templates:?}") };
    let text = truth.get(&bucket, template).expect("is there");
    assert!(text.len() > INLINE_BODY_BYTES && text.contains("VARIABLE_0"), "{} bytes", text.len());
    assert_eq!(truth.account().stacks["leo-dev-platform"].status, "CREATE_COMPLETE");

    tree.configure(&variables(STORED_BODY_BYTES));
    let refused = deploy(&tree);
    assert_eq!(refused.status.code(), Some(2), "nothing is sent: {}", shown(&refused));
    let said = shown(&refused);
    assert!(said.contains("leo-dev-platform") && said.contains("at most 1000000"), "{said}");
    assert_eq!(truth.keys(&bucket, "templates/"), templates);
}

//! What one environment runs becomes what another one runs, without a build; and an image on its own.

use crate::workspace::{WorkTree, document, have_docker, shown};
use serde_json::Value;
use std::{fs, process::Output};

fn run(tree: &WorkTree, arguments: &[&str]) -> Output {
    tree.leo_infra(&[arguments, &["--local", "--json"]].concat()).output().expect("runs")
}

fn done(tree: &WorkTree, arguments: &[&str]) -> (Value, String) {
    let output = run(tree, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{}", shown(&output));
    (document(&output), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn refused(tree: &WorkTree, arguments: &[&str], code: i32, why: &str) {
    let output = run(tree, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", shown(&output));
    assert!(shown(&output).contains(why), "{why}\n{}", shown(&output));
}

/// Name and digest of each image.
fn images(document: &Value) -> Vec<(String, String)> {
    let images = document["images"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("is said").to_owned();
    images.iter().map(|image| (text(&image["name"]), text(&image["digest"]))).collect()
}

#[test]
fn docker_what_staging_runs_is_deployed_to_prod_without_a_build() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    let (staging, _) = done(&tree, &["deploy", "--environment", "staging", "--yes", "--images", "build"]);
    refused(&tree, &["push-images", "--promote", "dev:prod"], 1, "promote from `dev`: it has no release");

    // One image alone.
    let (pushed, _) = done(&tree, &["push-images", "generator", "--environment", "staging"]);
    assert_eq!(images(&pushed), images(&staging)[1..]);

    // From here on nothing can be built.
    fs::remove_file(tree.root().join("examples")).expect("is a link");
    let (promoted, _) = done(&tree, &["push-images", "--promote", "staging:prod"]);
    assert_eq!(promoted["from"]["release"], 1, "{promoted}");
    assert_eq!(images(&promoted), images(&staging));

    let (prod, said) = done(&tree, &["deploy", "--environment", "prod", "--yes"]);
    assert_eq!(prod["status"], "deployed", "{prod}");
    assert_eq!(images(&prod), images(&staging));
    assert_eq!(prod["promoted_from"]["environment"], "staging", "{prod}");
    assert!(said.contains("using what was promoted (--images promoted): staging's release 1"), "{said}");
    assert!(!said.contains("building"), "{said}");
    let again = ["deploy", "--environment", "prod", "--yes", "--images", "promoted"];
    refused(&tree, &again, 2, "nothing is, or it is deployed already");

    // One digest names one image; the other one stays as it runs.
    let generator = format!("generator={}", images(&prod)[1].1);
    let (kept, said) = done(&tree, &["deploy", "--environment", "prod", "--yes", "--images", &generator]);
    assert_eq!((kept["status"].as_str(), images(&kept)), (Some("unchanged"), images(&prod)), "{kept}");
    assert!(said.contains("keeping the orchestrator as it runs"), "{said}");
    refused(
        &tree,
        &["deploy", "--environment", "dev", "--yes", "--images", &generator],
        2,
        "keep the orchestrator as it runs: `leo-dev-platform` runs none",
    );
}

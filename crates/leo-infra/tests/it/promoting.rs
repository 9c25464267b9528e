//! What one environment runs becomes what another one runs, without a build; and an image on its own.

use crate::workspace::{WorkTree, document, have_docker, shown};
use leo_local::LocalTarget;
use serde_json::Value;
use std::{fs, path::PathBuf, process::Output};

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
    let (foreseen, _) = done(&tree, &["push-images", "--promote", "staging:prod", "--dry-run"]);
    assert_eq!((images(&foreseen), &foreseen["replaces"]), (images(&staging), &Value::Null), "{foreseen}");
    refused(
        &tree,
        &["deploy", "--environment", "prod", "--yes", "--images", "promoted"],
        2,
        "nothing is, or it is deployed already",
    );
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

/// Two accounts in two regions, each with its own registry.
const TWO_ACCOUNTS: &str = r#"
[environments.staging]
account = "111111111111"
region = "eu-central-1"
profile = "the-staging"

[environments.prod]
account = "222222222222"
region = "us-west-2"
profile = "the-prod"
protected = true
"#;
const NO_IMAGE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// A person's AWS configuration with a profile for each of these local targets.
fn profiles(tree: &WorkTree, targets: &[(&str, &LocalTarget)]) -> PathBuf {
    let profile = |(name, target): &(&str, &LocalTarget)| {
        format!(
            "[profile {name}]\naws_access_key_id = {}\naws_secret_access_key = {}\nendpoint_url = {}\n",
            target.access_key_id,
            target.secret_access_key.expose(),
            target.endpoint
        )
    };
    let path = tree.root().join("aws-config");
    fs::write(&path, targets.iter().map(profile).collect::<String>()).expect("writes a file");
    path
}

#[test]
fn docker_images_are_copied_into_another_accounts_registry() {
    if !have_docker() {
        return;
    }
    // One account a tree: each has a local target of its own.
    let (staging_tree, prod_tree) = (WorkTree::new(), WorkTree::new());
    for tree in [&staging_tree, &prod_tree] {
        tree.configure_all(TWO_ACCOUNTS);
    }
    let (staging, _) =
        done(&staging_tree, &["deploy", "--environment", "staging", "--yes", "--images", "build"]);
    // A first deploy makes the registry, and ends there.
    let nothing = format!("orchestrator={NO_IMAGE},generator={NO_IMAGE}");
    let first = ["deploy", "--environment", "prod", "--yes", "--images", &nothing];
    refused(&prod_tree, &first, 1, "find the image sha256:0000");

    let targets = [staging_tree.local_target(), prod_tree.local_target()];
    let profiles = profiles(&prod_tree, &[("the-staging", &targets[0]), ("the-prod", &targets[1])]);
    let promote = |more: &[&str]| {
        let arguments = [&["push-images", "--promote", "staging:prod", "--json"], more].concat();
        let mut command = prod_tree.leo_infra(&arguments);
        command.env("AWS_CONFIG_FILE", &profiles).env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.output().expect("runs")
    };
    // An image that prod's tasks could not start is not brought there.
    prod_tree.configure_all(&format!(
        "[orchestrator]\narchitecture = \"{}\"\n{TWO_ACCOUNTS}",
        another_architecture()
    ));
    let wrong = promote(&[]);
    assert_eq!(wrong.status.code(), Some(1), "{}", shown(&wrong));
    assert!(shown(&wrong).contains("for the orchestrator: it runs on linux/"), "{}", shown(&wrong));
    prod_tree.configure_all(TWO_ACCOUNTS);

    let foreseen = |wanted: bool| {
        let output = promote(&["--dry-run"]);
        let foreseen = document(&output);
        let present =
            foreseen["images"].as_array().map(|images| images.iter().all(|image| image["present"] == wanted));
        assert_eq!((output.status.code(), present), (Some(0), Some(true)), "{}", shown(&output));
    };
    foreseen(false);
    // It sent nothing.
    foreseen(false);
    let output = promote(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let promoted = document(&output);
    assert_eq!(images(&promoted), images(&staging));
    assert_eq!(promoted["from"]["account"], "111111111111");
    for image in promoted["images"].as_array().expect("is a list") {
        let uri = image["repository"].as_str().expect("is said");
        assert!(uri.starts_with("222222222222.dkr.ecr.us-west-2."), "{uri}");
    }
    let sent = |promoted: &Value, image: usize| promoted["images"][image]["copied"]["bytes_sent"].as_u64();
    assert!(sent(&promoted, 1) > Some(100_000), "{promoted}");
    foreseen(true);
    let again = document(&promote(&[]));
    assert_eq!([sent(&again, 0), sent(&again, 1)], [Some(0), Some(0)], "{again}");

    let (prod, said) = done(&prod_tree, &["deploy", "--environment", "prod", "--yes"]);
    assert_eq!((prod["status"].as_str(), images(&prod)), (Some("deployed"), images(&staging)), "{prod}");
    assert!(said.contains("using what was promoted") && !said.contains("building"), "{said}");
}

/// One that this machine's demo images are not built for.
fn another_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "x86_64" } else { "arm64" }
}

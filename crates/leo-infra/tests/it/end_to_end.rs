//! From nothing to a running platform, a job in real containers, nothing to change, one change.

use crate::{
    http::{get, object, post, request, websocket},
    workspace::{WorkTree, document, have_docker, shown},
};
use serde_json::{Value, json};
use std::{
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// What tells the containers of two local targets apart.
const INSTANCE: &str = "{{.Label \"ministack.instance\"}} {{.Names}}";

fn deploy(tree: &WorkTree) -> Value {
    let output = tree.leo_infra(&["deploy", "--local", "--yes", "--json"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    document(&output)
}

fn push_images(tree: &WorkTree, arguments: &[&str]) -> Value {
    let output =
        tree.leo_infra(&[&["push-images", "--local", "--json"], arguments].concat()).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    document(&output)
}

/// The stacks that changed, and the resources in them.
fn changes(deployed: &Value) -> Vec<(&str, Vec<&str>)> {
    deployed["stacks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|stack| stack["changed"] == true)
        .map(|stack| {
            let resources = stack["changes"].as_array().into_iter().flatten();
            (
                stack["name"].as_str().unwrap_or_default(),
                resources.filter_map(|change| change["resource"].as_str()).collect(),
            )
        })
        .collect()
}

/// Asks until a job has ended; real containers take what they take.
fn ended(url: &str, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let job = get(&format!("{url}/jobs/{id}")).json();
        if job["state"] == "done" || job["state"] == "failed" {
            return job;
        }
        assert!(Instant::now() < deadline, "still {job}");
        sleep(Duration::from_millis(300));
    }
}

#[test]
fn docker_a_clean_clone_becomes_a_running_platform() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    tree.configure("[orchestrator]\nwebsocket_path = \"/ws\"");

    let first = deploy(&tree);
    assert_eq!(first["status"], "deployed");
    assert_eq!(first["environment"], "dev");
    assert_eq!(changes(&first).len(), 3, "{first}");
    let digests: Vec<&str> = first["images"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|image| image["digest"].as_str())
        .collect();
    assert!(digests.len() == 2 && digests.iter().all(|digest| digest.starts_with("sha256:")), "{first}");

    let url = first["url"].as_str().expect("has a URL");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);
    assert_eq!(websocket(&format!("{url}/ws")), 101);

    let asked = post(&format!("{url}/jobs"), &json!({"prompt": "a page about <lions>"}).to_string());
    assert_eq!(asked.status, 202, "{asked:?}");
    let id = asked.json()["id"].as_str().expect("has an id").to_owned();
    let job = ended(url, &id);
    assert_eq!(job["state"], "done", "{job}");
    let key = format!("jobs/{id}/output/index.html");
    assert!(job["objects"].as_array().is_some_and(|keys| keys.contains(&json!(key))), "{job}");

    let target = tree.local_target();
    let bucket = format!("leo-dev-apps-{}-{}", target.account_id, target.region);
    let page = object(&target, &bucket, &key);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("a page about &lt;lions&gt;"), "{}", page.body);

    let refused = request(
        "POST",
        &target.endpoint,
        &[
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.RunTask"),
        ],
        &json!({"cluster": "leo-dev", "taskDefinition": "leo-dev-generator"}).to_string(),
    );
    assert!((400..500).contains(&refused.status), "an unsigned RunTask is refused: {refused:?}");

    let second = deploy(&tree);
    assert_eq!(second["status"], "unchanged", "{second}");
    assert_eq!(changes(&second), []);
    assert_eq!(second["images"], first["images"]);
    assert_eq!(second["url"], first["url"]);

    let planned = push_images(&tree, &["--dry-run"]);
    let pushed = push_images(&tree, &[]);
    for (at, digest) in digests.iter().enumerate() {
        assert_eq!(
            (&planned["images"][at]["build"], &planned["images"][at]["digest"]),
            (&json!(false), &json!(digest))
        );
        assert_eq!(
            (&pushed["images"][at]["made"], &pushed["images"][at]["digest"]),
            (&json!("unchanged"), &json!(digest))
        );
    }

    tree.configure(
        "[orchestrator]\nwebsocket_path = \"/ws\"\n[load_balancer]\nderegistration_delay_seconds = 31",
    );
    let third = deploy(&tree);
    assert_eq!(third["status"], "deployed");
    assert_eq!(changes(&third), [("leo-dev-platform", vec!["TargetGroup"])], "{third}");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);

    // Not the local target's dummies: on AWS a first deploy needs a value for every key, and says so before it begins.
    let without_secrets = tree
        .leo_infra(&["deploy", "--environment", "staging", "--yes", "--demo"])
        .env("AWS_ENDPOINT_URL", &target.endpoint)
        .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose())
        .env("LEO_SECRET_GITHUB_TOKEN", "not-to-be-seen")
        .output()
        .expect("runs");
    let said = shown(&without_secrets);
    assert_eq!(without_secrets.status.code(), Some(2), "{said}");
    assert!(said.contains("CLAUDE_CODE_OAUTH_TOKEN") && said.contains("SUPABASE_URL"), "{said}");
    assert!(!said.contains("not-to-be-seen"), "{said}");

    // Only what the sign-in is for: another account than the configured one is left alone.
    let other = tree
        .leo_infra(&["deploy", "--yes", "--json"])
        .env("AWS_ENDPOINT_URL", &target.endpoint)
        .env("AWS_ACCESS_KEY_ID", &target.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", target.secret_access_key.expose())
        .env("AWS_ACCOUNT_ID", "111111111111")
        .output()
        .expect("runs");
    assert_eq!(other.status.code(), Some(2), "{}", shown(&other));
    assert!(shown(&other).contains("configured for 111111111111"), "{}", shown(&other));

    // Whatever runs by now, nothing does after a destroy.
    for _ in 0..3 {
        assert_eq!(post(&format!("{url}/jobs"), &json!({"prompt": "too late"}).to_string()).status, 202);
    }
    let destroyed = tree.leo_infra(&["destroy", "--local", "--yes", "--json"]).output().expect("runs");
    assert_eq!(destroyed.status.code(), Some(0), "{}", shown(&destroyed));
    assert_eq!(document(&destroyed)["status"], "destroyed");
    let containers = docker(&["ps", "--filter", "label=ministack.instance", "--format", INSTANCE]);
    assert!(!containers.contains(&format!(":{} ", target.port)), "{containers}");

    let registry = target.registry();
    drop(tree);
    let left = docker(&["image", "ls", "--all", "--digests", "--format", "{{.Repository}}"]);
    assert!(!left.contains(&registry), "the engine is left with no image of {registry}: {left}");
}

/// What the Docker engine says.
fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("runs");
    assert!(output.status.success(), "{}", shown(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

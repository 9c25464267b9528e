//! What is kept of the images and what goes, on the local target with real containers.

use crate::{
    http::{api, delete_object, get, object, put_object, request},
    workspace::{WorkTree, document, have_docker, shown},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leo_local::LocalTarget;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";
const ECS: &str = "AmazonEC2ContainerServiceV20141113";
/// Of both images the demo has, this is the repository of the one that the service runs.
const REPOSITORY: &str = "leo-saas-app";
const KEPT: &str = "[registry]\nkeep_releases = 2";

fn done(tree: &WorkTree, arguments: &[&str]) -> Value {
    let output = tree.leo_infra(arguments).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{}", shown(&output));
    document(&output)
}

/// A refusal, and everything that it says.
fn refused(tree: &WorkTree, arguments: &[&str], code: i32) -> String {
    let output = tree.leo_infra(arguments).output().expect("runs");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", shown(&output));
    shown(&output)
}

fn deploy(tree: &WorkTree, images: &str) -> Value {
    let deployed = done(tree, &["deploy", "--local", "--yes", "--json", "--images", images]);
    assert_eq!(deployed["status"], "deployed", "{deployed}");
    deployed
}

fn ecr(target: &LocalTarget, operation: &str, request: &Value) -> Value {
    let mut request = request.clone();
    request["repositoryName"] = json!(REPOSITORY);
    api(target, "ecr", &format!("{ECR}.{operation}"), &request)
}

fn ecs(target: &LocalTarget, operation: &str, request: &Value) -> Value {
    api(target, "ecs", &format!("{ECS}.{operation}"), request)
}

fn manifest(target: &LocalTarget, digest: &str) -> String {
    let answer = ecr(target, "BatchGetImage", &json!({"imageIds": [{"imageDigest": digest}]}));
    answer["images"][0]["imageManifest"].as_str().expect("is there").to_owned()
}

/// Pushes a manifest, without a tag or with one; its digest.
fn put(target: &LocalTarget, manifest: &Value, kind: &str, tag: Option<&str>) -> String {
    let body = manifest.to_string();
    let hex = Sha256::digest(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digest = format!("sha256:{hex}");
    let (user, password) = target.registry_login();
    let login = STANDARD.encode(format!("{user}:{}", password.expose()));
    let url = format!("{}/v2/{REPOSITORY}/manifests/{}", target.endpoint, tag.unwrap_or(&digest));
    let headers = [
        ("Authorization", format!("Basic {login}")),
        ("Content-Type", format!("application/vnd.oci.image.{kind}.v1+json")),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = request("PUT", &url, &headers, &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    digest
}

/// Another image with the same layers.
fn variant(target: &LocalTarget, of: &str, name: &str, tag: Option<&str>) -> String {
    let mut manifest: Value = serde_json::from_str(&manifest(target, of)).expect("is JSON");
    manifest["annotations"] = json!({"name": name});
    put(target, &manifest, "manifest", tag)
}

/// An index of these images for this machine's platform.
fn index(target: &LocalTarget, name: &str, parts: &[&str]) -> String {
    let parts: Vec<Value> = parts
        .iter()
        .map(|part| {
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": part,
                "size": manifest(target, part).len(),
                "platform": {
                    "os": "linux",
                    "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
                },
            })
        })
        .collect();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": parts,
        "annotations": {"name": name},
    });
    put(target, &index, "index", None)
}

/// The images of the repository: whether each stays, and the kinds of reasons.
type Verdicts = BTreeMap<String, (bool, Vec<String>)>;

fn verdicts(document: &Value) -> Verdicts {
    let images = document["images"].as_array().expect("is a list");
    images
        .iter()
        .filter(|image| image["repository"] == REPOSITORY)
        .map(|image| {
            let reasons = image["reasons"].as_array().expect("is a list").iter();
            let mut kinds: Vec<String> =
                reasons.map(|reason| reason["kind"].as_str().expect("has a kind").to_owned()).collect();
            kinds.dedup();
            (image["digest"].as_str().expect("has one").to_owned(), (image["stays"] == true, kinds))
        })
        .collect()
}

fn left(target: &LocalTarget) -> Vec<String> {
    let answer = ecr(target, "DescribeImages", &json!({}));
    let images = answer["imageDetails"].as_array().expect("is a list");
    let mut digests: Vec<String> =
        images.iter().map(|image| image["imageDigest"].as_str().expect("has one").to_owned()).collect();
    digests.sort();
    digests
}

#[test]
fn docker_what_runs_or_may_come_back_stays_and_nothing_else_does() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    tree.configure(KEPT);
    let first = deploy(&tree, "build");
    let digest = |image: usize| first["images"][image]["digest"].as_str().expect("has one").to_owned();
    let (orchestrator, generator) = (digest(0), digest(1));
    let target = tree.local_target();
    let named = |orchestrator: &str| format!("orchestrator={orchestrator},generator={generator}");

    let second = variant(&target, &orchestrator, "second", Some("digest-second"));
    deploy(&tree, &named(&second));
    let part = variant(&target, &orchestrator, "part", None);
    let third = index(&target, "third", &[&part]);
    let deployed = deploy(&tree, &named(&third));

    // Somebody else's cluster runs a task of a task definition that is active no more, another one is only active.
    let host = format!("127.0.0.1:{}", target.port);
    let theirs = variant(&target, &orchestrator, "theirs", Some("theirs"));
    let scheduled = variant(&target, &orchestrator, "scheduled", Some("scheduled"));
    ecs(&target, "CreateCluster", &json!({"clusterName": "theirs"}));
    let own = ecs(&target, "DescribeTaskDefinition", &json!({"taskDefinition": "leo-dev-orchestrator"}));
    let environment = &own["taskDefinition"]["containerDefinitions"][0]["environment"];
    let register = |family: &str, image: String| {
        let container = json!({"name": "app", "image": image, "memory": 64, "environment": environment});
        let mut definition = json!({"family": family, "containerDefinitions": [container]});
        for same in ["taskRoleArn", "executionRoleArn", "networkMode"] {
            definition[same] = own["taskDefinition"][same].clone();
        }
        ecs(&target, "RegisterTaskDefinition", &definition)
    };
    register("theirs", format!("{host}/{REPOSITORY}@{theirs}"));
    register("scheduled", format!("111122223333.dkr-ecr.us-east-1.on.aws/{REPOSITORY}:scheduled"));
    ecs(&target, "RunTask", &json!({"cluster": "theirs", "taskDefinition": "theirs:1"}));
    ecs(&target, "DeregisterTaskDefinition", &json!({"taskDefinition": "theirs:1"}));

    let cache = variant(&target, &orchestrator, "cache", Some("cache-main-amd64"));
    let elsewhere = variant(&target, &orchestrator, "elsewhere", Some("keep-elsewhere"));
    let promoted = variant(&target, &orchestrator, "promoted", None);
    let unused = variant(&target, &orchestrator, "unused", Some("git-unused-amd64"));
    let untagged = variant(&target, &orchestrator, "untagged", None);
    let old_part = variant(&target, &orchestrator, "old part", None);
    let old = index(&target, "old", &[&old_part, &part]);
    let bucket = format!("leo-artifacts-{}-{}", target.account_id, target.region);
    let promotion = json!({"images": {"orchestrator": {"image": format!("x/{REPOSITORY}@{promoted}")}}});
    put_object(&target, &bucket, "promotions/staging.json", &promotion.to_string());

    // All of them are new.
    let gc = ["images", "gc", "--local", "--json"];
    let all = left(&target);
    let new = done(&tree, &[&gc[..], &["--dry-run"]].concat());
    assert_eq!(new["status"], "unchanged", "{new}");
    assert!(
        verdicts(&new).values().all(|(stays, kinds)| *stays && kinds.contains(&"new".to_owned())),
        "{new}"
    );

    let gc = [&gc[..], &["--newer-than", "0"]].concat();
    let dry = [&gc[..], &["--dry-run"]].concat();
    let shown = done(&tree, &dry);
    assert_eq!(shown["status"], "dry-run", "{shown}");
    let expected = [
        (&orchestrator, false, &["old-release"][..]),
        (&second, true, &["release", "tag"]),
        (&third, true, &["service", "task", "task-definition", "stack", "release", "tag"]),
        (&part, true, &["release", "part"]),
        (&theirs, true, &["task"]),
        (&scheduled, true, &["task-definition"]),
        (&cache, true, &["cache"]),
        (&elsewhere, true, &["tag"]),
        (&promoted, true, &["promotion"]),
        (&unused, false, &["unused"]),
        (&untagged, false, &["unused"]),
        (&old_part, false, &["part"]),
        (&old, false, &["unused"]),
    ];
    let expected: Verdicts = expected
        .into_iter()
        .map(|(digest, stays, kinds)| {
            (digest.clone(), (stays, kinds.iter().map(ToString::to_string).collect()))
        })
        .collect();
    let found = verdicts(&shown);
    for (digest, expected) in &expected {
        assert_eq!(found.get(digest), Some(expected), "{digest}\n{shown:#}");
    }
    assert_eq!(found.len(), expected.len(), "{shown:#}");
    assert_eq!(left(&target), all, "nothing has gone");

    // Whoever can't see everything deletes nothing.
    let record = "releases/dev/00000002.json";
    let kept = object(&target, &bucket, record).body;
    put_object(&target, &bucket, record, "what is this");
    let yes = [&gc[..], &["--yes"]].concat();
    assert!(refused(&tree, &yes, 1).contains(record));
    put_object(&target, &bucket, record, &kept);
    let lease = json!({
        "holder": {"environment": "prod", "operation": "x", "user": "ada", "host": "elsewhere", "command": "deploy",
                   "process": {"pid": 1, "started": 1, "boot": "x", "machine": "x"}},
        "since": "2026-11-22T14:00:00Z", "token": "x", "renewal": 0, "lasts": 90,
    });
    put_object(&target, &bucket, "leases/prod.json", &lease.to_string());
    assert!(refused(&tree, &yes, 1).contains("works on prod"));
    delete_object(&target, &bucket, "leases/prod.json");
    assert!(refused(&tree, &gc, 1).contains("there is no terminal to ask on"));
    assert_eq!(left(&target), all, "nothing has gone");

    let collected = done(&tree, &yes);
    assert_eq!(collected["status"], "collected", "{collected}");
    let stay: Vec<String> =
        expected.iter().filter(|(_, (stays, _))| *stays).map(|(digest, _)| digest.clone()).collect();
    assert_eq!(left(&target), stay);
    assert_eq!(collected["deleted"].as_array().map(Vec::len), Some(all.len() - stay.len()), "{collected}");
    assert_eq!(done(&tree, &yes)["status"], "unchanged");

    // What runs goes on, and what may come back does.
    let url = deployed["url"].as_str().expect("has a URL");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);
    done(&tree, &["rollback", "--local", "--yes", "--json", "--to", "2"]);
    let listed = done(&tree, &["images", "ls", "--local", "--json"]);
    assert!(verdicts(&listed)[&second].1.contains(&"service".to_owned()), "{listed:#}");
    assert_eq!(listed["unseen"], json!([]));
}

//! What is kept of the images and what goes, on the local target with real containers.

use crate::{
    http::{api, delete_object, get, object, put_object, request},
    workspace::{WorkTree, document, have_docker, shown},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leo_local::LocalTarget;
use serde_json::{Value, json};
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
    let digest = format!("sha256:{}", leo_release::template_sha256(&body));
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

/// A registry with an image of every kind, and what has to be decided about each.
struct Scene {
    tree: WorkTree,
    target: LocalTarget,
    bucket: String,
    url: String,
    /// The image of the release before the one that runs.
    before: String,
    expected: Verdicts,
}

impl Scene {
    fn new() -> Self {
        let tree = WorkTree::new();
        tree.configure(KEPT);
        let first = deploy(&tree, "build");
        let digest = |image: usize| first["images"][image]["digest"].as_str().expect("has one").to_owned();
        let (orchestrator, generator) = (digest(0), digest(1));
        let target = tree.local_target();
        let named = |orchestrator: &str| format!("orchestrator={orchestrator},generator={generator}");
        let image = |name: &str, tag: Option<&str>| variant(&target, &orchestrator, name, tag);

        let second = image("second", Some("digest-second"));
        deploy(&tree, &named(&second));
        let part = image("part", None);
        let third = index(&target, "third", &[&part]);
        let deployed = deploy(&tree, &named(&third));

        let (theirs, scheduled) = (image("theirs", Some("theirs")), image("scheduled", Some("scheduled")));
        somebody_elses(&target, &theirs);
        let promoted = image("promoted", None);
        let old_part = image("old part", None);
        let expected: [(String, bool, &[&str]); 13] = [
            (orchestrator.clone(), false, &["old-release"]),
            (second.clone(), true, &["release", "tag"]),
            (third, true, &["service", "task", "task-definition", "stack", "release", "tag"]),
            (part.clone(), true, &["release", "part"]),
            (theirs, true, &["task"]),
            (scheduled, true, &["task-definition"]),
            (image("cache", Some("cache-main-amd64")), true, &["cache"]),
            (image("elsewhere", Some("keep-elsewhere")), true, &["tag"]),
            (promoted.clone(), true, &["promotion"]),
            (image("unused", Some("git-unused-amd64")), false, &["unused"]),
            (image("untagged", None), false, &["unused"]),
            (old_part.clone(), false, &["part"]),
            // Shares a part with the one that runs.
            (index(&target, "old", &[&old_part, &part]), false, &["unused"]),
        ];
        let kinds = |kinds: &[&str]| kinds.iter().map(ToString::to_string).collect();
        let scene = Self {
            bucket: format!("leo-artifacts-{}-{}", target.account_id, target.region),
            url: deployed["url"].as_str().expect("has a URL").to_owned(),
            before: second,
            expected: expected
                .into_iter()
                .map(|(digest, stays, why)| (digest, (stays, kinds(why))))
                .collect(),
            tree,
            target,
        };
        let promotion = json!({
            "schema": 1, "environment": "staging", "at": "2026-11-22T14:00:00Z", "by": "ada", "host": "laptop",
            "from": {"environment": "dev", "release": 1, "account": "x", "region": "x"},
            "images": [{"container": "orchestrator", "repository": format!("x/{REPOSITORY}"), "digest": promoted}],
        });
        scene.put("promotions/staging.json", &promotion.to_string());
        scene
    }

    fn put(&self, key: &str, body: &str) {
        assert_eq!(put_object(&self.target, &self.bucket, key, body).status, 200, "{key}");
    }

    fn all(&self) -> Vec<String> {
        self.expected.keys().cloned().collect()
    }

    fn staying(&self) -> Vec<String> {
        let staying = self.expected.iter().filter(|(_, (stays, _))| *stays);
        staying.map(|(digest, _)| digest.clone()).collect()
    }

    /// Whoever can't see everything deletes nothing.
    fn is_refused_where_something_is_not_seen(&self, gc: &[&str], yes: &[&str]) {
        let record = "releases/dev/00000002.json";
        let kept = object(&self.target, &self.bucket, record).body;
        self.put(record, "what is this");
        assert!(refused(&self.tree, yes, 1).contains(record));
        self.put(record, &kept);
        let lease = json!({
            "holder": {"environment": "prod", "operation": "x", "user": "ada", "host": "elsewhere",
                       "command": "deploy", "process": {"pid": 1}},
            "since": "2026-11-22T14:00:00Z", "token": "x", "renewal": 0, "lasts": 90,
        });
        self.put("leases/prod.json", &lease.to_string());
        assert!(refused(&self.tree, yes, 1).contains("ada@elsewhere (deploy, process 1) works on prod"));
        delete_object(&self.target, &self.bucket, "leases/prod.json");
        assert!(refused(&self.tree, gc, 1).contains("there is no terminal to ask on"));
        let unsafe_on_aws = ["images", "gc", "--newer-than", "0", "--yes"];
        assert!(refused(&self.tree, &unsafe_on_aws, 2).contains("--newer-than"));
        assert_eq!(left(&self.target), self.all(), "nothing has gone");
    }
}

/// A cluster that is not ours runs a task of a task definition that is active no more; another one is only active.
fn somebody_elses(target: &LocalTarget, running: &str) {
    let own = ecs(target, "DescribeTaskDefinition", &json!({"taskDefinition": "leo-dev-orchestrator"}));
    let own = &own["taskDefinition"];
    let register = |family: &str, image: String| {
        let environment = &own["containerDefinitions"][0]["environment"];
        let container = json!({"name": "app", "image": image, "memory": 64, "environment": environment});
        let mut definition = json!({"family": family, "containerDefinitions": [container]});
        for same in ["taskRoleArn", "executionRoleArn", "networkMode"] {
            definition[same] = own[same].clone();
        }
        ecs(target, "RegisterTaskDefinition", &definition)
    };
    register("theirs", format!("127.0.0.1:{}/{REPOSITORY}@{running}", target.port));
    register("scheduled", format!("111122223333.dkr-ecr.us-east-1.on.aws/{REPOSITORY}:scheduled"));
    ecs(target, "CreateCluster", &json!({"clusterName": "theirs"}));
    ecs(target, "RunTask", &json!({"cluster": "theirs", "taskDefinition": "theirs:1"}));
    ecs(target, "DeregisterTaskDefinition", &json!({"taskDefinition": "theirs:1"}));
}

#[test]
fn docker_what_runs_or_may_come_back_stays_and_nothing_else_does() {
    if !have_docker() {
        return;
    }
    let scene = Scene::new();
    let (tree, target) = (&scene.tree, &scene.target);
    assert_eq!(left(target), scene.all());

    let new = done(tree, &["images", "gc", "--local", "--json", "--dry-run"]);
    assert_eq!(new["status"], "unchanged", "{new}");
    let is_new = |(stays, kinds): &(bool, Vec<String>)| *stays && kinds.contains(&"new".to_owned());
    assert!(verdicts(&new).values().all(is_new), "{new}");

    let gc = ["images", "gc", "--local", "--json", "--newer-than", "0"];
    let shown = done(tree, &[&gc[..], &["--dry-run"]].concat());
    assert_eq!(shown["status"], "dry-run", "{shown}");
    let found = verdicts(&shown);
    for (digest, expected) in &scene.expected {
        assert_eq!(found.get(digest), Some(expected), "{digest}\n{shown:#}");
    }
    assert_eq!(found.len(), scene.expected.len(), "{shown:#}");
    let environments = shown["environments"].as_array().expect("is a list").iter();
    let names: Vec<&str> = environments.filter_map(|environment| environment["name"].as_str()).collect();
    assert_eq!(names, ["dev", "prod", "staging"]);
    let yes = [&gc[..], &["--yes"]].concat();
    scene.is_refused_where_something_is_not_seen(&gc, &yes);

    let collected = done(tree, &yes);
    assert_eq!(collected["status"], "collected", "{collected}");
    assert_eq!(left(target), scene.staying());
    let deleted = scene.all().len() - scene.staying().len();
    assert_eq!(collected["deleted"].as_array().map(Vec::len), Some(deleted), "{collected}");
    assert_eq!(collected["kept_by_ecr"], json!([]));
    assert_eq!(done(tree, &yes)["status"], "unchanged");

    // What runs goes on, and what may come back does.
    assert_eq!(get(&format!("{}/healthz", scene.url)).status, 200);
    done(tree, &["rollback", "--local", "--yes", "--json", "--to", "2"]);
    let listed = done(tree, &["images", "ls", "--local", "--json"]);
    assert!(verdicts(&listed)[&scene.before].1.contains(&"service".to_owned()), "{listed:#}");
    assert_eq!(listed["unseen"], json!([]));
}

//! Platforms that can't run, on real containers: each deploy ends as failed, names its cause, and keeps its evidence.

use crate::{
    http::{get, request},
    workspace::{WorkTree, document, have_docker, shown},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use leo_local::LocalTarget;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

const IMAGES: &str = "[images.orchestrator]\ncontext = \"images/orchestrator\"\n\
                      [images.generator]\ncontext = \"images/generator\"";

/// What the orchestrator's container runs.
const SERVES: &str = "[\"/leo-saas\"]";
/// Asks its own port, where nobody listens: ends with exit code 1 and says why.
const EXITS: &str = "[\"/leo-saas\", \"health\"]";

/// Sibling repositories in the work tree, whose orchestrator runs this.
fn siblings(tree: &WorkTree, programs: &[PathBuf; 2], orchestrator: &str) {
    for (name, program, runs) in
        [("orchestrator", &programs[0], orchestrator), ("generator", &programs[1], "[\"/leo-container\"]")]
    {
        let folder = tree.root().join("images").join(name);
        fs::create_dir_all(&folder).expect("makes a folder");
        let file = program.file_name().and_then(|file| file.to_str()).expect("has a name");
        fs::copy(program, folder.join(file)).expect("copies a program");
        let dockerfile = format!("FROM scratch\nCOPY --chmod=0555 {file} /{file}\nENTRYPOINT {runs}\n");
        fs::write(folder.join("Dockerfile"), dockerfile).expect("writes a file");
    }
}

/// The demo programs, compiled where that was not done before.
fn programs(tree: &WorkTree) -> [PathBuf; 2] {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => leo_config::Architecture::Arm64,
        _ => leo_config::Architecture::X86_64,
    };
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let pair = runtime
        .block_on(leo_image::demo::build(tree.root(), architecture, architecture, |_| {}))
        .expect("compiles");
    let program = |source: &leo_image::Source, name: &str| {
        source.named_contexts.values().next().expect("has a context").join(name)
    };
    [program(&pair.orchestrator, "leo-saas"), program(&pair.generator, "leo-container")]
}

fn deploy(tree: &WorkTree, more: &[&str]) -> Output {
    let mut arguments = vec!["deploy", "--local", "--yes", "--json"];
    arguments.extend(more);
    tree.leo_infra(&arguments).output().expect("runs")
}

/// Puts a manifest into the orchestrator's repository whose parts are not there, and gives its digest.
fn push_hollow_image(target: &LocalTarget) -> String {
    const TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
    let missing = format!("sha256:{}", "fedcba9876543210".repeat(4));
    let part = |kind: &str| json!({"mediaType": kind, "digest": missing, "size": 32});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": TYPE,
        "config": part("application/vnd.oci.image.config.v1+json"),
        "layers": [part("application/vnd.oci.image.layer.v1.tar+gzip")],
    });
    let body = manifest.to_string();
    let (user, password) = target.registry_login();
    let login = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
    let answer = request(
        "PUT",
        &format!("{}/v2/leo-saas-app/manifests/hollow", target.endpoint),
        &[("Authorization", &format!("Basic {login}")), ("Content-Type", TYPE)],
        &body,
    );
    assert_eq!(answer.status, 201, "{answer:?}");
    Sha256::digest(&body).iter().fold("sha256:".to_owned(), |mut digest, byte| {
        write!(digest, "{byte:02x}").expect("a text takes it");
        digest
    })
}

/// What a failed deploy says, to a person and to a program. It carries no step's success.
fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", shown(output));
    let told = document(output);
    assert_eq!((&told["status"], &told["exit_code"]), (&json!("failed"), &json!(1)), "{told}");
    shown(output)
}

/// A work tree, and the evidence folders that are known in it.
struct Kept<'a> {
    tree: &'a WorkTree,
    known: Vec<PathBuf>,
}

impl Kept<'_> {
    /// The evidence that one more operation left; it is for its owner alone.
    fn new_evidence(&mut self) -> Value {
        let folder = self.tree.root().join(".leo/evidence");
        let mut new = entries(&folder);
        new.retain(|found| !self.known.contains(found));
        let [operation] = new.as_slice() else { panic!("one operation, one folder: {new:?}") };
        self.known.push(operation.clone());
        assert_eq!(mode(operation), 0o700);
        let files = entries(operation);
        let [file] = files.as_slice() else { panic!("one file: {files:?}") };
        assert_eq!(mode(file), 0o600);
        serde_json::from_slice(&fs::read(file).expect("reads")).expect("is JSON")
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("reads").path()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o777
}

/// The exit codes of the stopped tasks in an evidence.
fn exit_codes(evidence: &Value) -> Vec<i64> {
    let stops = evidence["stops"]["kept"].as_array().into_iter().flatten();
    let tasks = stops.flat_map(|stop| stop["item"]["tasks"].as_array().into_iter().flatten());
    let containers = tasks.flat_map(|task| task["containers"].as_array().into_iter().flatten());
    containers.filter_map(|container| container["exit_code"].as_i64()).collect()
}

/// What the program of [`EXITS`] says.
const LAST_WORDS: &str = "failed to ask 127.0.0.1:8080 for its health";

#[test]
fn docker_a_container_that_exits_at_once_fails_the_first_deploy_by_name() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    tree.configure(IMAGES);
    let programs = programs(&tree);
    siblings(&tree, &programs, EXITS);
    let screen = failure(&deploy(&tree, &[]));
    // Not the deadline: the second task that stopped the same way was enough.
    assert!(screen.contains("stopped for the same reason"), "{screen}");
    assert!(screen.contains("exits by itself with exit code 1") && screen.contains(LAST_WORDS), "{screen}");
    let mut kept = Kept { tree: &tree, known: vec![] };
    let evidence = kept.new_evidence();
    assert!(exit_codes(&evidence).contains(&1), "{evidence:#}");
    assert!(evidence["logs"].to_string().contains(LAST_WORDS), "{evidence:#}");
    // Or its containers would start and end for ever.
    assert!(screen.contains("leo-dev-platform was deleted again; the data stays"), "{screen}");
    let again = tree.leo_infra(&["diagnose", "--local"]).output().expect("runs");
    assert!(shown(&again).contains("exits by itself with exit code 1"), "{}", shown(&again));

    siblings(&tree, &programs, SERVES);
    let output = deploy(&tree, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
}

#[test]
fn docker_an_update_that_can_not_run_is_named_and_leaves_what_ran() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    let programs = programs(&tree);
    siblings(&tree, &programs, SERVES);
    let mut kept = Kept { tree: &tree, known: vec![] };

    // The demo does not know this path. Nothing but the deadline ends that: the container runs and is well.
    tree.configure(&format!("{IMAGES}\n[orchestrator.health]\npath = \"/not-there\""));
    let screen = failure(&deploy(&tree, &["--deadline", "6"]));
    assert!(screen.contains("the health path /not-there is answered with 404"), "{screen}");
    let evidence = kept.new_evidence();
    assert!(evidence["mismatches"].to_string().contains("/not-there answers with 404"), "{evidence:#}");

    tree.configure(IMAGES);
    let output = deploy(&tree, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let good = document(&output);
    let url = good["url"].as_str().expect("has a URL");
    let generator = good["images"][1]["digest"].as_str().expect("has a digest");

    // No registry has it: nothing is touched.
    let nothing = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let images = format!("orchestrator={nothing},generator={generator}");
    let screen = failure(&deploy(&tree, &["--images", &images]));
    assert!(screen.contains(&format!("find the image {nothing} in the repository leo-saas-app")), "{screen}");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);

    // The registry lists it, and has nothing of it but the list of its parts: that shows before anything is changed.
    let hollow = push_hollow_image(&tree.local_target());
    let images = format!("orchestrator={hollow},generator={generator}");
    let screen = failure(&deploy(&tree, &["--images", &images]));
    assert!(screen.contains("BLOB_UNKNOWN"), "{screen}");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);

    siblings(&tree, &programs, EXITS);
    let screen = failure(&deploy(&tree, &[]));
    assert!(screen.contains("exits by itself with exit code 1") && screen.contains(LAST_WORDS), "{screen}");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);
    let evidence = kept.new_evidence();
    assert!(exit_codes(&evidence).contains(&1), "{evidence:#}");

    // The circuit breaker has put the old tasks back by now, while the stack says UPDATE_COMPLETE: no change is no success.
    let screen = failure(&deploy(&tree, &[]));
    assert!(
        screen.contains("runs instead of") && screen.contains("circuit breaker was triggered"),
        "{screen}"
    );
    assert!(screen.contains(LAST_WORDS), "{screen}");
    assert!(kept.new_evidence()["deployments"].to_string().contains("circuit breaker"), "{screen}");
    assert_eq!(get(&format!("{url}/healthz")).status, 200);

    siblings(&tree, &programs, SERVES);
    let output = deploy(&tree, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert_eq!(get(&format!("{url}/healthz")).status, 200);
}

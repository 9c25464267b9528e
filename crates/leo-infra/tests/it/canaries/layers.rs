//! With real containers: the images, the logs and everything else that the engine and the local target have to show.

use super::nest::Nest;
use crate::{
    http::{api, post},
    workspace::{WorkTree, have_docker},
};
use leo_canary::{Canaries, Leak};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const LOGS: &str = "Logs_20140328";
/// What a gzip file begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn output(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().expect("runs");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    [output.stdout, output.stderr].concat()
}

fn lines(program: &str, arguments: &[&str]) -> Vec<String> {
    String::from_utf8_lossy(&output(program, arguments)).lines().map(str::to_owned).collect()
}

/// What is found in every layer and in the configuration of an image.
fn in_image(canaries: &Canaries, image: &str) -> Vec<Leak> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let archive = folder.path().join("image.tar").display().to_string();
    output("docker", &["save", "--output", &archive, image]);
    output("tar", &["-xf", &archive, "-C", &folder.path().display().to_string()]);
    let mut leaks = Vec::new();
    let mut unpacked = 0;
    each_file(folder.path(), &mut |file| {
        let mut bytes = fs::read(file).expect("reads");
        if bytes.starts_with(&GZIP) {
            bytes = output("gzip", &["-dc", &file.display().to_string()]);
            unpacked += 1;
        }
        leaks.extend(canaries.in_bytes(&format!("{} of {image}", file.display()), &bytes));
    });
    assert!(unpacked > 0, "{image} has no layer");
    leaks
}

fn each_file(folder: &Path, act: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("reads") {
        let path = entry.expect("reads").path();
        if path.is_dir() { each_file(&path, act) } else { act(&path) }
    }
}

#[test]
fn docker_real_values_reach_the_containers_that_consume_them_and_nothing_else() {
    if !have_docker() {
        return;
    }
    let nest = Nest::new(WorkTree::new());
    let first = nest.check(&["deploy", "--yes", "--local", "--with-secrets", "--demo", "--json"], &[]);
    assert_eq!(first.code, Some(0), "{}", first.shown());
    let deployed: Value = serde_json::from_slice(&first.stdout).expect("is JSON");
    let target = nest.tree.local_target();

    let instance = format!(":{}", target.port);
    let format = "{{.ID}} {{.Label \"ministack.instance\"}}";
    let containers: Vec<String> = lines("docker", &["ps", "--all", "--no-trunc", "--format", format])
        .into_iter()
        .filter_map(|line| line.strip_suffix(&instance)?.split(' ').next().map(str::to_owned))
        .collect();
    assert!(!containers.is_empty());
    for container in &containers {
        let environment = output("docker", &["inspect", "--format", "{{json .Config.Env}}", container]);
        let environment: Vec<String> = serde_json::from_slice(&environment).expect("is a list");
        let has =
            |name: &str, key: &str| environment.contains(&format!("{key}={}", nest.canaries.value(name)));
        assert!(has("variable", "GITHUB_TOKEN") && has("service", "SUPABASE_SERVICE_ROLE_KEY"));
        assert!(has("awkward", "AWKWARD_KEY"));
        // A generator's alone.
        assert!(!environment.iter().any(|variable| variable.contains(nest.canaries.value("claude"))));
    }

    // A job, so that a generator has been there too.
    let url = deployed["url"].as_str().expect("has a URL");
    assert_eq!(post(&format!("{url}/jobs"), &json!({"prompt": "a page"}).to_string()).status, 202);
    let reference = format!("reference=127.0.0.1:{}/*", target.port);
    let listed =
        ["image", "ls", "--digests", "--filter", &reference, "--format", "{{.Repository}}@{{.Digest}}"];
    let images = lines("docker", &listed);
    assert!(!images.is_empty());
    let mut leaks: Vec<Leak> = images.iter().flat_map(|image| in_image(&nest.canaries, image)).collect();
    for container in &containers {
        leaks.extend(nest.canaries.in_bytes("a container's log", &output("docker", &["logs", container])));
    }
    for group in ["/leo/dev/orchestrator", "/leo/dev/generator"] {
        let events =
            api(&target, "logs", &format!("{LOGS}.FilterLogEvents"), &json!({"logGroupName": group}));
        leaks.extend(nest.canaries.in_bytes(group, events.to_string().as_bytes()));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
    for command in [
        &["deploy", "--yes"][..],
        &["images", "ls"],
        &["diagnose", "--live"],
        &["drift"],
        &["destroy", "--yes"],
    ] {
        nest.check(&[command, &["--local"]].concat(), &[]);
    }
}

//! Tests that start containers. Their image is one static program, made here: nothing is pulled.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use leo_local::{Engine, LocalTarget, down, status};

use super::{Place, boto, http, skip, tools};

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Whether the target has an engine; says why not.
fn has_engine(target: &LocalTarget) -> bool {
    match &target.engine {
        Engine::Docker(_) => true,
        Engine::None { reason } => {
            skip(reason);
            false
        }
    }
}

/// An image that is removed with the test.
struct Image(String);

impl Image {
    /// The probe alone. Its port makes the name the test's own.
    fn probe(folder: &Path, target: &LocalTarget) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/probe.rs");
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let compiled = Command::new(rustc)
            .args(["--edition=2024", "-Ctarget-feature=+crt-static", "-o"])
            .arg(folder.join("probe"))
            .arg(source)
            .status()
            .unwrap();
        assert!(compiled.success());
        fs::write(folder.join("Dockerfile"), "FROM scratch\nCOPY probe /probe\nENTRYPOINT [\"/probe\"]\n")
            .unwrap();
        let name = format!("leo-local-probe:{}", target.port);
        docker(&["buildx", "build", "--quiet", "--load", "--tag", &name, folder.to_str().unwrap()]);
        Self(name)
    }

    /// Nothing at all: enough for containers that are never started.
    fn empty(folder: &Path, target: &LocalTarget) -> Self {
        let tar = folder.join("empty.tar");
        fs::write(&tar, [0_u8; 10240]).unwrap();
        let name = format!("leo-local-empty:{}", target.port);
        docker(&["import", tar.to_str().unwrap(), &name]);
        Self(name)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["image", "rm", "--force", &self.0]).output();
    }
}

#[test]
fn docker_python_a_task_has_its_roles_rights() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    if !has_engine(&target) {
        return;
    }
    assert_eq!(status(&place.path()).unwrap().forwarding, Some(true));
    let image = Image::probe(place.folder.path(), &target);
    let script = format!("os.environ['IMAGE'] = '{}'\n{}", image.0, include_str!("rights.py"));
    let answers = boto(&tools, &target, target.secret_access_key.expose(), &script);
    let expected = "from inside answer: HTTP/1.1 403 Forbidden\n\
                    identity allowed\n\
                    run the worker allowed\n\
                    run oneself AccessDeniedException\n\
                    run with a role that is not to be passed AccessDeniedException\n\
                    run in another cluster AccessDeniedException\n\
                    list allowed\n\
                    list another cluster AccessDeniedException\n\
                    stop the worker allowed\n\
                    stop oneself AccessDeniedException\n\
                    write a job allowed\n\
                    write elsewhere AccessDenied\n\
                    read stacks AccessDenied\n\
                    after the task's end UnrecognizedClientException";
    assert_eq!(answers, expected);
}

#[test]
fn docker_python_the_bridge_is_for_containers_alone() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    if !has_engine(&target) {
        return;
    }
    let Some(engine) = target.engine.docker() else { return };
    // A peer of this machine comes from an address outside the bridge, or from its gateway: then only a signature lets it in.
    let address = (engine.bridge.gateway, target.port);
    let answer = std::panic::catch_unwind(|| http(address, "GET / HTTP/1.1", ""));
    assert!(answer.map_or(true, |(code, _)| code == 403));
}

#[test]
fn docker_python_down_removes_its_containers_and_no_others() {
    let Some(tools) = tools() else { return };
    let place = Place::new();
    let target = place.up(&tools);
    if !has_engine(&target) {
        return;
    }
    let saved = fs::read_to_string(place.path().join("state.json")).unwrap();
    let instance = saved.split("\"instance\": \"").nth(1).unwrap().split('"').next().unwrap();
    let image = Image::empty(place.folder.path(), &target);
    let create =
        |label: &str| docker(&["create", "--label", "ministack=ecs", "--label", label, &image.0, "/none"]);
    let ours = create(&format!("ministack.instance={instance}"));
    let theirs = create("ministack.instance=somebody-else:4566");

    let listed = status(&place.path()).unwrap().containers;
    assert_eq!(listed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [ours.as_str()]);
    assert!(down(&place.path()).unwrap());
    let left = docker(&["ps", "--all", "--quiet", "--no-trunc"]);
    let images =
        docker(&["image", "ls", "--quiet", "--filter", &format!("reference={}/*", target.registry())]);
    assert_eq!(images, "", "no name of its registry is left");
    docker(&["rm", "--force", &theirs]);
    assert!(left.contains(&theirs) && !left.contains(&ours), "{left}");
}

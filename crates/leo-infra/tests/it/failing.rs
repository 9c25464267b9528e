//! Platforms that can't run, on real containers: each deploy ends as failed, names its cause, and keeps its evidence.

use crate::workspace::{WorkTree, document, have_docker, shown};
use serde_json::Value;
use std::{
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
    let mut arguments = vec!["deploy", "--local", "--yes", "--json", "--deadline", "30"];
    arguments.extend(more);
    tree.leo_infra(&arguments).output().expect("runs")
}

/// The only evidence that is new since `known`, by its folder; everything in it is for its owner alone.
fn evidence(tree: &WorkTree, known: &mut Vec<PathBuf>) -> String {
    let folder = tree.root().join(".leo/evidence");
    let mut new: Vec<PathBuf> =
        entries(&folder).into_iter().filter(|found| !known.contains(found)).collect();
    assert_eq!(new.len(), 1, "one operation, one folder");
    let operation = new.remove(0);
    known.push(operation.clone());
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&operation), 0o700);
    let files = entries(&operation);
    assert!(!files.is_empty());
    files
        .iter()
        .map(|file| {
            assert_eq!(mode(file), 0o600, "{}", file.display());
            fs::read_to_string(file).expect("reads")
        })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("reads").path()).collect()
}

/// What a failed deploy says to a person and to a program.
fn failure(output: &Output) -> (String, Value) {
    assert_eq!(output.status.code(), Some(1), "{}", shown(output));
    let told = document(output);
    assert_eq!(told["status"], "failed");
    (String::from_utf8_lossy(&output.stderr).into_owned(), told)
}

#[test]
fn docker_a_first_deploy_whose_container_exits_names_its_exit_code_and_its_last_words() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    tree.configure(IMAGES);
    siblings(&tree, &programs(&tree), EXITS);
    let began = std::time::Instant::now();
    let output = deploy(&tree, &[]);
    eprintln!("{:?} {}", began.elapsed(), shown(&output));
    let (screen, _) = failure(&output);
    let kept = evidence(&tree, &mut vec![]);
    eprintln!("{kept}");
    let began = std::time::Instant::now();
    let output = deploy(&tree, &[]);
    eprintln!("again: {:?} {}", began.elapsed(), shown(&output));
    panic!("{screen}");
}

#[test]
fn docker_an_update_that_can_not_run_leaves_what_ran_before() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    let programs = programs(&tree);
    siblings(&tree, &programs, SERVES);
    let mut known = vec![];

    // The demo does not know this path: the load balancer would call no target healthy.
    tree.configure(&format!("{IMAGES}\n[orchestrator.health]\npath = \"/not-there\""));
    let began = std::time::Instant::now();
    let output = tree.leo_infra(&["deploy", "--local", "--yes", "--json", "--deadline", "5"]).output().expect("runs");
    eprintln!("unhealthy: {:?} {}", began.elapsed(), shown(&output));
    let (screen, _) = failure(&output);
    eprintln!("{}", evidence(&tree, &mut known));

    tree.configure(IMAGES);
    let began = std::time::Instant::now();
    let output = deploy(&tree, &[]);
    eprintln!("good: {:?} {}", began.elapsed(), shown(&output));
    let good = document(&output);

    let nothing = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let generator = good["images"][1]["digest"].as_str().expect("has a digest");
    let began = std::time::Instant::now();
    let output = deploy(&tree, &["--images", &format!("orchestrator={nothing},generator={generator}")]);
    eprintln!("no image: {:?} {}", began.elapsed(), shown(&output));
    let (screen, _) = failure(&output);

    siblings(&tree, &programs, EXITS);
    let began = std::time::Instant::now();
    let output = deploy(&tree, &[]);
    eprintln!("breaker: {:?} {}", began.elapsed(), shown(&output));
    let (screen, _) = failure(&output);
    eprintln!("{}", evidence(&tree, &mut known));
    let began = std::time::Instant::now();
    let output = deploy(&tree, &[]);
    eprintln!("breaker again: {:?} {}", began.elapsed(), shown(&output));
    siblings(&tree, &programs, SERVES);
    let began = std::time::Instant::now();
    let output = deploy(&tree, &[]);
    eprintln!("good again: {:?} {}", began.elapsed(), shown(&output));
    panic!("{screen}");
}

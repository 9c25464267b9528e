//! What siblings' CI runs (`ci/push-images`), step by step as GitHub would, with programs of our own for those that a
//! runner has; then with the real ones, to a running platform.

use crate::workspace::{WorkTree, have_docker, shown, tools};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// What `aws-actions/configure-aws-credentials` answers with.
const SECRET: &str = "not-to-be-seen";

/// A job on a runner: a workspace, programs, and what steps have said so far.
struct Job {
    folder: TempDir,
    /// Where leo-infra is, with the action in it.
    infra: PathBuf,
    inputs: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    /// The actions that were used, with what they were given.
    used: Vec<(String, Value)>,
}

impl Job {
    /// One of a sibling repository whose image is `FROM scratch` with a file.
    fn new(infra: &Path, inputs: &[(&str, &str)]) -> Self {
        let job = Self {
            folder: tempfile::Builder::new().prefix("leo-job-").tempdir().expect("makes a folder"),
            infra: infra.to_owned(),
            inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            outputs: BTreeMap::new(),
            used: vec![],
        };
        for folder in ["bin", "temp", "workspace"] {
            fs::create_dir(job.path(folder)).expect("makes a folder");
        }
        fs::write(job.path("workspace/Dockerfile"), "FROM scratch\nCOPY file /\n").expect("writes a file");
        fs::write(job.path("workspace/file"), "of the sibling\n").expect("writes a file");
        for program in ["rustup", "docker", "gh"] {
            job.program(program, "");
        }
        job
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program of the runner: it notes how it was called, then does this.
    fn program(&self, name: &str, then: &str) {
        let log = self.path("calls").display().to_string();
        let text = format!("#!/usr/bin/env bash\necho \"{name} $*\" >>'{log}'\n{then}\n");
        let path = self.path("bin").join(name);
        fs::write(&path, text).expect("writes a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("is ours");
    }

    /// A `cargo` whose `push-images` ends like this.
    fn cargo(&self, document: &Value, code: i32) {
        let seen = self.path("environment").display().to_string();
        self.program(
            "cargo",
            &format!(
                "[[ $1 == xtask ]] || exit 0\nenv | grep ^AWS_ >'{seen}'\necho '{document}'\nexit {code}"
            ),
        );
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs the action's steps until one fails; that one's output, or the last one's.
    fn run(&mut self) -> Output {
        let action = action();
        for (name, input) in action["inputs"].as_object().expect("has some") {
            let default = input["default"].as_str().map(str::to_owned);
            let value = self.inputs.get(name).cloned().or(default);
            self.inputs.insert(name.clone(), value.unwrap_or_else(|| panic!("{name} is required")));
        }
        let mut last = None;
        for step in action["runs"]["steps"].as_array().expect("is a list") {
            if let Some(condition) = step["if"].as_str() {
                let (input, value) = condition.split_once(" == ").expect("is a comparison");
                if self.value(input) != value.trim_matches('\'') {
                    continue;
                }
            }
            if let Some(uses) = step["uses"].as_str() {
                let given = step["with"].as_object().into_iter().flatten();
                let given: Value = given
                    .map(|(name, value)| (name.clone(), json!(self.text(value))))
                    .collect::<serde_json::Map<_, _>>()
                    .into();
                self.used.push((uses.to_owned(), given));
                for name in ["aws-access-key-id", "aws-secret-access-key", "aws-session-token"] {
                    self.outputs.insert(format!("credentials.{name}"), SECRET.to_owned());
                }
                continue;
            }
            let output = self.step(step);
            let failed = !output.status.success();
            last = Some(output);
            if failed {
                break;
            }
        }
        last.expect("has steps")
    }

    /// A step with `run`, as a runner starts one with `shell: bash`.
    fn step(&mut self, step: &Value) -> Output {
        let script = self.path("temp/step.sh");
        fs::write(&script, self.text(&step["run"])).expect("writes a file");
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&script);
        let environment = step["env"].as_object().into_iter().flatten();
        let environment: Vec<_> = environment.map(|(name, value)| (name.clone(), self.text(value))).collect();
        self.clean(&mut command).envs(environment);
        let place = step["working-directory"].as_str().map(|place| self.text(&json!(place)));
        command.current_dir(place.map_or_else(|| self.path("workspace"), PathBuf::from));
        let output = command.output().expect("runs");
        let said = self.path("temp/output");
        for line in fs::read_to_string(&said).unwrap_or_default().lines() {
            let (name, value) = line.split_once('=').expect("is a pair");
            let id = step["id"].as_str().expect("has an id");
            self.outputs.insert(format!("{id}.{name}"), value.to_owned());
        }
        drop(fs::remove_file(said));
        output
    }

    /// Nothing of this machine's but what a runner has, too.
    fn clean<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let path = std::env::var("PATH").expect("is set");
        command
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", std::env::var_os("HOME").unwrap_or_default())
            .env("GITHUB_OUTPUT", self.path("temp/output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("GITHUB_SERVER_URL", "https://github.example")
    }

    /// A text of the action with its expressions replaced.
    fn text(&self, value: &Value) -> String {
        let Some(mut rest) = value.as_str() else { return value.to_string() };
        let mut text = String::new();
        while let Some((before, expression)) = rest.split_once("${{") {
            let (expression, after) = expression.split_once("}}").expect("is closed");
            text.push_str(before);
            text.push_str(&self.value(expression.trim()));
            rest = after;
        }
        text + rest
    }

    fn value(&self, expression: &str) -> String {
        if let Some(input) = expression.strip_prefix("inputs.") {
            return self.inputs.get(input).unwrap_or_else(|| panic!("no input {input}")).clone();
        }
        if let Some(output) = expression.strip_prefix("steps.") {
            let output = output.replacen(".outputs.", ".", 1);
            return self.outputs.get(&output).unwrap_or_else(|| panic!("no output {output}")).clone();
        }
        match expression {
            "github.workspace" => self.path("workspace").display().to_string(),
            "github.action_path" => self.infra.join("ci/push-images").display().to_string(),
            "github.run_id" => "4711".to_owned(),
            "runner.temp" => self.path("temp").display().to_string(),
            "runner.os" => "Linux".to_owned(),
            "runner.arch" => "X64".to_owned(),
            other => panic!("nobody gives {other}"),
        }
    }
}

/// The action's definition.
fn action() -> Value {
    yaml("ci/push-images/action.yml")
}

/// A file of this repository.
fn yaml(path: &str) -> Value {
    let read = "import json, sys, yaml; print(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))";
    let path = repository().join(path);
    let output = Command::new(tools().python()).args(["-c", read]).arg(path).output().expect("runs");
    assert!(output.status.success(), "{}", shown(&output));
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("is there")
}

const PUSH: [(&str, &str); 4] = [
    ("image", "generator"),
    ("environment", "dev"),
    ("role-to-assume", "arn:aws:iam::111122223333:role/push"),
    ("region", "eu-central-1"),
];

fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&PUSH[..], more].concat()
}

#[test]
fn python_a_sibling_pushes_and_starts_the_deploy_with_the_digest() {
    let deploy = [("deploy", "true"), ("infra-repository", "them/leo-infra"), ("token", SECRET)];
    let mut job = Job::new(&repository(), &with(&deploy));
    let image = json!({"name": "generator", "digest": DIGEST, "repository": "r.example/leo"});
    job.cargo(&json!({ "images": [image] }), 0);
    let output = job.run();
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(job.outputs["push.digest"], DIGEST);
    assert_eq!(job.outputs["push.reference"], format!("r.example/leo@{DIGEST}"));
    let workspace = job.path("workspace").canonicalize().expect("is there");
    let calls = job.said("calls").replace(&workspace.display().to_string(), "<workspace>");
    insta::assert_snapshot!(calls.replace(DIGEST, "<digest>"));
    insta::assert_snapshot!(job.said("summary").replace(DIGEST, "<digest>"));
    assert!(!calls.contains(SECRET), "{calls}");
    assert_eq!(job.said("environment").matches(SECRET).count(), 3, "only the step that pushes has them");

    let (uses, given) = &job.used[1];
    assert!(uses.starts_with("aws-actions/configure-aws-credentials@"), "{uses}");
    assert_eq!(given["role-to-assume"], PUSH[2].1);
    assert_eq!(given["output-env-credentials"], "false");
    for (uses, _) in &job.used {
        let (_, version) = uses.split_once('@').expect("has a version");
        assert!(version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uses}");
    }
}

#[test]
fn python_what_a_job_gets_wrong_is_said_before_anything_is_compiled() {
    let deploy = ("deploy", "true");
    let said: Vec<String> = [
        vec![("image", "worker")],
        vec![("context", "nowhere")],
        vec![("context", "Dockerfile")],
        vec![("demo", "yes")],
        vec![deploy, ("infra-repository", "leo-infra"), ("token", SECRET)],
        vec![deploy, ("infra-repository", "them/leo-infra")],
    ]
    .iter()
    .map(|wrong| {
        let mut job = Job::new(&repository(), &with(wrong));
        let output = job.run();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}\n{}", shown(&output));
        assert_eq!(job.said("calls"), "", "{wrong:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    })
    .collect();
    insta::assert_snapshot!(said.concat());
}

#[test]
fn python_a_push_that_fails_fails_the_job_with_its_reason() {
    let deploy = [("deploy", "true"), ("infra-repository", "them/leo-infra"), ("token", SECRET)];
    let mut job = Job::new(&repository(), &with(&deploy));
    let error =
        json!({"message": "push to r.example/leo: 100% denied\n::warning::no", "hint": "sign in again"});
    job.cargo(&json!({"status": "failed", "exit_code": 4, "errors": [error]}), 4);
    let output = job.run();
    assert_eq!(output.status.code(), Some(4), "{}", shown(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "::error title=push-images::failed to push to r.example/leo: 100%25 denied%0A::warning::no. Hint: sign in again\n"
    );
    assert!(!job.said("calls").contains("gh "), "no deploy is started");
}

#[test]
fn python_the_deploy_workflow_passes_every_secret_and_no_key_of_aws() {
    let workflow = yaml(".github/workflows/deploy.yml");
    let steps = workflow["jobs"]["deploy"]["steps"].as_array().expect("is a list");
    let deploy = steps.iter().find(|step| step["run"] == "ci/deploy.sh").expect("deploys");
    let schema = leo_env::Schema::load(&repository()).expect("is valid");
    assert!(schema.secrets().count() >= 6, "{schema:?}");
    for (key, _) in schema.secrets() {
        let name = format!("LEO_SECRET_{}", key.name);
        assert_eq!(deploy["env"][&name], format!("${{{{ secrets.{name} }}}}"));
    }
    // Whoever starts it writes these: they are values of variables, never a part of a script.
    for step in steps {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
        assert!(!step.to_string().contains("secrets.AWS"), "{step}");
    }
    assert_eq!(workflow["permissions"], json!({"contents": "read", "id-token": "write"}));
}

#[test]
fn docker_a_siblings_image_gets_from_its_ci_to_a_running_platform() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    let output = tree.leo_infra(&["deploy", "--local", "--yes"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));

    let deploy = [("deploy", "true"), ("infra-repository", "them/leo-infra"), ("token", SECRET)];
    let mut job = Job::new(tree.root(), &with(&deploy));
    fs::write(tree.root().join("Cargo.lock"), "").expect("writes a file");
    // A real runner has no local target: `cargo xtask` goes to it here.
    let leo_infra = env!("CARGO_BIN_EXE_leo-infra");
    job.program("cargo", &format!("[[ $1 == xtask ]] || exit 0\nunset ${{!AWS_*}} BUILDX_BUILDER\nexec '{leo_infra}' \"${{@:2}}\" --local"));
    // The engine's own builder serves; one of the machine's is not made for a test.
    job.program("docker", "[[ $3 == leo-push-images ]] || PATH=${PATH#*:} exec docker \"$@\"");
    // The workflow that is started, with what it is given.
    let workflow = tree.root().join("ci/deploy.sh").display().to_string();
    job.program(
        "gh",
        &format!("for pair in \"$@\"; do case $pair in environment=*) export ENVIRONMENT=${{pair#*=}} ;; images=*) export IMAGES=${{pair#*=}} ;; esac; done\ncd '{}' && '{workflow}'", tree.root().display()),
    );
    let output = job.run();
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let summary = job.said("summary");
    let digest = &job.outputs["push.digest"];
    assert!(summary.contains("## dev: deployed") && summary.contains("Release 2"), "{summary}");
    assert!(summary.contains(&format!("- generator: `{digest}`")), "{summary}");
    assert!(summary.contains("- orchestrator: `sha256:"), "{summary}");
}

//! A work tree with canaries in every place where a secret is, or does not belong, and the search for them.

use crate::workspace::{WorkTree, repository};
use leo_canary::{Canaries, Canary, Leak, Seen, Watch};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// For how long a command may run.
const LIMIT: Duration = Duration::from_mins(3);
/// Programs that commands start by name, each put behind a script that writes down what it was given.
const PROGRAMS: [&str; 8] = ["docker", "git", "cargo", "python3", "python3.11", "sh", "tar", "setsid"];
/// A secret of a provider of its own, whose value every encoding changes.
const AWKWARD: &str = "\n[AWKWARD_KEY]\nprovider = \"awkward\"\nconsumers = [\"orchestrator\"]\n\
                       help = \"a value that every encoding changes\"\nget = \"nowhere\"\n";

/// What a run is given besides its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// `env/.env` as it should be.
    Good,
    /// One in which everything is wrong that can be.
    Malformed,
}

/// A work tree and its canaries.
pub(crate) struct Nest {
    pub(crate) tree: WorkTree,
    pub(crate) canaries: Canaries,
    scripts: TempDir,
}

/// A run that has ended.
pub(crate) struct Run {
    pub(crate) arguments: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) seen: Seen,
}

impl Nest {
    /// One whose commands find no Docker engine, and compile nothing.
    pub(crate) fn without_engine() -> Self {
        let tree = WorkTree::without_engine();
        tree.use_small_images();
        Self::new(tree)
    }

    pub(crate) fn new(tree: WorkTree) -> Self {
        let canaries = Canaries::new(canaries()).expect("are few");
        let scripts = tempfile::tempdir().expect("makes a folder");
        fs::create_dir(scripts.path().join("seen")).expect("makes a folder");
        for program in PROGRAMS {
            put_behind_script(program, scripts.path());
        }
        let schema = fs::read_to_string(repository().join("infra/env.toml")).expect("reads");
        fs::write(tree.root().join("infra/env.toml"), schema + AWKWARD).expect("writes");
        let nest = Self { tree, canaries, scripts };
        nest.put(Files::Good);
        nest
    }

    /// Writes the files with secrets.
    pub(crate) fn put(&self, files: Files) {
        let value = |name: &str| self.canaries.value(name);
        let text = match files {
            Files::Good => format!(
                "# {}\nCLAUDE_CODE_OAUTH_TOKEN={}\nFLY_API_TOKEN='{}'\nSUPABASE_URL={}\nSUPABASE_ANON_KEY={}\n\
                 SUPABASE_SERVICE_ROLE_KEY={}\nAWKWARD_KEY='{}'\n",
                value("comment"),
                value("claude"),
                value("fly"),
                value("url"),
                value("anon"),
                value("service"),
                value("awkward"),
            ),
            Files::Malformed => {
                let lines = [
                    "",
                    "{} = x",
                    "key={}",
                    "GITHUB_TOKEN {}",
                    "export {}",
                    "NOBODYS_KEY={}",
                    "LEO_SECRET_FLY_API_TOKEN={}",
                    "GITHUB_TOKEN={} and more",
                    "GITHUB_TOKEN={}",
                    "FLY_API_TOKEN=\"a ${}\"",
                    "AWS_REGION={}",
                    "AWS_ACCOUNT_ID={}",
                    "LEO_OUT_BUCKET={}",
                    "SUPABASE_URL=\\x{}",
                    "CLAUDE_CODE_OAUTH_TOKEN='{}' {}",
                    "AWKWARD_KEY=\"{}",
                    "{}",
                ];
                lines.map(|line| line.replace("{}", value("malformed"))).join("\n")
            }
        };
        fs::write(self.tree.root().join("env/.env"), text).expect("writes a file");
    }

    /// Runs a command with canaries in its environment, to its end.
    ///
    /// Its input is a canary, too: what a command asks for a secret is given.
    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.tree.leo_infra(arguments);
        command
            .env("PATH", format!("{}:{path}", self.scripts.path().display()))
            .env("LEO_SECRET_GITHUB_TOKEN", self.canaries.value("variable"))
            .env("LEO_SECRET_NOBODYS_KEY", self.canaries.value("variable of nobody"))
            .env("LEO_SECRET_lower", self.canaries.value("variable of nobody"))
            .env("GITHUB_TOKEN", self.canaries.value("bare variable"))
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .envs(variables.iter().copied());
        self.finish(&mut command, arguments.join(" "))
    }

    fn finish(&self, command: &mut Command, arguments: String) -> Run {
        let said = |name: &str| self.scripts.path().join(name);
        let file = |name: &str| File::create(said(name)).expect("makes a file");
        fs::write(said("stdin"), self.canaries.value("typed")).expect("writes");
        let input = File::open(said("stdin")).expect("opens");
        let mut child =
            command.stdin(input).stdout(file("stdout")).stderr(file("stderr")).spawn().expect("starts");
        let watch = Watch::over(child.id());
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = child.try_wait().expect("is asked") {
                break status;
            }
            if Instant::now() >= deadline {
                let _ = child.kill();
                panic!("`{arguments}` hangs: {}", fs::read_to_string(said("stderr")).unwrap_or_default());
            }
            sleep(Duration::from_millis(5));
        };
        let read = |name: &str| fs::read(said(name)).expect("reads");
        Run {
            arguments,
            code: status.code(),
            stdout: read("stdout"),
            stderr: read("stderr"),
            seen: watch.end(),
        }
    }

    /// Where canaries are that must not be there: in what a run said, in what it was and started, and in all files of the
    /// work tree but those that they were put into.
    pub(crate) fn leaks(&self, run: &Run) -> Vec<Leak> {
        let mut leaks = self.canaries.in_bytes("stdout", &run.stdout);
        leaks.extend(self.canaries.in_bytes("stderr", &run.stderr));
        leaks.extend(self.canaries.in_bytes("its own arguments", &run.seen.arguments));
        for (name, told) in &run.seen.children {
            leaks.extend(self.canaries.in_bytes(name, told));
        }
        let nowhere = |_: &Path| false;
        leaks.extend(self.canaries.below(&self.scripts.path().join("seen"), &nowhere).expect("reads"));
        // Other tools' tokens that a shell exports belong to whoever exported them.
        leaks.retain(|leak| leak.canary != "bare variable" || leak.place.starts_with("std"));
        let own = self.tree.root().join("env/.env");
        leaks.extend(self.canaries.below(self.tree.root(), &|path| path == own).expect("reads"));
        leaks
    }

    /// Runs a command; it must not leak.
    pub(crate) fn check(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let run = self.run(arguments, variables);
        let leaks = self.leaks(&run);
        assert!(leaks.is_empty(), "{leaks:#?}\n{}", run.shown());
        run
    }

    /// What the programs were given that commands started by name.
    pub(crate) fn started(&self) -> Vec<PathBuf> {
        let seen = fs::read_dir(self.scripts.path().join("seen")).expect("reads");
        seen.map(|entry| entry.expect("reads").path()).collect()
    }
}

impl Run {
    pub(crate) fn shown(&self) -> String {
        format!(
            "`{}` ended with {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.arguments,
            self.code,
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr)
        )
    }

    pub(crate) fn said(&self, text: &str) -> bool {
        self.shown().contains(text)
    }
}

/// One in each place, in the shape that is wanted there.
fn canaries() -> Vec<Canary> {
    vec![
        Canary::new("comment", str::to_owned),
        Canary::new("claude", |core| format!("sk-ant-oat01-{core}{core}{core}")),
        Canary::new("fly", |core| format!("FlyV1 fm2_{core}{core}{core}")),
        Canary::new("url", |core| {
            let letters: String =
                core.chars().filter(char::is_ascii_lowercase).chain("abcdefghijklmnopqrst".chars()).collect();
            format!("https://{}.example-{core}.com", &letters[..20])
        }),
        Canary::new("anon", |core| format!("sb_publishable_{core}{core}")),
        Canary::new("service", |core| format!("sb_secret_{core}{core}")),
        Canary::new("awkward", |core| format!("{core}\"\\/+=&%?é<> {core}")),
        Canary::new("malformed", |core| format!("ghp_{core}{core}")),
        Canary::new("variable", |core| format!("github_pat_{}_{core}{core}{core}", &core[..22])),
        Canary::new("variable of nobody", str::to_owned),
        Canary::new("typed", |core| format!("ghp_{core}{core}")),
        Canary::new("bare variable", |core| format!("ghp_{core}{core}")),
        Canary::new("name of a key", |core| format!("ghp_{core}{core}")),
    ]
}

/// A script before a program of the same name that writes down its arguments and variables, and then becomes it.
fn put_behind_script(program: &str, folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let Some(real) =
        std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
    else {
        return;
    };
    let seen = folder.join("seen").join(program);
    let script = folder.join(program);
    let text = format!(
        "#!/bin/sh\n{{ echo \"$0 $*\"; cat /proc/$$/environ; }} >>{}-$$\nexec {} \"$@\"\n",
        seen.display(),
        real.display()
    );
    fs::write(&script, text).expect("writes a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("makes it a program");
}

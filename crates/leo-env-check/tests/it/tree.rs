//! A repository with everything in order, to put one thing out of order.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use leo_diagnostic::{Colours, render};
use leo_env_check::{Report, Request, audit, look};

/// A part of every secret here. Nothing that is said may hold it.
pub(crate) const CANARY: &str = "Hu5hQ7";

const LEO_TOML: &str = "[environments.dev]\n[environments.prod]\nprotected = true\n";
const ENV_TOML: &str = include_str!("../../../../infra/env.toml");
const DEFAULTS: [(&str, &str); 2] = [("AWS_REGION", "us-east-1"), ("LEO_ENVIRONMENT", "dev")];

/// Values of the right form. Put together here, so that no scanner takes this file for one with secrets.
pub(crate) fn secret(key: &str) -> String {
    let chance = |length: usize| -> String {
        let text = format!("{CANARY}a9Zk3LmT0pRx{CANARY}bW8cYvN4eJf{CANARY}gS1dUiO6hKq");
        text.chars().cycle().take(length - CANARY.len()).chain(CANARY.chars()).collect()
    };
    match key {
        "CLAUDE_CODE_OAUTH_TOKEN" => format!("sk-ant-{}{}", "oat01-", chance(95)),
        "FLY_API_TOKEN" => format!("fm{}{}", "2_", chance(80)),
        "GITHUB_TOKEN" => format!("gh{}{}", "p_", chance(36)),
        "SUPABASE_URL" => "https://hvshhvshhvshhvshhvsh.supabase.co".to_owned(),
        "SUPABASE_ANON_KEY" => format!("sb_{}{}", "publishable_", chance(32)),
        "SUPABASE_SERVICE_ROLE_KEY" => format!("sb_{}{}", "secret_", chance(33)),
        other => panic!("no secret {other}"),
    }
}

pub(crate) const SECRETS: [&str; 6] = [
    "CLAUDE_CODE_OAUTH_TOKEN",
    "FLY_API_TOKEN",
    "GITHUB_TOKEN",
    "SUPABASE_URL",
    "SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
];

/// `@KEY@` in a text becomes the secret of that key.
pub(crate) fn filled(text: &str) -> String {
    SECRETS.iter().fold(text.to_owned(), |text, key| text.replace(&format!("@{key}@"), &secret(key)))
}

pub(crate) struct Tree {
    folder: tempfile::TempDir,
    process: Vec<(OsString, OsString)>,
}

impl Tree {
    /// Everything in order, in no git repository.
    pub(crate) fn new() -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap(), process: Vec::new() };
        tree.write("infra/leo.toml", LEO_TOML);
        tree.write("infra/env.toml", ENV_TOML);
        tree.defaults("");
        tree.env("");
        for sibling in ["leo-saas", "leo-container"] {
            fs::create_dir(tree.folder.path().join(sibling)).unwrap();
        }
        tree
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("leo-infra")
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let private = path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with(".env"));
        self.mode(&path, if private { 0o600 } else { 0o644 });
    }

    pub(crate) fn mode(&self, path: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(self.root().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// `env/.env.defaults` with these lines, and with what it needs besides.
    pub(crate) fn defaults(&self, lines: &str) {
        let others = DEFAULTS.iter().filter(|(key, _)| !lines.contains(&format!("{key}=")));
        let others: String = others.flat_map(|(key, value)| [key, "=", value, "\n"]).collect();
        self.write("env/.env.defaults", format!("{}{others}", filled(lines)));
        self.mode("env/.env.defaults", 0o644);
    }

    /// `env/.env` with these lines, and with the secrets that they don't set.
    pub(crate) fn env(&self, lines: &str) {
        self.write("env/.env", with_others(lines));
    }

    pub(crate) fn process(mut self, key: &str, value: &str) -> Self {
        self.process.push((key.into(), filled(value).into()));
        self
    }

    pub(crate) fn without_process(mut self) -> Self {
        self.process.clear();
        self
    }

    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.root().join(folder));
        command.args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ]);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        assert!(command.args(arguments).output().unwrap().status.success(), "{arguments:?}");
    }

    pub(crate) fn report(&self, environment: Option<&str>, public: bool) -> Report {
        let root = self.root();
        let request = Request { root: &root, environment, public, process: self.process.clone(), home: None };
        let report = audit(&look(&request));
        // Whatever was put out of order: no secret is in what is said.
        let (text, json) = (report.to_text(Colours::Plain), report.to_json().to_string());
        for said in [&text, &json, &format!("{report:?}")] {
            assert!(!said.contains(CANARY), "{said}");
        }
        report
    }

    /// What is wrong in the environment `dev`, as it is printed.
    pub(crate) fn messages(&self) -> String {
        said(&self.report(None, false))
    }
}

pub(crate) fn said(report: &Report) -> String {
    let texts: Vec<String> =
        report.findings.iter().map(|finding| render(&finding.diagnostic, Colours::Plain)).collect();
    texts.join("\n")
}

/// Lines, and the secrets that they don't set.
pub(crate) fn with_others(lines: &str) -> String {
    let sets = |key: &str| lines.contains(&format!("{key}="));
    let others = SECRETS.iter().filter(|key| !sets(key));
    let others: String = others.flat_map(|key| [(*key).to_owned(), format!("={}\n", secret(key))]).collect();
    format!("{}{others}", filled(lines))
}

//! `infra/leo.toml`, `env/` and `docs/configuration.md` as they are committed say what the code does.

use std::{collections::BTreeSet, fs, path::PathBuf};

use leo_config::testing::{Sample, load, schema};
use leo_diagnostic::{Colours, render_all};
use leo_env::{SecretsPolicy, schema::FilePlace};

fn committed(path: &str) -> String {
    let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect();
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A commented line of the file: `# key = value   # words`.
struct Line {
    table: String,
    setting: String,
    words: String,
}

impl Line {
    fn key(&self) -> String {
        format!("{}.{}", self.table, self.setting.split(" = ").next().unwrap())
    }

    fn value(&self) -> &str {
        self.setting.split_once(" = ").unwrap().1
    }

    fn is_example(&self) -> bool {
        self.words.starts_with("(unset)")
    }
}

/// The commented settings of `infra/leo.toml`.
fn lines() -> Vec<Line> {
    let text = committed("infra/leo.toml");
    let mut table = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut table);
        }
        let Some((setting, words)) = line
            .strip_prefix("# ")
            .and_then(|line| line.rsplit_once("  # ").or_else(|| line.rsplit_once(" # ")))
        else {
            continue;
        };
        if setting.split(" = ").next().unwrap().chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            lines.push(Line {
                table: table.clone(),
                setting: setting.trim_end().to_owned(),
                words: words.to_owned(),
            });
        }
    }
    lines
}

/// A file with these settings and nothing else.
fn toml(lines: &[&Line]) -> String {
    let tables: BTreeSet<&str> = lines.iter().map(|line| line.table.as_str()).collect();
    let table = |table: &str| {
        let settings: Vec<&str> =
            lines.iter().filter(|line| line.table == table).map(|line| line.setting.as_str()).collect();
        format!("[{table}]\n{}\n", settings.join("\n"))
    };
    tables.into_iter().map(table).collect()
}

#[test]
fn the_committed_configuration_loads_for_each_of_its_environments() {
    for environment in ["dev", "staging", "prod"] {
        let sample = Sample::of(&committed("infra/leo.toml"))
            .with_file("env/.env.defaults", &committed("env/.env.defaults"))
            .with("LEO_ENVIRONMENT", environment);
        let config =
            sample.load().unwrap_or_else(|findings| panic!("{}", render_all(&findings, Colours::Plain)));
        assert_eq!(config.environment.name.as_str(), environment);
        assert_eq!(config.environment.protected, environment == "prod");
    }
}

#[test]
fn the_committed_configuration_is_the_default_one() {
    assert_eq!(load(&committed("infra/leo.toml")).unwrap(), load("").unwrap());
}

#[test]
fn the_commented_values_are_the_defaults() {
    let all = lines();
    let defaults: Vec<&Line> = all.iter().filter(|line| !line.is_example()).collect();
    assert!(defaults.len() > 40, "{}", defaults.len());
    assert_eq!(load(&toml(&defaults)).unwrap(), load("").unwrap());
}

#[test]
fn the_examples_of_unset_values_are_valid_and_change_something() {
    let all = lines();
    let examples: Vec<&Line> = all.iter().filter(|line| line.is_example()).collect();
    let together =
        load(&toml(&examples)).unwrap_or_else(|findings| panic!("{}", render_all(&findings, Colours::Plain)));
    assert_ne!(together, load("").unwrap());
}

/// Every key that the code knows is in the file: a key of the table is offered when one is misspelt beyond recognition.
#[test]
fn the_file_has_every_setting() {
    let tables = [
        "network",
        "load_balancer",
        "registry",
        "storage",
        "logs",
        "identity",
        "cluster",
        "orchestrator",
        "orchestrator.health",
        "generator",
        "images",
        "images.orchestrator",
        "images.generator",
        "environments.dev",
    ];
    let written: BTreeSet<String> = lines().iter().map(Line::key).collect();
    let subtables = ["health", "environment", "orchestrator", "generator", "build_args"];
    for table in tables {
        let findings = load(&format!("[{table}]\nzzzzzzzzzzzz = 1")).unwrap_err();
        let hint = findings[0].hint.clone().unwrap();
        let known: Vec<&str> = hint.strip_prefix("what goes here: ").unwrap().split(", ").collect();
        for key in known {
            let overridden = table == "environments.dev" && tables.contains(&key);
            let there = written.contains(&format!("{table}.{key}")) || subtables.contains(&key) || overridden;
            assert!(there, "{table}.{key} is not in infra/leo.toml");
        }
    }
}

#[test]
fn the_page_has_every_setting_with_its_default() {
    let page = committed("docs/configuration.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    for line in lines() {
        let key = line.key().replace("environments.dev.", "environments.<name>.");
        let default = if line.is_example() { "—".to_owned() } else { format!("`{}`", line.value()) };
        let start = format!("| `{key}` | {default} |");
        assert!(
            rows.iter().any(|row| row.starts_with(&start)),
            "docs/configuration.md lacks the row: {start}"
        );
    }
    let known: BTreeSet<String> =
        lines().iter().map(|line| line.key().replace("environments.dev.", "environments.<name>.")).collect();
    for row in rows {
        let key = row.trim_start_matches("| `").split('`').next().unwrap();
        assert!(known.contains(key), "docs/configuration.md has a row that infra/leo.toml lacks: {key}");
    }
}

#[test]
fn the_environment_files_have_every_key_and_no_value_that_is_secret() {
    let defaults = committed("env/.env.defaults");
    let schema = schema();
    for key in schema.settings().filter(|key| key.file != FilePlace::Env) {
        assert!(defaults.lines().any(|line| line.starts_with(&format!("{}=", key.name))), "{}", key.name);
    }
    let example = committed("env/.env.example");
    let sample = Sample::of("").with_file("env/.env.defaults", &defaults).with_file("env/.env", &example);
    assert_eq!(sample.env(SecretsPolicy::Read).check(&schema), []);
}

//! From the environment file to Secrets Manager and into containers.

mod containers;
mod pushing;
mod roles;

use crate::workspace::{WorkTree, document, shown};
use leo_local::LocalTarget;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    process::{Output, Stdio},
};

/// The secrets of the repository's own schema, by key, and the provider of each.
const PROVIDERS: [(&str, &str); 6] = [
    ("CLAUDE_CODE_OAUTH_TOKEN", "claude"),
    ("FLY_API_TOKEN", "flyio"),
    ("GITHUB_TOKEN", "github"),
    ("SUPABASE_ANON_KEY", "supabase"),
    ("SUPABASE_SERVICE_ROLE_KEY", "supabase"),
    ("SUPABASE_URL", "supabase"),
];

/// What an environment file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// A value for each key, of its form; another number gives other ones.
    fn numbered(number: u32) -> Self {
        let letter = |seed: u32| {
            let letters = b"abcdefghijklmnopqrstuvwxyz";
            char::from(letters[usize::try_from(seed).expect("is small") % letters.len()])
        };
        let word =
            |length: u32| (0..length).map(|at| letter(at * 7 + at * at + number * 5)).collect::<String>();
        let tail = |length| format!("{}{number:04}", word(length));
        let values = [
            ("CLAUDE_CODE_OAUTH_TOKEN", format!("sk-ant-oat{}-{}", "01", tail(90))),
            ("FLY_API_TOKEN", format!("FlyV1 fm2_{}", tail(76))),
            ("GITHUB_TOKEN", format!("ghp_{}", tail(32))),
            ("SUPABASE_ANON_KEY", format!("sb_publishable_{}", tail(28))),
            ("SUPABASE_SERVICE_ROLE_KEY", format!("sb_secret_{}", tail(28))),
            ("SUPABASE_URL", format!("https://{}.supabase.co", word(20))),
        ];
        Self(values.into())
    }

    /// The same with one other value.
    fn with(&self, key: &'static str, number: u32) -> Self {
        let mut values = self.clone();
        values.0.insert(key, Self::numbered(number).0[key].clone());
        values
    }

    fn write(&self, tree: &WorkTree) {
        let path = tree.root().join("env/.env");
        let mut file = fs::OpenOptions::new();
        let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(path).expect("opens");
        for (key, value) in &self.0 {
            writeln!(file, "{key}='{value}'").expect("writes");
        }
    }

    /// The secrets as they have to be, by name.
    fn secrets(&self) -> BTreeMap<String, Value> {
        let mut secrets: BTreeMap<String, Value> = BTreeMap::new();
        for (key, provider) in PROVIDERS {
            secrets.entry(format!("leo/dev/{provider}")).or_insert_with(|| json!({}))[key] =
                json!(self.0[key]);
        }
        secrets
    }

    /// No value of these is in what a command printed.
    fn assert_unseen(&self, output: &Output) {
        let printed = shown(output);
        for (key, value) in &self.0 {
            assert!(!printed.contains(value.as_str()), "the value of {key} was printed:\n{printed}");
        }
    }
}

/// Runs a command that has to end so; what it printed as JSON.
fn done(tree: &WorkTree, arguments: &[&str], code: i32) -> Value {
    let output = tree.leo_infra(arguments).output().expect("runs");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", shown(&output));
    document(&output)
}

const PUSH: [&str; 6] = ["secrets", "push", "--local", "--with-secrets", "--yes", "--json"];
const STATUS: [&str; 5] = ["secrets", "status", "--local", "--with-secrets", "--json"];

/// Pushes what the file says, and shows none of it.
fn push(tree: &WorkTree, values: &Values, more: &[&str], code: i32) -> Value {
    let output = tree.leo_infra(&[&PUSH[..], more].concat()).output().expect("runs");
    assert_eq!(output.status.code(), Some(code), "{}", shown(&output));
    values.assert_unseen(&output);
    document(&output)
}

/// Gives a key a new value by stdin.
fn rotate(tree: &WorkTree, key: &str, value: &str, more: &[&str]) -> Output {
    let mut command = tree.leo_infra(&[&["secrets", "rotate", key, "--local", "--json"], more].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    writeln!(child.stdin.take().expect("is piped"), "{value}").expect("writes");
    child.wait_with_output().expect("ends")
}

/// What became of each secret, by name.
fn outcomes(pushed: &Value) -> BTreeMap<&str, &str> {
    let secrets = pushed["secrets"].as_array().into_iter().flatten();
    secrets.filter_map(|secret| Some((secret["name"].as_str()?, secret["outcome"].as_str()?))).collect()
}

/// The state of each key, by name.
fn states(status: &Value) -> BTreeMap<&str, &str> {
    let keys =
        status["secrets"].as_array().into_iter().flatten().filter_map(|secret| secret["keys"].as_array());
    keys.flatten().filter_map(|key| Some((key["json_key"].as_str()?, key["state"].as_str()?))).collect()
}

/// The secrets of the environment that are there, with their values.
fn there(target: &LocalTarget) -> BTreeMap<String, Value> {
    let secrets = crate::truth::Truth::of(target).account().secrets;
    let parsed = |value: Option<String>| {
        value.map_or(Value::Null, |value| serde_json::from_str(&value).unwrap_or(Value::String(value)))
    };
    secrets.into_iter().map(|(name, value)| (name, parsed(value))).collect()
}

/// A call to Secrets Manager, past whatever a command goes through.
fn call(target: &LocalTarget, operation: &str, body: &Value) -> Value {
    crate::http::api(target, "secretsmanager", &format!("secretsmanager.{operation}"), body)
}

/// The ids of a secret's versions by label.
fn labels(target: &LocalTarget, secret: &str) -> BTreeMap<String, Vec<String>> {
    let answer =
        call(target, "ListSecretVersionIds", &json!({"SecretId": secret, "IncludeDeprecated": true}));
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for version in answer["Versions"].as_array().into_iter().flatten() {
        for label in version["VersionStages"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let id = version["VersionId"].as_str().unwrap_or_default().to_owned();
            labels.entry(label.to_owned()).or_default().push(id);
        }
    }
    labels
}

//! What `infra/env.toml` may say, and what is said when it is wrong.

use std::{fmt::Write, fs, path::Path};

use leo_diagnostic::{Colours, Diagnostic, render_all};
use leo_env::schema::{Consumer, FilePlace, Kind, Schema};

fn schema(text: &str) -> Schema {
    Schema::parse(Schema::PATH, text)
        .unwrap_or_else(|findings| panic!("{}", render_all(&findings, Colours::Plain)))
}

fn findings(text: &str) -> Vec<Diagnostic> {
    Schema::parse(Schema::PATH, text).err().unwrap_or_default()
}

#[test]
fn a_key_has_what_its_table_says_and_what_follows_from_it() {
    let schema = schema(
        "[GITHUB_TOKEN]\nprovider = 'github'\njson_key = 'token'\nconsumers = ['generator', 'orchestrator']\n\
         shapes = ['github-app-token']\nhelp = 'h'\nget = 'g'\n\n\
         [AWS_REGION]\ntype = 'region'\nrequired = true\nhelp = 'r'\n\n\
         [AWS_PROFILE]\nfile = 'any'\ndefault = 'me'\npattern = '[a-z]+'\nhelp = 'p'\n",
    );
    let names: Vec<&str> = schema.keys().iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["GITHUB_TOKEN", "AWS_REGION", "AWS_PROFILE"], "the order of the file");
    let (token, secret) = schema.secrets().next().unwrap();
    assert_eq!((token.required, token.file, token.line), (true, FilePlace::Env, 1));
    assert_eq!((secret.provider.as_str(), secret.json_key.as_str()), ("github", "token"));
    assert_eq!(secret.consumers.iter().copied().collect::<Vec<_>>(), Consumer::ALL);
    assert_eq!((token.help.as_str(), token.get.as_deref()), ("h", Some("g")));
    let region = schema.key("AWS_REGION").unwrap();
    assert_eq!((&region.kind, region.required, region.file), (&Kind::Region, true, FilePlace::Defaults));
    let profile = schema.key("AWS_PROFILE").unwrap();
    assert_eq!(
        (profile.default.as_deref(), profile.file, profile.required),
        (Some("me"), FilePlace::Any, false)
    );
    assert_eq!(schema.settings().count(), 2);
    assert!(schema.key("FLY_API_TOKEN").is_none());
}

#[test]
fn a_secret_is_kept_under_its_own_name_where_nothing_else_is_said() {
    let schema = schema("[A_KEY]\nprovider = 'a'\nconsumers = ['generator']\nhelp = 'h'\n");
    assert_eq!(schema.secrets().next().unwrap().1.json_key, "A_KEY");
}

#[test]
fn a_schema_that_is_not_there_is_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(render_all(&Schema::load(folder.path()).unwrap_err(), Colours::Plain), @r"
    error: `infra/env.toml` is missing
    hint: it declares every key of the environment files, and is committed: `git restore infra/env.toml`, or run this inside the repository
    ");
    fs::create_dir_all(folder.path().join(Schema::PATH)).unwrap();
    assert_eq!(Schema::load(folder.path()).unwrap_err().len(), 1);
    fs::remove_dir(folder.path().join(Schema::PATH)).unwrap();
    fs::write(folder.path().join(Schema::PATH), [0xff, 0xfe]).unwrap();
    insta::assert_snapshot!(render_all(&Schema::load(folder.path()).unwrap_err(), Colours::Plain), @r#"
    error: `infra/env.toml` can't be read
     = found bytes that aren't text
    hint: save it as UTF-8 text
    "#);
}

/// A key's table with these lines, all else being right.
fn setting(lines: &str) -> String {
    format!("[AWS_PROFILE]\nhelp = 'h'\n{lines}\n")
}

/// A secret's table with these lines, all else being right.
fn secret(name: &str, lines: &str) -> String {
    let mut text = format!("[{name}]\nhelp = 'h'\n{lines}\n");
    for (entry, value) in [("provider", "'github'"), ("consumers", "['orchestrator']")] {
        if !lines.contains(&format!("{entry} =")) {
            writeln!(text, "{entry} = {value}").unwrap();
        }
    }
    text
}

/// Each case's findings. Each is at a line of the schema and says what would be right.
fn messages(cases: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, toml) in cases {
        let findings = findings(toml);
        assert!(!findings.is_empty(), "{name}: nothing is found in\n{toml}");
        for finding in &findings {
            let place = finding.location.as_ref();
            assert!(place.is_some_and(|place| place.path == Schema::PATH), "{name}: {finding:?}");
            assert!(finding.is_error() && finding.hint.is_some(), "{name}: {finding:?}");
        }
        writeln!(text, "── {name}\n{}", render_all(&findings, Colours::Plain)).unwrap();
    }
    text
}

#[test]
fn names() {
    insta::assert_snapshot!(messages(&[
        ("nothing at all", String::new()),
        ("no tables", "AWS_REGION = 'region'\nx = 1\n".into()),
        ("no TOML", "[AWS_REGION\ntype = \n".into()),
        ("twice", format!("{0}{0}", setting(""))),
        ("no name", secret("github_token", "")),
        ("no name at all", secret("\"GitHub token\"", "")),
        ("an output", setting("").replace("AWS_PROFILE", "LEO_OUT_BUCKET")),
        ("a name for the process", secret("LEO_SECRET_GITHUB_TOKEN", "")),
        ("reserved", ["LEO_X", "AWS_X", "ECS_X", "PORT"].map(|name| secret(name, "")).concat()),
        ("a setting as a secret", secret("AWS_PROFILE", "")),
        ("nothing reads it", setting("").replace("AWS_PROFILE", "LOG_LEVEL")),
        ("nothing reads it, but near", setting("").replace("AWS_PROFILE", "AWS_PROFIL")),
    ]));
}

#[test]
fn entries() {
    insta::assert_snapshot!(messages(&[
        ("unknown", setting("typ = 'string'\ncolour = 1")),
        ("another type", setting("type = 1\nrequired = 'yes'\nfile = ['any']\nexample = 1.5")),
        (
            "no such type",
            setting("type = 'strnig'") + &setting("type = 'object'").replace("PROFILE", "REGION")
        ),
        ("no such file", setting("file = '.env'")),
        ("no help", "[AWS_PROFILE]\n".into()),
        ("empty", setting("get = ''").replace("'h'", "\"one\\ntwo\"")),
        ("of another type", setting("type = 'bool'\nmin = 1\nservice = 'acm'\nchoices = []")),
        ("of no type", setting("type = 3\nmin = 1")),
        ("bounds", setting("type = 'integer'\nmin = 5\nmax = 4")),
        ("bounds of a type", setting("type = 'integer'\nmin = '1'\nmax = 0xffffffffffffffffff")),
        ("no service", setting("type = 'arn'\nservice = 'ACM'")),
        ("no choices", setting("type = 'choice'")),
        ("empty choices", setting("type = 'choice'\nchoices = []")),
        ("choices", setting("type = 'choice'\nchoices = ['a', 'a']")),
        ("choices that are none", setting("type = 'choice'\nchoices = ['a', 1]")),
        ("no pattern", setting("pattern = '[a-z'")),
        ("a pattern that is too large", setting("pattern = '(a{999}){999}'")),
        ("both", setting("required = true\ndefault = 'me'")),
        ("values of another type", setting("type = 'region'\ndefault = 'us-east-1a'\nexample = 'virginia'")),
        ("values that don't match", setting("pattern = '[a-z]+'\ndefault = 'A'\nexample = 'b1'")),
        ("the environment's default", setting("default = 'dev'").replace("AWS_PROFILE", "LEO_ENVIRONMENT")),
    ]));
}

#[test]
fn secrets() {
    let two = |one: &str, other: &str| secret("ONE_TOKEN", one) + &secret("OTHER_TOKEN", other);
    let token = format!("ghp_{}", "0aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0kPlOm");
    let text = messages(&[
        ("no provider", "[X_TOKEN]\nhelp = 'h'\njson_key = 'x'\nconsumers = ['generator']\n".into()),
        ("no consumers", "[X_TOKEN]\nhelp = 'h'\nprovider = 'x'\n".into()),
        (
            "consumers",
            secret("X_TOKEN", "consumers = []") + &secret("Y_TOKEN", "consumers = ['worker', 'genrator']"),
        ),
        ("consumers of a type", secret("X_TOKEN", "consumers = 'generator'")),
        (
            "providers",
            secret("X_TOKEN", "provider = 'GitHub'") + &secret("Y_TOKEN", "provider = 'my-github'"),
        ),
        ("JSON keys", secret("X_TOKEN", "json_key = 'a:b'") + &secret("Y_TOKEN", "json_key = 'a b'")),
        ("one JSON key for two", two("json_key = 'token'", "json_key = 'token'")),
        ("one JSON key for two, by its name", two("", "json_key = 'ONE_TOKEN'")),
        ("in a committed file", secret("X_TOKEN", "file = 'defaults'")),
        ("not required", secret("X_TOKEN", "required = false")),
        ("with a value", secret("X_TOKEN", "default = 'hush'\nexample = 'hush'")),
        (
            "with a token where none belongs",
            secret("X_TOKEN", &format!("shapes = ['{token}']\nvalue = '{token}'")),
        ),
        ("with a token in what is no TOML", secret("X_TOKEN", &format!("value = {token}"))),
        ("shapes", secret("X_TOKEN", "shapes = ['github-token', 'x']")),
        (
            "the service role key for the generator",
            secret("SUPABASE_SERVICE_ROLE_KEY", "consumers = ['orchestrator', 'generator']"),
        ),
        (
            "what the generator could read",
            two("consumers = ['generator']", "") + &secret("THIRD_TOKEN", "consumers = ['orchestrator']"),
        ),
    ]);
    assert!(!text.contains("hush") && !text.contains(&token), "{text}");
    insta::assert_snapshot!(text);
}

/// What people and providers make secrets of. Put together here, so that no scanner takes this file for one with secrets.
fn canaries() -> Vec<String> {
    let chance = "Zz3q8Xw1Rb7Lk5Vt9Yc2Nd4Mf6Hg0Js1Pa3QeW5rT7yU9iO2pA4sD6fG8hJ1kL3zX5cV7bN9mQ2w".repeat(2);
    let first = |length: usize| chance.get(..length).unwrap();
    vec![
        format!("ghp_{}", first(36)),
        format!("fm2_{}", first(120)),
        format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{}", first(43)),
        first(40).to_owned(),
        "K7MX2QZ9WB4TJ6RN8VD3HY5FC1GP0SLA".to_owned(),
    ]
}

/// A token is written into the schema by mistake in any place. What is said of it doesn't repeat it, and it is not accepted,
/// or it would be copied into two more committed files.
#[test]
fn no_message_repeats_what_looks_like_a_secret() {
    for canary in &canaries() {
        let of_setting = [
            "type", "file", "default", "example", "help", "get", "pattern", "service", "required", "min", "X",
        ];
        let mut places = vec![
            format!("[\"{canary}\"]\n"),
            format!("[\"{canary}\"]\nhelp = 'h'\nprovider = 'a'\nconsumers = ['generator']\n"),
            format!("[\"{canary}\"]\n[\"{canary}\"]\n"),
            format!("\"{canary}\" = 1\n"),
            format!("X = '{canary}'\n"),
            format!("[AWS_PROFILE]\n{canary}\n"),
            format!("[\"{canary}\"]\ntype = 3\nrequired = 'yes'\nshapes = 1\n"),
            setting(&format!("\"{canary}\" = 1")),
            setting(&format!("choices = ['{canary}', '{canary}']\ntype = 'choice'")),
            setting(&format!("type = 'choice'\nchoices = ['a',\n  '{canary}']")),
            setting(&format!("default = '''a\n{canary}'''")),
            setting("").replace("'h'", &format!("'what is {canary}'")),
        ];
        places.extend(of_setting.map(|entry| setting(&format!("{entry} = '{canary}'"))));
        places.extend(of_setting.map(|entry| setting(&format!("{entry} = ['{canary}']"))));
        for entry in
            ["provider", "json_key", "consumers", "shapes", "default", "example", "file", "help", "get"]
        {
            places.push(secret("X_TOKEN", &format!("{entry} = '{canary}'")));
            places.push(secret("X_TOKEN", &format!("{entry} = ['{canary}']")));
        }
        for place in &places {
            let findings = findings(place);
            let said = render_all(&findings, Colours::Plain) + &format!("{findings:?}");
            assert!(!findings.is_empty(), "it is accepted:\n{place}");
            assert!(!said.contains(canary.as_str()), "of\n{place}\nis said\n{said}");
        }
    }
}

#[test]
fn another_key_of_a_provider_may_go_to_the_generator_alone() {
    let both = "consumers = ['orchestrator', 'generator']";
    schema(&(secret("ONE_TOKEN", both) + &secret("OTHER_TOKEN", "consumers = ['generator']")));
    schema(&(secret("ONE_TOKEN", both) + &secret("OTHER_TOKEN", "provider = 'other'")));
}

#[test]
fn the_committed_schema_declares_every_setting_and_says_where_to_get_every_secret() {
    let schema = Schema::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .unwrap_or_else(|findings| panic!("{}", render_all(&findings, Colours::Plain)));
    for setting in leo_env::Setting::ALL {
        assert!(schema.key(setting.key()).is_some(), "{setting}");
    }
    for (key, _) in schema.secrets() {
        assert!(key.get.is_some() && !key.shapes.is_empty(), "{}", key.name);
    }
}

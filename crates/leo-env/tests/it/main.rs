//! What comes of the files and the process environment, and that no secret comes out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of a test fails as a test does")]

mod dialect;
mod generated;
mod panics;
mod readers;
mod reading;
mod schema;
mod values;

use std::{collections::BTreeMap, ffi::OsString, fs, io, sync::LazyLock};

use leo_diagnostic::{Colours, Diagnostic, render_all};
use leo_env::{Env, Schema, SecretsPolicy, Setting, Source, differences, schema::KeySpec};
use proptest::prelude::*;

const KEYS: [&str; 2] = ["GITHUB_TOKEN", "FLY_API_TOKEN"];

/// These two secrets, and every setting.
fn declared() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(schema_of_keys);
    &SCHEMA
}

fn schema_of_keys() -> Schema {
    let secret = |key| format!("[{key}]\nprovider = 'x'\nconsumers = ['generator']\nhelp = 'h'\n");
    let settings = Setting::ALL.map(|setting| format!("[{setting}]\nhelp = 'h'\n"));
    let text = KEYS.map(secret).concat() + &settings.concat();
    Schema::parse(Schema::PATH, &text).unwrap()
}

/// An environment of files and variables, for the environment that the variables choose.
fn env(files: &[(&str, &str)], process: &[(&str, &str)], policy: SecretsPolicy) -> Env {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read = |path: &str| {
        files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    };
    let process = process.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    Env::from_parts(read, process, None, policy)
}

fn value(env: &Env, setting: Setting) -> Option<(&str, String)> {
    env.get(setting).map(|value| (value.value.as_str(), value.origin.to_string()))
}

fn secret<'e>(env: &'e Env, key: &str) -> Option<(&'e str, String)> {
    env.secret(key).map(|value| (value.secret.expose(), value.origin.to_string()))
}

fn messages(env: &Env) -> String {
    render_all(&env.check(declared()), Colours::Plain)
}

#[test]
fn a_value_comes_from_the_highest_source_and_knows_its_line() {
    let files = [
        ("env/.env.defaults", "# comment\n\nAWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\nAWS_PROFILE=all"),
        ("env/.env", "AWS_PROFILE=me\nAWS_REGION=us-east-2"),
        ("env/.env.dev", "AWS_PROFILE='me in dev' # comment"),
    ];
    let env = env(&files, &[("AWS_REGION", "eu-west-1"), ("HOME", "/root")], SecretsPolicy::Read);
    assert_eq!(value(&env, Setting::Region), Some(("eu-west-1", "the process environment".into())));
    assert_eq!(value(&env, Setting::Profile), Some(("me in dev", "env/.env.dev:1".into())));
    assert_eq!(value(&env, Setting::Environment), Some(("dev", "env/.env.defaults:4".into())));
    assert_eq!(value(&env, Setting::Domain), None);
    assert_eq!(env.get_from(Source::Shared, Setting::Region).unwrap().value, "us-east-2");
    assert_eq!(messages(&env), "");
}

#[test]
fn the_command_line_chooses_the_environment_and_its_file() {
    let read = |path: &str| match path {
        "env/.env.defaults" => Ok("LEO_ENVIRONMENT=dev".to_owned()),
        "env/.env.prod" => Ok("AWS_PROFILE=prod".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let env = Env::from_parts(read, [], Some("prod"), SecretsPolicy::Ignore);
    assert_eq!(value(&env, Setting::Environment), Some(("prod", "the command line".into())));
    assert_eq!(value(&env, Setting::Profile), Some(("prod", "env/.env.prod:1".into())));
}

#[test]
fn an_environments_name_is_never_a_path() {
    for name in ["../../etc/passwd", "a/b", "", "defaults", "example", "Prod", "."] {
        let mut asked = Vec::new();
        let read = |path: &str| {
            asked.push(path.to_owned());
            Err(io::ErrorKind::NotFound.into())
        };
        Env::from_parts(read, [], Some(name), SecretsPolicy::Read);
        assert_eq!(asked, ["env/.env.defaults", "env/.env"], "{name}");
    }
}

#[test]
fn secrets_come_from_one_file_and_from_prefixed_variables() {
    let files = [
        ("env/.env", "GITHUB_TOKEN=shared\nFLY_API_TOKEN=shared\n"),
        ("env/.env.prod", "GITHUB_TOKEN=prods\n"),
    ];
    let dev = env(&files, &[("LEO_ENVIRONMENT", "dev"), ("GITHUB_TOKEN", "a CI's")], SecretsPolicy::Read);
    assert_eq!(secret(&dev, "GITHUB_TOKEN"), Some(("shared", "env/.env:1".into())));
    // What prod's own file lacks doesn't come from the shared one.
    let prod = env(&files, &[("LEO_ENVIRONMENT", "prod")], SecretsPolicy::Read);
    assert_eq!(secret(&prod, "GITHUB_TOKEN"), Some(("prods", "env/.env.prod:1".into())));
    assert_eq!(secret(&prod, "FLY_API_TOKEN"), None);
    let ci =
        env(&files, &[("LEO_ENVIRONMENT", "prod"), ("LEO_SECRET_FLY_API_TOKEN", "ci")], SecretsPolicy::Read);
    assert_eq!(secret(&ci, "FLY_API_TOKEN"), Some(("ci", "the process environment".into())));
    assert_eq!(messages(&ci), "");
}

#[test]
fn a_secret_in_the_committed_file_is_never_used() {
    let env = env(&[("env/.env.defaults", "GITHUB_TOKEN=hush")], &[], SecretsPolicy::Read);
    assert!(env.secret("GITHUB_TOKEN").is_none());
    insta::assert_snapshot!(messages(&env), @r"
    error: `GITHUB_TOKEN` is a secret, and this file is committed
      ┌─ env/.env.defaults:1:1
      │
    1 │ GITHUB_TOKEN=<not shown>
      │ ^^^^^^^^^^^^^^^^^^^^^^^^
    hint: move it to env/.env, and revoke the value if it was ever pushed
    ");
}

#[test]
fn ignored_secrets_are_not_in_memory_afterwards_but_their_keys_are_checked() {
    let files = [("env/.env", "GITHUB_TOKEN=hush\nAWS_PROFILE=me\nGITHUB_TOKN=hush\n")];
    let env =
        env(&files, &[("LEO_SECRET_GITHUB_TOKEN", "hush"), ("GITHUB_TOKEN", "hush")], SecretsPolicy::Ignore);
    assert!(env.secret("GITHUB_TOKEN").is_none());
    assert_eq!(value(&env, Setting::Profile), Some(("me", "env/.env:2".into())));
    insta::assert_snapshot!(messages(&env), @r"
    error: `GITHUB_TOKN` is not a key of this file
      ┌─ env/.env:3:1
      │
    3 │ GITHUB_TOKN=<not shown>
      │ ^^^^^^^^^^^^^^^^^^^^^^^
    hint: did you mean `GITHUB_TOKEN`?
    ");
}

#[test]
fn unopened_files_are_not_asked_for() {
    let mut asked = Vec::new();
    let read = |path: &str| {
        asked.push(path.to_owned());
        Ok("LEO_ENVIRONMENT=dev\nAWS_PROFILE=me\nGITHUB_TOKEN=hush\n".to_owned())
    };
    let process = [("LEO_SECRET_FLY_API_TOKEN", "hush"), ("AWS_REGION", "eu-west-1")];
    let process = process.map(|(name, value)| (name.into(), value.into()));
    let env = Env::from_parts(read, process, Some("prod"), SecretsPolicy::Unopened);
    assert_eq!(asked, ["env/.env.defaults"]);
    let unread = |(key, _): (&KeySpec, _)| env.secret(&key.name).is_none();
    assert!(declared().secrets().all(unread) && !env.has_environment_file());
    assert_eq!(value(&env, Setting::Region), Some(("eu-west-1", "the process environment".into())));
    assert!(!format!("{env:?}").contains("hush"));
}

#[cfg(unix)]
#[test]
fn a_variable_of_ours_that_is_no_text_is_named_without_its_value() {
    use std::os::unix::ffi::OsStringExt;
    let value = || OsString::from_vec(b"hush\xff".to_vec());
    let findings = |policy| {
        let process = [("LEO_SECRET_GITHUB_TOKEN".into(), value()), ("ANOTHERS".into(), value())];
        messages(&Env::from_parts(|_| Err(io::ErrorKind::NotFound.into()), process, None, policy))
    };
    insta::assert_snapshot!(findings(SecretsPolicy::Read), @r"
    error: `LEO_SECRET_GITHUB_TOKEN` in the process environment is not UTF-8 text
    hint: set it again, or unset it
    ");
    assert_eq!(findings(SecretsPolicy::Unopened), "");
}

#[test]
fn outputs_are_never_inputs() {
    let env = env(
        &[("env/.env.defaults", "LEO_OUT_CLUSTER=leo-dev\nAWS_REGION=us-east-1")],
        &[],
        SecretsPolicy::Read,
    );
    assert!(env.secret("LEO_OUT_CLUSTER").is_none());
    assert_eq!(messages(&env), "");
}

#[test]
fn values_over_several_lines_and_awkward_ones() {
    let text = "\u{feff}export GITHUB_TOKEN='one\ntwo $x'\r\n\r\n# it's a comment\r\nFLY_API_TOKEN=\"a\\\"b\\$c\" # it's one\r\nAWS_PROFILE=last ";
    let env = env(&[("env/.env", text)], &[], SecretsPolicy::Read);
    assert_eq!(messages(&env), "");
    assert_eq!(secret(&env, "GITHUB_TOKEN"), Some(("one\ntwo $x", "env/.env:1".into())));
    assert_eq!(secret(&env, "FLY_API_TOKEN"), Some(("a\"b$c", "env/.env:5".into())));
    assert_eq!(value(&env, Setting::Profile), Some(("last", "env/.env:6".into())));
}

#[test]
fn a_file_that_can_not_be_read_is_a_finding() {
    let read = |path: &str| {
        let kind =
            if path == "env/.env" { io::ErrorKind::PermissionDenied } else { io::ErrorKind::InvalidData };
        Err(io::Error::from(kind))
    };
    let env = Env::from_parts(read, [], None, SecretsPolicy::Read);
    insta::assert_snapshot!(messages(&env), @r#"
    error: `env/.env.defaults` can't be read
     = found "invalid data"
    hint: save it as UTF-8 text

    error: `env/.env` can't be read
     = found "permission denied"
    hint: make it yours: chown $USER env/.env && chmod 600 env/.env
    "#);
}

/// What isn't there is not needed; what can't be read may hold this environment's secrets, so no other file's stand in.
#[test]
fn nothing_comes_in_the_place_of_an_environments_own_file_that_can_not_be_read() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join("env").join(name);
    fs::create_dir(root.path().join("env")).unwrap();
    fs::write(path(".env"), "GITHUB_TOKEN=the-shared-one\n").unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", path(".env.link")).unwrap();
    fs::create_dir(path(".env.folder")).unwrap();
    fs::write(path(".env.bytes"), [b'A', b'=', 0xff]).unwrap();
    for name in ["link", "folder", "bytes"] {
        let mut env = Env::load(root.path(), Some(name), SecretsPolicy::Read);
        assert!(env.secret("GITHUB_TOKEN").is_none(), "{name}");
        assert!(env.has_environment_file() && !env.takes_siblings(), "{name}");
        env.add_sibling("../x/.env", Ok("GITHUB_TOKEN=a-siblings\n".to_owned()), &KEYS);
        assert!(env.secret("GITHUB_TOKEN").is_none(), "{name}");
        assert!(env.malformed().iter().any(Diagnostic::is_error), "{name}");
    }
    let none = Env::load(root.path(), Some("none"), SecretsPolicy::Read);
    assert_eq!(secret(&none, "GITHUB_TOKEN"), Some(("the-shared-one", "env/.env:1".into())));
    insta::assert_snapshot!(messages(&Env::load(root.path(), Some("link"), SecretsPolicy::Ignore)), @r#"
    error: `env/.env.link` can't be read
     = found "it is a link to a file that isn't there"
    hint: make that file, or delete the link
    "#);
}

/// A file with secrets is read as a whole even where they are then ignored.
#[test]
fn no_core_dump_holds_a_file_that_was_read() {
    let root = tempfile::tempdir().unwrap();
    Env::load(root.path(), None, SecretsPolicy::Ignore);
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

/// Base32 is capital letters and digits alone, and ends with what makes a key of it.
#[test]
fn a_secret_that_was_pasted_without_its_key_is_not_shown_as_one() {
    let bare = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    for text in [
        format!("{bare}====\n"),
        format!("{bare}=\n{bare}=\n"),
        "JBSWY3DP===\n".to_owned(),
        "ABCDEFGHIJKLMNOPQR=\n".to_owned(),
        format!("export {bare}= a b\n"),
        format!("{bare}='a\n"),
    ] {
        let env = env(&[("env/.env", &text)], &[], SecretsPolicy::Read);
        let said = messages(&env) + &render_all(&differences("env/.env", &text), Colours::Plain);
        let key = text.trim_start_matches("export ").split('=').next().unwrap();
        assert!(!said.is_empty() && !said.contains(key), "{text}{said}");
    }
    let env = env(
        &[("env/.env", &format!("{bare}====\nLEOCERTIFICATEARN=x\nFLYAPITOKEN=x\n"))],
        &[],
        SecretsPolicy::Read,
    );
    insta::assert_snapshot!(messages(&env), @r"
    error: the line's key is none of this file, and not shown: it may be a value
      ┌─ env/.env:1:1
      │
    1 │ <not shown>
      │ ^^^^^^^^^^^
    hint: a value goes behind its key; the keys are those of infra/env.toml: GITHUB_TOKEN, FLY_API_TOKEN, AWS_REGION, LEO_ENVIRONMENT, AWS_ACCOUNT_ID, AWS_PROFILE, LEO_CERTIFICATE_ARN, LEO_DOMAIN_NAME, LEO_HOSTED_ZONE_ID

    error: `LEOCERTIFICATEARN` is not a key of this file
      ┌─ env/.env:2:1
      │
    2 │ <not shown>
      │ ^^^^^^^^^^^
    hint: did you mean `LEO_CERTIFICATE_ARN`?

    error: `FLYAPITOKEN` is not a key of this file
      ┌─ env/.env:3:1
      │
    3 │ FLYAPITOKEN=<not shown>
      │ ^^^^^^^^^^^^^^^^^^^^^^^
    hint: did you mean `FLY_API_TOKEN`?
    ");
}

#[test]
fn a_secret_of_the_process_that_is_none_is_told_with_its_prefix() {
    let process =
        ["LEO_SECRET_GITHUB_TOKN", "LEO_SECRET_github_token", "LEO_SECRET_", "LEO_SECRET_FLY-API-TOKEN"];
    let process = process.map(|name| (name, "hush"));
    insta::assert_snapshot!(messages(&env(&[], &process, SecretsPolicy::Read)), @r"
    warning: `LEO_SECRET_` in the process environment is not read: its end is no key
    hint: the keys are those of infra/env.toml: GITHUB_TOKEN, FLY_API_TOKEN, AWS_REGION, LEO_ENVIRONMENT, AWS_ACCOUNT_ID, AWS_PROFILE, LEO_CERTIFICATE_ARN, LEO_DOMAIN_NAME, LEO_HOSTED_ZONE_ID

    warning: `LEO_SECRET_FLY-API-TOKEN` in the process environment is not read: its end is no key
    hint: did you mean `LEO_SECRET_FLY_API_TOKEN`?

    warning: `LEO_SECRET_github_token` in the process environment is not read: its end is no key
    hint: did you mean `LEO_SECRET_GITHUB_TOKEN`?

    warning: `LEO_SECRET_GITHUB_TOKN` is no secret of any provider
    hint: did you mean `LEO_SECRET_GITHUB_TOKEN`?
    ");
    assert_eq!(messages(&env(&[], &process, SecretsPolicy::Ignore)), "");
}

/// Text that is likely to confuse a parser of quotes, escapes and comments.
fn confusing() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("GITHUB_TOKEN="),
        Just("AWS_REGION="),
        Just("export "),
        Just("'"),
        Just("\""),
        Just("\\"),
        Just("#"),
        Just(" "),
        Just("\n"),
        Just("\r\n"),
        Just("$"),
        Just("${HOME}"),
        Just("="),
        Just("ü"),
        Just("a"),
        Just("\u{0}"),
        Just("\t"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// No file is so malformed that a message, or the debug output of the whole, shows what was in a value.
    #[test]
    fn no_value_that_may_be_secret_is_ever_shown(
        before in confusing(),
        key in prop_oneof![Just("GITHUB_TOKEN="), Just("GITHUB_TOKEN"), Just(""), Just("LEO_SECRET_X="), Just("x="), Just("A B=")],
        quote in prop_oneof![Just(""), Just("'"), Just("\""), Just("\\"), Just(" "), Just("$")],
        after in confusing(),
    ) {
        let before = before.replace("AWS_REGION", "FLY_API_TOKEN");
        let text = format!("{before}\n{key}{quote}hush{quote}{after}");
        for policy in [SecretsPolicy::Read, SecretsPolicy::Ignore] {
            let env = env(&[("env/.env.defaults", &text), ("env/.env", &text)], &[("LEO_SECRET_GITHUB_TOKEN", "hush")], policy);
            prop_assert!(!messages(&env).contains("hush"), "{}", messages(&env));
            let differences = render_all(&differences("env/.env", &text), Colours::Plain);
            prop_assert!(!differences.contains("hush"), "{}", differences);
            let debug = format!("{env:?}");
            prop_assert!(!debug.contains("hush"));
        }
    }

    #[test]
    fn single_quotes_keep_any_value(value in "[^'\\\\\\p{Cc}]{1,60}") {
        let env = env(&[("env/.env", &format!("GITHUB_TOKEN='{value}'\nFLY_API_TOKEN=next\n"))], &[], SecretsPolicy::Read);
        prop_assert_eq!(secret(&env, "GITHUB_TOKEN").map(|(value, _)| value.to_owned()), Some(value));
        prop_assert_eq!(secret(&env, "FLY_API_TOKEN").map(|(value, _)| value), Some("next"));
    }
}

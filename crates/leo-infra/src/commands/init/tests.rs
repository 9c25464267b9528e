use super::{
    plan::{Plan, State},
    *,
};
use std::{io, path::PathBuf};

const SCHEMA: &str = include_str!("../../../../../infra/env.toml");

fn schema() -> Schema {
    Schema::parse(Schema::PATH, SCHEMA).expect("is valid")
}

/// A token of GitHub's by its form alone.
fn token() -> String {
    ["ghp_", "k8Jq2Lx0VbN7sTz4WmRc9YpD3fHg6Ea1Uo5Q"].concat()
}

fn env(files: &[(&str, &str)], process: &[(&str, &str)], environment: &str) -> Env {
    let read = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    };
    let process = process.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Env::from_parts(read, process, Some(environment), SecretsPolicy::Read)
}

fn given(set: &[&str]) -> Result<Given, Failure> {
    let set: Vec<String> = set.iter().map(|argument| (*argument).to_owned()).collect();
    Given::read(&schema(), &set, false)
}

fn states(plan: &Plan) -> Vec<(&str, &'static str)> {
    let word = |state: &State| match state {
        State::New(_) => "new",
        State::Kept(_) => "kept",
        State::Elsewhere { .. } => "elsewhere",
        State::Missing => "missing",
    };
    plan.keys.iter().map(|key| (key.name.as_str(), word(&key.state))).collect()
}

#[test]
fn what_is_missing_is_what_no_source_has() {
    let shared = "GITHUB_TOKEN=x\nFLY_API_TOKEN=\n";
    let files = [("env/.env", shared), ("env/.env.defaults", "AWS_REGION=us-east-1\n")];
    let env = env(&files, &[("LEO_SECRET_SUPABASE_URL", "x")], "dev");
    let file = EnvFile::new("env/.env", Some(shared.to_owned()));
    let found = Found { env: &env, starts_own: false };
    let shared_plan =
        plan::plan(&schema(), &file, &found, &mut given(&[]).expect("is right")).expect("is planned");
    let expected = [
        ("AWS_REGION", "elsewhere"),
        ("CLAUDE_CODE_OAUTH_TOKEN", "missing"),
        ("FLY_API_TOKEN", "missing"),
        ("GITHUB_TOKEN", "kept"),
        ("SUPABASE_URL", "elsewhere"),
        ("SUPABASE_ANON_KEY", "missing"),
        ("SUPABASE_SERVICE_ROLE_KEY", "missing"),
    ];
    assert_eq!(states(&shared_plan), expected);

    // A file of its own will be the only one with its secrets.
    let found = Found { env: &env, starts_own: true };
    let own = EnvFile::new("env/.env.dev", None);
    let own_plan =
        plan::plan(&schema(), &own, &found, &mut given(&[]).expect("is right")).expect("is planned");
    assert!(states(&own_plan).contains(&("GITHUB_TOKEN", "missing")));
    assert!(states(&own_plan).contains(&("SUPABASE_URL", "elsewhere")));
}

#[test]
fn new_values_join_the_file_in_the_order_of_the_schema() {
    let schema = schema();
    let env = env(&[], &[], "dev");
    let write = |text: Option<&str>| {
        let mut file = EnvFile::new("env/.env", text.map(str::to_owned));
        let found = Found { env: &env, starts_own: false };
        let mut given = given(&["AWS_PROFILE=leo dev"]).expect("is right");
        let mut plan = plan::plan(&schema, &file, &found, &mut given).expect("is planned");
        plan.find("AWS_ACCOUNT_ID", "123456789012");
        plan.answer("FLY_API_TOKEN", leo_env::Secret::new("it's $hush"));
        plan.apply(&schema, &mut file).expect("is written");
        file.text().to_owned()
    };
    let fresh = write(None);
    let beside = write(Some("# mine\r\nexport FLY_API_TOKEN=   # later\r\nGITHUB_TOKEN='x'"));
    insta::assert_snapshot!(format!("{fresh}=====\n{}", beside.replace('\r', "␍")));
}

#[test]
fn what_is_there_is_never_overwritten() {
    let env = env(&[], &[], "dev");
    let file = EnvFile::new("env/.env", Some("\nAWS_PROFILE=theirs\n".to_owned()));
    let found = Found { env: &env, starts_own: false };
    let failure = plan::plan(&schema(), &file, &found, &mut given(&["AWS_PROFILE=mine"]).expect("is right"));
    let Err(Failure::Problems(problems)) = failure else { panic!("it is planned") };
    insta::assert_snapshot!(problems[0].1.text(), @"
    error: failed to set AWS_PROFILE: env/.env:2 has another value, which stays; nothing was written
    hint: change it in env/.env, or leave it out here
    ");
    let same = plan::plan(&schema(), &file, &found, &mut given(&["AWS_PROFILE=theirs"]).expect("is right"));
    assert!(states(&same.expect("is planned")).contains(&("AWS_PROFILE", "kept")));
}

#[test]
fn what_is_given_is_checked_and_never_quoted() {
    let token = token();
    let of_secret = format!("GITHUB_TOKEN={token}");
    let arguments = [
        of_secret.as_str(),
        &token,
        &format!("AWS_ACCOUNT_ID={token}"),
        &format!("AWS_PROFLE={token}"),
        &format!("{token}={token}"),
        "AWS_PROFILE=one",
        "AWS_PROFILE=two",
    ];
    let Err(Failure::Problems(problems)) = given(&arguments) else { panic!("it is taken") };
    let said: String = problems.iter().map(|(_, problem)| problem.text()).collect();
    assert!(!said.contains(&token), "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn the_outcome_shows_settings_and_hides_secrets() {
    let schema = schema();
    let token = token();
    let text = format!("GITHUB_TOKEN={token}\n");
    let env = env(&[("env/.env", &text), ("env/.env.defaults", "AWS_REGION=us-east-1\n")], &[], "dev");
    let mut file = EnvFile::new("env/.env", Some(text.clone()));
    let found = Found { env: &env, starts_own: false };
    let mut plan =
        plan::plan(&schema, &file, &found, &mut given(&[]).expect("is right")).expect("is planned");
    plan.find("AWS_ACCOUNT_ID", "123456789012");
    plan.answer("FLY_API_TOKEN", leo_env::Secret::new(&*token));
    plan.apply(&schema, &mut file).expect("is written");
    let config = leo_config::testing::load("[environments.dev]").expect("is valid");
    let nowhere = PathBuf::from("nowhere");
    let outcome = Outcome {
        environment: "dev".to_owned(),
        is_default: false,
        path: "env/.env".to_owned(),
        written: Some(leo_env::Written { changed: true, was_open: Some(0o644) }),
        plan,
        account: SignedIn::Account("123456789012".to_owned()),
        pin: Pin::Written { own: false },
        siblings: report::siblings(&nowhere, &config),
        config,
    };
    let said = format!(
        "{}\n{:#}\n{}",
        outcome.text(),
        outcome.json(),
        outcome.unanswered().iter().map(Problem::text).collect::<String>()
    );
    assert!(!said.contains(&token), "{said}");
    insta::assert_snapshot!(said);
}

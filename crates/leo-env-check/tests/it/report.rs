//! What each key is shown as, and what a report is as JSON; what `--fix` and `--public` do.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    time::Instant,
};

use leo_diagnostic::{Colours, render};
use leo_env_check::fix;

use crate::tree::{CANARY, Tree, filled, said, with_others};

#[test]
fn everything_in_order() {
    let tree = Tree::new();
    let report = tree.report(None, false);
    assert_eq!((report.errors(), report.warnings()), (0, 0), "{}", said(&report));
    insta::assert_snapshot!(report.to_text(Colours::Plain));
}

#[test]
fn every_kind_of_place_is_named() {
    let tree =
        Tree::new().process("LEO_SECRET_FLY_API_TOKEN", "@FLY_API_TOKEN@").process("AWS_PROFILE", "shell");
    tree.write(
        "infra/leo.toml",
        "[environments.dev]\naccount = \"123456789012\"\n[environments.prod]\n[images.orchestrator]\nenv_file = \"../leo-saas/.env\"\n",
    );
    tree.defaults("AWS_REGION=us-east-1\nAWS_PROFILE=all\nLEO_OUT_CLUSTER=leo-dev\nLEO_OUT_URL=\n");
    let env = with_others("AWS_PROFILE=me\nAWS_REGION=us-east-2\n");
    tree.write(
        "env/.env",
        env.split_inclusive('\n').filter(|line| !line.starts_with("GITHUB_TOKEN=")).collect::<String>(),
    );
    tree.write(
        "../leo-saas/.env",
        filled("PORT=1\nGITHUB_TOKEN=@GITHUB_TOKEN@\nFLY_API_TOKEN=@FLY_API_TOKEN@\n"),
    );
    tree.write("../leo-saas/.dockerignore", ".env\n");
    let report = tree.report(None, false);
    insta::assert_snapshot!(report.to_text(Colours::Plain));
    insta::assert_snapshot!("every_kind_of_place_as_json", format!("{:#}", report.to_json()));
}

#[test]
fn fix_makes_files_private_and_changes_nothing_else() {
    let tree = Tree::new();
    for (path, mode) in [("env/.env", 0o644), ("env/.env.prod", 0o640), ("env/.env.defaults", 0o664)] {
        if path != "env/.env.defaults" {
            tree.write(path, with_others(""));
        }
        tree.mode(path, mode);
    }
    let before = fs::read(tree.root().join("env/.env")).unwrap();
    let fixed = fix(&tree.root(), &tree.report(None, false));
    assert!(fixed.iter().all(|(_, done)| done.is_ok()));
    assert_eq!(
        fixed.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["env/.env", "env/.env.prod"]
    );
    let mode = |path: &str| fs::metadata(tree.root().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("env/.env"), mode("env/.env.prod"), mode("env/.env.defaults")], [0o600, 0o600, 0o664]);
    assert_eq!(fs::read(tree.root().join("env/.env")).unwrap(), before);
    let report = tree.report(None, false);
    assert_eq!(said(&report), "");
    assert!(fix(&tree.root(), &report).is_empty());
}

/// A file that its owner may not open either is never a fact of the public report, so nothing tried to.
#[test]
fn the_public_report_opens_no_file_with_secrets() {
    let tree = Tree::new().process("LEO_SECRET_GITHUB_TOKEN", "@GITHUB_TOKEN@");
    tree.write(
        "infra/leo.toml",
        "[environments.dev]\n[environments.prod]\n[images.orchestrator]\nenv_file = \"../leo-saas/.env\"\n",
    );
    tree.write("../leo-saas/.dockerignore", ".env\n");
    // A pipe that nobody writes into: opening it would never end.
    for path in ["env/.env", "env/.env.dev", "../leo-saas/.env"] {
        let path = tree.root().join(path);
        drop(fs::remove_file(&path));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    tree.defaults("AWS_PROFILE=all\nLEO_OUT_CLUSTER=leo-dev\n");
    let report = tree.report(None, true);
    insta::assert_snapshot!(report.to_text(Colours::Plain));
    assert!(report.files.iter().filter(|file| file.path != "env/.env.defaults").all(|file| !file.opened));
    // Nor with an environment that needs a file of its own.
    assert_eq!(tree.report(Some("prod"), true).errors(), 0);
}

#[test]
fn a_name_of_the_command_line_that_is_none_is_said_to_be_its() {
    for name in ["", "PROD!"] {
        let report = Tree::new().report(Some(name), false);
        assert!(
            said(&report).contains("error: `--environment` is not an environment name"),
            "{}",
            said(&report)
        );
        assert!(report.to_text(Colours::Plain).starts_with("no environment is chosen\n"));
    }
}

/// A secret that looks like none, in a text that everyone gets.
#[test]
fn a_line_of_help_does_not_repeat_a_secret() {
    let tree = Tree::new();
    tree.env("SUPABASE_ANON_KEY=Hu5hQ7-hush-hush\n");
    let schema = fs::read_to_string(tree.root().join("infra/env.toml")).unwrap();
    let help = "help = \"the Supabase project\"";
    assert!(schema.contains(help));
    tree.write("infra/env.toml", schema.replace(help, "help = \"the project of Hu5hQ7-hush-hush\""));
    let json = tree.report(None, false).to_json().to_string();
    assert!(json.contains("the project of ••••"), "{json}");
}

/// A file of the kernel's about this process, whose permissions root can't change either.
#[test]
fn what_can_not_be_fixed_is_said_beside_everything_else() {
    let tree = Tree::new();
    tree.write("env/.env.prod", with_others(""));
    tree.mode("env/.env.prod", 0o640);
    fs::remove_file(tree.root().join("env/.env")).unwrap();
    symlink("/proc/self/status", tree.root().join("env/.env")).unwrap();
    let fixed = fix(&tree.root(), &tree.report(None, false));
    let mut report = tree.report(None, false);
    let failed: Vec<_> =
        fixed.iter().filter_map(|(path, done)| Some((path.as_str(), done.as_ref().err()?))).collect();
    assert_eq!(failed.iter().map(|(path, _)| *path).collect::<Vec<_>>(), ["env/.env"]);
    for (path, why) in failed {
        report.not_fixed(path, why);
    }
    let of_mode: Vec<_> =
        report.findings.iter().filter(|finding| finding.kind == leo_env_check::Kind::Readable).collect();
    let said: Vec<_> = of_mode.iter().map(|finding| render(&finding.diagnostic, Colours::Plain)).collect();
    insta::assert_snapshot!(said.concat(), @r#"
    error: others may read `env/.env`
     = found the permissions 0444, which could not be changed: "Operation not permitted (os error 1)"
    hint: make it yours: sudo chown $USER env/.env && chmod 600 env/.env
    "#);
}

#[test]
fn the_public_report_says_what_an_unopened_file_may_override() {
    let tree = Tree::new().process("AWS_REGION", "us-west-2");
    tree.write("infra/leo.toml", "[environments.dev]\naccount = \"123456789012\"\n[environments.staging]\n");
    tree.write("env/.env", with_others("AWS_REGION=eu-west-1\nLEO_ENVIRONMENT=staging\n"));
    tree.write("env/.env.dev", with_others("AWS_PROFILE=me\n"));
    tree.defaults("AWS_PROFILE=all\n");
    let shared = tree.report(None, true);
    insta::assert_snapshot!("overridden_in_public", shared.to_text(Colours::Plain));
    let json = shared.to_json();
    assert_eq!(json["environment_may_be_overridden"], true);
    let key = |name: &str| json["keys"].as_array().unwrap().iter().find(|key| key["key"] == name).unwrap();
    assert_eq!(
        (&key("AWS_REGION")["may_be_overridden"], &key("AWS_PROFILE")["may_be_overridden"]),
        (&false.into(), &true.into())
    );
    assert_eq!(key("AWS_PROFILE")["may_be_overridden_by"], serde_json::json!(["env/.env", "env/.env.dev"]));

    // The command line's word about the environment is the last; what nobody committed may be in there.
    tree.defaults("LEO_ENVIRONMENT=\nAWS_REGION=\n");
    let tree = tree.without_process();
    insta::assert_snapshot!("missing_in_public", tree.report(Some("dev"), true).to_text(Colours::Plain));
    assert!(
        tree.report(None, true)
            .to_text(Colours::Plain)
            .starts_with("no environment is chosen, unless env/.env names one\n")
    );

    // Opened, or not there, nothing is left open.
    let opened = tree.report(Some("dev"), false).to_json().to_string();
    assert!(!opened.contains("\"may_be_overridden\":true"), "{opened}");
    fs::remove_file(tree.root().join("env/.env")).unwrap();
    fs::remove_file(tree.root().join("env/.env.dev")).unwrap();
    let neither = tree.report(Some("dev"), true).to_json().to_string();
    assert!(!neither.contains("may_be_overridden\":true"), "{neither}");
}

/// Printed, not held to a number: this machine may be busy.
#[test]
fn it_takes_a_few_milliseconds() {
    let tree = Tree::new();
    tree.write(".gitignore", "env/.env\n");
    tree.git("", &["init", "--quiet"]);
    tree.git("", &["add", "."]);
    for sibling in ["leo-saas", "leo-container"] {
        for number in 0..200 {
            tree.write(&format!("../{sibling}/src/part{}/file{number}.ts", number % 10), "x");
        }
    }
    let mut times: Vec<_> = (0..11)
        .map(|_| {
            let started = Instant::now();
            assert_eq!(tree.report(None, false).errors(), 0);
            started.elapsed()
        })
        .collect();
    times.sort();
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    println!(
        "env-check, {profile} build, 400 files in two siblings: median {:?} of {:?} to {:?}",
        times[5], times[0], times[10]
    );
}

#[test]
fn the_secrets_of_these_tests_hold_what_is_looked_for() {
    for key in crate::tree::SECRETS.into_iter().filter(|key| *key != "SUPABASE_URL") {
        assert!(crate::tree::secret(key).contains(CANARY), "{key}");
        assert!(crate::tree::secret(key).ends_with(CANARY), "{key}");
    }
}

//! No secret gets out of a command that answers offline: not on a screen, into a file, or to a child.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
};

use leo_canary::{Canaries, Canary, Leak, Watch};

use crate::{run, stderr, stdout, work_tree, xtask};

const COMMANDS: &[&[&str]] = &[
    &["synth"],
    &["synth", "--environment", "prod"],
    &["env-check"],
    &["env-check", "--public"],
    &["env-check", "--environment", "prod"],
    &["env-check", "--fix"],
    &["env-generate", "--check"],
    &["local", "status"],
    &["local", "down"],
];
const TOML: &str = "[environments.dev]\n[environments.prod]\nprotected = true\n";
/// A token where a setting, a variable of a container and a build argument is.
const MISPLACED: &str = "[orchestrator.environment]\nGITHUB_TOKEN = \"{}\"\n[images.orchestrator.build_args]\n\
                         FLY_API_TOKEN = \"{}\"\n[network]\nvpc_cidr = \"{}\"\n[environments.dev]\nregion = \"{}\"\n";

fn canaries() -> Canaries {
    let token = |core: &str| format!("ghp_{core}{core}");
    let all = [
        Canary::new("claude", |core| format!("sk-ant-oat01-{core}{core}{core}")),
        Canary::new("file", token),
        Canary::new("variable", |core| format!("github_pat_{}_{core}{core}{core}", &core[..22])),
        Canary::new("configuration", token),
        Canary::new("committed", token),
    ];
    Canaries::new(all.into()).unwrap()
}

/// The files with secrets: as they should be, and with everything wrong that can be.
fn files(canaries: &Canaries) -> [String; 2] {
    let value = canaries.value("file");
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
        "AWS_PROFILE={}",
        "AWS_ACCOUNT_ID={}",
        "LEO_OUT_BUCKET={}",
        "SUPABASE_URL=\\x{}",
        "CLAUDE_CODE_OAUTH_TOKEN='{}' {}",
        "LEO_DOMAIN_NAME=https://user:{}@example.com",
        "FLY_API_TOKEN='{}\r\n",
        "{}",
    ];
    let good = format!("CLAUDE_CODE_OAUTH_TOKEN={}\nGITHUB_TOKEN={value}\n", canaries.value("claude"));
    [good, lines.map(|line| line.replace("{}", value)).join("\n")]
}

/// A token where an argument is wanted, or none at all: whoever types one there sees no more of it.
#[test]
fn an_argument_that_is_a_token_is_not_repeated() {
    let canaries = canaries();
    let token = canaries.value("file");
    let folder = work_tree(TOML);
    let option = format!("--{token}");
    for args in [
        &[token][..],
        &["synth", token],
        &["env-check", &option],
        &["env-check", "--environment", "dev", token],
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!said.contains(token) && said.contains("revoke it"), "{said}");
    }
    let output = run(folder.path(), &["synth", "--enviroment", "dev"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--enviroment"), "{}", stderr(&output));
}

/// What a command left behind that it must not have.
fn leaks(canaries: &Canaries, root: &Path, args: &[&str]) -> (Output, Vec<Leak>) {
    let mut command = xtask(root, args);
    command.env("LEO_SECRET_GITHUB_TOKEN", canaries.value("variable")).env("RUST_BACKTRACE", "1");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let watch = Watch::over(child.id());
    let output = child.wait_with_output().unwrap();
    let mut leaks = canaries.in_bytes("stdout", &output.stdout);
    leaks.extend(canaries.in_bytes("stderr", &output.stderr));
    for (name, told) in watch.end().children {
        leaks.extend(canaries.in_bytes(&name, &told));
    }
    // Where they were put.
    let own = ["env/.env", "env/.env.defaults", "infra/leo.toml"].map(|file| root.join(file));
    leaks.extend(canaries.below(root, &|path| own.iter().any(|file| file == path)).unwrap());
    (output, leaks)
}

#[test]
fn no_command_shows_a_secret() {
    let canaries = canaries();
    let misplaced = MISPLACED.replace("{}", canaries.value("configuration"));
    let committed = format!(
        "# {0}\nAWS_REGION=us-east-1\nGITHUB_TOKEN={0}\nLEO_DOMAIN_NAME={0}\nLEO_ENVIRONMENT=dev\n",
        canaries.value("committed")
    );
    for toml in [TOML, &misplaced] {
        for text in files(&canaries) {
            for defaults in ["AWS_REGION=us-east-1\nLEO_ENVIRONMENT=dev\n", &committed] {
                let folder = work_tree(toml);
                fs::write(folder.path().join("env/.env"), &text).unwrap();
                fs::write(folder.path().join("env/.env.defaults"), defaults).unwrap();
                for command in COMMANDS {
                    for more in [&[][..], &["--json"], &["-vvv"]] {
                        let args = [command, more].concat();
                        let (output, leaks) = leaks(&canaries, folder.path(), &args);
                        let said = String::from_utf8_lossy(&output.stderr);
                        let stdout = String::from_utf8_lossy(&output.stdout);
                        assert!(leaks.is_empty(), "{args:?}: {leaks:#?}\n{stdout}\n{said}");
                        assert!(!said.contains("a defect of this tool"), "{args:?}: {said}");
                    }
                }
            }
        }
    }
}

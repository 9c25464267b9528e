//! cargo-nextest, the test runner: found or installed, and told which tests this machine can run.

use anyhow::{Context, Result};
use leo_local::Engine;

use crate::repository::{Repository, output, run};

/// What is installed where none is.
const PINNED: &str = "0.9.143";
/// The oldest that knows all of `.config/nextest.toml`.
const OLDEST: (u32, u32, u32) = (0, 9, 100);

/// Makes sure that `cargo nextest` is there; a new enough one that is already installed is taken.
pub(crate) fn ensure(repository: &Repository) -> Result<()> {
    let installed = repository.has_cargo_subcommand("nextest")
        && version(&output(repository.cargo().args(["nextest", "--version"]))?).is_some_and(|v| v >= OLDEST);
    if installed {
        return Ok(());
    }
    eprintln!("installing cargo-nextest {PINNED} (several minutes, once)…");
    // Without its self-update, which links an HTTP client; and not optimized: that would double the minutes, and a runner
    // waits for the tests anyway.
    run(repository
        .cargo()
        .args(["install", "cargo-nextest", "--locked", "--version", PINNED])
        .args(["--no-default-features", "--features", "default-no-update"])
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"))
    .context("failed to install cargo-nextest")
}

/// The version in what `cargo nextest --version` prints.
fn version(printed: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = printed.split_whitespace().nth(1)?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Which tests a machine with this engine can't run, as a nextest filter that leaves them out, and why.
pub(crate) fn left_out(engine: &Engine) -> Option<(&'static str, String)> {
    match engine {
        Engine::Docker(_) => None,
        Engine::None { reason } => {
            Some(("not test(/(^|::)docker_/)", format!("the tests named docker_… are left out: {reason}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(
            version("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143"),
            Some((0, 9, 143))
        );
        assert!(version("cargo-nextest 0.9.99").unwrap() < OLDEST);
        assert!(version(&format!("cargo-nextest {PINNED}")).unwrap() >= OLDEST);
        assert_eq!(version("cargo-nextest"), None);
        assert_eq!(version("cargo-nextest 0.9.x"), None);
    }

    #[test]
    fn without_an_engine_only_what_needs_one_is_left_out() {
        let (filter, why) =
            left_out(&Engine::None { reason: "there is no `docker` command".into() }).unwrap();
        assert_eq!(filter, "not test(/(^|::)docker_/)");
        assert_eq!(why, "the tests named docker_… are left out: there is no `docker` command");
    }
}

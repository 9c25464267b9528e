//! How the time of `cargo xtask synth` is spent: environment, configuration, composing, rendering.

#![allow(clippy::expect_used, reason = "without this repository's own files there is nothing to measure")]

use leo_config::Config;
use leo_diagnostic::SourceFile;
use leo_env::{Env, Schema, SecretsPolicy};
use std::{fs, path::Path};

fn main() {
    divan::main();
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn environment() -> Env {
    let read = |path: &str| fs::read_to_string(root().join(path));
    Env::from_parts(read, [], Some("dev"), SecretsPolicy::Ignore)
}

fn leo_toml() -> SourceFile {
    SourceFile::new("infra/leo.toml", fs::read_to_string(root().join("infra/leo.toml")).expect("is there"))
}

fn schema() -> Schema {
    Schema::load(&root()).expect("is valid")
}

fn config() -> Config {
    leo_config::load(&leo_toml(), &schema(), &environment(), None).expect("is valid")
}

#[divan::bench]
fn the_schema() -> Schema {
    schema()
}

#[divan::bench]
fn environment_files() -> Env {
    environment()
}

#[divan::bench]
fn configuration(bencher: divan::Bencher<'_, '_>) {
    let (leo_toml, schema, env) = (leo_toml(), schema(), environment());
    bencher.bench(|| leo_config::load(&leo_toml, &schema, &env, None));
}

#[divan::bench]
fn composing(bencher: divan::Bencher<'_, '_>) {
    let config = config();
    bencher.bench(|| leo_stack::compose(&config));
}

#[divan::bench]
fn rendering(bencher: divan::Bencher<'_, '_>) {
    let stacks = leo_stack::compose(&config()).expect("composes");
    bencher.bench(|| stacks.all().map(|stack| stack.template.to_pretty_json()).collect::<Vec<_>>());
}

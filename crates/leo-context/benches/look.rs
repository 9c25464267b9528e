//! How long a look takes: `cargo bench -p leo-context`, or with the dev profile, which is what users run,
//! `cargo bench -p leo-context --profile dev`. `LEO_BENCH_MB` sets the size of the context of 10,000 files.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench panics where its own setup is wrong"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use leo_context::{Request, look};

fn main() {
    divan::main();
}

/// 10,000 files in 500 folders, with a list that has the usual lines.
struct Context(tempfile::TempDir);

impl Context {
    fn new() -> Self {
        let megabytes =
            std::env::var("LEO_BENCH_MB").ok().and_then(|size| size.parse().ok()).unwrap_or(1000_usize);
        let folder = tempfile::tempdir().expect("a folder");
        let mut random = fastrand::Rng::with_seed(1);
        let mut content = vec![0_u8; megabytes * 100];
        for number in 0..10_000 {
            let place = folder.path().join(format!("src/part{}/module{}", number % 20, number % 500));
            fs::create_dir_all(&place).expect("a folder");
            random.fill(&mut content);
            // Half of it text, as sources are.
            if number % 2 == 0 {
                for byte in &mut content {
                    *byte = b" abcdefghijklmnopqrstuvwxyz_eyJ().\n"[usize::from(*byte) % 35];
                }
            }
            fs::write(place.join(format!("file{number}.rs")), &content).expect("a file");
        }
        fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY . /\n").expect("a file");
        let list = "**/.git\n**/node_modules\n**/target\n**/*.log\n**/.env*\n!**/.env.example\n*.md\n**/dist/*\ntmp\n";
        fs::write(folder.path().join(".dockerignore"), list).expect("a file");
        Self(folder)
    }

    fn look(&self, cache: Option<&Path>) -> u64 {
        let request = Request {
            context: self.0.path(),
            dockerfile: &self.0.path().join("Dockerfile"),
            named: &BTreeMap::new(),
            build_args: &BTreeMap::new(),
            target: None,
            platform: "linux/amd64",
            recipe: "",
            allowed: &[],
            cache,
            own_root: None,
            home: None,
        };
        look(&request).expect("a look").read
    }
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn first_look(bencher: divan::Bencher<'_, '_>) {
    let context = Context::new();
    bencher.bench(|| context.look(None));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn second_look(bencher: divan::Bencher<'_, '_>) {
    let context = Context::new();
    let cache = tempfile::tempdir().expect("a folder");
    context.look(Some(cache.path()));
    bencher.bench(|| context.look(Some(cache.path())));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn second_look_after_one_file_changed(bencher: divan::Bencher<'_, '_>) {
    let context = Context::new();
    let cache = tempfile::tempdir().expect("a folder");
    context.look(Some(cache.path()));
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        fs::write(context.0.path().join("Dockerfile"), format!("FROM scratch\nCOPY . /\n# {number}\n"))
            .expect("a file");
        context.look(Some(cache.path()))
    });
}

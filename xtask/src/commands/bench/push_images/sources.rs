//! What is built: for each tool and each image a repository of its own, so that neither finds what the other made.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::repository::{Repository, run as run_to_end};

/// The steps cost what those of an application cost: a stage of dependencies, which waits for a registry of packages more
/// than it computes and which a change of the source leaves alone, and a stage that compiles the source on one core.
const DOCKERFILE: &str = "\
FROM scratch AS base
COPY busybox /bin/sh
COPY busybox /bin/busybox

FROM base AS dependencies
COPY dependencies.bin /dependencies/
RUN busybox sleep 6 && busybox sha512sum /dependencies/dependencies.bin > /dependencies/sum

FROM base AS build
COPY src /src
RUN busybox sh -c 'for i in $(busybox seq 1 3); do busybox find /src -type f -exec busybox sha512sum {} +; done > /out'

FROM base
COPY --from=dependencies /dependencies /dependencies
COPY --from=build /out /src /app/
CMD [\"/bin/busybox\", \"true\"]
";
const DEPENDENCIES: usize = 15 << 20;
const FILES: usize = 10_000;
const FILE: usize = 2 << 10;

/// What the sources are, for whoever reads the table.
pub(super) const SHAPE: &str = "each image: 10,000 files of 2 kB and 15 MB of dependencies; installing these waits for 6 \
                                seconds, compiling hashes every file three times";

/// One of them.
pub(super) struct Source {
    pub(super) folder: PathBuf,
}

impl Source {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Replaces all of it: nothing of what is built from it can have been built before.
    pub(super) fn renew(&self, repository: &Repository, seed: u64) -> Result<()> {
        let failed = || format!("failed to write {}", self.folder.display());
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(failed)?;
        }
        let src = self.folder.join("src");
        for folder in 0..20 {
            fs::create_dir_all(src.join(folder.to_string())).with_context(failed)?;
        }
        let mut noise = Noise(seed | 1);
        for file in 0..FILES {
            let path = src.join((file % 20).to_string()).join(format!("{file}.txt"));
            fs::write(path, noise.bytes(FILE)).with_context(failed)?;
        }
        fs::write(self.folder.join("dependencies.bin"), noise.bytes(DEPENDENCIES)).with_context(failed)?;
        // The very first step differs as well.
        let mut program = fs::read(busybox()?).with_context(failed)?;
        program.extend_from_slice(&seed.to_le_bytes());
        let busybox = self.folder.join("busybox");
        fs::write(&busybox, program).with_context(failed)?;
        executable(&busybox).with_context(failed)?;
        fs::write(self.folder.join("Dockerfile"), DOCKERFILE).with_context(failed)?;
        fs::write(self.folder.join(".dockerignore"), ".git\n").with_context(failed)?;
        self.git(repository, &["init", "--quiet", "--initial-branch=main"])?;
        self.commit(repository)
    }

    /// Changes one file of the source.
    pub(super) fn change(&self, repository: &Repository, seed: u64) -> Result<()> {
        let path = self.folder.join("src/7/7.txt");
        fs::write(&path, Noise(seed | 1).bytes(FILE))
            .with_context(|| format!("failed to write {}", path.display()))?;
        self.commit(repository)
    }

    fn commit(&self, repository: &Repository) -> Result<()> {
        self.git(repository, &["add", "--all"])?;
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"];
        self.git(repository, &[&who[..], &["commit", "--quiet", "--message", "bench"]].concat())
    }

    fn git(&self, repository: &Repository, arguments: &[&str]) -> Result<()> {
        run_to_end(repository.command("git").arg("-C").arg(&self.folder).args(arguments))
    }
}

fn busybox() -> Result<PathBuf> {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths)
        .map(|folder| folder.join("busybox"))
        .find(|path| path.is_file())
        .context("found no `busybox`: install busybox-static")
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Bytes that nothing compresses (Marsaglia's xorshift).
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            bytes.extend_from_slice(&self.0.to_le_bytes());
        }
        bytes
    }
}

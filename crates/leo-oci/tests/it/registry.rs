//! A plain registry of our own: Debian's `docker-registry` on a free loopback port, its data in a temporary folder, into
//! which a test puts images without asking it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use leo_oci::ImageDigest;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// `AWS:right` as a line of an htpasswd file.
const HTPASSWD: &str = "AWS:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC\n";
pub(crate) const USER: &str = "AWS";
pub(crate) const PASSWORD: &str = "right";

/// The registry. It ends with this value.
pub(crate) struct Registry {
    pub(crate) host: String,
    _process: Child,
    data: TempDir,
}

impl Registry {
    /// Starts one; `None` where the program is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let configuration = data.path().join("registry.yml");
        fs::write(data.path().join("htpasswd"), HTPASSWD).unwrap();
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {root}/data}}\n\
             http: {{addr: '127.0.0.1:0'}}\nauth:\n  htpasswd: {{realm: test, path: {root}/htpasswd}}\n",
            root = data.path().display()
        );
        fs::write(&configuration, text).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&configuration)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let Ok(mut process) = started else {
            let all = std::env::var_os("LEO_REQUIRE_ALL").is_some_and(|all| all == "1");
            assert!(!all, "docker-registry is needed and missing");
            println!("skipped: docker-registry is not installed");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let host = loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split([' ', '"']).next().unwrap().to_owned();
            }
        };
        // A full pipe would stop the registry.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { host, _process: process, data })
    }

    /// Puts a blob into a repository.
    pub(crate) fn store(&self, repository: &str, bytes: &[u8]) -> ImageDigest {
        let digest = digest_of(bytes);
        let blob = self.blob(&digest);
        fs::create_dir_all(blob.parent().unwrap()).unwrap();
        fs::write(blob, bytes).unwrap();
        self.link(repository, &format!("_layers/sha256/{}", hex(&digest)), &digest);
        digest
    }

    /// Puts a manifest into a repository.
    pub(crate) fn store_manifest(&self, repository: &str, bytes: &[u8]) -> ImageDigest {
        let digest = self.store(repository, bytes);
        self.link(repository, &format!("_manifests/revisions/sha256/{}", hex(&digest)), &digest);
        digest
    }

    fn link(&self, repository: &str, path: &str, digest: &ImageDigest) {
        let folder = self.root().join("repositories").join(repository).join(path);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("link"), digest.as_str()).unwrap();
    }

    /// Whether a repository has this blob.
    pub(crate) fn has(&self, repository: &str, digest: &ImageDigest) -> bool {
        let path = format!("repositories/{repository}/_layers/sha256/{}/link", hex(digest));
        self.root().join(path).is_file()
    }

    /// A manifest as the repository has it.
    pub(crate) fn manifest(&self, repository: &str, digest: &ImageDigest) -> Option<Vec<u8>> {
        let path = format!("repositories/{repository}/_manifests/revisions/sha256/{}/link", hex(digest));
        self.root().join(path).is_file().then(|| fs::read(self.blob(digest)).unwrap())
    }

    /// Where the bytes of a blob are.
    pub(crate) fn blob(&self, digest: &ImageDigest) -> PathBuf {
        let hex = hex(digest);
        self.root().join("blobs/sha256").join(&hex[..2]).join(hex).join("data")
    }

    fn root(&self) -> PathBuf {
        self.data.path().join("data/docker/registry/v2")
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> ImageDigest {
    ImageDigest::of_sha256(&Sha256::digest(bytes).into())
}

fn hex(digest: &ImageDigest) -> &str {
    digest.as_str().strip_prefix("sha256:").unwrap()
}

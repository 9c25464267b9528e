//! The engine's BuildKit at a socket of its own, as a daemon elsewhere would be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::copy;
use tokio::net::{UnixListener, UnixStream};
use tokio::process::Command;

/// The socket. It ends with the test's runtime.
pub(crate) struct Bridge {
    folder: TempDir,
}

impl Bridge {
    pub(crate) fn start() -> Self {
        // Sockets have short paths.
        let folder = tempfile::Builder::new().prefix("leo-b").tempdir_in("/tmp").unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(lead(stream));
            }
        });
        Self { folder }
    }

    /// The daemon's address.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}/s", self.folder.path().display())
    }

    /// A `docker` whose builder is this daemon, and that builds all of it anew every time.
    pub(crate) async fn docker(&self) -> PathBuf {
        let (program, builders) = (self.folder.path().join("docker"), self.folder.path().join("buildx"));
        let script = format!(
            "#!/bin/sh\nexport BUILDX_CONFIG={}\ncase \"$1 $2\" in\n\
             'buildx build') shift 2; exec docker buildx build --no-cache \"$@\";;\nesac\nexec docker \"$@\"\n",
            builders.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let made = Command::new(&program)
            .args(["buildx", "create", "--driver", "remote", "--use", &self.host()])
            .stdout(Stdio::null())
            .status();
        assert!(made.await.unwrap().success());
        program
    }
}

/// Leads one connection to the engine's BuildKit.
async fn lead(mut stream: UnixStream) {
    let spawned = Command::new("docker")
        .args(["buildx", "--builder", "default", "dial-stdio"])
        .env("BUILDX_EXPERIMENTAL", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut process = spawned.unwrap();
    let (mut stdin, mut stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
    let (mut from, mut to) = stream.split();
    // Either side may end first; then the connection is over.
    tokio::select! {
        _ = copy(&mut from, &mut stdin) => {}
        _ = copy(&mut stdout, &mut to) => {}
    }
}

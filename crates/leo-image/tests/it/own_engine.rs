//! A Docker engine of a test's own, whose builder state it may wipe and whose disk it may fill.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// The engine. It ends with this value.
pub(crate) struct OwnEngine {
    folder: TempDir,
    process: Child,
}

impl OwnEngine {
    /// Starts one whose disk has so many bytes; `None` where that can't be done: without `dockerd`, or without root.
    pub(crate) async fn start(disk_bytes: u64) -> Option<Self> {
        // Sockets have short paths.
        let folder = tempfile::Builder::new().prefix("leo-e").tempdir_in("/tmp").ok()?;
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("data")).unwrap();
        let disk = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={disk_bytes}"), "tmpfs"])
            .arg(path("data"))
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        let configuration = r#"{"features": {"containerd-snapshotter": true, "buildkit": true}}"#;
        fs::write(path("daemon.json"), configuration).unwrap();
        let log = fs::File::create(path("log")).unwrap();
        let process = Command::new("dockerd")
            .arg("--config-file")
            .arg(path("daemon.json"))
            .arg("--data-root")
            .arg(path("data"))
            .arg("--exec-root")
            .arg(path("run"))
            .arg("--pidfile")
            .arg(path("pid"))
            .arg("--host")
            .arg(format!("unix://{}", path("sock").display()))
            // Not `--bridge=none`: that deletes the bridge of the machine's own engine. Builds here have no network.
            .args(["--iptables=false", "--ip6tables=false", "--ip-masq=false"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .ok()?;
        let engine = Self { folder, process };
        fs::write(
            engine.program(),
            format!("#!/bin/sh\nexec docker -H unix://{} \"$@\"\n", engine.at("sock").display()),
        )
        .unwrap();
        fs::set_permissions(engine.program(), fs::Permissions::from_mode(0o755)).unwrap();
        for _ in 0..150 {
            if engine.docker(&["version"]) {
                return disk.then_some(engine);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    /// A `docker` that speaks to this engine.
    pub(crate) fn program(&self) -> PathBuf {
        self.at("docker")
    }

    /// Forgets all that was built.
    pub(crate) fn wipe(&self) {
        assert!(self.docker(&["builder", "prune", "--all", "--force"]));
        assert!(self.docker(&["image", "prune", "--all", "--force"]));
    }

    fn docker(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new(self.program());
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        // Asked to end, it also ends the containerd that it started.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        unmount_below(self.folder.path());
    }
}

/// The engine's disk, and what it leaves mounted when a build was broken off.
fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let inside = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    for mount in inside.filter(|mount| Path::new(mount).starts_with(folder)) {
        let _ = Command::new("umount").arg("--lazy").arg(mount).status();
    }
}

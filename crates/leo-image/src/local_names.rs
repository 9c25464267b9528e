//! Names that an image has in the engine's store only while it is on its way.

use std::process::Stdio;

use tokio::process::Command;

use crate::Engine;

/// Names in the engine's store: images are kept in the registry. Dropping this takes them away, whether all went well or
/// not, and nobody waits for it: the engine may take half a second to throw an image away.
pub(crate) struct LocalNames {
    engine: Engine,
    names: Vec<String>,
}

impl LocalNames {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self { engine: engine.clone(), names: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: String) {
        self.names.push(name);
    }

    fn removal(&self) -> Command {
        let mut command = self.engine.command();
        if let Some(directory) = self.engine.config_directory() {
            command.env("DOCKER_CONFIG", directory);
        }
        command.args(["image", "rm"]).args(&self.names);
        command
    }
}

impl Drop for LocalNames {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        let mut command = self.removal().into_std();
        // Nobody reads: this process may be about to end, and a second Ctrl-C is not meant for this one.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Ok(mut removal) = std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn() {
            // Where this process lives on, it leaves no zombie.
            std::thread::spawn(move || removal.wait());
        }
    }
}

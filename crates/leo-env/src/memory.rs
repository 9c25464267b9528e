use std::io;

use leo_diagnostic::Diagnostic;
use rustix::process::{Resource, Rlimit, setrlimit};

/// From here on nothing of this process's memory, nor of its children's, gets into a core dump; on Linux no other process of
/// the same user can read it either, or the variables that it was started with.
///
/// Called before the first secret is read, and by whoever asks a person for one. Calling it again changes nothing.
///
/// # Errors
/// What the system says where it refuses; the secrets are no less usable.
pub fn keep_memory_private() -> io::Result<()> {
    // The hard limit too: a child that crashes may hold what we gave it.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // A dump that is piped to a program knows no limit (core(5)), and debuggers need none.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// What is to be said where that was refused.
pub fn not_private(error: &io::Error) -> Diagnostic {
    Diagnostic::warning("this process's memory, which holds secrets, may end in a core dump")
        .found(format!("\"{error}\""))
        .hint("turn them off for this shell: ulimit -c 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_dumps_are_off_and_stay_off() {
        keep_memory_private().unwrap();
        keep_memory_private().unwrap();
        let limit = rustix::process::getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }
}

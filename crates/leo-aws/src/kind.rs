/// What a failure means for whoever ran the command.
///
/// Of several failures the greatest decides the exit code: being unable to sign in explains the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// The operation itself failed.
    Failed,
    /// Arguments, configuration, environment or this machine: nothing was sent.
    Usage,
    /// The operation goes on in AWS without us.
    Detached,
    /// Credentials are missing, expired or denied.
    Credentials,
}

impl FailureKind {
    /// The exit code of a command that fails so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Credentials => 4,
            Self::Detached => 5,
        }
    }
}

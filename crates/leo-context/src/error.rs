use std::io;
use std::path::PathBuf;

/// Why a build context could not be looked at. Each is for the user to set right before anything is sent: bad usage,
/// exit code 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The context is not there, or no folder.
    #[error("read the build context {}: {source}", path.display())]
    Context {
        /// The folder, or what there is in its place.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The context is so wide that it holds what no build may see.
    #[error("use {} as a build context: it is {what}", path.display())]
    TooWide {
        /// The folder.
        path: PathBuf,
        /// What it is: the root folder, the home folder, …
        what: &'static str,
    },
    /// The Dockerfile is not there or can't be read.
    #[error("read the Dockerfile {}: {source}", path.display())]
    Dockerfile {
        /// Where it was looked for.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The Dockerfile is not in the context.
    #[error("use the Dockerfile {}: it is outside of the build context {}", path.display(), context.display())]
    DockerfileOutside {
        /// The Dockerfile.
        path: PathBuf,
        /// The context.
        context: PathBuf,
    },
    /// A pattern that Docker refuses, too.
    #[error("understand `{pattern}` at {}:{line}: {problem}", path.display())]
    Pattern {
        /// The list of patterns.
        path: PathBuf,
        /// The pattern's line, from 1.
        line: usize,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        fix: &'static str,
    },
    /// A file or folder of the context can't be read.
    #[error("read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl ContextError {
    /// What to do about it, where something can be said.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Context { .. } => {
                "set the image's `context` in infra/leo.toml to the folder that it is built from".to_owned()
            }
            Self::TooWide { .. } => {
                "build from a folder that holds the sources of this image and nothing else".to_owned()
            }
            Self::Dockerfile { .. } => {
                "set the image's `dockerfile` in infra/leo.toml to its path inside the build context"
                    .to_owned()
            }
            Self::DockerfileOutside { .. } => {
                "move it into the build context, or use the folder that holds both as the context".to_owned()
            }
            Self::Pattern { fix, .. } => (*fix).to_owned(),
            Self::Unreadable { path, .. } => format!(
                "let this user read it (`ls -ld {}` says who may), or leave it out in .dockerignore",
                path.display()
            ),
        })
    }
}

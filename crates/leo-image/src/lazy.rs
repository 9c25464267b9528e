use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::{Engine, ImageError};

/// What builds, found when something has to be built: where the registry has every image, none is needed.
#[derive(Clone, Debug, Default)]
pub struct LazyEngine {
    found: Arc<OnceCell<Engine>>,
    /// The program to ask; `None` asks what is on PATH.
    program: Option<PathBuf>,
}

impl LazyEngine {
    /// The engine of this machine, when it is asked for.
    pub fn of_this_machine() -> Self {
        Self::default()
    }

    /// The Docker engine that this program speaks to, when it is asked for.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { found: Arc::default(), program: Some(program.into()) }
    }

    /// Finds it the first time, and is that one from then on.
    ///
    /// # Errors
    /// As [`Engine::find`].
    pub async fn get(&self) -> Result<&Engine, ImageError> {
        let find = async || match &self.program {
            Some(program) => Engine::find_at(program, None).await,
            None => Engine::find().await,
        };
        self.found.get_or_try_init(find).await
    }
}

impl From<Engine> for LazyEngine {
    fn from(engine: Engine) -> Self {
        Self { found: Arc::new(OnceCell::new_with(Some(engine))), program: None }
    }
}

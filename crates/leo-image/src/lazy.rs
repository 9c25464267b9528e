use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::{Engine, ImageError};

/// What builds, found when something has to be built: where the registry has every image, none is needed.
#[derive(Clone, Debug, Default)]
pub struct LazyEngine(Arc<OnceCell<Engine>>);

impl LazyEngine {
    /// The engine of this machine, when it is asked for.
    pub fn of_this_machine() -> Self {
        Self::default()
    }

    /// Finds it the first time, and is that one from then on.
    ///
    /// # Errors
    /// As [`Engine::find`].
    pub async fn get(&self) -> Result<&Engine, ImageError> {
        self.0.get_or_try_init(Engine::find).await
    }
}

impl From<Engine> for LazyEngine {
    fn from(engine: Engine) -> Self {
        Self(Arc::new(OnceCell::new_with(Some(engine))))
    }
}

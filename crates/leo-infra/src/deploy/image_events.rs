//! What happens to the images, as events of the step that they are.

use leo_deploy::{Part, PartStatus, Reporter};
use leo_image::{ImageEventKind, ImageName, Sink, StageProgress, StageState};
use std::sync::Arc;

/// Takes what happens to both images.
pub(crate) fn sink(reporter: &Reporter) -> Sink {
    let reporter = reporter.clone();
    Arc::new(move |event| match &event.kind {
        ImageEventKind::Warning(text) => reporter.warning(format!("{}: {text}", event.image)),
        ImageEventKind::Note(_) => reporter.note(event.to_string()),
        ImageEventKind::Stage(progress) => reporter.part(part(event.image, progress)),
        _ => reporter.line(event.to_string()),
    })
}

fn part(image: ImageName, progress: &StageProgress) -> Part {
    Part {
        group: image.to_string(),
        name: progress.stage.to_string(),
        status: match progress.state {
            StageState::Working => PartStatus::Working,
            StageState::Done => PartStatus::Done,
            StageState::Failed => PartStatus::Failed,
        },
        share: progress.share(),
        text: progress.to_string(),
    }
}

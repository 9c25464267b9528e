//! The engine's push of an image that it keeps, with how far it is.

mod progress;
mod terminal;

use std::process::ExitStatus;

use tokio::process::Command;

use crate::ImageEventKind;
use crate::event::Reporter;
use crate::process::each_line;
use progress::PushProgress;

/// Runs `docker image push` to its end. Gives how it ended and what it complained about.
///
/// # Errors
/// Where the program can't be started.
pub(crate) async fn push(mut command: Command, reporter: &Reporter) -> std::io::Result<(ExitStatus, String)> {
    let mut progress = PushProgress::default();
    let terminal = terminal::give(&mut command);
    let mut child = command.spawn()?;
    // It holds the child's end of the terminal: the reading would never end.
    drop(command);
    let mut complaints = Vec::new();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut show = |said: &[u8]| {
        progress.take(said).into_iter().for_each(|stage| reporter.send(ImageEventKind::Stage(stage)));
    };
    tokio::join!(
        async {
            match (terminal, stdout) {
                (Some(terminal), _) => terminal::read(terminal, show).await,
                (None, Some(stdout)) => each_line(stdout, |line| show(line.as_bytes())).await,
                (None, None) => {}
            }
        },
        async {
            if let Some(stderr) = stderr {
                each_line(stderr, |line| complaints.push(line.trim_end().to_owned())).await;
            }
        },
    );
    let status = child.wait().await?;
    reporter.send(ImageEventKind::Stage(progress.end(status.success())));
    Ok((status, complaints.join("; ")))
}

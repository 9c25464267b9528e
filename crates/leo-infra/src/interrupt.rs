//! Ctrl-C: once to leave in good order, twice to leave at once.

use leo_aws::FailureKind;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for Ctrl-C, or for the signal with which a workflow is cancelled. From then on another one ends the process
/// at once, with the exit code of having left.
///
/// Until this is polled, the signals do what they do by themselves.
pub(crate) async fn first() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    either(&mut interrupt, &mut terminate).await;
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        std::process::exit(FailureKind::Detached.exit_code().into());
    });
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

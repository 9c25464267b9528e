//! The demo generator: reads the prompt of its run from S3, writes a small site beside it, says how it ended, and exits.
//!
//! It proves the generator's half of the contract (`examples/README.md`) and deliberately calls no model: the site shows
//! the prompt. The last object that it writes is its status, so whoever sees the status sees the whole site.

mod generate;
mod settings;
mod site;

use leo_aws::Variables;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::generate::{Failure, generate, report_failure};
use crate::settings::Settings;

/// How long the last word may take; ECS gives 30 s after SIGTERM unless it was told otherwise.
const FAREWELL: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match Settings::read(&mut Variables::of_process()) {
        Ok(settings) => settings,
        Err(error) => {
            line(format_args!("error: failed to {error}"));
            if let Some(hint) = error.hint() {
                line(format_args!("hint: {hint}"));
            }
            return ExitCode::from(2);
        }
    };
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        line("error: failed to listen for signals");
        return ExitCode::FAILURE;
    };
    let run = &settings.run;
    line(format_args!("run {run}: started"));
    // No time left is no time: the work is not even begun.
    let left = settings.deadline.duration_since(SystemTime::now()).unwrap_or_default();
    let result = tokio::select! {
        biased;
        _ = terminate.recv() => Err(Failure::Stopped("SIGTERM")),
        _ = interrupt.recv() => Err(Failure::Stopped("SIGINT")),
        () = tokio::time::sleep(left) => Err(Failure::Deadline),
        result = generate(&settings) => result,
    };
    match result {
        Ok(keys) => {
            line(format_args!("run {run}: done, {} objects", keys.len()));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            line(format_args!("run {run}: failed to {failure}"));
            if let Some(hint) = failure.hint() {
                line(format_args!("hint: {hint}"));
            }
            match timeout(FAREWELL, report_failure(&settings, &failure)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => line(format_args!("run {run}: failed to {error}")),
                Err(_) => line(format_args!("run {run}: failed to write the status in time")),
            }
            ExitCode::FAILURE
        }
    }
}

/// One line on standard error; ECS adds the time. Where even that fails, nobody is left to be told.
fn line(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

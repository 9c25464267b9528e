//! `leo-saas` serves; `leo-saas health` asks the one that serves on the same port whether it does, for the container
//! health check of an image that has no other program in it.

use leo_saas::{Settings, line, serve};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => run(),
        [command] if command == "health" => match leo_saas::check(&std::env::var("PORT").unwrap_or_default())
        {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error, 1),
        },
        _ => {
            line("usage: leo-saas [health]");
            ExitCode::from(2)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> ExitCode {
    let settings = match Settings::read(&mut leo_aws::Variables::of_process()) {
        Ok(settings) => settings,
        Err(error) => {
            let code = failed(&error, 2);
            if let Some(hint) = error.hint() {
                line(format_args!("hint: {hint}"));
            }
            return code;
        }
    };
    // Installed before the port is open: from the first answer on, a signal ends the program in order.
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return failed(&"listen for signals", 1);
    };
    let listener = match TcpListener::bind(("0.0.0.0", settings.port)).await {
        Ok(listener) => listener,
        Err(error) => return failed(&format_args!("listen on port {}: {error}", settings.port), 1),
    };
    match listener.local_addr() {
        Ok(address) => line(format_args!("listening on {address}; /jobs {}", settings.access)),
        Err(error) => return failed(&format_args!("read the listening address: {error}"), 1),
    }
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => line("stopping: SIGTERM"),
            _ = interrupt.recv() => line("stopping: SIGINT"),
        }
    };
    if serve(listener, settings, stop).await {
        line("stopped");
    } else {
        line("stopped with requests or WebSockets still open");
    }
    ExitCode::SUCCESS
}

fn failed(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    line(format_args!("error: failed to {error}"));
    ExitCode::from(code)
}

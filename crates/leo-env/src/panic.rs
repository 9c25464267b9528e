use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::Write as _,
    io::Write as _,
    panic::{self, PanicHookInfo},
};

/// From here on a panic says where it happened and no value that led to it.
///
/// The message of a panic is put together from whatever was at hand: an error with the line that it is about, a request. So
/// only one that the source has word for word is shown.
pub fn hide_values_in_panics() {
    panic::set_hook(Box::new(|info| {
        // Nobody is left to be told of a stderr that takes nothing.
        let _ = std::io::stderr().lock().write_all(told(info, &Backtrace::capture()).as_bytes());
    }));
}

/// How the standard library's own message begins where stdout or stderr takes nothing: a full disk, a reader that has left.
/// It goes on with which of them, and the system's error.
const PRINTING: &str = "failed printing to ";

fn told(info: &PanicHookInfo<'_>, backtrace: &Backtrace) -> String {
    if let Some(why) = info.payload().downcast_ref::<String>().and_then(|words| words.strip_prefix(PRINTING))
    {
        return format!("error: failed to print to {why}\n");
    }
    let mut text = String::from("error: a defect of this tool ended what it was doing");
    // Writing to a string can't fail.
    if let Some(place) = info.location() {
        let _ = write!(text, " at {}:{}", place.file(), place.line());
    }
    text.push('\n');
    match info.payload().downcast_ref::<&'static str>() {
        Some(words) => {
            let _ = writeln!(text, "  │ {words}");
        }
        None => text.push_str("  │ what it said is not shown: it may hold a value\n"),
    }
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(text, "{backtrace}");
    } else {
        text.push_str("hint: report it with what RUST_BACKTRACE=1 shows, which are places and no values\n");
    }
    text
}

use std::fs::File;
use std::io::Read;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::process::Command;
use tokio::sync::mpsc;

/// How much may wait to be taken.
const PARTS: usize = 16;

/// Lets a command write to a terminal of its own, because Docker says how many bytes it has sent to nothing else. `None`
/// where there is none to be had: the command then writes to what it was given.
pub(super) fn give(command: &mut Command) -> Option<File> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).ok()?;
    // A child that had it would keep its own terminal from ever being hung up.
    fcntl_setfd(&ours, FdFlags::CLOEXEC).ok()?;
    grantpt(&ours).ok()?;
    unlockpt(&ours).ok()?;
    let name = ptsname(&ours, Vec::new()).ok()?;
    // `NOCTTY`: a process that leads a session without a terminal, as in a workflow, would get this one, and be hung up
    // on with its end.
    let theirs = open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    command.stdout(theirs);
    Some(ours.into())
}

/// Calls `take` with what arrives, until nobody writes to the terminal any more.
pub(super) async fn read(mut terminal: File, mut take: impl FnMut(&[u8])) {
    let (send, mut receive) = mpsc::channel::<Vec<u8>>(PARTS);
    // It ends with the command, and that with the future that waits for it.
    tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 8 << 10];
        // The end of a terminal looks like an error.
        while let Ok(length @ 1..) = terminal.read(&mut buffer) {
            if send.blocking_send(buffer.get(..length).unwrap_or_default().to_vec()).is_err() {
                break;
            }
        }
    });
    while let Some(part) = receive.recv().await {
        take(&part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn a_session_without_a_terminal_is_not_given_this_one() {
        const INSIDE: &str = "LEO_TEST_IN_ITS_OWN_SESSION";
        if std::env::var_os(INSIDE).is_some() {
            let mut command = process::command("true");
            let terminal = give(&mut command);
            assert!(terminal.is_some());
            assert!(File::open("/dev/tty").is_err(), "this process has a terminal now");
            return;
        }
        let this = "push::terminal::tests::a_session_without_a_terminal_is_not_given_this_one";
        let again = std::process::Command::new("setsid")
            .arg("--wait")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", this])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    }

    #[tokio::test]
    async fn a_command_sees_a_terminal_and_all_that_it_writes_arrives() {
        let mut command = process::command("sh");
        command.args(["-c", "if [ -t 1 ]; then echo terminal; else echo none; fi; printf 'no end'"]);
        let terminal = give(&mut command).unwrap();
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut said = Vec::new();
        read(terminal, |part| said.extend_from_slice(part)).await;
        assert!(child.wait().await.unwrap().success());
        assert_eq!(String::from_utf8_lossy(&said), "terminal\r\nno end");
    }
}

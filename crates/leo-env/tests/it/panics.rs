//! What a panic prints, seen from outside: this test runs itself again in a process that panics.

use std::process::{Command, Output};

use leo_env::{Secret, hide_values_in_panics};

/// What the process that is to panic is told to do.
const HOW: &str = "LEO_TEST_PANICS";
const VALUE: &str = "hush-7f3a91";

/// Does nothing unless it runs again by itself.
#[test]
fn in_a_process_of_its_own() {
    let Ok(how) = std::env::var(HOW) else { return };
    hide_values_in_panics();
    let secret = Secret::new(VALUE);
    match how.as_str() {
        "format" => panic!("it was {}", secret.expose()),
        "error" => drop(secret.expose().parse::<u32>().map_err(|_| secret.expose().to_owned()).unwrap()),
        "thread" => {
            let ended = std::thread::spawn(move || panic!("it was {}", secret.expose())).join();
            assert!(ended.is_err());
            panic!("said by the source alone");
        }
        _ => panic!("said by the source alone"),
    }
}

fn panicking(how: &str, backtrace: &str) -> String {
    let this = std::env::current_exe().unwrap();
    let Output { status, stdout, stderr } = Command::new(this)
        .args(["--exact", "panics::in_a_process_of_its_own", "--nocapture"])
        .env(HOW, how)
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .unwrap();
    assert!(!status.success());
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!said.contains(VALUE) && !String::from_utf8_lossy(&stdout).contains(VALUE), "{how}: {said}");
    said
}

#[test]
fn a_panic_says_where_it_happened_and_no_value() {
    for how in ["format", "error", "thread"] {
        let said = panicking(how, "0");
        assert!(said.contains("error: a defect of this tool ended what it was doing at "), "{how}: {said}");
        assert!(said.contains("panics.rs:") && said.contains("what it said is not shown"), "{how}: {said}");
        assert!(panicking(how, "1").contains("in_a_process_of_its_own"), "{how}");
    }
    assert!(panicking("words", "0").contains("│ said by the source alone\nhint: "));
}

//! What is said of everything that can be out of order, and what each key is shown as.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't be set up has failed")]

mod bad_files;
mod bad_places;
mod bad_values;
mod report;
mod tree;

use std::fmt::Write;

/// The messages of several cases, each under its title. One of which nothing is said is a mistake of the test.
fn table(cases: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut text = String::new();
    for (title, messages) in cases {
        assert!(!messages.is_empty(), "nothing is said of: {title}");
        writeln!(text, "# {title}\n\n{messages}").unwrap();
    }
    text
}

#[test]
fn the_tables_have_at_least_sixty_cases() {
    let titles = [bad_values::TITLES, bad_files::TITLES, bad_places::TITLES].map(|count| count());
    let all: usize = titles.iter().sum();
    assert!(all >= 60, "{titles:?}");
}

//! What is made from the schema is committed as it would be made.

use std::{fs, path::Path};

use leo_env::{Schema, schema::FilePlace};

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn committed(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_example_and_the_tables_of_the_page_are_not_stale() {
    let schema = Schema::load(&root()).unwrap();
    let page = committed(Schema::PAGE);
    let stale = "is stale: cargo xtask env-generate";
    assert!(schema.page(&page).unwrap() == page, "{} {stale}", Schema::PAGE);
    assert!(schema.example() == committed(Schema::EXAMPLE), "{} {stale}", Schema::EXAMPLE);
}

#[test]
fn the_example_holds_every_secret_once_and_no_value() {
    let schema = Schema::load(&root()).unwrap();
    let example = schema.example();
    for (key, _) in schema.secrets() {
        let lines = example.lines().filter(|line| *line == format!("{}=", key.name));
        assert_eq!(lines.count(), 1, "{}", key.name);
    }
    for line in example.lines() {
        assert!(line.is_empty() || line.starts_with('#') || line.ends_with('='), "{line}");
        assert!(line.chars().count() <= 120 || line.starts_with("# Like:"), "{line}");
    }
}

#[test]
fn a_setting_of_the_example_reads_as_what_it_is_once_its_comment_is_taken_away() {
    let awkward = "[AWS_PROFILE]\nhelp = 'h'\nexample = \"it's my #1 $profile\"\n";
    for schema in [Schema::load(&root()).unwrap(), Schema::parse("env.toml", awkward).unwrap()] {
        let example = schema.example();
        for key in schema.settings().filter(|key| !(key.required && key.file == FilePlace::Env)) {
            let start = format!("# {}=", key.name);
            let line = example.lines().find(|line| line.starts_with(&start)).unwrap();
            let read = leo_env::entries("env/.env", line.trim_start_matches("# "));
            let wanted = key.default.as_ref().or(key.example.as_ref()).map_or("", String::as_str);
            assert_eq!(read.first().unwrap().value.expose(), wanted, "{line}");
        }
    }
}

#[test]
fn a_page_without_its_marks_is_none() {
    let schema = Schema::load(&root()).unwrap();
    assert_eq!(schema.page("# Variables\n"), None);
    let page = committed(Schema::PAGE);
    assert_eq!(schema.page(&page.replace("<!-- end of secrets -->\n", "")), None);
}

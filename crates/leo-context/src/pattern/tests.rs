use super::Pattern;

#[test]
fn a_pattern_matches_a_path() {
    assert!(Pattern::parse("*.go").unwrap().unwrap().matches("fileutils.go"));
}

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use proptest::prelude::*;

use super::*;

fn list(text: &str) -> IgnoreList {
    IgnoreList::parse(text.as_bytes(), Path::new("/src/.dockerignore")).unwrap()
}

#[test]
fn lines_are_read_as_moby_reads_them() {
    let text = "test1\n/test2\n/a/file/here\n\nlastfile\n# this is a comment\n! /inverted/abs/path\n \\#no comment\n";
    let read: Vec<String> = text.lines().filter_map(normalized).collect();
    assert_eq!(read, ["test1", "test2", "a/file/here", "lastfile", "!inverted/abs/path", "\\#no comment"]);
    assert_eq!(normalized("!"), Some("!".to_owned()));
    assert_eq!(normalized("! "), Some("!".to_owned()));
    assert_eq!(normalized(" # no comment either"), Some("# no comment either".to_owned()));
    assert_eq!(normalized("  "), None);
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_no_part_of_a_pattern() {
    let list = list("\u{feff}a\r\nb\r\n");
    for (path, excluded) in [("a", true), ("b", true), ("c", false)] {
        assert_eq!(list.excludes(path.as_bytes(), None).0, excluded, "{path}");
    }
}

#[test]
fn a_bad_pattern_is_shown_with_its_file_and_line() {
    let error = IgnoreList::parse(b"a\n# b\n c[z-a] \n", Path::new("/src/.dockerignore")).unwrap_err();
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));
}

#[test]
fn a_folder_is_left_alone_only_if_nothing_in_it_can_come_back() {
    for (text, folder, nothing) in [
        ("a", "a", true),
        ("*\n!b", "a", true),
        ("*\n!a/b", "a", false),
        ("*\n!a/b/**", "a", false),
        ("*\n!a/b/**", "a/b", false),
        ("*\n!a/b/**", "a/c", true),
        ("*\n!ab", "a", true),
        ("*\n!*/b", "a", false),
        ("*\n!**/b", "a", false),
    ] {
        assert_eq!(list(text).nothing_below(folder.as_bytes()), nothing, "{text:?} {folder}");
    }
}

proptest! {
    #[test]
    fn the_line_for_a_path_leaves_out_that_path(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("no name has it", |byte| *byte != 0 && *byte != b'/'), 1..6), 1..4),
        other in prop::collection::vec(b'a'..=b'e', 1..3),
    ) {
        let path = parts.join(&b'/');
        prop_assume!(parts.iter().all(|part| part != b"." && part != b".."));
        let line = line_for(Path::new(OsStr::from_bytes(&path)));
        let list = IgnoreList::parse(format!("!*\n{line}\n").as_bytes(), Path::new("list")).unwrap();
        prop_assert!(list.excludes(&path, Some(&Matched(vec![false; 2]))).0, "{line:?}");
        prop_assume!(path != other);
        let has_joker = line.contains('?');
        prop_assert!(has_joker || !list.excludes(&other, None).0, "{line:?}");
    }

    #[test]
    fn the_line_for_a_special_name_leaves_out_that_path(path in r"[ !#*?\[\]^a\\.-]{1,8}") {
        prop_assume!(path != "." && path != "..");
        let line = line_for(Path::new(&path));
        let list = list(&line);
        prop_assert!(list.excludes(path.as_bytes(), None).0, "{line:?}");
    }

    #[test]
    fn any_list_is_read_or_refused(text in any::<Vec<u8>>(), path in any::<Vec<u8>>()) {
        if let Ok(list) = IgnoreList::parse(&text, Path::new("list")) {
            list.excludes(&path, None);
        }
    }
}

//! The tables of moby's own tests (patternmatcher, Apache-2.0), and what they don't say but real builds do.

use std::collections::BTreeSet;

use super::glob::{Translated, check, clean, translate};
use super::{BadPattern, Pattern};
use crate::ignore::IgnoreList;

/// Whether a list leaves a path out when it is met on the way down, as in a build.
fn excludes(patterns: &[&str], path: &str) -> bool {
    let list = IgnoreList::parse(patterns.join("\n").as_bytes(), "list".as_ref()).unwrap();
    let mut parent = None;
    let mut excluded = false;
    for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
        let (now, matched) = list.excludes(&path.as_bytes()[..end], parent.as_ref());
        (excluded, parent) = (now, Some(matched));
    }
    excluded
}

#[derive(Debug, PartialEq)]
enum Match {
    /// The path itself.
    Exact,
    /// Only a folder that it is in.
    Parent,
    No,
}
use Match::{Exact, No, Parent};

#[test]
fn patterns_match_as_in_moby() {
    let table = [
        ("**", "file", Exact),
        ("**/", "file", Exact),
        ("**", "dir/file", Exact),
        ("**/", "dir/file", Exact),
        ("**/**", "dir/file", Exact),
        ("dir/**", "dir/file", Exact),
        ("dir/**", "dir/dir2/file", Exact),
        ("**/dir", "dir", Exact),
        ("**/dir", "dir/file", Parent),
        ("**/dir2/*", "dir/dir2/file", Exact),
        ("**/dir2/*", "dir/dir2/file/x", Parent),
        ("**/dir2/**", "dir/dir2/dir3/file", Exact),
        ("**file", "file", Exact),
        ("**file", "dir/file", Exact),
        ("**/file", "dir/file", Exact),
        ("**file", "dir/dir/file", Exact),
        ("**/file", "dir/dir/file", Exact),
        ("**/file*", "dir/dir/file", Exact),
        ("**/file*", "dir/dir/file.txt", Exact),
        ("**/file*txt", "dir/dir/file.txt", Exact),
        ("**/file*.txt", "dir/dir/file.txt", Exact),
        ("**/file*.txt*", "dir/dir/file.txt", Exact),
        ("**/**/*.txt", "dir/dir/file.txt", Exact),
        ("**/**/*.txt2", "dir/dir/file.txt", No),
        ("**/*.txt", "file.txt", Exact),
        ("**/**/*.txt", "file.txt", Exact),
        ("a**/*.txt", "a/file.txt", Exact),
        ("a**/*.txt", "a/dir/file.txt", Exact),
        ("a**/*.txt", "a/dir/dir/file.txt", Exact),
        ("a/*.txt", "a/dir/file.txt", No),
        ("a/*.txt", "a/file.txt", Exact),
        ("a/*.txt**", "a/file.txt", Exact),
        ("a[b-d]e", "ae", No),
        ("a[b-d]e", "ace", Exact),
        ("a[b-d]e", "aae", No),
        ("a[^b-d]e", "aze", Exact),
        (".*", ".foo", Exact),
        (".*", "foo", No),
        ("abc.def", "abcdef", No),
        ("abc.def", "abc.def", Exact),
        ("abc.def", "abcZdef", No),
        ("abc?def", "abcZdef", Exact),
        ("abc?def", "abcdef", No),
        ("a\\\\", "a\\", Exact),
        ("a\\*b", "a*b", Exact),
        ("**/foo/bar", "foo/bar", Exact),
        ("**/foo/bar", "dir/foo/bar", Exact),
        ("**/foo/bar", "dir/dir2/foo/bar", Exact),
        ("abc/**", "abc", No),
        ("abc/**", "abc/def", Exact),
        ("abc/**", "abc/def/ghi", Exact),
        ("**/.foo", ".foo", Exact),
        ("**/.foo", "bar.foo", No),
        ("a(b)c/def", "a(b)c/def", Exact),
        ("a(b)c/def", "a(b)c/xyz", No),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", Exact),
        ("dist/proxy-2.4.0rc3+g08-py3.whl", "dist/proxy-2.4.0rc3+g08-py3.whl", Exact),
        ("dist/*.whl", "dist/proxy-2.4.0rc3+g08-py3.whl", Exact),
        // Of Go's `filepath.Match`.
        ("abc", "abc", Exact),
        ("*", "abc", Exact),
        ("*c", "abc", Exact),
        ("a*", "a", Exact),
        ("a*", "abc", Exact),
        ("a*", "ab/c", Parent),
        ("a*/b", "abc/b", Exact),
        ("a*/b", "a/c/b", No),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", Exact),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Exact),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", No),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", No),
        ("a*b?c*x", "abxbbxdbxebxczzx", Exact),
        ("a*b?c*x", "abxbbxdbxebxczzy", No),
        ("ab[c]", "abc", Exact),
        ("ab[b-d]", "abc", Exact),
        ("ab[e-g]", "abc", No),
        ("ab[^c]", "abc", No),
        ("ab[^b-d]", "abc", No),
        ("ab[^e-g]", "abc", Exact),
        ("a\\*b", "ab", No),
        ("a?b", "a☺b", Exact),
        ("a[^a]b", "a☺b", Exact),
        ("a???b", "a☺b", No),
        ("a[^a][^a][^a]b", "a☺b", No),
        ("[a-ζ]*", "α", Exact),
        ("*[a-ζ]", "A", No),
        ("a?b", "a/b", No),
        ("a*b", "a/b", No),
        ("[\\]a]", "]", Exact),
        ("[\\-]", "-", Exact),
        ("[x\\-]", "x", Exact),
        ("[x\\-]", "-", Exact),
        ("[x\\-]", "z", No),
        ("[\\-x]", "x", Exact),
        ("[\\-x]", "-", Exact),
        ("[\\-x]", "a", No),
        ("*x", "xxx", Exact),
        // What moby's regular expressions make of odd patterns, seen in builds.
        ("\\d", "5", Exact),
        ("\\d", "d", No),
        ("[[:digit:]]", "5", Exact),
        ("[*]", "[]", Exact),
        ("[*]", "*", No),
        ("b[*]", "b*", No),
        ("^x", "^x", Exact),
        ("^x", "x", No),
        ("^*", "anything", Exact),
        ("\\x41", "A", Exact),
        ("\\S?", "ab", Exact),
        ("[\\D]", "a", Exact),
        ("[^\\W]", "a", Exact),
        ("[^\\W]", "-", No),
        ("a[[]b", "a[b", Exact),
        ("/", "a", No),
        (".", "a", No),
        ("..", "a", No),
    ];
    for (pattern, path, wanted) in table {
        let parsed = Pattern::parse(pattern).unwrap().unwrap();
        assert_eq!(parsed.matches(path.as_bytes()), wanted == Exact, "`{pattern}` itself on `{path}`");
        assert_eq!(excludes(&[pattern], path), wanted != No, "`{pattern}` on `{path}`");
    }
}

#[test]
fn later_patterns_win_over_earlier_ones() {
    for (patterns, path, excluded) in [
        (&["**", "!util/docker/web"][..], "util/docker/web/foo", false),
        (&["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true),
        (&["**", "!dist/*.whl"], "dist/a+b.whl", false),
        (&["!fileutils.go", "*.go"], "fileutils.go", true),
        (&["*.go", "!fileutils.go"], "fileutils.go", false),
        (&["docs", "!docs/README.md"], "docs/README.md", false),
        (&["docs/", "!docs/README.md"], "docs/README.md", false),
        (&["docs/*", "!docs/README.md"], "docs/README.md", false),
        (&["docs", "  !docs/README.md"], "docs/README.md", false),
        (&["docs", "!docs/README.md  "], "docs/README.md", false),
        (&["docs", "! /docs/README.md"], "docs/README.md", false),
        (&["*", "!a", "a/b"], "a/b/c", true),
        (&["*", "!a", "a/b", "!a/b/c"], "a/b/c", false),
        (&["*", "!a", "a/b", "!a/b/c"], "a/b/d", true),
        (&[], "any", false),
    ] {
        assert_eq!(excludes(patterns, path), excluded, "{patterns:?} on {path}");
    }
}

#[test]
fn what_docker_refuses_is_refused() {
    use BadPattern::{ClassName, Escape, LoneException, Range, Syntax};
    let table = [
        ("!", LoneException),
        ("!/", LoneException),
        ("[]a]", Syntax),
        ("[-]", Syntax),
        ("[x-]", Syntax),
        ("[-x]", Syntax),
        ("\\", Syntax),
        ("a\\", Syntax),
        ("[a-b-c]", Syntax),
        ("[", Syntax),
        ("[^", Syntax),
        ("[^bc", Syntax),
        ("a[", Syntax),
        ("[a\\", Syntax),
        ("[z-a]", Range),
        ("[Local-Only]/", Range),
        ("\\p", Escape('p')),
        ("a\\é", Escape('é')),
        ("\\xZZ", Escape('x')),
        ("[[:foo:]]", ClassName),
    ];
    for (pattern, wanted) in table {
        assert_eq!(Pattern::parse(pattern).unwrap_err(), wanted, "{pattern}");
    }
    let messages: BTreeSet<String> =
        table.iter().map(|(_, problem)| format!("{problem}: {}", problem.fix())).collect();
    insta::assert_snapshot!(Vec::from_iter(messages).join("\n"));
}

#[test]
fn patterns_become_what_moby_makes_of_them() {
    let expression = |text: &str| Translated::Expression(text.to_owned());
    for (pattern, wanted) in [
        ("*", expression("^[^/]*$")),
        ("file*", expression("^file[^/]*$")),
        ("*file", expression("^[^/]*file$")),
        ("a*/b", expression("^a[^/]*/b$")),
        ("**", Translated::Suffix),
        ("**/**", expression("^(.*/)?.*$")),
        ("dir/**", Translated::Prefix),
        ("**/dir", Translated::Suffix),
        ("**/dir2/*", expression("^(.*/)?dir2/[^/]*$")),
        ("**/dir2/**", expression("^(.*/)?dir2/.*$")),
        ("**file", Translated::Suffix),
        ("**/file*txt", expression("^(.*/)?file[^/]*txt$")),
        ("**/**/*.txt", expression("^(.*/)?(.*/)?[^/]*\\.txt$")),
        ("a[b-d]e", expression("^a[b-d]e$")),
        (".*", expression("^\\.[^/]*$")),
        ("abc.def", Translated::Exact),
        ("abc?def", expression("^abc[^/]def$")),
        ("**/foo/bar", Translated::Suffix),
        ("a(b)c/def", Translated::Exact),
        ("a.|)$(}+{bc", Translated::Exact),
    ] {
        assert_eq!(translate(pattern), wanted, "{pattern}");
        assert_eq!(check(pattern), Ok(()), "{pattern}");
    }
}

#[test]
fn paths_are_cleaned_as_go_does() {
    for (path, wanted) in [
        ("", "."),
        ("abc", "abc"),
        ("abc/def", "abc/def"),
        ("a/b/c", "a/b/c"),
        (".", "."),
        ("..", ".."),
        ("../..", "../.."),
        ("../../abc", "../../abc"),
        ("/abc", "/abc"),
        ("/", "/"),
        ("abc/", "abc"),
        ("../", ".."),
        ("/abc/", "/abc"),
        ("abc//def//ghi", "abc/def/ghi"),
        ("//abc", "/abc"),
        ("abc/./def", "abc/def"),
        ("/./abc/def", "/abc/def"),
        ("abc/..", "."),
        ("abc/def/ghi/../jkl", "abc/def/jkl"),
        ("abc/def/../../..", ".."),
        ("/abc/def/../../..", "/"),
        ("abc/def/../../../ghi/jkl/../../../mno", "../../mno"),
        ("/../abc", "/abc"),
        ("abc/./../def", "def"),
    ] {
        assert_eq!(clean(path), wanted, "{path}");
    }
}

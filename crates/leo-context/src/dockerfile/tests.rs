use std::path::Path;

use proptest::prelude::*;

use super::*;

const DIGEST: &str = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What is moving, one thing a line; `@D` in the text stands for a digest.
fn found(text: &str, arguments: &[(&str, &str)], target: Option<&str>, named: &[&str]) -> String {
    let text = text.replace("@D", DIGEST);
    let request = Request {
        context: Path::new("/context"),
        dockerfile: Path::new("/context/Dockerfile"),
        named: &named.iter().map(|name| ((*name).to_owned(), "/named".into())).collect(),
        build_args: &arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        target,
        platform: "linux/arm64",
        recipe: "",
        allowed: &[],
        cache: None,
        own_root: None,
        home: None,
    };
    let moving: Vec<String> = moving(&text, &request).iter().map(ToString::to_string).collect();
    moving.join("\n").replace(DIGEST, "@D")
}

#[test]
fn bases() {
    for (text, wanted) in [
        ("FROM scratch", ""),
        ("FROM SCRATCH", ""),
        ("FROM debian@D", ""),
        ("FROM debian:12@D AS base\nFROM base", ""),
        ("FROM debian:12", "debian:12 (line 1: an image without a digest)"),
        ("FROM debian@sha256:short", "debian@sha256:short (line 1: an image without a digest)"),
        (
            "\u{feff}# comment\n\nFROM --platform=$BUILDPLATFORM debian:12\n",
            "debian:12 (line 3: an image without a digest)",
        ),
        ("FROM debian:12 AS A\nFROM a AS b\nFROM B", "debian:12 (line 1: an image without a digest)"),
        // A stage that is named like an image.
        ("FROM alpine AS alpine\nFROM alpine", "alpine (line 1: an image without a digest)"),
        // Said once.
        ("FROM alpine AS a\nFROM alpine\nCOPY --from=a / /\n", "alpine (line 1: an image without a digest)"),
        (
            "FROM a:1 AS x\nFROM scratch\nCOPY --from=x / /\nCOPY --from=0 /b /b\nCOPY --from=b:2 / /",
            "a:1 (line 1: an image without a digest)\nb:2 (line 5: an image without a digest)",
        ),
        ("FROM scratch\nCOPY --from=c@D / /", ""),
        (
            "FROM scratch\nRUN --mount=type=bind,from=tools:1,target=/t \\\n  --mount=type=cache,target=/c true",
            "tools:1 (line 2: an image without a digest)",
        ),
        ("FROM scratch AS t\nFROM scratch\nRUN --mount=from=t,target=/t true", ""),
        (
            "# syntax=docker/dockerfile:1\nFROM scratch",
            "docker/dockerfile:1 (line 1: a Dockerfile frontend without a digest)",
        ),
        ("# syntax=docker/dockerfile@D\nFROM scratch", ""),
        ("FRMO debian", "the Dockerfile (line 1: only its frontend understands it)"),
        ("", "the Dockerfile (line 1: only its frontend understands it)"),
    ] {
        assert_eq!(found(text, &[], None, &[]), wanted, "{text}");
    }
}

#[test]
fn downloads() {
    for (text, wanted) in [
        ("ADD file /", ""),
        ("ADD https://x.example/f /", "https://x.example/f (line 2: a download without a checksum)"),
        ("ADD --checksum=sha256:00 https://x.example/f /", ""),
        (
            "ARG V=1\nADD https://x.example/$V /",
            "https://x.example/1 (line 3: a download without a checksum)",
        ),
        (
            "ENV V=2\nADD https://x.example/${V} /",
            "https://x.example/2 (line 3: a download without a checksum)",
        ),
        ("ADD $WHERE /", "$WHERE (line 2: a download without a checksum)"),
        ("ADD <<EOF /f\nhttps://x.example\nEOF", ""),
        (
            "ADD https://x.example/r.git /",
            "https://x.example/r.git (line 2: a git repository without a commit)",
        ),
        (
            "ADD https://x.example/r.git#main /",
            "https://x.example/r.git#main (line 2: a git repository without a commit)",
        ),
        ("ADD https://x.example/r.git#0123456789abcdef0123456789abcdef01234567:docs /", ""),
        ("ADD git@x.example:r.git /", "git@x.example:r.git (line 2: a git repository without a commit)"),
        (
            "ADD [\"https://x.example/f\", \"/\"]",
            "https://x.example/f (line 2: a download without a checksum)",
        ),
    ] {
        assert_eq!(found(&format!("FROM scratch\n{text}\n"), &[], None, &[]), wanted, "{text}");
    }
}

#[test]
fn arguments_decide_the_base() {
    let text = "ARG BASE=debian:12\nARG TAG\nFROM ${BASE} AS a\nFROM img:${TAG:-1}-$TARGETARCH";
    let of_last = |arguments: &[(&str, &str)]| found(text, arguments, None, &[]);
    assert_eq!(of_last(&[]), "img:1-arm64 (line 4: an image without a digest)");
    assert_eq!(of_last(&[("TAG", "2")]), "img:2-arm64 (line 4: an image without a digest)");
    let of_a = |arguments: &[(&str, &str)]| found(text, arguments, Some("A"), &[]);
    assert_eq!(of_a(&[]), "debian:12 (line 3: an image without a digest)");
    assert_eq!(of_a(&[("BASE", &format!("debian{DIGEST}"))]), "");
    // What is not declared is not used.
    assert_eq!(found("FROM $X", &[("X", "a")], None, &[]), "$X (line 1: an image without a digest)");
    assert_eq!(
        found("FROM scratch", &[("BUILDKIT_SYNTAX", "my/frontend")], None, &[]),
        "my/frontend (line 1: a Dockerfile frontend without a digest)"
    );
}

#[test]
fn only_what_the_wanted_stage_needs_counts() {
    let text = "FROM a:1 AS tools\nFROM b:1 AS test\nFROM c:1 AS base\nFROM base AS release\nCOPY --from=tools /x /x";
    let needed = |target| found(text, &[], target, &[]).replace(": an image without a digest", "");
    assert_eq!(needed(None), "a:1 (line 1)\nc:1 (line 3)");
    assert_eq!(needed(Some("test")), "b:1 (line 2)");
    assert_eq!(needed(Some("0")), "a:1 (line 1)");
    assert_eq!(needed(Some("release")), needed(None));
    assert_eq!(needed(Some("no such stage")), "a:1 (line 1)\nb:1 (line 2)\nc:1 (line 3)");
}

#[test]
fn a_folder_of_ours_in_an_images_place_does_not_move() {
    for text in [
        "FROM scratch\nCOPY --from=binary / /",
        "FROM scratch\nRUN --mount=from=binary true",
        "FROM binary",
        "FROM docker.io/library/binary:latest",
    ] {
        assert_eq!(found(text, &[], None, &["binary"]), "", "{text}");
        assert_ne!(found(text, &[], None, &["other"]), "", "{text}");
    }
}

proptest! {
    #[test]
    fn any_dockerfile_is_answered(text in any::<String>()) {
        found(&text, &[], None, &[]);
        found(&format!("FROM {text}"), &[], None, &[]);
        found(&format!("ARG {text}\nFROM scratch\nENV {text}\nADD {text} /\nRUN --mount={text} x"), &[], None, &[]);
    }

    #[test]
    fn any_heap_of_a_dockerfiles_characters_is_answered(text in "[FROMADCPYUNVG \n\"'$\\\\{}<=:#a-c\\-]{0,60}") {
        found(&format!("FROM scratch\n{text}"), &[], None, &[]);
    }
}

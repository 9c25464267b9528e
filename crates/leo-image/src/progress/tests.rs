//! Streams as buildx 0.13.1 wrote them for real builds by an engine 26.1.5, and odd ones.

use super::*;
use crate::{Stage, StageProgress, StageState};

/// What a stream says: every event but the stages' many steps on the way, and how each stage ended.
fn told(text: &str) -> (Progress, String) {
    let (progress, events) = read(text);
    let over = |event: &ImageEventKind| {
        !matches!(event, ImageEventKind::Stage(StageProgress { state: StageState::Working, .. }))
    };
    let told = events.iter().filter(|event| over(event)).map(ToString::to_string).collect::<Vec<_>>();
    (progress, told.join("\n"))
}

fn read(text: &str) -> (Progress, Vec<ImageEventKind>) {
    let mut progress = Progress::default();
    let mut events: Vec<_> = text.split_inclusive('\n').flat_map(|line| progress.line(line)).collect();
    events.extend(progress.end());
    (progress, events)
}

#[test]
fn a_cold_build_that_the_engine_pushes() {
    let (_, told) = told(include_str!("recorded/cold.rawjson"));
    insta::assert_snapshot!(told);
}

#[test]
fn one_changed_file_rebuilds_what_needs_it() {
    let (_, told) = told(include_str!("recorded/one-file-changed.rawjson"));
    insta::assert_snapshot!(told);
}

#[test]
fn steps_that_another_build_does_at_the_same_time_count_once_and_have_not_failed() {
    let (_, told) = told(include_str!("recorded/beside-another.rawjson"));
    insta::assert_snapshot!(told);
}

#[test]
fn a_pulled_base_image_is_a_transfer_with_its_end() {
    let (_, events) = read(include_str!("recorded/base-pulled.rawjson"));
    let pulled: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            ImageEventKind::Stage(progress) if progress.bytes.is_some_and(|bytes| bytes.total.is_some()) => {
                Some(event.to_string())
            }
            _ => None,
        })
        .collect();
    assert_eq!(pulled.len(), 12, "{pulled:#?}");
    insta::assert_snapshot!([pulled.first().unwrap().as_str(), pulled.last().unwrap()].join("\n"));
}

#[test]
fn a_cache_that_the_registry_refuses_is_a_warning_with_its_reason() {
    let (progress, told) = told(include_str!("recorded/cache-refused.rawjson"));
    insta::assert_snapshot!(told);
    assert_eq!(progress.failure().step, None);
}

#[test]
fn a_failed_build_names_its_step_with_the_last_lines_and_the_place() {
    let (progress, told) = told(include_str!("recorded/failed.rawjson"));
    // The whole stage, with what it was when it ended.
    assert!(told.contains("\nbuild: 2/3 steps, 2 cached, failed"), "{told}");
    let failure = progress.failure();
    assert!(failure.step.as_deref().unwrap().starts_with("[3/3] RUN busybox sh -c"), "{failure:?}");
    assert_eq!(failure.message, "exit code: 7");
    assert_eq!(failure.log.len(), node::KEPT_LINES);
    assert_eq!(failure.log.last().unwrap(), "no newline at the end");
    assert_eq!(failure.excerpt.first().map(String::as_str), Some("Fail:4"));
    assert_eq!(failure.excerpt.len(), 7);
}

/// The source is looked at again from here on: nothing may read it any more.
#[test]
fn once_the_layers_become_an_image_every_step_is_done() {
    for text in [
        include_str!("recorded/cold.rawjson"),
        include_str!("recorded/one-file-changed.rawjson"),
        include_str!("recorded/beside-another.rawjson"),
        include_str!("recorded/base-pulled.rawjson"),
        include_str!("recorded/cache-refused.rawjson"),
    ] {
        let mut progress = Progress::default();
        let events = text.split_inclusive('\n').flat_map(|line| progress.line(line));
        let stages = events.filter_map(|event| match event {
            ImageEventKind::Stage(progress) => Some(progress),
            _ => None,
        });
        let from_pack: Vec<_> = stages.skip_while(|progress| progress.stage != Stage::Pack).collect();
        assert!(!from_pack.is_empty());
        for StageProgress { stage, state, .. } in from_pack {
            let after = matches!(stage, Stage::Pack | Stage::Push | Stage::SaveCache);
            assert!(after || state == StageState::Done, "{stage} is {state:?}");
        }
    }
}

#[test]
fn every_stage_that_began_ends_and_nothing_is_told_twice() {
    for text in [
        include_str!("recorded/cold.rawjson"),
        include_str!("recorded/one-file-changed.rawjson"),
        include_str!("recorded/base-pulled.rawjson"),
        include_str!("recorded/beside-another.rawjson"),
        include_str!("recorded/cache-refused.rawjson"),
    ] {
        let (_, events) = read(text);
        let mut last = std::collections::BTreeMap::<_, StageProgress>::new();
        for event in &events {
            let ImageEventKind::Stage(now) = event else { continue };
            if let Some(before) = last.insert(now.stage.clone(), now.clone()) {
                assert!(before.total <= now.total, "{before:?} {now:?}");
                assert_ne!(&before, now);
            }
        }
        let open: Vec<_> = last.values().filter(|progress| progress.state == StageState::Working).collect();
        assert_eq!((last.len() > 2, open), (true, vec![]));
    }
}

/// Cut anywhere, or with a line missing: nothing panics, and a failure still has a reason.
#[test]
fn a_damaged_stream_is_no_reason_to_fail() {
    let text = include_str!("recorded/failed.rawjson");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for at in (0..lines.len()).step_by(7) {
        for damaged in
            [lines[..at].concat(), [&lines[..at], &lines[at + 1..]].concat().concat(), lines[at..].concat()]
        {
            let (progress, _) = read(&damaged);
            assert!(!progress.failure().message.is_empty());
        }
    }
    let (progress, _) = read(&lines[1..].concat());
    assert!(progress.failure().message.ends_with("exit code: 7"));
}

#[test]
fn odd_output_neither_panics_nor_is_lost() {
    for odd in [
        "{\"vertexes\": 5}",
        "{\"vertexes\":[{}, 5, null, {\"digest\": \"d\"}, {\"digest\":\"d\",\"started\":\"t\"}]}\n",
        "{\"logs\":[{\"vertex\":\"x\",\"data\":\"%%\"},{\"vertex\":\"x\"}]}",
        "{\"statuses\":[{\"vertex\":\"x\",\"id\":\"y\",\"current\":-1,\"total\":\"many\"}]}",
        "{\"warnings\":[{\"short\":5}]}",
        "",
    ] {
        let (progress, events) = read(odd);
        assert_eq!(events, []);
        assert!(!progress.failure().message.is_empty(), "{odd}");
    }
    let (progress, _) = read("docker: 'buildx' is not a docker command.\n");
    assert_eq!(progress.failure().message, "docker: 'buildx' is not a docker command.");
}

#[test]
fn an_unreachable_cache_is_a_note_and_not_the_reason_of_a_failure() {
    let text = concat!(
        r#"{"vertexes":[{"digest":"d","name":"importing cache manifest from r","started":"t","error":"connection refused"}]}"#,
        "\nERROR: failed to solve: target stage \"x\" could not be found\n"
    );
    let (progress, told) = told(text);
    assert_eq!(told, "the build cache was not read: connection refused\nread cache: not read");
    let failure = progress.failure();
    assert_eq!((failure.step, failure.message.as_str()), (None, "target stage \"x\" could not be found"));
}

#[test]
fn a_dockerfile_s_warning_is_told_once_with_its_line() {
    let short = base64::encode("FromAsCasing: 'as' and 'FROM' keywords' casing do not match");
    let text = format!(
        r#"{{"warnings":[{{"vertex":"d","level":1,"short":"{short}","range":[{{"start":{{"line":2}}}}]}}]}}"#
    );
    let (_, told) = told(&format!("{text}\n{text}\n"));
    assert_eq!(told, "Dockerfile:2: FromAsCasing: 'as' and 'FROM' keywords' casing do not match");
}

use std::sync::Arc;

use leo_oci::{CopyEvent, OciError};
use tokio::sync::Barrier;

use crate::bench::{Bench, the_first};
use crate::gate::{Act, Seen};
use crate::image::{image, noise};
use crate::registry::digest_of;

fn is_layer(seen: &Seen) -> bool {
    seen.is("GET", "/blobs/")
}

fn is_upload(seen: &Seen) -> bool {
    seen.is("PUT", "/blobs/uploads/")
}

fn tried_again(bench: &Bench) -> usize {
    bench.events().iter().filter(|event| matches!(event, CopyEvent::Again { .. })).count()
}

#[tokio::test]
async fn registry_a_lost_connection_is_made_again_on_either_side() {
    let cut = || the_first(2, is_layer, Act::CutAnswer(40_000));
    let Some(bench) = Bench::with(cut(), |_| Act::Pass).await else { return };
    let one = image(&bench.source, "leo", "amd64", &[noise(1, 300_000)]);
    bench.copy(&one.digest).await.unwrap();
    assert!(tried_again(&bench) >= 1, "{:?}", bench.events());

    let cut = the_first(1, |seen| is_upload(seen) && seen.length > 1000, Act::CutRequest(40_000));
    let Some(bench) = Bench::with(|_| Act::Pass, cut).await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 300_000)]);
    bench.copy(&image.digest).await.unwrap();
    assert_eq!(tried_again(&bench), 1, "{:?}", bench.events());
    assert_eq!(bench.target.manifest("leo", &image.digest), bench.source.manifest("leo", &image.digest));
}

#[tokio::test]
async fn registry_a_passing_refusal_is_asked_again_and_a_lasting_one_is_not() {
    let unwell =
        Act::Answer("HTTP/1.1 503 Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned());
    let Some(bench) = Bench::with(|_| Act::Pass, the_first(1, is_upload, unwell)).await else { return };
    let one = image(&bench.source, "leo", "amd64", &[noise(1, 3000)]);
    bench.copy(&one.digest).await.unwrap();
    assert_eq!(tried_again(&bench), 1);

    let body = "{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"layer part too small\"}]}";
    let refused = format!(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let Some(bench) = Bench::with(|_| Act::Pass, the_first(9, is_upload, Act::Answer(refused))).await else {
        return;
    };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 3000)]);
    let error = bench.copy(&image.digest).await.unwrap_err();
    assert!(
        error.to_string().ends_with("the registry answered 400: UNSUPPORTED: layer part too small"),
        "{error}"
    );
    assert_eq!(tried_again(&bench), 0);
}

#[tokio::test]
async fn registry_left_in_the_middle_and_run_again_it_continues_where_it_stopped() {
    // The large layer waits for someone who never comes, the small ones arrive; then the copy is left.
    let large = noise(1, 400_000);
    let held = digest_of(&large);
    let stuck = Act::Hold(Arc::new(Barrier::new(2)));
    let about = move |seen: &Seen| seen.is("PUT", held.as_str().strip_prefix("sha256:").unwrap());
    let Some(bench) = Bench::with(|_| Act::Pass, the_first(1, about, stuck)).await else { return };
    let image = image(&bench.source, "leo", "amd64", &[large, noise(2, 1000), noise(3, 1000)]);
    let arrived = async {
        while bench.events().iter().filter(|event| matches!(event, CopyEvent::Sent { .. })).count() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = bench.copy(&image.digest) => panic!("{result:?}"),
        () = arrived => {}
    }
    assert_eq!(bench.target.manifest("leo", &image.digest), None);

    let copied = bench.copy(&image.digest).await.unwrap();
    assert_eq!((copied.blobs_sent, copied.bytes_sent, copied.blobs_present), (1, 400_000, 3));
    assert_eq!(bench.target.manifest("leo", &image.digest), bench.source.manifest("leo", &image.digest));
}

#[tokio::test]
async fn registry_what_was_falsified_on_the_way_never_arrives() {
    // One bit, once: the next attempt is right.
    let Some(bench) = Bench::with(the_first(1, is_layer, Act::Falsify), |_| Act::Pass).await else { return };
    let one = image(&bench.source, "leo", "amd64", &[noise(1, 300_000)]);
    bench.copy(&one.digest).await.unwrap();
    assert_eq!(tried_again(&bench), 1);

    // And always.
    let Some(bench) = Bench::with(the_first(99, is_layer, Act::Falsify), |_| Act::Pass).await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 300_000)]);
    let error = bench.copy(&image.digest).await.unwrap_err();
    assert!(matches!(error, OciError::Corrupt { .. }), "{error}");
    assert!(!bench.target.has("leo", &image.layers[0]));

    // A manifest.
    let falsify = the_first(99, |seen| seen.is("GET", "/manifests/"), Act::Falsify);
    let Some(bench) = Bench::with(falsify, |_| Act::Pass).await else { return };
    let image = crate::image::image(&bench.source, "leo", "amd64", &[noise(1, 3000)]);
    let error = bench.copy(&image.digest).await.unwrap_err();
    assert!(matches!(error, OciError::Corrupt { .. }), "{error}");
    assert_eq!(bench.to.count("POST", ""), 0);
}

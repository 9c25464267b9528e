use std::sync::Arc;
use std::time::Duration;

use leo_oci::{Connection, Copied, CopyEvent, Login, OciError, copy};
use tokio::sync::Barrier;

use crate::bench::{Bench, the_first};
use crate::gate::{Act, Gate};
use crate::image::{image, index, noise};
use crate::registry::{PASSWORD, USER};

#[tokio::test]
async fn registry_an_image_arrives_to_the_byte_and_is_sent_once() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 100_000), noise(2, 3_000_000), vec![7]]);
    let copied = bench.copy(&image.digest).await.unwrap();
    assert_eq!(copied, Copied { blobs_sent: 4, bytes_sent: image.bytes, blobs_present: 0, mounted: 0 });
    assert_eq!(
        bench.target.manifest("leo", &image.digest).unwrap(),
        bench.source.manifest("leo", &image.digest).unwrap()
    );
    for blob in image.layers.iter().chain([&image.config]) {
        assert!(bench.target.has("leo", blob));
        assert_eq!(
            std::fs::read(bench.target.blob(blob)).unwrap(),
            std::fs::read(bench.source.blob(blob)).unwrap()
        );
    }
    let planned = bench.events().first().cloned();
    assert_eq!(planned, Some(CopyEvent::Planned { blobs: 4, bytes: image.bytes }));

    let (asked, read) = (bench.to.seen().len(), bench.from.seen().len());
    assert_eq!(bench.copy(&image.digest).await.unwrap(), Copied::default());
    assert_eq!((bench.to.seen().len() - asked, bench.from.seen().len() - read), (1, 0));
}

#[tokio::test]
async fn registry_an_index_comes_with_all_that_it_lists_and_shared_layers_go_once() {
    let Some(bench) = Bench::start().await else { return };
    let shared = noise(1, 50_000);
    let amd64 = image(&bench.source, "leo", "amd64", &[shared.clone(), noise(2, 1000)]);
    let arm64 = image(&bench.source, "leo", "arm64", &[shared, noise(3, 1000)]);
    let attested = image(&bench.source, "leo", "unknown", &[noise(4, 10)]);
    let index = index(&bench.source, "leo", &[("amd64", &amd64), ("arm64", &arm64), ("unknown", &attested)]);
    let copied = bench.copy(&index).await.unwrap();
    assert_eq!((copied.blobs_sent, copied.blobs_present), (7, 0));
    for digest in [&index, &amd64.digest, &arm64.digest, &attested.digest] {
        assert_eq!(bench.target.manifest("leo", digest), bench.source.manifest("leo", digest));
    }
}

#[tokio::test]
async fn registry_layers_that_are_there_are_not_sent() {
    let Some(bench) = Bench::start().await else { return };
    let base = noise(1, 200_000);
    let first = image(&bench.source, "leo", "amd64", &[base.clone(), noise(2, 10)]);
    let second = image(&bench.source, "leo", "amd64", &[base, noise(3, 20)]);
    bench.copy(&first.digest).await.unwrap();
    let copied = bench.copy(&second.digest).await.unwrap();
    // The configuration is the same one, too.
    assert_eq!(copied, Copied { blobs_sent: 1, bytes_sent: 20, blobs_present: 2, mounted: 0 });
    assert_eq!(bench.from.count("GET", first.layers[0].as_str()), 1);
}

#[tokio::test]
async fn registry_within_one_registry_nothing_is_sent_at_all() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "staging/leo", "amd64", &[noise(1, 5000), noise(2, 5000)]);
    let registry = Connection::new(&bench.from.host, &Login::new(USER, PASSWORD)).unwrap();
    let digest = &image.digest;
    let copied = copy(&registry, "staging/leo", digest, &registry, "prod/leo", bench.sink()).await.unwrap();
    assert_eq!(copied, Copied { blobs_sent: 0, bytes_sent: 0, blobs_present: 0, mounted: 3 });
    assert!(bench.source.manifest("prod/leo", digest).is_some());
    assert_eq!(bench.from.count("GET", "/blobs/"), 0);
}

#[tokio::test]
async fn registry_one_that_mounts_nothing_gets_the_layers() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "staging/leo", "amd64", &[noise(1, 5000)]);
    let upstream = bench.source.host.clone();
    // As ECR answers where mounting is off: with an upload.
    let gate =
        Gate::start(&upstream, |seen| if seen.is("POST", "mount=") { Act::PassBare } else { Act::Pass })
            .await;
    let registry = Connection::new(&gate.host, &Login::new(USER, PASSWORD)).unwrap();
    let copied =
        copy(&registry, "staging/leo", &image.digest, &registry, "prod/leo", bench.sink()).await.unwrap();
    assert_eq!((copied.blobs_sent, copied.mounted), (2, 0));
    assert!(bench.source.manifest("prod/leo", &image.digest).is_some());
}

#[tokio::test]
async fn registry_four_blobs_are_under_way_at_once() {
    // None gets on before four are there.
    let four = Act::Hold(Arc::new(Barrier::new(4)));
    let hold = the_first(4, |seen| seen.is("PUT", "/blobs/uploads/"), four);
    let Some(bench) = Bench::with(|_| Act::Pass, hold).await else { return };
    let layers: Vec<_> = (0..6).map(|seed| noise(seed, 40_000)).collect();
    let image = image(&bench.source, "leo", "amd64", &layers);
    tokio::time::timeout(Duration::from_secs(20), bench.copy(&image.digest)).await.unwrap().unwrap();
    let seen = bench.to.seen();
    assert!(seen.last().unwrap().is("PUT", "/manifests/"), "the manifest goes last");
    assert_eq!(bench.to.count("PUT", ""), 8);
}

#[tokio::test]
async fn registry_what_is_missing_is_named() {
    let Some(bench) = Bench::start().await else { return };
    let digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let error = bench.copy(&digest).await.unwrap_err();
    assert!(matches!(&error, OciError::ImageMissing { repository, .. } if repository == "leo"), "{error}");

    // A layer that the source has lost.
    let image = image(&bench.source, "leo", "amd64", &[noise(1, 5000)]);
    std::fs::remove_file(bench.source.blob(&image.layers[0])).unwrap();
    let error = bench.copy(&image.digest).await.unwrap_err();
    assert!(matches!(error, OciError::Refused { status: 404, .. }), "{error}");
    assert_eq!(bench.target.manifest("leo", &image.digest), None);
}

//! Listing, marking and deleting images, on the wire.

use std::sync::{Arc, Mutex};

use leo_image::{Catalog, ImageDigest, ImageError, ListedImage, Removal, Repository, TagOutcome};
use serde_json::{Value, json};

use crate::ecr::{Ecr, Image, Store, error};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn digest(number: usize) -> ImageDigest {
    format!("sha256:{number:064x}").parse().unwrap()
}

fn repository() -> Repository {
    Repository { name: "leo".into(), uri: "registry.example/leo".into() }
}

/// Operations and their requests.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A catalog whose calls are answered by `answer`, and the requests that it made.
fn answering(answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static) -> (Catalog, Asked) {
    let asked = Asked::default();
    let mut ecr = Ecr::new(Store::Memory(Arc::default()));
    let requests = asked.clone();
    ecr.before = Arc::new(move |operation, request| {
        requests.lock().unwrap().push((operation.to_owned(), request.clone()));
        Some(answer(operation, request))
    });
    (Catalog::new(ecr.client()), asked)
}

#[tokio::test]
async fn every_page_is_listed_and_every_index_is_read() {
    // 250 images on pages of 100; every second one is an index of the one after it.
    let (catalog, asked) = answering(|operation, request| match operation {
        "DescribeImages" => {
            let from: usize = request["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
            let page: Vec<Value> = (from..(from + 100).min(250))
                .map(|number| {
                    json!({
                        "imageDigest": digest(number).as_str(),
                        "imageTags": [format!("t{number}"), "a"],
                        "imageSizeInBytes": number,
                        "imagePushedAt": 1_000_000_000 + number,
                        "lastRecordedPullTime": 1_500_000_000.5,
                        "imageManifestMediaType": if number % 2 == 0 { INDEX } else { MANIFEST },
                        "subjectManifestDigest": (number == 7).then(|| digest(3).to_string()),
                    })
                })
                .collect();
            (
                200,
                json!({"imageDetails": page, "nextToken": (from + 100 < 250).then(|| (from + 100).to_string())}),
            )
        }
        "BatchGetImage" => {
            let asked = request["imageIds"].as_array().unwrap();
            let images: Vec<Value> = asked
                .iter()
                .map(|id| {
                    let hex = id["imageDigest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
                    let child = digest(usize::from_str_radix(hex, 16).unwrap() + 1);
                    // What is attested of a part belongs to it as well.
                    let parts = json!({"manifests": [
                        {"digest": child.as_str()},
                        {"digest": digest(1000).as_str(), "platform": {"os": "unknown"}},
                    ]});
                    json!({"imageId": id, "imageManifest": parts.to_string()})
                })
                .collect();
            assert!(images.len() <= 100);
            (200, json!({"images": images, "failures": []}))
        }
        other => panic!("unexpected call of {other}"),
    });
    let images = catalog.list(&repository()).await.unwrap();
    assert_eq!(images.len(), 250);
    assert!(images.is_sorted_by(|one, other| one.pushed_at > other.pushed_at), "newest first");
    let ListedImage { digest: newest, tags, bytes, children, subject, pulled_at, .. } = &images[1];
    assert_eq!((newest, *bytes, tags[1].as_str()), (&digest(248), 248, "t248"));
    assert_eq!(children, &[digest(249), digest(1000)].into());
    assert!(subject.is_none() && pulled_at.is_some());
    assert_eq!(images[242].subject, Some(digest(3)));
    assert!(images[0].children.is_empty());
    let asked = asked.lock().unwrap();
    let calls: Vec<&str> = asked.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(
        calls,
        ["DescribeImages", "DescribeImages", "DescribeImages", "BatchGetImage", "BatchGetImage"]
    );
}

#[tokio::test]
async fn a_list_with_a_gap_is_none() {
    let listed = json!({"imageDigest": digest(1).as_str(), "imagePushedAt": 1});
    let id = json!({"imageDigest": digest(1).as_str()});
    let failure = |code: &str| json!({"images": [], "failures": [{"imageId": id, "failureCode": code, "failureReason": "r"}]});
    let cases = [
        ("a page", json!({}), json!({})),
        ("an index that ECR refuses", listed.clone(), failure("KmsError")),
        ("an index that is left out", listed.clone(), json!({"images": [], "failures": []})),
        (
            "an index that is no JSON",
            listed.clone(),
            json!({"images": [{"imageId": id, "imageManifest": "{"}]}),
        ),
        (
            "a tag that is none",
            json!({"imageDigest": digest(1).as_str(), "imageTags": ["keep it"]}),
            json!({}),
        ),
        (
            "a part without a digest",
            listed.clone(),
            json!({"images": [{"imageId": id, "imageManifest": "{\"manifests\": [{}]}"}]}),
        ),
    ];
    let mut said = vec![];
    for (case, image, manifests) in cases {
        let (catalog, _) = answering(move |operation, request| match operation {
            "DescribeImages" if request["nextToken"].is_string() => error("ServerException", "try later"),
            "DescribeImages" if image == json!({}) => (200, json!({"imageDetails": [], "nextToken": "2"})),
            "DescribeImages" => (200, json!({"imageDetails": [image]})),
            _ => (200, manifests.clone()),
        });
        let error = catalog.list(&repository()).await.unwrap_err();
        said.push(format!("{case}: {:?}: failed to {error}", error.kind()));
    }
    insta::assert_snapshot!(said.join("\n").replace(digest(1).as_str(), "<digest>"));

    // Gone since it was listed: it has no parts.
    let gone = failure("ImageNotFound");
    let (catalog, _) = answering(move |operation, _| match operation {
        "DescribeImages" => (200, json!({"imageDetails": [listed]})),
        _ => (200, gone.clone()),
    });
    assert!(catalog.list(&repository()).await.unwrap()[0].children.is_empty());
}

#[tokio::test]
async fn what_ecr_keeps_is_said_and_what_is_gone_already_is_gone() {
    let (catalog, asked) = answering(|_, _| {
        let failure = |number, code: &str| json!({"imageId": {"imageDigest": digest(number).as_str()}, "failureCode": code, "failureReason": "r"});
        let failures = [failure(2, "ImageReferencedByManifestList"), failure(3, "ImageNotFound")];
        let gone = ["x", "y"].map(|tag| json!({"imageDigest": digest(1).as_str(), "imageTag": tag}));
        (200, json!({"imageIds": gone, "failures": failures}))
    });
    let Removal { gone, kept } = catalog.delete(&repository(), &[1, 2, 3].map(digest)).await.unwrap();
    assert_eq!(gone, [1, 3].map(digest));
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].to_string(), format!("{}: ImageReferencedByManifestList: r", digest(2)));
    let ids = [1, 2, 3].map(|number| json!({"imageDigest": digest(number).as_str()}));
    assert_eq!(asked.lock().unwrap()[0].1, json!({"repositoryName": "leo", "imageIds": ids}));

    // A failure that names no image: what ECR says is gone is gone, and the rest is not counted as such.
    let (catalog, _) = answering(|_, _| {
        let gone = json!({"imageDigest": digest(1).as_str(), "imageTag": "x"});
        (200, json!({"imageIds": [gone], "failures": [{"failureCode": "MissingDigestAndTag"}]}))
    });
    let Removal { gone, kept } = catalog.delete(&repository(), &[1, 2].map(digest)).await.unwrap();
    assert_eq!(gone, [digest(1)]);
    assert_eq!(kept[0].to_string(), format!("{}: MissingDigestAndTag: ", digest(2)));
}

#[tokio::test]
async fn a_release_s_image_has_its_tag_and_none_that_is_too_old() {
    let tags =
        ["git-1", "release-dev-3", "release-dev-4", "release-dev-5", "release-prod-1", "release-dev-x-1"];
    let image = Image {
        digest: digest(1).to_string(),
        manifest: "{}".to_owned(),
        media_type: MANIFEST.to_owned(),
        tags: tags.map(str::to_owned).to_vec(),
    };
    let images = Arc::new(Mutex::new(vec![
        image,
        Image {
            digest: digest(2).to_string(),
            manifest: "{}".to_owned(),
            media_type: MANIFEST.to_owned(),
            tags: vec!["release-dev-9".to_owned(), "release-dev-1".to_owned()],
        },
    ]));
    let mut ecr = Ecr::new(Store::Memory(images));
    let deleted: Arc<Mutex<Vec<String>>> = Arc::default();
    let untagged = deleted.clone();
    ecr.before = Arc::new(move |operation, request| {
        if operation == "PutImage" {
            untagged.lock().unwrap().push(request["imageTag"].as_str().unwrap().to_owned());
        }
        (operation == "BatchDeleteImage").then(|| {
            // By tag alone: with the digest the whole image would go.
            assert_eq!(request["imageIds"][0]["imageDigest"], Value::Null);
            let tags = request["imageIds"].as_array().unwrap().iter();
            untagged.lock().unwrap().extend(tags.map(|id| id["imageTag"].as_str().unwrap().to_owned()));
            (200, json!({"imageIds": [], "failures": []}))
        })
    });
    let catalog = Catalog::new(ecr.client());
    let mark = async |number, release| {
        let marked =
            catalog.mark_released(&repository(), &digest(number), ("dev", release), 2).await.unwrap();
        let dropped: Vec<String> = marked.dropped.iter().map(ToString::to_string).collect();
        (marked.outcome, dropped)
    };
    assert_eq!(
        mark(1, 6).await,
        (TagOutcome::Set, vec!["release-dev-3".to_owned(), "release-dev-4".to_owned()])
    );
    // The same release again: what was not taken away then is now.
    assert_eq!(mark(1, 6).await.0, TagOutcome::AlreadySet);
    // Another image has its tag: the old ones may be all that this one has.
    assert_eq!(mark(1, 9).await, (TagOutcome::Taken { by: digest(2) }, vec![]));
    // The old ones go first, as the image has another tag that stays.
    assert_eq!(deleted.lock().unwrap()[..3], ["release-dev-3", "release-dev-4", "release-dev-6"]);
    // Else the new one comes first: with its last tag an image goes.
    assert_eq!(
        mark(2, 11).await,
        (TagOutcome::Set, vec!["release-dev-9".to_owned(), "release-dev-1".to_owned()])
    );
    assert_eq!(
        deleted.lock().unwrap().last_chunk().unwrap(),
        &["release-dev-11", "release-dev-9", "release-dev-1"]
    );
    let missing = catalog.mark_released(&repository(), &digest(3), ("dev", 1), 2).await.unwrap_err();
    assert!(matches!(missing, ImageError::DigestMissing { .. }));
}

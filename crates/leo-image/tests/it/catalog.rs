use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use leo_aws::FailureKind;
use leo_image::{
    Catalog, ImageDigest, ImageError, ImageEvent, ImageName, ImageTag, Repository, Sink, TagOutcome,
};
use serde_json::json;

use crate::ecr::{Ecr, Image, Store, error};

fn digest(digit: char) -> ImageDigest {
    format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
}

fn tag(text: &str) -> ImageTag {
    text.parse().unwrap()
}

fn repository() -> Repository {
    Repository { name: "leo".into(), uri: "registry.example/leo".into() }
}

fn image(digit: char, tags: &[&str]) -> Image {
    Image {
        digest: digest(digit).to_string(),
        manifest: json!({"schemaVersion": 2, "layers": []}).to_string(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
    }
}

fn with(images: Vec<Image>) -> (Ecr, Catalog) {
    let ecr = Ecr::new(Store::Memory(Arc::new(Mutex::new(images))));
    let catalog = Catalog::new(ecr.client());
    (ecr, catalog)
}

fn events() -> (Arc<Mutex<Vec<String>>>, Sink) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let events = events.clone();
        move |event: ImageEvent| events.lock().unwrap().push(event.to_string())
    };
    (events, Arc::new(sink))
}

#[tokio::test]
async fn a_tag_is_set_only_where_it_is_absent() {
    let (_, catalog) = with(vec![image('a', &["git-1-amd64"]), image('b', &[])]);
    let set = async |digit, text| catalog.set_tag(&repository(), &digest(digit), &tag(text)).await.unwrap();
    assert_eq!(set('b', "git-2-amd64").await, TagOutcome::Set);
    assert_eq!(set('b', "git-2-amd64").await, TagOutcome::AlreadySet);
    assert_eq!(set('b', "git-1-amd64").await, TagOutcome::Taken { by: digest('a') });
    let a = catalog.by_tag(&repository(), &tag("git-1-amd64")).await.unwrap().unwrap();
    assert_eq!(a.digest, digest('a'));
    let b = catalog.by_digest(&repository(), &digest('b')).await.unwrap().unwrap();
    assert_eq!(b.tags, [tag("git-2-amd64")]);
}

#[tokio::test]
async fn a_tag_that_someone_sets_at_the_same_time_is_theirs() {
    let (mut ecr, _) = with(vec![image('a', &["git-1-amd64"]), image('b', &[])]);
    let asked = AtomicUsize::new(0);
    ecr.before = Arc::new(move |operation, _| {
        let hidden = operation == "DescribeImages" && asked.fetch_add(1, Ordering::SeqCst) == 0;
        hidden.then(|| error("ImageNotFoundException", "not yet"))
    });
    let outcome =
        Catalog::new(ecr.client()).set_tag(&repository(), &digest('b'), &tag("git-1-amd64")).await.unwrap();
    assert_eq!(outcome, TagOutcome::Taken { by: digest('a') });
}

#[tokio::test]
async fn an_emulator_that_answers_an_empty_list_means_that_there_is_none() {
    let (mut ecr, _) = with(vec![]);
    ecr.before = Arc::new(|_, _| Some((200, json!({"imageDetails": []}))));
    assert_eq!(Catalog::new(ecr.client()).by_tag(&repository(), &tag("x")).await.unwrap(), None);
}

#[tokio::test]
async fn an_index_is_itself_or_one_of_its_platforms_but_no_attestation() {
    let mut index = image('a', &["git-1-amd64"]);
    index.media_type = "application/vnd.oci.image.index.v1+json".into();
    index.manifest = json!({"manifests": [
        {"digest": digest('b').to_string(), "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": digest('c').to_string(), "platform": {"os": "unknown", "architecture": "unknown"}},
    ]})
    .to_string();
    let (_, catalog) = with(vec![index]);
    let acceptable = catalog.acceptable_digests(&repository(), &digest('a')).await.unwrap();
    assert_eq!(acceptable, [digest('a'), digest('b')].into());
}

#[tokio::test]
async fn a_chosen_digest_has_to_be_there_and_is_kept_from_expiring() {
    let (_, catalog) = with(vec![image('a', &["cache-main-amd64"]), image('b', &["git-1-amd64"])]);
    let (events, sink) = events();
    let adopt =
        async |digit| catalog.adopt(ImageName::Generator, &repository(), &digest(digit), sink.clone()).await;
    let untagged = adopt('a').await.unwrap();
    assert_eq!(untagged.tag, tag("digest-aaaaaaaaaaaaaaaa"));
    assert_eq!(untagged.reference.to_string(), format!("registry.example/leo@{}", digest('a')));
    assert_eq!(adopt('b').await.unwrap().tag, tag("git-1-amd64"));
    assert_eq!(*events.lock().unwrap(), ["generator: tagged digest-aaaaaaaaaaaaaaaa"]);

    let error = adopt('c').await.unwrap_err();
    assert!(matches!(error, ImageError::DigestMissing { .. }));
    assert_eq!(error.kind(), FailureKind::Usage);
    insta::assert_snapshot!(format!("failed to {error}\nhint: {}", error.hint().unwrap()));
}

#[tokio::test]
async fn what_ecr_refuses_becomes_a_cause_a_fix_and_an_exit_code() {
    let mut text = Vec::new();
    for (code, message) in [
        ("RepositoryNotFoundException", "The repository with name 'leo' does not exist"),
        ("ExpiredTokenException", "The security token included in the request is expired"),
        ("AccessDeniedException", "User: u is not authorized to perform: ecr:DescribeImages"),
        ("ServerException", "try later"),
    ] {
        let (mut ecr, _) = with(vec![]);
        ecr.before = Arc::new(move |_, _| Some(error(code, message)));
        let error = Catalog::new(ecr.client()).by_tag(&repository(), &tag("x")).await.unwrap_err();
        text.push(format!("{:?}: failed to {error}\nhint: {:?}", error.kind(), error.hint()));
    }
    insta::assert_snapshot!(text.join("\n"));
}

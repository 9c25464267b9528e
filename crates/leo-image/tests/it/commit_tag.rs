//! Which images get the tag of a commit: those that were built from it and nothing else.

use std::process::Command;
use std::sync::{Arc, Mutex};

use leo_image::{Catalog, ImageName, PublishOptions, Publisher};

use crate::builder::{FakeDocker, NEW_BUILDX, NO_ENGINE, OWN_BUILDER, architecture, build_of, registry_at};
use crate::context::Context;
use crate::ecr::{Ecr, Image, Store};
use crate::stub::registry_with_an_image;

/// A context, and a registry that has or gets an image of it.
struct Bench {
    context: Context,
    host: String,
    docker: FakeDocker,
    images: Arc<Mutex<Vec<Image>>>,
}

impl Bench {
    /// A build does this in the context `$last` before it ends.
    async fn new(meanwhile: &str) -> Self {
        let (host, image) = registry_with_an_image(architecture()).await;
        let docker = FakeDocker::new(NEW_BUILDX, OWN_BUILDER, NO_ENGINE, &build_of(&image.digest, meanwhile));
        let images = Arc::new(Mutex::new(vec![image]));
        Self { context: Context::new(ImageName::Generator, "x"), host, docker, images }
    }

    /// Publishes; with every question to the registry, `asked` happens. What it made of it, and the tags of the image.
    async fn publish(&self, asked: impl Fn() + Send + Sync + 'static) -> (leo_image::Made, Vec<String>) {
        let mut ecr = Ecr::new(Store::Memory(self.images.clone()));
        ecr.before = Arc::new(move |operation, _| {
            if operation == "BatchGetImage" {
                asked();
            }
            None
        });
        let publisher = Publisher::new(
            self.docker.find().await.unwrap().into(),
            registry_at(&self.host, "x"),
            Catalog::new(ecr.client()),
            PublishOptions::default(),
            Arc::new(|_| {}),
        );
        let plan = self.context.plan(&self.host).await;
        let image = publisher.publish(vec![plan]).await.unwrap().remove(0);
        let mut tags = self.images.lock().unwrap()[0].tags.clone();
        tags.retain(|tag| tag.starts_with("git-"));
        (image.made, tags)
    }

    /// The tag of the commit that is checked out.
    async fn tag(&self) -> String {
        self.context.plan(&self.host).await.git_tag.unwrap().to_string()
    }
}

#[tokio::test]
async fn a_dirty_tree_gives_no_image_its_commits_tag_until_it_is_committed() {
    let bench = Bench::new("").await;
    let first = bench.tag().await;
    assert_eq!(bench.publish(|| {}).await.1, [first.as_str()]);

    // Another commit, with a file beside it that no build sees: the same image, and not yet the commit's.
    bench.context.write("README.md", "not in the image");
    bench.context.commit();
    bench.context.write("README.md", "not in the image either");
    let (made, tags) = bench.publish(|| {}).await;
    assert_eq!((made, tags), (leo_image::Made::Unchanged, vec![first.clone()]));

    bench.context.commit();
    let second = bench.tag().await;
    assert_ne!(first, second);
    assert_eq!(bench.publish(|| {}).await.1, [first, second]);
}

#[tokio::test]
async fn an_image_of_what_was_taken_back_meanwhile_is_not_the_commits() {
    let bench = Bench::new("").await;
    bench.context.write("content", "never committed");
    assert_eq!(bench.publish(|| {}).await.1, [""; 0]);

    // The registry is asked for the image of the edit; then the edit is taken back, and git finds nothing.
    let folder = bench.context.path().to_owned();
    let restored = move || {
        let git =
            Command::new("git").arg("-C").arg(&folder).args(["checkout", "--quiet", "--", "."]).status();
        assert!(git.unwrap().success());
    };
    assert_eq!(bench.publish(restored).await, (leo_image::Made::Unchanged, Vec::new()));
}

#[tokio::test]
async fn an_edit_that_is_committed_while_it_is_built_gets_no_commits_tag() {
    let commit = "git -C \"$last\" -c user.name=t -c user.email=t@example.com commit --quiet --all -m z";
    let bench = Bench::new(commit).await;
    bench.context.write("content", "committed later");
    let before = bench.tag().await;
    let (made, tags) = bench.publish(|| {}).await;
    assert!(matches!(made, leo_image::Made::Built { .. }), "{made:?}");
    assert_eq!(tags, [""; 0]);

    // The next run knows it for the new commit's.
    let after = bench.tag().await;
    assert_ne!(before, after);
    assert_eq!(bench.publish(|| {}).await, (leo_image::Made::Unchanged, vec![after]));
}

use leo_oci::{Connection, Login};

use crate::bench::Bench;
use crate::image::{OCI_IMAGE, OCI_INDEX, image, index, noise};
use crate::registry::{PASSWORD, USER};

#[tokio::test]
async fn registry_an_image_says_its_platform_and_weight() {
    let Some(bench) = Bench::start().await else { return };
    let image = image(&bench.source, "leo", "arm64", &[noise(1, 5000), noise(2, 70)]);
    let connection = Connection::new(&bench.from.host, &Login::new(USER, PASSWORD)).unwrap();
    let inspected = connection.inspect("leo", &image.digest).await.unwrap();
    assert_eq!((inspected.media_type.as_str(), inspected.bytes), (OCI_IMAGE, image.bytes));
    assert_eq!(inspected.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linux/arm64"]);
    let layers: Vec<_> = inspected.layers.iter().map(|layer| (layer.digest.clone(), layer.bytes)).collect();
    assert_eq!(layers, [(image.layers[0].clone(), 5000), (image.layers[1].clone(), 70)]);
    assert_eq!(inspected.image_for("linux", "arm64"), Some(&inspected));
    assert_eq!(inspected.image_for("linux", "amd64"), None);
    // Of blobs the configuration alone was read.
    assert_eq!(bench.from.count("GET", "/blobs/"), 1);
}

#[tokio::test]
async fn registry_an_index_has_an_image_for_each_platform_and_none_for_an_attestation() {
    let Some(bench) = Bench::start().await else { return };
    let shared = noise(1, 5000);
    let amd64 = image(&bench.source, "leo", "amd64", std::slice::from_ref(&shared));
    let arm64 = image(&bench.source, "leo", "arm64", std::slice::from_ref(&shared));
    let attested = image(&bench.source, "leo", "unknown", &[noise(4, 10)]);
    let index = index(&bench.source, "leo", &[("amd64", &amd64), ("arm64", &arm64), ("unknown", &attested)]);
    let connection = Connection::new(&bench.from.host, &Login::new(USER, PASSWORD)).unwrap();
    let inspected = connection.inspect("leo", &index).await.unwrap();
    assert_eq!(inspected.media_type, OCI_INDEX);
    assert_eq!(
        inspected.platforms.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["linux/amd64", "linux/arm64"]
    );
    assert_eq!(inspected.image_for("linux", "arm64").unwrap().digest, arm64.digest);
    assert_eq!(inspected.image_for("unknown", "unknown"), None);
    assert_eq!(inspected.children.len(), 3);
    assert_eq!(inspected.bytes, amd64.bytes + arm64.bytes - 5000 + attested.bytes);
    // Platforms are read from the index.
    assert_eq!(bench.from.count("GET", "/blobs/"), 0);
}

//! Images that are chosen by digest have to fit their task definitions.

use crate::{
    http::request,
    workspace::{WorkTree, have_docker, shown},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leo_local::LocalTarget;
use serde_json::json;

/// Sends something into a repository of the local target; its digest.
fn send(target: &LocalTarget, repository: &str, media_type: Option<&str>, body: &str) -> String {
    let digest = format!("sha256:{}", leo_release::template_sha256(body));
    let (user, password) = target.registry_login();
    let login = format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())));
    let here = format!("{}/v2/{repository}", target.endpoint);
    let (method, url) = match media_type {
        Some(_) => ("PUT", format!("{here}/manifests/{digest}")),
        None => ("POST", format!("{here}/blobs/uploads/?digest={digest}")),
    };
    let headers =
        [("Authorization", &*login), ("Content-Type", media_type.unwrap_or("application/octet-stream"))];
    let answer = request(method, &url, &headers, body);
    assert_eq!(answer.status, 201, "{answer:?}");
    digest
}

/// An image of a single layer, for this processor.
fn image(target: &LocalTarget, repository: &str, architecture: &str, layer: &str) -> String {
    let config = json!({"os": "linux", "architecture": architecture}).to_string();
    let (kind, of) = (
        "application/vnd.oci.image",
        |kind: &str, digest: String, size: usize| json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": size}),
    );
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": format!("{kind}.manifest.v1+json"),
        "config": of("config.v1+json", send(target, repository, None, &config), config.len()),
        "layers": [of("layer.v1.tar", send(target, repository, None, layer), layer.len())],
    });
    send(target, repository, Some(&format!("{kind}.manifest.v1+json")), &manifest.to_string())
}

#[test]
fn docker_an_image_for_another_processor_is_refused_and_one_that_is_heavy_is_said() {
    if !have_docker() {
        return;
    }
    let tree = WorkTree::new();
    tree.configure("[images.orchestrator]\nbudget_mb = 1");
    let refused = |orchestrator: &str, generator: &str| {
        let images = format!("orchestrator={orchestrator},generator={generator}");
        let command = ["deploy", "--local", "--yes", "--json", "--images", &images];
        let output = tree.leo_infra(&command).output().expect("runs");
        assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
        shown(&output)
    };
    // A first deploy makes the registry, and ends there.
    let nothing = format!("sha256:{}", "0".repeat(64));
    refused(&nothing, &nothing);

    let target = tree.local_target();
    let (here, elsewhere) =
        if cfg!(target_arch = "aarch64") { ("arm64", "amd64") } else { ("amd64", "arm64") };
    let heavy = image(&target, "leo-saas-app", here, &"large".repeat(250_000));
    let other = image(&target, "leo", elsewhere, "small");
    let said = refused(&heavy, &other);
    let wanted =
        format!("use {other} for the generator: it runs on linux/{elsewhere}, and its tasks on linux/{here}");
    assert!(said.contains(&wanted), "{said}");
    assert!(said.contains("orchestrator: it weighs 1.3 MB, more than the 1 MB"), "{said}");
    assert!(!said.contains("platform: started"), "{said}");
}

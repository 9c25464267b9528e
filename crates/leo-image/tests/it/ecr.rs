//! ECR's API at the level of its wire format, over images in memory or over a real registry. As on ECR, a tag that is
//! set can't be moved.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::retry::RetryConfig;
use aws_sdk_ecr::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use crate::registry::Registry;

/// An image: digest, manifest, media type, tags.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) digest: String,
    pub(crate) manifest: String,
    pub(crate) media_type: String,
    pub(crate) tags: Vec<String>,
}

/// Where the images are.
#[derive(Clone)]
pub(crate) enum Store {
    Memory(Arc<Mutex<Vec<Image>>>),
    Registry(Arc<Registry>),
}

/// Takes an operation and its request.
type Before = Arc<dyn Fn(&str, &Value) -> Option<(u16, Value)> + Send + Sync>;

/// The API.
#[derive(Clone)]
pub(crate) struct Ecr {
    pub(crate) store: Store,
    /// Called before every answer; it may answer instead.
    pub(crate) before: Before,
}

impl Ecr {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, before: Arc::new(|_, _| None) }
    }

    pub(crate) fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let configuration = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIATEST", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        Client::from_conf(configuration)
    }

    async fn answer(&self, operation: &str, request: &Value) -> (u16, Value) {
        if let Some(answer) = (self.before)(operation, request) {
            return answer;
        }
        let repository = request["repositoryName"].as_str().unwrap_or_default();
        match operation {
            "DescribeImages" => match self.find(repository, &request["imageIds"][0]).await {
                Some(image) => {
                    (200, json!({"imageDetails": [{"imageDigest": image.digest, "imageTags": image.tags}]}))
                }
                None => error("ImageNotFoundException", "The image does not exist"),
            },
            "BatchGetImage" => {
                assert!(request["acceptedMediaTypes"].as_array().unwrap().len() > 3);
                let (mut images, mut failures) = (Vec::new(), Vec::new());
                for id in request["imageIds"].as_array().unwrap() {
                    match self.find(repository, id).await {
                        Some(image) => images.push(json!({
                            // As the emulator does: the tag that it got last, whichever was asked for.
                            "imageId": {"imageDigest": image.digest, "imageTag": image.tags.last()},
                            "imageManifest": image.manifest,
                            "imageManifestMediaType": image.media_type,
                        })),
                        None => failures.push(json!({"imageId": id, "failureCode": "ImageNotFound"})),
                    }
                }
                (200, json!({"images": images, "failures": failures}))
            }
            // `AWS:right` in base64.
            "GetAuthorizationToken" => {
                (200, json!({"authorizationData": [{"authorizationToken": crate::registry::BASIC}]}))
            }
            "PutImage" => self.put(repository, request).await,
            other => panic!("unexpected call of {other}"),
        }
    }

    async fn find(&self, repository: &str, id: &Value) -> Option<Image> {
        let (digest, tag) = (id["imageDigest"].as_str(), id["imageTag"].as_str());
        match &self.store {
            Store::Registry(registry) => registry.image(repository, digest.or(tag)?).await,
            Store::Memory(images) => {
                let images = images.lock().unwrap();
                let wanted = |image: &&Image| {
                    digest == Some(&image.digest)
                        || image.tags.iter().any(|there| Some(there.as_str()) == tag)
                };
                images.iter().find(wanted).cloned()
            }
        }
    }

    async fn put(&self, repository: &str, request: &Value) -> (u16, Value) {
        let tag = request["imageTag"].as_str().unwrap();
        let digest = request["imageDigest"].as_str().unwrap();
        if let Some(holder) = self.find(repository, &json!({"imageTag": tag})).await {
            let same = holder.digest == digest;
            let code = if same { "ImageAlreadyExistsException" } else { "ImageTagAlreadyExistsException" };
            return error(code, "the tag exists");
        }
        let image = self.find(repository, &json!({"imageDigest": digest})).await.unwrap();
        assert_eq!(request["imageManifest"].as_str().unwrap(), image.manifest);
        assert_eq!(request["imageManifestMediaType"].as_str().unwrap(), image.media_type);
        match &self.store {
            Store::Registry(registry) => registry.put_tag(repository, tag, &image).await,
            Store::Memory(images) => {
                let mut images = images.lock().unwrap();
                images.iter_mut().find(|image| image.digest == digest).unwrap().tags.push(tag.to_owned());
            }
        }
        (200, json!({"image": {"imageId": {"imageDigest": digest, "imageTag": tag}}}))
    }
}

pub(crate) fn error(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": message}))
}

impl fmt::Debug for Ecr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ecr")
    }
}

impl HttpConnector for Ecr {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let ecr = self.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap();
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let (status, answer) = ecr.answer(target.rsplit('.').next().unwrap(), &body).await;
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer.to_string())))
        })
    }
}

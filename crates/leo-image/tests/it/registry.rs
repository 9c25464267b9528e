//! A plain registry of our own: Debian's `docker-registry` on a free loopback port, its data in a temporary folder.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::ecr::Image;

/// `AWS:right` for HTTP basic authentication, and as a line of an htpasswd file.
pub(crate) const BASIC: &str = "QVdTOnJpZ2h0";
const HTPASSWD: &str = "AWS:$2y$05$abcdefghijklmnopqrstuu8xaCxxL82bnl.UY74PMksDxIJShppPC\n";
pub(crate) const PASSWORD: &str = "right";

/// The registry. It ends with this value.
pub(crate) struct Registry {
    pub(crate) host: String,
    _process: Child,
    _data: TempDir,
}

impl Registry {
    /// Starts one; `None` where the program is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let configuration = data.path().join("registry.yml");
        write(&data.path().join("htpasswd"), HTPASSWD);
        write(
            &configuration,
            &format!(
                "version: 0.1\nstorage:\n  filesystem: {{rootdirectory: {root}/data}}\nhttp: {{addr: '127.0.0.1:0'}}\n\
                 auth:\n  htpasswd: {{realm: test, path: {root}/htpasswd}}\n",
                root = data.path().display()
            ),
        );
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&configuration)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let host = loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split([' ', '"']).next().unwrap().to_owned();
            }
        };
        // A full pipe would stop the registry.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { host, _process: process, _data: data })
    }

    /// The image with this digest or tag.
    pub(crate) async fn image(&self, repository: &str, reference: &str) -> Option<Image> {
        let (digest, media_type, manifest) = self.manifest(repository, reference).await?;
        let mut tags = Vec::new();
        for tag in self.tags(repository).await {
            if self.manifest(repository, &tag).await.is_some_and(|(other, ..)| other == digest) {
                tags.push(tag);
            }
        }
        Some(Image { digest, manifest, media_type, tags })
    }

    /// All tags of a repository, sorted.
    pub(crate) async fn tags(&self, repository: &str) -> Vec<String> {
        let (status, _, body) = self.http("GET", &format!("/v2/{repository}/tags/list"), "", "").await;
        if status != 200 {
            return Vec::new();
        }
        let list: serde_json::Value = serde_json::from_str(&body).unwrap();
        let mut tags: Vec<String> = serde_json::from_value(list["tags"].clone()).unwrap_or_default();
        tags.sort();
        tags
    }

    /// Gives an image a tag, whatever had it.
    pub(crate) async fn put_tag(&self, repository: &str, tag: &str, image: &Image) {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let (status, ..) = self.http("PUT", &path, &image.media_type, &image.manifest).await;
        assert_eq!(status, 201);
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Option<(String, String, String)> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let (status, headers, body) = self.http("GET", &path, "", "").await;
        (status == 200)
            .then(|| (headers["docker-content-digest"].clone(), headers["content-type"].clone(), body))
    }

    async fn http(
        &self,
        method: &str,
        path: &str,
        media_type: &str,
        body: &str,
    ) -> (u16, HashMap<String, String>, String) {
        let mut stream = TcpStream::connect(&self.host).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Basic {BASIC}\r\nContent-Type: {media_type}\r\n\
             Accept: application/vnd.oci.image.index.v1+json\r\nAccept: application/vnd.oci.image.manifest.v1+json\r\n\
             Accept: application/vnd.docker.distribution.manifest.v2+json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        (status, headers, body.to_owned())
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

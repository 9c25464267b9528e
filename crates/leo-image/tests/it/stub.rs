//! A registry of a few answers, over plain HTTP on loopback.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::ecr::Image;

/// The registry's host, and the image that it has in the repository `leo`: of no layers, for this platform.
pub(crate) async fn registry_with_an_image(architecture: &str) -> (String, Image) {
    let configuration =
        format!(r#"{{"architecture":"{architecture}","os":"linux","rootfs":{{"type":"layers"}}}}"#);
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[]}}"#,
        digest(&configuration),
        configuration.len()
    );
    let image = Image {
        digest: digest(&manifest),
        manifest: manifest.clone(),
        media_type: media_type.to_owned(),
        tags: Vec::new(),
    };
    let answers = HashMap::from([
        (format!("/v2/leo/manifests/{}", image.digest), (media_type, manifest)),
        (format!("/v2/leo/blobs/{}", digest(&configuration)), ("application/octet-stream", configuration)),
    ]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let answers = Arc::new(answers);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, answers.clone()));
        }
    });
    (host, image)
}

async fn answer(mut stream: TcpStream, answers: Arc<HashMap<String, (&'static str, String)>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let (status, media_type, body) = match answers.get(path) {
        Some((media_type, body)) => ("200 OK", *media_type, body.as_str()),
        None => ("404 Not Found", "text/plain", ""),
    };
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold("sha256:".to_owned(), |digest, byte| format!("{digest}{byte:02x}"))
}

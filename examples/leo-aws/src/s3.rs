//! Putting, getting and listing objects.

use hyper::Method;
use hyper::body::Bytes;
use roxmltree::{Document, Node};
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::{Call, Service};
use crate::{Client, Error};

/// An object in a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The whole key.
    pub key: String,
    /// When it was last written, by S3's clock.
    pub last_modified: SystemTime,
}

impl Client {
    /// Writes an object, over an older one of that key.
    pub async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<(), Error> {
        self.put(bucket, key, &[("content-type", content_type)], body.into()).await
    }

    /// Writes an object unless there is one of that key. `false`: there is one, or another write of that key was under
    /// way; also where the first try did write it and only its answer was lost. Read the object to know what it holds.
    pub async fn create_object(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<bool, Error> {
        let headers = [("content-type", content_type), ("if-none-match", "*")];
        match self.put(bucket, key, &headers, body.into()).await {
            Ok(()) => Ok(true),
            // `PreconditionFailed` and `ConditionalRequestConflict` ("Conditional writes" in the S3 user guide).
            Err(Error::Service { status: 412 | 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn put(
        &self,
        bucket: &str,
        key: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<(), Error> {
        let call = Call {
            operation: "PutObject",
            service: Service::S3,
            method: Method::PUT,
            url: self.endpoint().object(bucket, key),
            headers,
            body,
        };
        self.send(call).await.map(drop)
    }

    /// The object's content. Without the permission to list, AWS answers `AccessDenied` for one that is not there.
    pub async fn get_object(&self, bucket: &str, key: &str) -> Result<Bytes, Error> {
        self.get("GetObject", self.endpoint().object(bucket, key)).await
    }

    /// All objects whose keys begin with the prefix, in the order of their keys.
    pub async fn list_objects(&self, bucket: &str, prefix: &str) -> Result<Vec<Object>, Error> {
        let operation = "ListObjectsV2";
        let mut objects = Vec::new();
        let mut continuation: Option<String> = None;
        loop {
            let mut query = vec![("list-type", "2"), ("prefix", prefix)];
            if let Some(token) = &continuation {
                query.insert(0, ("continuation-token", token));
            }
            let body = self.get(operation, self.endpoint().bucket_query(bucket, &query)).await?;
            let page = page(&body).map_err(|reason| Error::Answer { operation, reason })?;
            objects.extend(page.objects);
            match page.next {
                Some(next) => continuation = Some(next),
                None => return Ok(objects),
            }
        }
    }

    async fn get(&self, operation: &'static str, url: String) -> Result<Bytes, Error> {
        let call = Call {
            operation,
            service: Service::S3,
            method: Method::GET,
            url,
            headers: &[],
            body: Bytes::new(),
        };
        self.send(call).await
    }
}

struct Page {
    objects: Vec<Object>,
    next: Option<String>,
}

fn page(body: &[u8]) -> Result<Page, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    let contents = root.children().filter(|node| node.tag_name().name() == "Contents");
    let objects: Option<Vec<_>> = contents.map(object).collect();
    let objects = objects.ok_or("an entry without a key or a time")?;
    let truncated = child(root, "IsTruncated") == Some("true");
    let next = child(root, "NextContinuationToken").map(str::to_owned);
    if truncated && next.is_none() {
        return Err("it is not whole and does not say how it goes on".to_owned());
    }
    Ok(Page { objects, next: next.filter(|_| truncated) })
}

fn object(entry: Node<'_, '_>) -> Option<Object> {
    let last_modified = OffsetDateTime::parse(child(entry, "LastModified")?, &Rfc3339).ok()?;
    Some(Object { key: child(entry, "Key")?.to_owned(), last_modified: last_modified.into() })
}

fn child<'a>(parent: Node<'a, '_>, name: &str) -> Option<&'a str> {
    parent.children().find(|node| node.tag_name().name() == name)?.text()
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_listing_is_read_with_and_without_a_next_page() {
        let first = page(
            br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>p</Prefix>
            <IsTruncated>true</IsTruncated><NextContinuationToken>a/b==</NextContinuationToken>
            <Contents><Key>p/x&amp;y</Key><LastModified>2026-11-22T11:00:00.000Z</LastModified><Size>3</Size></Contents>
            </ListBucketResult>"#,
        )
        .unwrap();
        assert_eq!(first.objects[0].key, "p/x&y");
        assert_eq!(first.next.as_deref(), Some("a/b=="));
        let empty = page(b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>").unwrap();
        assert!(empty.objects.is_empty() && empty.next.is_none());
    }

    #[test]
    fn what_is_no_listing_is_an_error_and_no_endless_loop() {
        assert!(page(b"{}").is_err());
        assert!(page(b"<L><Contents><Key>k</Key></Contents></L>").is_err());
        assert!(page(b"<L><IsTruncated>true</IsTruncated></L>").is_err());
    }
}

//! S3 in its own XML.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use crate::account::{ACCOUNT, State, response};

/// Versions on a page.
const PAGE: usize = 3;

/// A bucket.
#[derive(Default)]
pub(crate) struct Stored {
    /// Key, version and size; no size for a delete marker. As they are listed.
    pub(crate) versions: BTreeMap<(String, String), Option<u64>>,
    /// Keys of incomplete uploads.
    pub(crate) uploads: BTreeSet<String>,
    /// Keys that are not deleted so many times, with this code.
    pub(crate) refused: BTreeMap<String, (&'static str, u32)>,
    /// The owner and the region, where they are not ours.
    pub(crate) owner: Option<&'static str>,
    pub(crate) region: Option<&'static str>,
    /// So many objects are written each when the bucket is to be deleted.
    pub(crate) written_late: u32,
    /// Another object is written before every listing.
    pub(crate) written_when_listed: bool,
    /// The most objects that one call deleted.
    pub(crate) largest_batch: usize,
}

impl Stored {
    pub(crate) fn with(versions: &[(&str, &str, Option<u64>)]) -> Self {
        let versions = versions
            .iter()
            .map(|(key, version, size)| (((*key).to_owned(), (*version).to_owned()), *size))
            .collect();
        Self { versions, ..Self::default() }
    }

    /// Whether this version is gone now.
    fn delete(&mut self, key: &str, version: &str) -> Result<(), &'static str> {
        if let Some((code, times)) = self.refused.get_mut(key).filter(|(_, times)| *times > 0) {
            *times -= 1;
            return Err(code);
        }
        self.versions.remove(&(key.to_owned(), version.to_owned()));
        Ok(())
    }
}

pub(crate) fn answer(state: &mut State, request: &HttpRequest) -> HttpResponse {
    let (path, query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
    let query: BTreeMap<String, String> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (key.to_owned(), unquoted(value)))
        .collect();
    let path = path.split_once("amazonaws.com/").unwrap().1;
    let (name, key) = path.split_once('/').unwrap_or((path, ""));
    let key = unquoted(key);
    let has = |name: &str| query.contains_key(name);
    let operation = match request.method() {
        "HEAD" => "HeadBucket",
        "GET" if has("versions") => "ListObjectVersions",
        "GET" if has("uploads") => "ListMultipartUploads",
        "POST" if has("delete") => "DeleteObjects",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" if !key.is_empty() => "DeleteObject",
        "DELETE" => "DeleteBucket",
        other => panic!("unexpected {other} of {}", request.uri()),
    };
    state.asked.push(operation.to_owned());
    assert_eq!(request.headers().get("x-amz-expected-bucket-owner"), Some(ACCOUNT), "of {operation}");
    if let Some((status, body)) = state.refused.get(operation) {
        return response(*status, body.clone());
    }
    let Some(bucket) = state.buckets.get_mut(name) else {
        return if operation == "HeadBucket" {
            response(404, String::new())
        } else {
            error(404, "NoSuchBucket")
        };
    };
    match operation {
        "HeadBucket" => head(bucket),
        "ListObjectVersions" => {
            if bucket.written_when_listed {
                bucket.versions.insert(("late".to_owned(), "null".to_owned()), Some(1));
            }
            list(bucket, &query)
        }
        "ListMultipartUploads" => list_uploads(bucket, &query),
        "DeleteObjects" => delete(bucket, std::str::from_utf8(request.body().bytes().unwrap()).unwrap()),
        "DeleteObject" => match bucket.delete(&key, &query["versionId"]) {
            Ok(()) => response(204, String::new()),
            Err(code) => error(403, code),
        },
        "AbortMultipartUpload" if bucket.uploads.remove(&key) => response(204, String::new()),
        "AbortMultipartUpload" => error(404, "NoSuchUpload"),
        _ => {
            if bucket.written_late > 0 {
                bucket.written_late -= 1;
                bucket.versions.insert(("late".to_owned(), "null".to_owned()), Some(1));
            }
            if !bucket.versions.is_empty() {
                return error(409, "BucketNotEmpty");
            }
            state.buckets.remove(name);
            response(204, String::new())
        }
    }
}

fn head(bucket: &Stored) -> HttpResponse {
    let status = match (bucket.owner, bucket.region) {
        (Some(_), _) => 403,
        (None, Some(_)) => 301,
        (None, None) => 200,
    };
    let mut answer = response(status, String::new());
    let region = bucket.region.unwrap_or(crate::account::REGION);
    answer.headers_mut().insert("x-amz-bucket-region", region);
    answer
}

fn list(bucket: &Stored, query: &BTreeMap<String, String>) -> HttpResponse {
    assert_eq!(query["encoding-type"], "url");
    let after = query.get("key-marker").map(|key| (key.clone(), query["version-id-marker"].clone()));
    let mut rest = bucket.versions.iter().filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after));
    let page: Vec<_> = rest.by_ref().take(PAGE).collect();
    let entries: String = page
        .iter()
        .map(|((key, version), size)| {
            let (element, size) = match size {
                Some(size) => ("Version", format!("<Size>{size}</Size>")),
                None => ("DeleteMarker", String::new()),
            };
            let latest = version != "old";
            let key = quoted(key);
            format!(
                "<{element}><Key>{key}</Key><VersionId>{version}</VersionId><IsLatest>{latest}</IsLatest>{size}\
                 </{element}>"
            )
        })
        .collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|((key, version), _)| {
        format!(
            "<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{version}</NextVersionIdMarker>",
            quoted(key)
        )
    });
    xml(
        "ListVersionsResult",
        &format!(
            "<IsTruncated>{more}</IsTruncated><EncodingType>url</EncodingType>{}{entries}",
            next.unwrap_or_default()
        ),
    )
}

fn list_uploads(bucket: &Stored, query: &BTreeMap<String, String>) -> HttpResponse {
    let after = query.get("key-marker");
    let mut rest = bucket.uploads.iter().filter(|key| after.is_none_or(|after| *key > after));
    let first = rest.next();
    let upload = first.map(|key| {
        let key = quoted(key);
        format!("<Upload><Key>{key}</Key><UploadId>u</UploadId></Upload><NextKeyMarker>{key}</NextKeyMarker>")
    });
    let more = rest.next().is_some();
    xml(
        "ListMultipartUploadsResult",
        &format!(
            "<IsTruncated>{more}</IsTruncated><EncodingType>url</EncodingType>\
             <NextUploadIdMarker>u</NextUploadIdMarker>{}",
            upload.unwrap_or_default()
        ),
    )
}

fn delete(bucket: &mut Stored, body: &str) -> HttpResponse {
    assert!(body.contains("<Quiet>true</Quiet>"), "{body}");
    let between = |text: &str, element: &str| {
        let (_, rest) = text.split_once(&format!("<{element}>")).unwrap();
        unescaped(rest.split_once(&format!("</{element}>")).unwrap().0)
    };
    let objects: Vec<&str> = body.split("<Object>").skip(1).collect();
    bucket.largest_batch = bucket.largest_batch.max(objects.len());
    let errors: String = objects
        .into_iter()
        .filter_map(|object| {
            let (key, version) = (between(object, "Key"), between(object, "VersionId"));
            let code = bucket.delete(&key, &version).err()?;
            Some(format!(
                "<Error><Key>{key}</Key><VersionId>{version}</VersionId><Code>{code}</Code>\
                 <Message>no</Message></Error>"
            ))
        })
        .collect();
    xml("DeleteResult", &errors)
}

fn xml(root: &str, inner: &str) -> HttpResponse {
    response(200, format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{root}>"))
}

pub(crate) fn error(status: u16, code: &str) -> HttpResponse {
    response(status, format!("<Error><Code>{code}</Code><Message>as it is</Message></Error>"))
}

/// As S3 encodes a key in its answers.
fn quoted(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// As a client encodes an address.
fn unquoted(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

//! PutObject, GetObject and ListObjectsV2, with the bucket in the path, two keys a page.

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::server::{Answer, answer as reply};
use crate::{BUCKET, Object, State, lock};

/// So few that every listing of a finished job takes several pages.
const PAGE: usize = 2;

pub(crate) fn operation(method: &Method, uri: &Uri) -> (String, Value) {
    let key = uri.path().strip_prefix(&format!("/{BUCKET}/")).map(decode);
    let (operation, input) = match (method, key) {
        (&Method::PUT, Some(key)) => ("PutObject", key),
        (&Method::GET, Some(key)) if !key.is_empty() => ("GetObject", key),
        (&Method::GET, Some(_)) => ("ListObjectsV2", query(uri, "prefix").unwrap_or_default()),
        _ => ("unknown", uri.path().to_owned()),
    };
    (operation.to_owned(), input.into())
}

pub(crate) fn answer(
    state: &Mutex<State>,
    operation: &str,
    parts: &Parts,
    input: &Value,
    body: Bytes,
) -> Answer {
    let mut state = lock(state);
    let input = input.as_str().unwrap_or_default();
    match operation {
        "PutObject" => {
            let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
            if text("if-none-match") == Some("*") && state.objects.contains_key(input) {
                let code = "<Error><Code>PreconditionFailed</Code><Message>There is one.</Message></Error>";
                return reply(412, code);
            }
            let object = Object {
                body: body.into(),
                content_type: text("content-type").unwrap_or_default().to_owned(),
                last_modified: SystemTime::now(),
            };
            state.objects.insert(input.to_owned(), object);
            reply(200, "")
        }
        "GetObject" => match state.objects.get(input) {
            Some(object) => reply(200, object.body.clone()),
            None => {
                reply(404, "<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>")
            }
        },
        "ListObjectsV2" => {
            reply(200, list(&state, input, query(&parts.uri, "continuation-token").as_deref()))
        }
        _ => reply(
            404,
            "<Error><Code>NoSuchBucket</Code><Message>The bucket does not exist.</Message></Error>",
        ),
    }
}

fn list(state: &State, prefix: &str, after: Option<&str>) -> String {
    let mut keys = state.objects.iter().filter(|(key, _)| key.starts_with(prefix));
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
    );
    let mut keys = keys.by_ref().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).peekable();
    let mut last = None;
    for (key, object) in keys.by_ref().take(PAGE) {
        let time =
            OffsetDateTime::from(object.last_modified).format(&Rfc3339).expect("a time that can be written");
        write!(xml, "<Contents><Key>{key}</Key><LastModified>{time}</LastModified></Contents>")
            .expect("a string takes everything");
        last = Some(key);
    }
    let more = last.filter(|_| keys.peek().is_some());
    if let Some(last) = more {
        write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>")
            .expect("a string takes everything");
    }
    write!(xml, "<IsTruncated>{}</IsTruncated></ListBucketResult>", more.is_some())
        .expect("a string takes everything");
    xml
}

fn query(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| decode(value))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

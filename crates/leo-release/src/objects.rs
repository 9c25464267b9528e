//! The few calls to S3 that everything here is made of, each conditional.

use crate::error::ReleaseError;
use aws_sdk_s3::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, http::HttpResponse,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::{BoxError, ProvideErrorMetadata, SdkError},
    primitives::{ByteStream, DateTime, DateTimeFormat},
};
use leo_aws::{ErrorClass, ServiceError};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::sleep;

/// How often a write is tried again that S3 could not decide on because of another one at the same moment.
const CONFLICTS: u32 = 8;
/// How often a read is begun whose body breaks off.
const READS: u32 = 3;

/// The objects of one bucket.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    client: Client,
    pub(crate) bucket: String,
}

/// What has to hold for a write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition<'a> {
    /// There is no such object.
    Absent,
    /// It still has this ETag.
    Unchanged(&'a str),
}

/// What a conditional write came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is done; the new ETag.
    Done(String),
    /// The condition did not hold.
    Refused,
    /// What should have been unchanged is not there any more.
    Gone,
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) body: Vec<u8>,
    pub(crate) etag: String,
    /// How long ago it was written, both ends by S3's own clock.
    pub(crate) age: Option<Duration>,
}

impl Objects {
    pub(crate) fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// An error that says what the call was for.
    pub(crate) fn failed(&self, task: impl Into<String>, source: ServiceError) -> ReleaseError {
        let (task, bucket) = (task.into(), self.bucket.clone());
        if source.code.as_deref() == Some("NoSuchBucket") {
            ReleaseError::NoBucket { task, bucket }
        } else {
            ReleaseError::Service { task, source }
        }
    }

    /// Writes an object if the condition holds.
    ///
    /// `Refused` may also be the answer to a repetition of a write that had succeeded and whose answer got lost: whoever
    /// needs to know looks whether what is there is its own.
    pub(crate) async fn put(
        &self,
        key: &str,
        body: &str,
        condition: Condition<'_>,
    ) -> Result<Written, ServiceError> {
        let mut conflicts = 0;
        loop {
            let call = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(key)
                .content_type("application/json")
                .body(ByteStream::from(body.as_bytes().to_vec()));
            let call = match condition {
                Condition::Absent => call.if_none_match("*"),
                Condition::Unchanged(etag) => call.if_match(etag),
            };
            let error = match call.send().await {
                Ok(answer) => return Ok(Written::Done(answer.e_tag().unwrap_or_default().to_owned())),
                Err(error) => error,
            };
            let service = ServiceError::of("PutObject", &error);
            match status(&error) {
                Some(412) => return Ok(Written::Refused),
                Some(404) if is_absent(&service) => return Ok(Written::Gone),
                // ConditionalRequestConflict: another write or delete of this object was under way.
                Some(409) if conflicts < CONFLICTS => {
                    conflicts += 1;
                    sleep(Duration::from_millis(50 * u64::from(conflicts) + fastrand::u64(..100))).await;
                }
                _ => return Err(service),
            }
        }
    }

    /// Reads an object; `None` if there is none.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Object>, ServiceError> {
        let mut reads = 0;
        loop {
            reads += 1;
            let clock = ServerClock::default();
            let call = self.client.get_object().bucket(&self.bucket).key(key).customize();
            let answer = match call.interceptor(clock.clone()).send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let error = ServiceError::of("GetObject", &error);
                    return if is_absent(&error) { Ok(None) } else { Err(error) };
                }
            };
            let etag = answer.e_tag().unwrap_or_default().to_owned();
            let age = clock.since(answer.last_modified());
            match answer.body.collect().await {
                Ok(body) => return Ok(Some(Object { body: body.to_vec(), etag, age })),
                Err(_) if reads < READS => {}
                Err(error) => {
                    return Err(ServiceError {
                        operation: "GetObject",
                        class: ErrorClass::Transient,
                        code: None,
                        message: format!("the body broke off: {error}"),
                    });
                }
            }
        }
    }

    /// Deletes an object that still has this ETag; whether it did.
    pub(crate) async fn delete(&self, key: &str, etag: &str) -> Result<bool, ServiceError> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key).if_match(etag);
        let Err(error) = call.send().await else { return Ok(true) };
        let service = ServiceError::of("DeleteObject", &error);
        match status(&error) {
            Some(409 | 412) => Ok(false),
            Some(404) if is_absent(&service) => Ok(false),
            _ => Err(service),
        }
    }

    /// The keys that begin so, in their order, all pages.
    pub(crate) async fn keys(&self, prefix: &str) -> Result<Vec<String>, ServiceError> {
        let mut keys = vec![];
        let mut next = None;
        loop {
            let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let page = call
                .set_continuation_token(next)
                .send()
                .await
                .map_err(|error| ServiceError::of("ListObjectsV2", &error))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() || page.is_truncated() == Some(false) {
                return Ok(keys);
            }
        }
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16>
where
    E: ProvideErrorMetadata,
{
    error.raw_response().map(|response| response.status().as_u16())
}

fn is_absent(error: &ServiceError) -> bool {
    error.code.as_deref() == Some("NoSuchKey")
}

/// The `Date` of an answer: what time it was where the object's time of writing comes from.
#[derive(Clone, Debug, Default)]
struct ServerClock(Arc<Mutex<Option<DateTime>>>);

impl ServerClock {
    fn since(&self, written: Option<&DateTime>) -> Option<Duration> {
        let now = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let seconds = now.secs().checked_sub(written?.secs())?;
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    }
}

impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        Ok(())
    }
}

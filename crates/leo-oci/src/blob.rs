use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::OciError;
use crate::connection::{About, Connection};
use crate::copy::{CopyEvent, CopySink};
use crate::http::{self, Patience, Request};
use crate::login::Ticket;
use crate::manifest::{Descriptor, finished};
use crate::place::Place;
use crate::retry::persist;

/// Pieces on their way between the two registries. A piece is what one read brought, some hundred kilobytes at most.
const PIECES: usize = 8;
/// How long a registry may take no piece.
const STALL: Duration = Duration::from_mins(1);
/// How long a registry may think about the largest blob that has arrived in whole: it hashes it, and may move it.
const COMMIT: Duration = Duration::from_mins(10);
/// One second of that is for so many bytes.
const COMMITTED: u64 = 1024 * 1024;

/// What became of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Present,
    Mounted,
    Sent,
}

/// From where to where blobs go.
pub(crate) struct Transfer {
    pub(crate) from: Connection,
    pub(crate) from_repository: String,
    pub(crate) to: Connection,
    pub(crate) to_repository: String,
    pub(crate) on_event: CopySink,
}

impl Transfer {
    /// Brings one blob over, unless it is there.
    pub(crate) async fn blob(&self, blob: &Descriptor) -> Result<Outcome, OciError> {
        let again = |error: &OciError| {
            self.tell(CopyEvent::Again { blob: blob.digest.clone(), reason: error.to_string() });
        };
        persist(|| self.attempt(blob), again).await
    }

    async fn attempt(&self, blob: &Descriptor) -> Result<Outcome, OciError> {
        if self.to.has_blob(&self.to_repository, &blob.digest).await? {
            self.tell(CopyEvent::Present { blob: blob.digest.clone(), bytes: blob.size });
            return Ok(Outcome::Present);
        }
        let mut ticket = self.to.ticket().await?;
        let mut refused = false;
        loop {
            let Some(upload) = self.begin(blob).await? else {
                self.tell(CopyEvent::Mounted { blob: blob.digest.clone(), bytes: blob.size });
                return Ok(Outcome::Mounted);
            };
            match self.send(blob, upload, &ticket).await? {
                Ok(()) => break,
                Err(error) if refused => return Err(error),
                // The login expired between the question where to send it and the sending.
                Err(_) => {
                    refused = true;
                    ticket = self.to.ticket_after(&ticket).await?;
                }
            }
        }
        self.tell(CopyEvent::Sent { blob: blob.digest.clone(), bytes: blob.size });
        Ok(Outcome::Sent)
    }

    /// Where to send it; `None` where the registry took it over from the other repository.
    async fn begin(&self, blob: &Descriptor) -> Result<Option<Place>, OciError> {
        let mut place = self.to.place(&self.to_repository, "blobs/uploads/")?;
        if self.to.is_same_registry(&self.from) {
            place =
                place.with_query("mount", blob.digest.as_str())?.with_query("from", &self.from_repository)?;
        }
        let about =
            About { repository: &self.to_repository, doing: &format!("send {} to {place}", blob.digest) };
        let request = || Request::new("POST", place.clone()).header("content-length", "0");
        let answer = self.to.ask(&about, request).await?;
        if answer.status().as_u16() == 201 {
            return Ok(None);
        }
        let location = answer.headers().get("location").ok_or_else(|| OciError::Answer {
            host: self.to.host(),
            what: "the answer to an upload".to_owned(),
            problem: "it does not say where to send it".to_owned(),
        })?;
        place.follow(location)?.with_query("digest", blob.digest.as_str()).map(Some)
    }

    /// Streams it from one registry to the other. The inner error is the other registry's refusal of this login.
    async fn send(
        &self,
        blob: &Descriptor,
        upload: Place,
        ticket: &Ticket,
    ) -> Result<Result<(), OciError>, OciError> {
        let (pieces, body) = mpsc::channel(PIECES);
        let about =
            About { repository: &self.to_repository, doing: &format!("send {} to {upload}", blob.digest) };
        let request = Request::new("PUT", upload)
            .header("content-type", "application/octet-stream")
            .header("content-length", blob.size.to_string())
            .body(SdkBody::from_body_1_x(Pieces { receiver: body, left: blob.size }));
        let put = self.to.ask_as(ticket, &about, request, Patience::Long);
        let read = self.read(blob, pieces);
        tokio::pin!(put, read);
        let put_first = tokio::select! {
            result = &mut put => Some(result),
            result = &mut read => { result?; None }
        };
        let answer = match put_first {
            Some(result) => result,
            None => {
                tokio::time::timeout(patience(blob.size), put).await.map_err(|_| OciError::Unreachable {
                    host: self.to.host(),
                    message: format!("no answer within {} s of the last byte", patience(blob.size).as_secs()),
                })?
            }
        };
        match answer {
            Ok(_) => Ok(Ok(())),
            Err(error @ OciError::Denied { .. }) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Reads a blob piece by piece, and lets the last piece go only if all of it has the blob's digest.
    async fn read(&self, blob: &Descriptor, pieces: Sender<Bytes>) -> Result<(), OciError> {
        let mut body = self.open(blob).await?.into_body();
        let mut hash = Sha256::new();
        let mut sent = 0;
        let mut held: Option<Bytes> = None;
        let host = self.from.host();
        while let Some(piece) = http::next_piece(&mut body, &host).await? {
            if piece.is_empty() {
                continue;
            }
            hash.update(&piece);
            sent += piece.len() as u64;
            if sent > blob.size {
                break;
            }
            if let Some(earlier) = held.replace(piece) {
                self.hand_on(&pieces, earlier).await?;
                self.tell(CopyEvent::Sending { blob: blob.digest.clone(), sent, bytes: blob.size });
            }
        }
        let found = finished(hash);
        if found != blob.digest || sent != blob.size {
            return Err(OciError::Corrupt {
                doing: format!("read {} from {}/{}", blob.digest, self.from.host(), self.from_repository),
                wanted: blob.digest.clone(),
                found,
            });
        }
        match held {
            Some(last) => self.hand_on(&pieces, last).await,
            None => Ok(()),
        }
    }

    async fn hand_on(&self, pieces: &Sender<Bytes>, piece: Bytes) -> Result<(), OciError> {
        let stalled = || OciError::Unreachable {
            host: self.to.host(),
            message: format!("it took nothing for {} s", STALL.as_secs()),
        };
        // A receiver that is gone means that the registry has answered already; its answer says why.
        tokio::time::timeout(STALL, pieces.send(piece)).await.map(|_| ()).map_err(|_| stalled())
    }

    async fn open(&self, blob: &Descriptor) -> Result<HttpResponse, OciError> {
        let place = self.from.place(&self.from_repository, &format!("blobs/{}", blob.digest))?;
        let about = About { repository: &self.from_repository, doing: &format!("read {place}") };
        self.from.ask(&about, || Request::new("GET", place.clone())).await
    }

    fn tell(&self, event: CopyEvent) {
        (self.on_event)(event);
    }
}

/// How long a registry may think about a blob of so many bytes that has arrived in whole.
fn patience(bytes: u64) -> Duration {
    COMMIT.min(STALL + Duration::from_secs(bytes.div_ceil(COMMITTED)))
}

/// The body of an upload: as many bytes as were promised, as they come.
struct Pieces {
    receiver: Receiver<Bytes>,
    left: u64,
}

/// The reading side gave up, and says why itself.
#[derive(Debug, thiserror::Error)]
#[error("the source ended early")]
struct Ended;

impl Body for Pieces {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.receiver.poll_recv(context).map(|piece| match piece {
            Some(piece) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(Frame::data(piece)))
            }
            None => Some(Err(Ended)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_thinks_longer_about_a_larger_blob() {
        let seconds =
            [0, 1, 300 * COMMITTED, 540 * COMMITTED, u64::MAX].map(|bytes| patience(bytes).as_secs());
        assert_eq!(seconds, [60, 61, 360, 600, 600]);
    }
}

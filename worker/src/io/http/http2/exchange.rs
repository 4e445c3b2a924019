//! One request and its response on a stream.

use std::future::poll_fn;

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::header::LOCATION;
use http::{HeaderMap, Response};
use trafficlab_shared::model::error_kind::ErrorKind;

use super::live::Stream;
use super::message::{message, text_length};
use crate::io::http::exchange::{Buffers, Failure};
use crate::io::http::parser::Wanted;
use crate::io::http::timer::RequestTimer;

impl Stream {
    /// Sends what is prepared in `buffers` and leaves the response in its parser. True when the connection can be used
    /// again. Bytes are those of the fields as text and of the bodies, without frames and compression.
    pub(in crate::io::http) async fn exchange(
        &mut self,
        buffers: &mut Buffers,
        timer: &mut RequestTimer,
        wanted: Wanted,
    ) -> Result<bool, Failure> {
        buffers.parser.reset(wanted);
        let reads = self.live.reads.get();
        let mut answer = Box::pin(self.answer(buffers, wanted));
        let ended = poll_fn(|context| {
            let answered = answer.as_mut().poll(context);
            if answered.is_pending() { timer.poll_expired(context).map(|()| None) } else { answered.map(Some) }
        })
        .await;
        drop(answer);
        let Some(answered) = ended else {
            // Not a byte came for any request: the connection is dead, others need not wait for the same.
            if self.live.reads.get() == reads {
                self.retire();
            }
            return Err(Failure::of(ErrorKind::Timeout));
        };
        if let Err(broken) = answered {
            if broken.connection {
                self.retire();
            }
            return Err(broken.failure);
        }
        self.note_answer();
        Ok(!self.is_closed())
    }

    async fn answer(&mut self, buffers: &mut Buffers, wanted: Wanted) -> Result<(), Broken> {
        let Some((request, body)) = message(&buffers.out, &self.scheme) else {
            return Err(Broken { failure: Failure::of(ErrorKind::Template), connection: false });
        };
        let failed = |error: &h2::Error| broken(error, false);
        poll_fn(|context| self.sender.poll_ready(context)).await.map_err(|error| failed(&error))?;
        let text = text_length(request.headers()) + request.uri().to_string().len() as u64;
        let (response, mut sending) =
            self.sender.send_request(request, body.is_empty()).map_err(|error| failed(&error))?;
        buffers.bytes_out += text + body.len() as u64;
        if !body.is_empty() {
            // A server may answer and refuse the rest of the body, so a failed write is not yet the end.
            send_body(&mut sending, body);
        }
        let response: Response<RecvStream> = response.await.map_err(|error| failed(&error))?;
        note_head(&response, buffers, wanted);
        read_body(response.into_body(), buffers).await.map_err(|error| broken(&error, true))
    }
}

/// The body waits in the connection's buffer for as much window as it needs.
fn send_body(sending: &mut h2::SendStream<Bytes>, body: Bytes) {
    if let Err(error) = sending.send_data(body, true) {
        tracing::debug!(%error, "a request body was not taken");
    }
}

fn note_head(response: &Response<RecvStream>, buffers: &mut Buffers, wanted: Wanted) {
    buffers.bytes_in += text_length(response.headers());
    let location = response.headers().get(LOCATION).filter(|_| wanted.location);
    buffers.parser.set_head(response.status().as_u16(), location.map(|value| value.as_bytes().to_vec()));
}

/// Reads to the end, trailers included, and gives the window back as it goes.
async fn read_body(mut body: RecvStream, buffers: &mut Buffers) -> Result<(), h2::Error> {
    while let Some(data) = body.data().await {
        let data = data?;
        buffers.bytes_in += data.len() as u64;
        buffers.parser.keep(&data);
        body.flow_control().release_capacity(data.len())?;
    }
    let trailers: Option<HeaderMap> = body.trailers().await?;
    buffers.bytes_in += trailers.as_ref().map_or(0, text_length);
    Ok(())
}

/// How an exchange failed, and whether the connection is of no more use either.
struct Broken {
    failure: Failure,
    connection: bool,
}

/// What an error says about the request. One that the server says it has not looked at may be sent again.
fn broken(error: &h2::Error, received: bool) -> Broken {
    tracing::debug!(%error, "an HTTP/2 request failed");
    let reason = error.reason();
    // What this side calls an error is a frame that breaks the protocol.
    let ours = error.is_library() && reason.is_some_and(|reason| reason != Reason::NO_ERROR);
    let kind = if ours { ErrorKind::Protocol } else { ErrorKind::Reset };
    let refused = error.is_remote()
        && (reason == Some(Reason::REFUSED_STREAM) || error.is_go_away() && reason == Some(Reason::NO_ERROR));
    let received = received || ours || error.is_reset();
    Broken { failure: Failure { kind, received, refused }, connection: !error.is_reset() }
}

//! Events as messages of a WebSocket, one JSON text each.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{CloseCode, Message, WebSocketConfig, WebSocketStream};

use super::feed::{Feed, Next};

/// A client that takes no message for so long is gone.
const SEND: Duration = Duration::from_secs(30);
/// Clients have nothing to say beyond pings and the closing.
const LONGEST_FROM_CLIENT: usize = 4096;

/// Limits of what a client may send.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(LONGEST_FROM_CLIENT)).max_frame_size(Some(LONGEST_FROM_CLIENT))
}

/// Tells a client until one of both ends it.
pub(super) async fn tell(mut feed: Feed, mut socket: WebSocketStream) {
    let (code, reason) = loop {
        let message = tokio::select! {
            next = feed.next() => match next {
                Ok(Next::Event(event)) => Message::text(event.data),
                Ok(Next::Heartbeat) => Message::ping(Vec::new()),
                Ok(Next::Over) => break (CloseCode::Normal, "over"),
                Err(fault) => {
                    tracing::error!(%fault, "a stream of a capture is broken off");
                    break (CloseCode::Error, "internal error");
                }
            },
            // Pings are answered while reading; what else clients say is passed over.
            said = socket.next() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        if !matches!(tokio::time::timeout(SEND, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    };
    let closing = async {
        socket.send(Message::close_with(code, reason)).await?;
        // The client's own closing ends the connection in order.
        while let Some(Ok(_)) = socket.next().await {}
        socket.close().await
    };
    if !matches!(tokio::time::timeout(Duration::from_secs(2), closing).await, Ok(Ok(()))) {
        tracing::debug!("a WebSocket client did not close in order");
    }
}

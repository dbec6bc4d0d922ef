//! A client's connection, which can be reset instead of closed, and answers that can be delivered badly.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

/// Whether a connection ends with a reset. Shared by the socket and by those who answer on it.
#[derive(Debug, Clone, Default)]
pub struct Reset(Arc<AtomicBool>);

impl Reset {
    /// From now on, closing means a reset.
    pub fn arm(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn armed(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The connection.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    reset: Reset,
}

impl Socket {
    /// Wraps an accepted connection.
    pub fn new(stream: TcpStream, reset: Reset) -> Self {
        Self { stream, reset }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.armed() {
            // When it fails, the client sees a close instead of a reset: a fault all the same.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.armed() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// How an answer's body reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As it is.
    Whole,
    /// Half of it, then the connection breaks.
    Truncated,
    /// In pieces with pauses.
    Slow(Duration),
}

type Done = Box<dyn FnOnce() + Send>;

/// The body of an answer on its way.
pub struct Delivered {
    pieces: VecDeque<Bytes>,
    length: u64,
    breaks: bool,
    pause: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    done: Option<Done>,
}

impl Delivered {
    /// A body that is delivered so, and what happens when all of it is.
    pub fn new(body: Bytes, delivery: Delivery, done: Option<Done>) -> Self {
        let length = body.len() as u64;
        let (pieces, pause) = match delivery {
            Delivery::Whole => (VecDeque::from([body]), None),
            Delivery::Truncated => (VecDeque::from([body.slice(..body.len() / 2)]), None),
            Delivery::Slow(pause) => {
                let size = (body.len() / 8).max(1);
                let places = (0..body.len()).step_by(size);
                (places.map(|at| body.slice(at..(at + size).min(body.len()))).collect(), Some(pause))
            }
        };
        let breaks = delivery == Delivery::Truncated;
        Self {
            pieces: pieces.into_iter().filter(|piece| !piece.is_empty()).collect(),
            length,
            breaks,
            pause,
            sleep: None,
            done,
        }
    }
}

impl Drop for Delivered {
    fn drop(&mut self) {
        if let Some(done) = self.done.take().filter(|_| self.pieces.is_empty() && !self.breaks) {
            done();
        }
    }
}

impl Body for Delivered {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => {
                self.sleep = self.pause.map(|pause| Box::pin(tokio::time::sleep(pause)));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if self.breaks => Poll::Ready(Some(Err(io::Error::other("the testbed's proxy cuts this answer off")))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

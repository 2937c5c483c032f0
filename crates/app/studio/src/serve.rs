//! The server: connections in, within bounds.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep};

use crate::{Session, Settings, StudioError, app};

/// A studio that listens.
#[derive(Debug)]
pub struct Server {
    session: Session,
    listener: TcpListener,
    address: SocketAddr,
    runtime: Runtime,
}

/// Connections at once; others wait to be accepted.
const CONNECTIONS: usize = 256;

/// How long a request's head may take, and a connection may idle.
const HEAD: Duration = Duration::from_secs(20);

/// Between two looks for what is too old, and whether to stop.
const SWEEP: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);

/// How long requests may take to end when the studio does.
const LAST: Duration = Duration::from_secs(1);

impl Server {
    /// Takes the address. It can be asked from now on, and is answered once it runs.
    ///
    /// # Errors
    ///
    /// If the address cannot be had, a setting cannot be, or the system gives no threads.
    pub fn bind(settings: Settings) -> Result<Self, StudioError> {
        let address = SocketAddr::new(settings.host, settings.port);
        let listen = |source| StudioError::Listen { address, source };
        if settings.token.is_none() && !address.ip().is_loopback() {
            return Err(StudioError::NoToken { address });
        }
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(16)
            .enable_all()
            .build()?;
        Ok(Self { session: Session::new(settings, address)?, listener, address, runtime })
    }

    /// The page's address, with the token if there is one.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let token = self.session.0.settings.token.as_ref();
        let query = token.map(|token| format!("?token={token}")).unwrap_or_default();
        format!("http://{address}/{query}")
    }

    /// Answers until `stop` says so.
    ///
    /// # Errors
    ///
    /// If connections can no longer be accepted.
    pub fn run(self, stop: impl Fn() -> bool) -> Result<(), StudioError> {
        let Self { session, listener, runtime, .. } = self;
        let ended = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                ended = accept(&session, listener) => ended,
                () = sweep(&session) => Ok(()),
                () = until(stop) => Ok(()),
            }
        });
        session.0.close();
        runtime.shutdown_timeout(LAST);
        Ok(ended?)
    }
}

async fn accept(session: &Session, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let app = app(session.clone());
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if is_passing(&error) => {
                sleep(LOOK).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let _ = stream.set_nodelay(true); // slower without, no worse
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let _place = place;
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 << 10);
            // Who goes away in the middle is nobody's fault.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Whether accepting may go again in a moment: a connection that was broken off at once, or too
/// many open files.
fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    const TOO_MANY_FILES: [i32; 2] = [23, 24];
    let kind =
        [ConnectionAborted, ConnectionReset, Interrupted, WouldBlock].contains(&error.kind());
    kind || error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code))
}

async fn sweep(session: &Session) {
    let mut ticks = interval(SWEEP);
    loop {
        ticks.tick().await;
        session.sweep();
    }
}

async fn until(stop: impl Fn() -> bool) {
    while !stop() {
        sleep(LOOK).await;
    }
}

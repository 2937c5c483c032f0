use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, header};
use ureq::tls::{RootCerts, TlsConfig};

use super::part::{PIECE, Part, hash_of};
use super::{Cache, KnownWeights, PullError};

/// Without a sign of life for so long, a connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// How weights are fetched into a cache.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Where to.
    pub cache: Cache,
    /// A folder on the web that holds the files under their own names, to be
    /// asked instead of their publishers: `https://mirror.example/weights` for
    /// `https://mirror.example/weights/vgg16-397923af.pth`. It may be `http`, as
    /// the hash is checked whoever it comes from.
    pub mirror: Option<String>,
    /// How often a connection may break before that is an error: 3 more times.
    pub retries: u32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// It lay there already, and its hash is right.
    There(PathBuf),
    /// It was fetched.
    Fetched(PathBuf),
}

/// How an attempt to fetch the rest ended, if not in an error.
enum Attempt {
    Whole,
    /// More may come of another attempt.
    Cut,
}

impl Pull {
    /// Into that cache, from the publishers.
    pub fn new(cache: Cache) -> Self {
        Self { cache, mirror: None, retries: 3 }
    }

    /// Where these weights are asked for.
    pub fn url(&self, weights: &KnownWeights) -> String {
        let at = |mirror: &String| format!("{}/{}", mirror.trim_end_matches('/'), weights.file);
        self.mirror.as_ref().map_or_else(|| weights.url.to_owned(), at)
    }

    /// Fetches weights, or what is missing of them. `watch` is told how many
    /// bytes are there, and may break it off; then, as after any broken
    /// connection, the next time goes on from there.
    ///
    /// # Errors
    ///
    /// - [`PullError::Unreachable`] if there is no network, or no such file.
    /// - [`PullError::Cut`], [`PullError::Stopped`] if it is not whole.
    /// - [`PullError::Size`], [`PullError::Hash`] if it is another file, or if
    ///   another lies in the cache.
    /// - [`PullError::Io`], [`PullError::Busy`] if it cannot be written.
    pub fn run(
        &self,
        weights: &KnownWeights,
        mut watch: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Pulled, PullError> {
        let path = self.cache.path(weights);
        if let Some(path) = self.cache.find(weights) {
            return check(path, weights);
        }
        let mut fetch = Fetch {
            weights,
            url: self.url(weights),
            agent: agent(),
            part: Part::open(&path)?,
            path: path.clone(),
        };
        for _ in 0..=self.retries {
            match fetch.attempt(&mut watch) {
                Ok(Attempt::Cut) => {}
                Ok(Attempt::Whole) => {
                    fetch.part.finish(weights, &fetch.url)?;
                    return Ok(Pulled::Fetched(path));
                }
                Err(error) => {
                    if fetch.part.len()? == 0 {
                        fetch.part.discard();
                    }
                    return Err(error);
                }
            }
        }
        Err(PullError::Cut { have: fetch.part.len()?, url: fetch.url, size: weights.size })
    }
}

/// A file that somebody put there need not be the right one.
fn check(path: PathBuf, weights: &KnownWeights) -> Result<Pulled, PullError> {
    let got = hash_of(&path)?;
    if got == weights.sha256 {
        return Ok(Pulled::There(path));
    }
    let (what, want) = (path.display().to_string(), weights.sha256);
    Err(PullError::Hash { what, got, want, remedy: ": take the file away to have it fetched" })
}

struct Fetch<'a> {
    weights: &'a KnownWeights,
    url: String,
    agent: Agent,
    part: Part,
    path: PathBuf,
}

impl Fetch<'_> {
    /// Asks for what is missing and appends it.
    fn attempt(
        &mut self,
        watch: &mut impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Attempt, PullError> {
        let size = self.weights.size;
        let have = self.part.len()?;
        if have == size {
            return Ok(Attempt::Whole);
        }
        let tag = self.part.tag().filter(|_| have < size);
        let mut request = self.agent.get(&self.url);
        if let Some(tag) = tag.filter(|_| have > 0) {
            request = request
                .header(header::RANGE, format!("bytes={have}-"))
                .header(header::IF_RANGE, tag);
        }
        let response = request.call().map_err(|e| self.unreachable(e.to_string()))?;
        self.prepare(&response, have)?;
        self.receive(response.into_body().into_reader(), watch)
    }

    /// Makes the part ready for what the server is about to send.
    fn prepare<B>(&mut self, response: &Response<B>, have: u64) -> Result<(), PullError> {
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        let begin = match response.status().as_u16() {
            206 if header(header::CONTENT_RANGE).and_then(first_byte) == Some(have) => have,
            200 => 0,
            // It has a part of another file: nothing of ours helps there.
            206 | 416 => {
                self.part.begin(None)?;
                return Err(self.unreachable("it did not go on where we were; try again".into()));
            }
            _ => return Err(self.unreachable(format!("the server says {}", response.status()))),
        };
        let rest = header(header::CONTENT_LENGTH).and_then(|v| v.parse::<u64>().ok());
        if let Some(got) = rest.map(|rest| begin.saturating_add(rest))
            && got != self.weights.size
        {
            self.part.begin(None)?;
            return Err(self.wrong_size(got));
        }
        if begin == 0 {
            // A weak tag says that the bytes may differ.
            let tag = header(header::ETAG).filter(|tag| !tag.starts_with("W/"));
            let tag = tag.or_else(|| header(header::LAST_MODIFIED)).map(str::to_owned);
            self.part.begin(tag.as_deref())?;
        }
        Ok(())
    }

    fn receive(
        &mut self,
        mut body: impl Read,
        watch: &mut impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Attempt, PullError> {
        let mut have = self.part.len()?;
        let mut piece = vec![0; PIECE];
        loop {
            if watch(have).is_break() {
                return Err(PullError::Stopped);
            }
            let n = match body.read(&mut piece) {
                Ok(0) | Err(_) if have < self.weights.size => return Ok(Attempt::Cut),
                Ok(0) | Err(_) => return Ok(Attempt::Whole),
                Ok(n) => n,
            };
            have += n as u64;
            if have > self.weights.size {
                self.part.begin(None)?;
                return Err(self.wrong_size(have));
            }
            self.part.append(&piece[..n])?;
        }
    }

    fn wrong_size(&self, got: u64) -> PullError {
        PullError::Size { url: self.url.clone(), got, size: self.weights.size }
    }

    fn unreachable(&self, why: String) -> PullError {
        PullError::Unreachable { url: self.url.clone(), why, path: self.path.clone() }
    }
}

/// `bytes 200-999/1000` begins at 200.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

/// Trusts whom the system trusts, so that a company's own mirror works.
fn agent() -> Agent {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another part of the program may have chosen one: just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .user_agent(concat!("pentimento/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

//! Who may ask: the right host, no other site, the token if there is one.
//!
//! A page of any site can make the browser send requests here. It cannot read what comes back,
//! but could start jobs (cross-site posts), and under a name of its own that resolves to this
//! machine it could read too (DNS rebinding). So `Host` must be ours, and what the browser says
//! about where a request comes from must not be another site.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Studio;
use crate::fault::{CROSS_SITE, Fault, UNAUTHORIZED, WRONG_HOST};

/// The one address that is asked without the token: it is where the token is told.
pub(crate) const SESSION: &str = "/api/session";

/// By which names the server may be called.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    address: SocketAddr,
    names: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(address: SocketAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { address, names }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Whether `host` (`name:port`, or `name` at port 80) is this server.
    ///
    /// Where other machines may call, any address will do: a page that rebinds a name
    /// cannot do without the name.
    pub(crate) fn include(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host.as_str(), Some(80)),
        };
        if port != Some(self.port()) {
            return false;
        }
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        match bare.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || !self.address.ip().is_loopback(),
            Err(_) => name == "localhost" || self.names.iter().any(|n| n == name),
        }
    }
}

/// Lets a request through, or says why not; and says on every answer what a browser may do with it.
pub(crate) async fn guard(State(studio): State<Studio>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let refused = checked(&studio, request.method(), request.uri(), request.headers());
    let mut response = match refused {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// What every answer says.
const ALWAYS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

fn checked(studio: &Studio, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Fault> {
    let host = host(&studio.hosts, uri, headers)?;
    same_site(&host, method, uri, headers)?;
    let open = !uri.path().starts_with("/api/") || uri.path() == SESSION;
    match &studio.settings.token {
        Some(token) if !open && !knows(headers, token, studio.hosts.port()) => Err(wrong_token()),
        _ => Ok(()),
    }
}

pub(crate) fn wrong_token() -> Fault {
    let remedy = "Open the address that the studio printed at its start, with the token in it.";
    Fault::new(UNAUTHORIZED, "The token is missing or wrong.", remedy)
}

/// The host that the request is for, if it is one of ours.
fn host(hosts: &Hosts, uri: &Uri, headers: &HeaderMap) -> Result<String, Fault> {
    let mut given = headers.get_all(header::HOST).iter();
    let one = given.next().filter(|_| given.next().is_none());
    let named = one.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agrees = uri.authority().is_none_or(|authority| authority.as_str() == named);
    if hosts.include(named) && agrees {
        return Ok(named.to_ascii_lowercase());
    }
    let message = format!("This server is not {named:?}.");
    let remedy = "Open the address that the studio printed at its start; --allow-host adds names.";
    Err(Fault::new(WRONG_HOST, message, remedy))
}

/// Refuses what another site's page sends, but for following a link to the page itself.
fn same_site(host: &str, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Fault> {
    let cross = |what: &str| {
        let message = format!("Another site asks here ({what}).");
        Err(Fault::new(CROSS_SITE, message, "Use the studio's own page, or a program."))
    };
    let all = |name: HeaderName| headers.get_all(name).into_iter();
    for origin in all(header::ORIGIN) {
        let own = origin.to_str().is_ok_and(|o| o.to_ascii_lowercase() == format!("http://{host}"));
        if !own {
            return cross("Origin");
        }
    }
    let link = *method == Method::GET
        && uri.path() == "/"
        && all(HeaderName::from_static("sec-fetch-mode")).all(|mode| mode == "navigate")
        && all(HeaderName::from_static("sec-fetch-dest")).all(|to| to == "document");
    for site in all(HeaderName::from_static("sec-fetch-site")) {
        if site != "same-origin" && site != "none" && !link {
            return cross("Sec-Fetch-Site");
        }
    }
    Ok(())
}

/// Whether a request knows the token: as a bearer, or by the cookie.
fn knows(headers: &HeaderMap, token: &str, port: u16) -> bool {
    let texts =
        |name: HeaderName| headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
    let bearer = texts(header::AUTHORIZATION).filter_map(|text| text.strip_prefix("Bearer "));
    let name = cookie_name(port);
    let cookies = texts(header::COOKIE).flat_map(|text| text.split(';'));
    let cookie = cookies.filter_map(|c| c.trim().strip_prefix(name.as_str())?.strip_prefix('='));
    // No early end: how many were tried is no secret.
    bearer.chain(cookie).fold(false, |known, given| known | equal(given, token))
}

/// Whether two texts are equal, in a time that depends on their lengths alone.
pub(crate) fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let differ = a.iter().zip(b).fold(a.len() ^ b.len(), |sum, (a, b)| sum | usize::from(a ^ b));
    std::hint::black_box(differ) == 0
}

/// Cookies are a host's, whatever the port, so that two studios must not share a name.
fn cookie_name(port: u16) -> String {
    format!("pentimento_{port}")
}

/// What makes a browser remember the token.
pub(crate) fn cookie(token: &str, port: u16) -> String {
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict", cookie_name(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_addresses_of_this_machine_at_this_port() {
        let hosts = |address: &str| Hosts::new(address.parse().unwrap(), &["Attic.local".into()]);
        let local = hosts("127.0.0.1:7878");
        for host in
            ["localhost:7878", "127.0.0.1:7878", "[::1]:7878", "LOCALHOST:7878", "attic.local:7878"]
        {
            assert!(local.include(host), "{host}");
        }
        for host in [
            "",
            "localhost",
            "localhost:7879",
            "localhost:78780",
            "evil.example:7878",
            "localhost.evil.example:7878",
            "192.168.1.7:7878",
            "[::1]",
            "127.0.0.1:",
            "127.0.0.1:x",
            "localhost:7878@evil.example:7878",
            "evil.example/localhost:7878",
        ] {
            assert!(!local.include(host), "{host}");
        }
        let open = hosts("0.0.0.0:80");
        assert!(open.include("192.168.1.7") && open.include("localhost"));
        assert!(!open.include("evil.example"));
    }

    #[test]
    fn equality_is_equality() {
        for (a, b) in [("", ""), ("secret", "secret")] {
            assert!(equal(a, b));
        }
        for (a, b) in [("", "s"), ("secret", "secre"), ("secret", "secreT"), ("s", "secret")] {
            assert!(!equal(a, b) && !equal(b, a));
        }
    }
}

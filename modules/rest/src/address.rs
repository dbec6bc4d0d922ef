//! Which addresses a token may be sent to: HTTPS, or this machine itself.

/// The address of an API, without a slash at its end.
///
/// # Errors
/// A sentence when it is none that a token may be sent to. It does not repeat the address, which may hold a password.
pub fn checked(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("must be an address that begins with https://".to_owned());
    };
    if rest.contains(['@', '?', '#']) || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must hold host and path only: no user, query or fragment".to_owned());
    }
    if host(url).is_empty() {
        return Err("names no host".to_owned());
    }
    match scheme {
        "https" => Ok(url.to_owned()),
        "http" if is_loopback(url) => Ok(url.to_owned()),
        _ => Err("must begin with https://: only this machine may be spoken to without".to_owned()),
    }
}

/// Whether an address is this machine's own.
pub fn is_loopback(url: &str) -> bool {
    let host = host(url);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host in an address, an IPv6 one without its brackets.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_https_or_stays_on_this_machine() {
        assert_eq!(checked("https://api.github.com/"), Ok("https://api.github.com".to_owned()));
        assert_eq!(checked("https://git.example:8443/api/v3"), Ok("https://git.example:8443/api/v3".to_owned()));
        for here in ["http://127.0.0.1:80", "http://localhost:1/x", "http://[::1]:80"] {
            assert_eq!(checked(here), Ok(here.to_owned()));
        }
        for wrong in [
            "",
            "api.github.com",
            "http://api.github.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "https://",
            "https:///x",
            "https://u:p@api.github.com",
            "https://api.github.com?x",
            "https://api.github.com#x",
            "https://api github.com",
        ] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
    }
}

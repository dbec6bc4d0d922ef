//! A context of a kubeconfig (`KUBECONFIG`, else `~/.kube/config`) as a connection.
//!
//! Programs that a kubeconfig names (exec plugins, auth providers) are never started, and a server without a checked certificate is
//! never spoken to: a runbook holds an account's keys.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use runbook_modules::error::CallError;
use secrecy::{ExposeSecret, SecretString};

use crate::connection::{Connection, Identity};

/// The connection of a context.
///
/// # Errors
/// `Refused`, naming the context and what is wrong with it.
pub fn connection(context: &str) -> Result<Connection, CallError> {
    let config = Kubeconfig::read().map_err(|error| unusable(format!("the kubeconfig cannot be read: {error}")))?;
    of(&config, context)
}

fn of(config: &Kubeconfig, name: &str) -> Result<Connection, CallError> {
    let wrong = |what: String| unusable(format!("context {name} of the kubeconfig {what}"));
    let context = config.contexts.iter().find(|known| known.name == name).and_then(|known| known.context.as_ref());
    let context = context.ok_or_else(|| {
        let known: Vec<&str> = config.contexts.iter().map(|known| known.name.as_str()).collect();
        wrong("does not exist".to_owned()).hint(format!("its contexts: {}", known.join(", ")))
    })?;
    let cluster = config.clusters.iter().find(|known| known.name == context.cluster);
    let cluster = cluster.and_then(|known| known.cluster.as_ref());
    let cluster = cluster.ok_or_else(|| wrong(format!("names the cluster {}, which is missing", context.cluster)))?;
    let user = context.user.as_deref().unwrap_or_default();
    let known = config.auth_infos.iter().find(|known| known.name == user).and_then(|known| known.auth_info.as_ref());
    let known = known.ok_or_else(|| wrong(format!("names the user {user:?}, which is missing")))?;
    let endpoint = cluster.server.clone().filter(|server| server.starts_with("https://"));
    Ok(Connection {
        endpoint: endpoint.ok_or_else(|| wrong("has a server that does not begin with https://".to_owned()))?,
        ca_pem: authority(cluster).map_err(&wrong)?,
        server_name: cluster.tls_server_name.clone(),
        identity: identity(known).map_err(&wrong)?,
        renew_at: None,
    })
}

fn authority(cluster: &Cluster) -> Result<Option<String>, String> {
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Err("says insecure-skip-tls-verify, which is refused: anybody could answer".to_owned());
    }
    if cluster.proxy_url.is_some() {
        return Err("goes through a proxy-url, which is not supported".to_owned());
    }
    match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
        (None, None) => Ok(None),
        (data, file) => pem(data.as_deref(), file.as_deref(), "certificate-authority").map(Some),
    }
}

fn identity(user: &AuthInfo) -> Result<Identity, String> {
    if let Some(exec) = &user.exec {
        let program = exec.command.as_deref().unwrap_or_default();
        return Err(format!(
            "starts the program {program:?} for its credentials, which is refused; for an EKS cluster, k8s(cluster) needs no kubeconfig"
        ));
    }
    if user.impersonate.is_some() {
        return Err("acts as another user (as), which is not supported".to_owned());
    }
    if user.auth_provider.is_some() {
        return Err("has an auth-provider, which is refused; use a token or a certificate".to_owned());
    }
    if let Some(token) = &user.token {
        return Ok(Identity::Token(token.clone()));
    }
    if let Some(file) = &user.token_file {
        let token = fs::read_to_string(file).map_err(|error| format!("has a token file {file} that fails: {error}"))?;
        return Ok(Identity::Token(SecretString::from(token.trim())));
    }
    let (cert, key) = (&user.client_certificate_data, &user.client_key_data);
    if (cert.is_some() || user.client_certificate.is_some()) && (key.is_some() || user.client_key.is_some()) {
        let cert_pem = pem(cert.as_deref(), user.client_certificate.as_deref(), "client-certificate")?;
        let key = key.as_ref().map(ExposeSecret::expose_secret);
        let key_pem = SecretString::from(pem(key, user.client_key.as_deref(), "client-key")?);
        return Ok(Identity::Certificate { cert_pem, key_pem });
    }
    Err("has neither a token nor a client certificate with its key".to_owned())
}

/// PEM out of base64 data, else out of a file.
fn pem(data: Option<&str>, file: Option<&str>, what: &str) -> Result<String, String> {
    let bytes = match (data, file) {
        (Some(data), _) => {
            STANDARD.decode(data).map_err(|error| format!("has a {what}-data that is no base64: {error}"))?
        }
        (None, Some(file)) => fs::read(file).map_err(|error| format!("has a {what} {file} that fails: {error}"))?,
        (None, None) => return Err(format!("has no {what}")),
    };
    String::from_utf8(bytes).map_err(|_| format!("has a {what} that is no PEM"))
}

fn unusable(message: String) -> CallError {
    CallError::refused("Kubeconfig", message)
}

#[cfg(test)]
mod tests {
    use runbook_modules::error::Class;

    use super::*;

    const CLUSTER: &str = "server: https://127.0.0.1:6443";
    const USER: &str = "token: t";

    /// A kubeconfig of one context, with these fields of its cluster and its user.
    fn read(cluster: &str, user: &str) -> Result<Connection, CallError> {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: k, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
        );
        of(&Kubeconfig::from_yaml(&text).expect("a kubeconfig"), "c")
    }

    #[test]
    fn what_is_unsafe_is_refused_with_its_reason() {
        let also = |more: &str| format!("{CLUSTER}, {more}");
        for (cluster, user, reason) in [
            (
                CLUSTER,
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks]}",
                "starts the program \"aws\"",
            ),
            // A token beside it changes nothing: the program is named, so it is what is meant.
            (
                CLUSTER,
                "token: t, exec: {apiVersion: client.authentication.k8s.io/v1, command: x}",
                "starts the program \"x\"",
            ),
            (
                CLUSTER,
                "token: t, auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}",
                "has an auth-provider, which is refused",
            ),
            (CLUSTER, "token: t, as: admin", "acts as another user (as), which is not supported"),
            (CLUSTER, "username: u, password: p", "has neither a token nor a client certificate with its key"),
            (CLUSTER, "client-certificate-data: QQ==", "has neither a token nor a client certificate with its key"),
            (
                CLUSTER,
                "client-certificate-data: '*', client-key-data: QQ==",
                "client-certificate-data that is no base64",
            ),
            (CLUSTER, "tokenFile: /no/such/file", "has a token file /no/such/file that fails"),
            (&also("insecure-skip-tls-verify: true"), USER, "says insecure-skip-tls-verify, which is refused"),
            (&also("proxy-url: http://127.0.0.1:1"), USER, "goes through a proxy-url, which is not supported"),
            (&also("certificate-authority: /no/such/file"), USER, "certificate-authority /no/such/file that fails"),
            (&also("certificate-authority-data: /w=="), USER, "certificate-authority that is no PEM"),
            ("server: http://127.0.0.1:6443", USER, "a server that does not begin with https://"),
        ] {
            let error = read(cluster, user).expect_err(reason);
            assert_eq!((error.class, error.code.as_str()), (Class::Refused, "Kubeconfig"));
            let whose = "context c of the kubeconfig ";
            assert!(error.message.starts_with(whose) && error.message.contains(reason), "{reason}: {}", error.message);
        }
    }

    #[test]
    fn tokens_and_certificates_are_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            path.display().to_string()
        };
        let token = |connection: Connection| match connection.identity {
            Identity::Token(token) => token.expose_secret().to_owned(),
            Identity::Certificate { .. } => "a certificate".to_owned(),
        };
        let cluster = format!("{CLUSTER}, tls-server-name: n, certificate-authority-data: UEVN");
        let plain = read(&cluster, USER).expect("a token");
        assert_eq!(
            (plain.endpoint.as_str(), plain.ca_pem.as_deref(), plain.server_name.as_deref()),
            ("https://127.0.0.1:6443", Some("PEM"), Some("n"))
        );
        assert_eq!(token(plain), "t");
        // The last line's end is no part of a token.
        let user = format!("tokenFile: {}", file("token", "of a file\n"));
        assert_eq!(token(read(CLUSTER, &user).expect("a token file")), "of a file");
        let files = format!("client-certificate: {}, client-key: {}", file("cert", "CERT"), file("key", "KEY"));
        for user in ["client-certificate-data: Q0VSVA==, client-key-data: S0VZ", &files] {
            let Identity::Certificate { cert_pem, key_pem } = read(CLUSTER, user).expect("a certificate").identity
            else {
                panic!("no certificate: {user}");
            };
            assert_eq!((cert_pem.as_str(), key_pem.expose_secret()), ("CERT", "KEY"));
        }
    }

    #[test]
    fn what_a_context_names_must_be_there() {
        let config = |text: &str| Kubeconfig::from_yaml(text).expect("a kubeconfig");
        let contexts = "apiVersion: v1\nkind: Config\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n";
        let error = of(&config(contexts), "d").expect_err("no such context");
        assert_eq!(
            (error.message.as_str(), error.hints.as_slice()),
            ("context d of the kubeconfig does not exist", ["its contexts: c".to_owned()].as_slice())
        );
        let error = of(&config(contexts), "c").expect_err("no cluster");
        assert!(error.message.ends_with("names the cluster k, which is missing"), "{}", error.message);
        let clusters = format!("{contexts}clusters: [{{name: k, cluster: {{{CLUSTER}}}}}]\n");
        let error = of(&config(&clusters), "c").expect_err("no user");
        assert!(error.message.ends_with("names the user \"u\", which is missing"), "{}", error.message);
    }
}

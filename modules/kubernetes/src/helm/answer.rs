//! What helm says, sorted by what the effect protocol does next. Helm has no error codes: its words, and those of the API server and
//! the registry within them, are all there is. They are only asked about calls of which it is certain that nothing was changed.

use runbook_modules::error::{CallError, Class};

/// No more of helm's words are shown.
const WORDS_MOST: usize = 1500;
/// The code of the error about a release that is too large to be kept.
const TOO_LARGE: &str = "RB0803";

/// Words of an error (in lower case), its class and code.
const KNOWN: &[(&str, Class, &str)] = &[
    ("must have at most 1048576 bytes", Class::Refused, TOO_LARGE),
    ("may not be more than 1048576 bytes", Class::Refused, TOO_LARGE),
    ("request is too large", Class::Refused, TOO_LARGE),
    ("request entity too large", Class::Refused, TOO_LARGE),
    ("exceeds the maximum chart size", Class::Refused, TOO_LARGE),
    ("cannot re-use a name that is still in use", Class::AlreadyExists, "NameInUse"),
    ("another operation (install/upgrade/rollback) is in progress", Class::NotYet, "OperationInProgress"),
    ("release: not found", Class::NotFound, "ReleaseNotFound"),
    ("release: already exists", Class::NotYet, "OperationInProgress"),
    ("don't meet the specifications of the schema", Class::Refused, "ValuesSchema"),
    ("chart requires kubeversion", Class::Refused, "KubeVersion"),
    ("cannot be imported into the current release", Class::Refused, "ObjectNotOurs"),
    ("execution error at", Class::Refused, "TemplateError"),
    ("parse error at", Class::Refused, "TemplateError"),
    ("error calling", Class::Refused, "TemplateError"),
    ("error converting yaml to json", Class::Refused, "TemplateError"),
    ("template:", Class::Refused, "TemplateError"),
    ("no matches for kind", Class::Refused, "UnknownKind"),
    ("missing in charts/ directory", Class::Refused, "ChartIncomplete"),
    ("the server has asked for the client to provide credentials", Class::Credentials, "Unauthorized"),
    ("forbidden:", Class::Refused, "Forbidden"),
    ("is forbidden", Class::Refused, "Forbidden"),
    ("kubernetes cluster unreachable", Class::NotSent, "ClusterUnreachable"),
    ("connection refused", Class::NotSent, "ClusterUnreachable"),
    ("no such host", Class::NotSent, "ClusterUnreachable"),
    ("i/o timeout", Class::NotSent, "ClusterUnreachable"),
    ("tls handshake timeout", Class::NotSent, "ClusterUnreachable"),
    ("connection reset by peer", Class::NotSent, "ClusterUnreachable"),
];

/// Words of an error about fetching a chart.
const FETCHING: &[(&str, Class, &str)] = &[
    ("unauthorized", Class::Refused, "RegistryDenied"),
    ("authentication required", Class::Refused, "RegistryDenied"),
    ("denied", Class::Refused, "RegistryDenied"),
    ("forbidden", Class::Refused, "RegistryDenied"),
    ("not found", Class::Refused, "ChartNotFound"),
    ("404", Class::Refused, "ChartNotFound"),
    ("improper constraint", Class::Refused, "ChartVersion"),
    ("no chart version found", Class::Refused, "ChartNotFound"),
    ("unable to locate any tags", Class::Refused, "ChartNotFound"),
    ("connection refused", Class::NotSent, "RegistryUnreachable"),
    ("no such host", Class::NotSent, "RegistryUnreachable"),
    ("timeout", Class::NotSent, "RegistryUnreachable"),
    ("connection reset by peer", Class::NotSent, "RegistryUnreachable"),
    ("eof", Class::NotSent, "RegistryUnreachable"),
    ("500", Class::NotSent, "RegistryUnreachable"),
    ("502", Class::NotSent, "RegistryUnreachable"),
    ("503", Class::NotSent, "RegistryUnreachable"),
];

/// The error of a call that changed nothing.
pub fn nothing_done(said: &str) -> CallError {
    let error = sorted(said, KNOWN, "HelmError");
    match error.code.as_str() {
        TOO_LARGE => error
            .hint("a release is kept in one Secret, with the chart, its values and all that it renders to: 1 MiB at most, compressed")
            .hint("put large files into ConfigMaps of their own, leave them out of the chart (.helmignore), or split the chart"),
        "ObjectNotOurs" => error.hint("what stands there was not made by this release; it is never taken over"),
        "UnknownKind" => error.hint("apply the CustomResourceDefinition of this kind first"),
        _ => error,
    }
}

/// The error of a chart that could not be fetched.
pub fn not_fetched(said: &str) -> CallError {
    let error = sorted(said, FETCHING, "ChartNotFetched");
    match error.code.as_str() {
        "RegistryDenied" => error.hint("helm registry login HOST keeps credentials, which are used here too"),
        _ => error,
    }
}

fn sorted(said: &str, known: &[(&str, Class, &'static str)], other: &'static str) -> CallError {
    let words = words(said);
    let lower = words.to_lowercase();
    let found = known.iter().find(|(part, ..)| lower.contains(part));
    let (class, code) = found.map_or((Class::Refused, other), |(_, class, code)| (*class, *code));
    CallError::new(class, code, words)
}

/// Helm's words without warnings, white space and its own prefixes, cut in the middle when they are many.
pub fn words(said: &str) -> String {
    let from = said.rfind("\nError: ").map(|at| at + 1).or_else(|| said.starts_with("Error: ").then_some(0));
    let text = from.map_or(said, |at| &said[at..]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = text.as_str();
    for prefix in ["Error: ", "INSTALLATION FAILED: ", "UPGRADE FAILED: ", "Unable to continue with install: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    if text.is_empty() {
        return "helm ended without a word".to_owned();
    }
    shortened(text)
}

fn shortened(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= WORDS_MOST {
        return text.to_owned();
    }
    let (head, tail) = (&letters[..WORDS_MOST / 2], &letters[letters.len() - WORDS_MOST / 2..]);
    format!("{} … {}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_trimmed_to_the_error() {
        assert_eq!(words("level=WARN msg=\"x\"\nError: INSTALLATION FAILED: a\n  b\n"), "a b");
        assert_eq!(words("Error: UPGRADE FAILED: x"), "x");
        assert_eq!(words(" \n"), "helm ended without a word");
        let long = words(&format!("Error: {} end", "x".repeat(5000)));
        assert!(long.starts_with("xxx") && long.ends_with("x end") && long.chars().count() < 1510);
    }

    #[test]
    fn errors_are_sorted() {
        for (said, class, code) in [
            (
                "Error: Kubernetes cluster unreachable: Get \"https://x/version\": dial tcp: connect: connection refused",
                Class::NotSent,
                "ClusterUnreachable",
            ),
            (
                "Error: Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
                Class::Credentials,
                "Unauthorized",
            ),
            (
                "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
                Class::NotYet,
                "OperationInProgress",
            ),
            (
                "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nredis:\n- at '/x': got",
                Class::Refused,
                "ValuesSchema",
            ),
            ("Error: execution error at (redis/templates/x.yaml:3:4): no", Class::Refused, "TemplateError"),
            (
                "Error: create: failed to create: Secret \"sh.helm.release.v1.x.v1\" is invalid: data: Too long: may not be more \
              than 1048576 bytes",
                Class::Refused,
                "RB0803",
            ),
            ("Error: something new", Class::Refused, "HelmError"),
        ] {
            let error = nothing_done(said);
            assert_eq!((error.class, error.code.as_str()), (class, code), "{said}");
        }
        for (said, class, code) in [
            (
                "Error: failed to do request: Head \"http://127.0.0.1:1/v2/x\": dial tcp: connect: connection refused",
                Class::NotSent,
                "RegistryUnreachable",
            ),
            ("Error: 127.0.0.1:5000/charts/redis:1.0.0: not found", Class::Refused, "ChartNotFound"),
            ("Error: GET: unauthorized: authentication required", Class::Refused, "RegistryDenied"),
        ] {
            let error = not_fetched(said);
            assert_eq!((error.class, error.code.as_str()), (class, code), "{said}");
        }
    }
}

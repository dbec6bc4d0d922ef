//! Which operations change something, by name.

use http::Method;

/// Beginnings of the names of operations that only read.
const READS: &[&str] = &[
    "Describe", "Get", "List", "Discover", "Head", "Search", "Lookup", "BatchGet", "Query", "Scan", "Select", "Check",
    "Validate", "Simulate", "Test", "Estimate", "Preview", "Decode",
];

/// Operations that make or change no resource though their names do not say so: credentials and cryptography.
const HARMLESS: &[(&str, &str)] = &[
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "AssumeRoleWithSAML"),
    ("kms", "Encrypt"),
    ("kms", "Decrypt"),
    ("kms", "ReEncrypt"),
    ("kms", "GenerateDataKey"),
    ("kms", "GenerateDataKeyWithoutPlaintext"),
    ("kms", "GenerateRandom"),
    ("kms", "Sign"),
    ("kms", "Verify"),
    ("ecr", "BatchCheckLayerAvailability"),
    ("logs", "FilterLogEvents"),
    ("logs", "StartQuery"),
];

/// Whether an operation changes something. An operation that is only known by its path is judged by its method.
pub fn is(service: &str, operation: &str, method: &Method) -> bool {
    if operation.contains(' ') {
        return !matches!(*method, Method::GET | Method::HEAD);
    }
    let reads = READS.iter().any(|beginning| operation.starts_with(beginning));
    !reads && !HARMLESS.contains(&(service, operation))
}

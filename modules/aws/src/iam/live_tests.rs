//! The shape of the requests to IAM, on the real SDK client.
